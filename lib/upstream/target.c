#include "upstream/target.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct gd_target *gd_target_new(const char *name, unsigned weight, unsigned priority,
                                const struct gd_address *addresses, unsigned count)
{
    struct gd_target *target =
        gd_alloc(sizeof(*target) + count * sizeof(target->addresses[0]));

    assert(count > 0 && count <= GD_RACE_MAX && weight > 0);
    target->refs = 1;
    snprintf(target->name, sizeof(target->name), "%s", name);
    target->weight = weight;
    target->priority = priority;
    target->count = count;
    memcpy(target->addresses, addresses, count * sizeof(addresses[0]));
    gd_race_order(target->addresses, count);
    return target;
}

struct gd_target *gd_target_ref(struct gd_target *target)
{
    atomic_fetch_add_explicit(&target->refs, 1, memory_order_relaxed);
    return target;
}

void gd_target_unref(struct gd_target *target)
{
    if (target && atomic_fetch_sub_explicit(&target->refs, 1, memory_order_acq_rel) == 1)
        gd_free(target);
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
bool gd_target_equal(const struct gd_target *a, const struct gd_target *b)
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
