#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "upstream/names_inside.h"

/* Last good addresses
 * --------------------------------------------------------------------
 */

static void forget(struct gd_known *known)
{
    for (int i = 0; i < 2; i++) {
        gd_free(known->list[i]);
        known->list[i] = NULL;
        known->count[i] = 0;
    }
}

static void set_family(struct gd_known *known, int family,
                       const struct gd_address *addresses, unsigned count)
{
    gd_free(known->list[family]);
    known->list[family] = NULL;
    known->count[family] = count;
    if (count == 0)
        return;
    known->list[family] = gd_alloc_array(count, sizeof(struct gd_address));
    memcpy(known->list[family], addresses, count * sizeof(struct gd_address));
}

static void copy_known(struct gd_known *known, const struct gd_known *from)
{
    for (int i = 0; i < 2; i++)
        set_family(known, i, from->list[i], from->count[i]);
}

/* A name that is said to have no address at all keeps those it had: that is mostly a
 * mistake, and where it is none there is nobody to call anyhow. */
static void learn(struct gd_name *name, struct gd_known *known,
                  const struct gd_found found[2])
{
    bool any = found[0].answer == GD_ANSWER_FOUND || found[1].answer == GD_ANSWER_FOUND;

    for (int i = 0; i < 2; i++) {
        switch (found[i].answer) {
        case GD_ANSWER_FOUND:
            set_family(known, i, found[i].addresses, found[i].count);
            name->left_out += found[i].left_out;
            if (found[i].ttl_ms < name->ttl_ms)
                name->ttl_ms = found[i].ttl_ms;
            break;
        case GD_ANSWER_NONE:
            if (any)
                set_family(known, i, NULL, 0);
            else if (name->error == NULL)
                name->error = found[i].why;
            break;
        case GD_ANSWER_FAILED:
            name->error = found[i].why;
            break;
        }
    }
}

/* Asking
 * ---------------------------------------------------------------------------------
 */

static void on_host(void *arg, const struct gd_found found[2])
{
    struct gd_name *name = arg;

    name->lookup = NULL;
    learn(name, &name->known, found);
    gd_name_asked(name);
}

static void on_target(void *arg, const struct gd_found found[2])
{
    struct gd_known_target *target = arg;
    struct gd_name *name = target->name;

    target->lookup = NULL;
    learn(name, &target->known, found);
    if (--name->waiting == 0)
        gd_name_asked(name);
}

static void clear_targets(struct gd_name *name)
{
    for (unsigned i = 0; i < name->target_count; i++) {
        gd_lookup_cancel(name->targets[i].lookup);
        forget(&name->targets[i].known);
    }
    gd_free(name->targets);
    name->targets = NULL;
    name->target_count = 0;
}

static const struct gd_known_target *find_host(const struct gd_known_target *targets,
                                               unsigned count, const char *host)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(targets[i].service.host, host) == 0)
            return &targets[i];
    return NULL;
}

/* Nameservers may spell a name with other capitals each time. */
static void lower(char *host)
{
    for (; *host; host++)
        if (*host >= 'A' && *host <= 'Z')
            *host = (char)(*host - 'A' + 'a');
}

static void set_targets(struct gd_name *name, const struct gd_found *found)
{
    struct gd_known_target *fresh = gd_alloc_array(found->count, sizeof(*fresh));

    for (unsigned i = 0; i < found->count; i++) {
        const struct gd_known_target *before;

        fresh[i].name = name;
        fresh[i].service = found->services[i];
        lower(fresh[i].service.host);
        before = find_host(name->targets, name->target_count, fresh[i].service.host);
        if (before)
            copy_known(&fresh[i].known, &before->known);
    }
    clear_targets(name);
    name->targets = fresh;
    name->target_count = found->count;
}

static void on_service(void *arg, const struct gd_found found[2])
{
    struct gd_name *name = arg;

    name->lookup = NULL;
    if (found[0].answer != GD_ANSWER_FOUND) {
        name->error = found[0].why;
        gd_name_asked(name);
        return;
    }
    set_targets(name, &found[0]);
    name->ttl_ms = found[0].ttl_ms;
    name->left_out += found[0].left_out;
    name->waiting = name->target_count;
    for (unsigned i = 0; i < name->target_count; i++)
        name->targets[i].lookup =
            gd_resolve_host(gd_name_resolver(name), name->targets[i].service.host,
                            on_target, &name->targets[i]);
}

void gd_name_ask(struct gd_name *name)
{
    name->error = NULL;
    name->ttl_ms = UINT32_MAX;
    name->left_out = 0;
    name->lookup =
        name->kind == GD_DISCOVERY_SRV
            ? gd_resolve_service(gd_name_resolver(name), name->text, on_service, name)
            : gd_resolve_host(gd_name_resolver(name), name->text, on_host, name);
}

/* What it stands for
 * ---------------------------------------------------------------------
 */

/* The addresses of a host by turns, as many as are raced; returns how many. */
static unsigned pick(struct gd_name *name, const struct gd_known *known, uint16_t port,
                     struct gd_address out[GD_RACE_MAX])
{
    unsigned total = known->count[0] + known->count[1], count = 0;

    for (unsigned i = 0; i < total; i++)
        for (int family = 0; family < 2; family++) {
            if (i >= known->count[family] || count == GD_RACE_MAX)
                continue;
            out[count] = known->list[family][i];
            gd_address_set_port(&out[count++], port);
        }
    name->left_out += total - count;
    return count;
}

/* One server that is at all addresses of the name. */
static unsigned want_one(struct gd_name *name, struct gd_site **wanted)
{
    struct gd_address addresses[GD_RACE_MAX];
    unsigned count = pick(name, &name->known, name->server->address.port, addresses);

    if (count == 0)
        return 0;
    wanted[0] =
        gd_site_new(name->server->name, name->server->weight, 0, addresses, count);
    return 1;
}

/* Servers are named as those that are listed are. */
static const char *scheme_of(const struct gd_name *name)
{
    return name->server->https ? "https://" : "";
}

static unsigned want_addresses(struct gd_name *name, struct gd_site **wanted)
{
    unsigned count = 0;

    for (int family = 0; family < 2; family++)
        for (unsigned i = 0; i < name->known.count[family]; i++) {
            struct gd_address address = name->known.list[family][i];
            char full[GD_SITE_NAME_MAX], text[GD_ADDRESS_TEXT_MAX];

            gd_address_set_port(&address, name->server->address.port);
            snprintf(full, sizeof(full), "%s%s", scheme_of(name),
                     gd_address_text(&address, text));
            wanted[count++] = gd_site_new(full, name->server->weight, 0, &address, 1);
        }
    return count;
}

static bool is_wanted(struct gd_site *const *wanted, unsigned count, const char *full)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(wanted[i]->name, full) == 0)
            return true;
    return false;
}

/* A weight of 0 means hardly ever (RFC 2782): a hundredth of the smallest other one. */
static unsigned want_targets(struct gd_name *name, struct gd_site **wanted)
{
    unsigned count = 0;

    for (unsigned i = 0; i < name->target_count; i++) {
        const struct gd_known_target *target = &name->targets[i];
        const struct gd_service *service = &target->service;
        struct gd_address addresses[GD_RACE_MAX];
        unsigned found = pick(name, &target->known, service->port, addresses);
        char full[GD_SITE_NAME_MAX];

        snprintf(full, sizeof(full), "%s%s:%u", scheme_of(name), service->host,
                 service->port);
        if (found && !is_wanted(wanted, count, full))
            wanted[count++] = gd_site_new(
                full, service->weight ? service->weight * GD_SITE_WEIGHT_UNIT : 1,
                service->priority, addresses, found);
    }
    return count;
}

unsigned gd_name_want(struct gd_name *name, struct gd_site **wanted)
{
    switch (name->kind) {
    case GD_DISCOVERY_NONE:
        return want_one(name, wanted);
    case GD_DISCOVERY_DNS:
        return want_addresses(name, wanted);
    case GD_DISCOVERY_SRV:
        return want_targets(name, wanted);
    }
    return 0;
}

/* Life
 * -----------------------------------------------------------------------------------
 */

void gd_name_copy(struct gd_name *name, const struct gd_name *from)
{
    copy_known(&name->known, &from->known);
    name->target_count = from->target_count;
    name->targets = gd_alloc_array(from->target_count, sizeof(*name->targets));
    for (unsigned i = 0; i < from->target_count; i++) {
        name->targets[i].name = name;
        name->targets[i].service = from->targets[i].service;
        copy_known(&name->targets[i].known, &from->targets[i].known);
    }
    for (unsigned i = 0; i < name->slot_count; i++) {
        const struct gd_slot *slot = &from->slots[i];

        name->slots[i].freed = slot->freed;
        name->slots[i].site = slot->site ? gd_site_ref(slot->site) : NULL;
        name->slots[i].last = slot->last ? gd_site_ref(slot->last) : NULL;
    }
    name->turn = from->turn;
    name->failures = from->failures;
    name->resolved_s = from->resolved_s;
    memcpy(name->values, from->values, sizeof(name->values));
}

void gd_name_clear(struct gd_name *name)
{
    gd_lookup_cancel(name->lookup);
    name->lookup = NULL;
    forget(&name->known);
    clear_targets(name);
}
