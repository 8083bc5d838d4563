#include "upstream/site.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct gd_site *gd_site_new(const char *name, unsigned weight, unsigned priority,
                            const struct gd_address *addresses, unsigned count)
{
    struct gd_site *site = gd_alloc(sizeof(*site) + count * sizeof(site->addresses[0]));

    assert(count > 0 && count <= GD_RACE_MAX && weight > 0);
    site->refs = 1;
    snprintf(site->name, sizeof(site->name), "%s", name);
    site->weight = weight;
    site->priority = priority;
    site->count = count;
    memcpy(site->addresses, addresses, count * sizeof(addresses[0]));
    gd_race_order(site->addresses, count);
    return site;
}

struct gd_site *gd_site_ref(struct gd_site *site)
{
    atomic_fetch_add_explicit(&site->refs, 1, memory_order_relaxed);
    return site;
}

void gd_site_unref(struct gd_site *site)
{
    if (site && atomic_fetch_sub_explicit(&site->refs, 1, memory_order_acq_rel) == 1)
        gd_free(site);
}

void gd_sites_free(struct gd_site **sites, unsigned count)
{
    for (unsigned i = 0; sites && i < count; i++)
        gd_site_unref(sites[i]);
    gd_free(sites);
}

int gd_address_find(const struct gd_address *addresses, unsigned count,
                    const struct gd_address *address)
{
    for (unsigned i = 0; i < count; i++)
        if (addresses[i].len == address->len &&
            memcmp(&addresses[i].sa, &address->sa, address->len) == 0)
            return (int)i;
    return -1;
}

/* The same addresses in another order are the same: answers come in any order. */
bool gd_site_equal(const struct gd_site *a, const struct gd_site *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (strcmp(a->name, b->name) != 0 || a->weight != b->weight ||
        a->priority != b->priority || a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (gd_address_find(b->addresses, b->count, &a->addresses[i]) < 0)
            return false;
    return true;
}
