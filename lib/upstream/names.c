#include "upstream/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "upstream/names_inside.h"

/* Lookups at once: nameservers lose what comes in bursts. */
enum { LOOKUPS_AT_ONCE = 32 };

/* After a failure a name is asked for again, ever later. */
enum { AGAIN_FIRST_MS = 500, AGAIN_MAX_MS = 10000 };

/* Servers that a line of the log names. */
enum { LOGGED_SERVERS = 8, LOGGED_BYTES = 1024 };

struct gd_names {
    struct gd_names_config config;
    struct gd_resolver *resolver; /* NULL: there is no name */
    struct gd_name *list;
    unsigned count, unsettled;
    struct gd_name **by_server;            /* NULL where a server follows no name */
    struct gd_name *first_due, **last_due; /* wait for others to end */
    unsigned active;
};

struct gd_resolver *gd_name_resolver(const struct gd_name *name)
{
    return name->names->resolver;
}

/* What changes
 * ---------------------------------------------------------------------------
 */

static void log_places(const struct gd_name *name)
{
    char text[LOGGED_BYTES];
    unsigned count = 0;
    size_t len = 0;

    if (!gd_log_enabled(GD_LOG_INFO))
        return;
    for (unsigned i = 0; i < name->slot_count; i++) {
        const struct gd_site *site = name->slots[i].site;
        char address[GD_ADDRESS_TEXT_MAX];

        for (unsigned k = 0; site && k < site->count && len < sizeof(text); k++) {
            const char *shown = name->kind == GD_DISCOVERY_NONE
                                    ? gd_address_text(&site->addresses[k], address)
                                    : site->name;

            if (count++ < LOGGED_SERVERS)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
                                        len ? ", " : "", shown);
            if (name->kind != GD_DISCOVERY_NONE)
                break;
        }
    }
    if (count > LOGGED_SERVERS && len < sizeof(text))
        snprintf(text + len, sizeof(text) - len, " and %u more", count - LOGGED_SERVERS);
    gd_log(GD_LOG_INFO, "upstream %s: %s is at %s", name->upstream->name, name->text,
           text);
}

static unsigned count_addresses(const struct gd_name *name)
{
    unsigned count = 0;

    for (unsigned i = 0; i < name->slot_count; i++)
        if (name->slots[i].site)
            count += name->slots[i].site->count;
    return count;
}

/* Tells who is elsewhere now. */
static void place(struct gd_name *name)
{
    struct gd_site *wanted[2 * GD_FOUND_MAX];
    unsigned count = gd_name_want(name, wanted);
    struct gd_names *names = name->names;
    bool changed[GD_SLOTS], any = false;

    if (count == 0)
        return;
    name->left_out += gd_slots_assign(name->slots, name->slot_count, wanted, count,
                                      ++name->turn, changed);
    for (unsigned i = 0; i < name->slot_count; i++) {
        any = any || changed[i];
        if (changed[i])
            names->config.on_place(names->config.arg, name->upstream->index,
                                   name->first + i, name->slots[i].site);
    }
    name->values[GD_NAME_LEFT_OUT] = name->left_out;
    name->values[GD_NAME_ADDRESSES] = count_addresses(name);
    if (!any)
        return;
    name->values[GD_NAME_CHANGES]++;
    log_places(name);
    if (name->left_out)
        gd_log(GD_LOG_WARN,
               "upstream %s: %u of the addresses of %s are not used: there "
               "are too many",
               name->upstream->name, name->left_out, name->text);
}

/* How it goes on
 * -------------------------------------------------------------------------
 */

/* The first failure is told, and then ever fewer of those that follow. */
static void log_failure(const struct gd_name *name)
{
    unsigned row = name->failures;

    if (row & (row - 1))
        return;
    gd_log(GD_LOG_WARN, "upstream %s: %s cannot be looked up: %s; %s",
           name->upstream->name, name->text, name->error,
           count_addresses(name) ? "its last addresses stay in use"
                                 : "its calls fail until it can");
}

static uint32_t again_ms(const struct gd_name *name)
{
    uint32_t doublings = name->failures < 6 ? name->failures - 1 : 5;
    uint32_t ms = AGAIN_FIRST_MS << doublings;

    return ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS;
}

static uint32_t next_ms(const struct gd_name *name)
{
    const struct gd_plan_resolver *plan = &name->names->config.plan->resolver;
    uint32_t ms = name->ttl_ms;

    if (ms > plan->max_ttl_ms)
        ms = plan->max_ttl_ms;
    if (ms < plan->min_ttl_ms)
        ms = plan->min_ttl_ms;
    if (name->error && again_ms(name) < ms)
        ms = again_ms(name);
    return ms;
}

static void pump(struct gd_names *names)
{
    while (names->first_due && names->active < LOOKUPS_AT_ONCE) {
        struct gd_name *name = names->first_due;

        names->first_due = name->next_due;
        if (names->first_due == NULL)
            names->last_due = &names->first_due;
        names->active++;
        name->values[GD_NAME_LOOKUPS]++;
        gd_name_ask(name);
    }
}

static void on_due(void *arg)
{
    struct gd_name *name = arg;
    struct gd_names *names = name->names;

    name->next_s = 0;
    name->next_due = NULL;
    *names->last_due = name;
    names->last_due = &name->next_due;
    pump(names);
}

void gd_name_asked(struct gd_name *name)
{
    struct gd_names *names = name->names;
    int64_t wall_s = gd_loop_wall_s(names->config.loop);
    uint32_t ms;
    bool settles;

    place(name);
    if (name->error) {
        name->failures++;
        name->values[GD_NAME_LOOKUPS_FAILED]++;
        log_failure(name);
    } else {
        if (name->failures)
            gd_log(GD_LOG_INFO, "upstream %s: %s can be looked up again",
                   name->upstream->name, name->text);
        name->failures = 0;
        name->resolved_s = wall_s;
    }
    settles = !name->settled;
    name->settled = true;
    names->unsettled -= settles;
    ms = next_ms(name);
    name->next_s = wall_s + (ms + 999) / 1000;
    gd_timer_arm(&name->timer, ms);
    names->active--;
    pump(names);
    if (settles && names->unsettled == 0 && names->config.on_settled)
        names->config.on_settled(names->config.arg);
}

/* Life
 * -----------------------------------------------------------------------------------
 */

static bool follows_name(const struct gd_plan_server *server)
{
    struct gd_address address;

    return !gd_address_literal(&server->address, &address);
}

/* Makes one, or only counts it while there is no list. */
static void add(struct gd_names *names, const struct gd_plan_upstream *upstream,
                unsigned first, unsigned slot_count)
{
    struct gd_name *name;

    if (names->list == NULL) {
        names->count++;
        return;
    }
    name = &names->list[names->unsettled++];
    *name = (struct gd_name){.names = names,
                             .upstream = upstream,
                             .server = &upstream->servers[first],
                             .kind = upstream->discovery,
                             .first = first,
                             .slot_count = slot_count};
    name->text = name->kind == GD_DISCOVERY_NONE ? name->server->address.host
                                                 : upstream->discovered;
    name->slots = gd_alloc_array(slot_count, sizeof(*name->slots));
    gd_timer_init(&name->timer, names->config.loop, on_due, name);
    for (unsigned i = 0; i < slot_count; i++)
        names->by_server[upstream->servers[first + i].index] = name;
}

static void add_all(struct gd_names *names)
{
    const struct gd_plan *plan = names->config.plan;

    for (unsigned u = 0; u < plan->upstream_count; u++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[u];

        if (upstream->mock)
            continue;
        if (upstream->discovery != GD_DISCOVERY_NONE) {
            add(names, upstream, 0, upstream->server_count);
            continue;
        }
        for (unsigned i = 0; i < upstream->server_count; i++)
            if (follows_name(&upstream->servers[i]))
                add(names, upstream, i, 1);
    }
}

/* What was known of a name of the plan before stays known. */
static void take_over(struct gd_name *name, const struct gd_names *before)
{
    for (unsigned i = 0; i < before->count; i++) {
        const struct gd_name *old = &before->list[i];

        if (old->kind != name->kind || strcmp(old->text, name->text) != 0 ||
            strcmp(old->upstream->name, name->upstream->name) != 0 ||
            strcmp(old->server->name, name->server->name) != 0 || old->turn == 0)
            continue;
        gd_name_copy(name, old);
        name->settled = true;
        name->names->unsettled--;
        return;
    }
}

struct gd_names *gd_names_new(const struct gd_names_config *config, struct gd_err *err)
{
    struct gd_names *names = gd_alloc(sizeof(*names));

    names->config = *config;
    gd_plan_ref(config->plan);
    names->last_due = &names->first_due;
    add_all(names);
    if (names->count == 0)
        return names;
    names->list = gd_alloc_array(names->count, sizeof(*names->list));
    names->by_server =
        gd_alloc_array(config->plan->server_count, sizeof(struct gd_name *));
    add_all(names);
    assert(names->unsettled == names->count);
    names->resolver = gd_resolver_new(config->loop, &config->plan->resolver, err);
    if (names->resolver == NULL) {
        gd_names_free(names);
        return NULL;
    }
    for (unsigned i = 0; i < names->count; i++) {
        if (config->before)
            take_over(&names->list[i], config->before);
        on_due(&names->list[i]);
    }
    return names;
}

void gd_names_free(struct gd_names *names)
{
    if (names == NULL)
        return;
    for (unsigned i = 0; i < names->count && names->list; i++) {
        struct gd_name *name = &names->list[i];

        gd_timer_disarm(&name->timer);
        gd_name_clear(name);
        gd_slots_clear(name->slots, name->slot_count);
        gd_free(name->slots);
    }
    gd_resolver_free(names->resolver);
    gd_plan_unref(names->config.plan);
    gd_free(names->list);
    gd_free(names->by_server);
    gd_free(names);
}

bool gd_names_are_settled(const struct gd_names *names)
{
    return names->unsettled == 0;
}

/* What is shown
 * ---------------------------------------------------------------------------
 */

struct gd_site **gd_names_sites(const struct gd_names *names)
{
    unsigned count = names->config.plan->server_count;
    struct gd_site **sites = gd_alloc_array(count, sizeof(struct gd_site *));

    for (unsigned i = 0; i < names->count; i++) {
        const struct gd_name *name = &names->list[i];

        for (unsigned k = 0; k < name->slot_count; k++)
            if (name->slots[k].site)
                sites[name->server->index + k] = gd_site_ref(name->slots[k].site);
    }
    return sites;
}

void gd_names_each(const struct gd_names *names,
                   void (*fn)(void *arg, const struct gd_name_view *view), void *arg)
{
    for (unsigned i = 0; i < names->count; i++) {
        const struct gd_name *name = &names->list[i];
        struct gd_name_view view = {.upstream = name->upstream,
                                    .shown = name->server->name,
                                    .resolved_s = name->resolved_s,
                                    .next_s = name->next_s,
                                    .error = name->error,
                                    .values = name->values};

        fn(arg, &view);
    }
}

const char *gd_names_server(const struct gd_names *names,
                            const struct gd_plan_server *server)
{
    const struct gd_site *site;
    bool gone;

    if (names == NULL || !gd_names_site(names, server->index, &site, &gone))
        return server->name;
    if (site && !gone)
        return site->name;
    return names->by_server[server->index]->kind == GD_DISCOVERY_NONE ? server->name
                                                                      : NULL;
}

bool gd_names_site(const struct gd_names *names, unsigned server,
                   const struct gd_site **site, bool *gone)
{
    const struct gd_name *name = names->count ? names->by_server[server] : NULL;
    const struct gd_slot *slot;

    if (name == NULL)
        return false;
    slot = &name->slots[server - name->server->index];
    *gone = slot->site == NULL && slot->last;
    *site = slot->site ? slot->site : slot->last;
    return true;
}
