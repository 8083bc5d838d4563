#include "plan/change.h"

#include <string.h>

#include "base/mem.h"
#include "plan/dict.h"

static int *all_new(unsigned count)
{
    int *list = gd_alloc_array(count, sizeof(*list));

    for (unsigned i = 0; i < count; i++)
        list[i] = GD_CHANGE_NEW;
    return list;
}

static void compare_routes(const struct gd_plan *before, const struct gd_plan *plan,
                           struct gd_plan_change *change)
{
    struct gd_dict dict = {0};

    for (unsigned i = 0; i < before->route_count; i++)
        gd_dict_put(&dict, gd_span_of(before->routes[i].pattern), &before->routes[i]);
    for (unsigned i = 0; i < plan->route_count; i++) {
        const struct gd_plan_route *same =
            gd_dict_get(&dict, gd_span_of(plan->routes[i].pattern));

        if (same)
            change->routes[i] = (int)same->index;
    }
    gd_dict_free(&dict);
}

static void compare_servers(const struct gd_plan_upstream *before,
                            const struct gd_plan_upstream *upstream,
                            struct gd_plan_change *change)
{
    struct gd_dict dict = {0};

    for (unsigned i = 0; i < before->server_count; i++)
        gd_dict_put(&dict, gd_span_of(before->servers[i].name), &before->servers[i]);
    for (unsigned i = 0; i < upstream->server_count; i++) {
        const struct gd_plan_server *same =
            gd_dict_get(&dict, gd_span_of(upstream->servers[i].name));

        if (same)
            change->servers[upstream->servers[i].index] = (int)same->index;
    }
    gd_dict_free(&dict);
}

/* Slots have one name; what is known of it goes on in the same ones. */
static void compare_slots(const struct gd_plan_upstream *before,
                          const struct gd_plan_upstream *upstream,
                          struct gd_plan_change *change)
{
    if (strcmp(before->servers[0].name, upstream->servers[0].name) != 0)
        return;
    for (unsigned i = 0; i < before->server_count && i < upstream->server_count; i++)
        change->servers[upstream->servers[i].index] = (int)before->servers[i].index;
}

static void compare_upstreams(const struct gd_plan *before, const struct gd_plan *plan,
                              struct gd_plan_change *change)
{
    struct gd_dict dict = {0};

    for (unsigned i = 0; i < before->upstream_count; i++)
        gd_dict_put(&dict, gd_span_of(before->upstreams[i].name), &before->upstreams[i]);
    for (unsigned i = 0; i < plan->upstream_count; i++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[i];
        const struct gd_plan_upstream *same =
            gd_dict_get(&dict, gd_span_of(upstream->name));

        if (same == NULL)
            continue;
        change->upstreams[i] = (int)same->index;
        if (memcmp(same->digest, upstream->digest, GD_DIGEST_BYTES) == 0)
            change->kept[i] = (int)same->index;
        if (same->discovery != upstream->discovery)
            continue;
        if (same->discovery == GD_DISCOVERY_NONE)
            compare_servers(same, upstream, change);
        else
            compare_slots(same, upstream, change);
    }
    gd_dict_free(&dict);
}

static void compare_fixed(const struct gd_plan *before, const struct gd_plan *plan,
                          struct gd_plan_change *change)
{
    change->fixed = gd_alloc_array(plan->fixed_count, sizeof(*change->fixed));
    for (unsigned i = 0; i < plan->fixed_count; i++)
        change->fixed[i] =
            memcmp(before->fixed[i].digest, plan->fixed[i].digest, GD_DIGEST_BYTES) != 0;
}

struct gd_plan_change *gd_plan_compare(const struct gd_plan *before,
                                       const struct gd_plan *plan)
{
    struct gd_plan_change *change = gd_alloc(sizeof(*change));

    change->routes = all_new(plan->route_count);
    change->upstreams = all_new(plan->upstream_count);
    change->kept = all_new(plan->upstream_count);
    change->servers = all_new(plan->server_count);
    compare_routes(before, plan, change);
    compare_upstreams(before, plan, change);
    compare_fixed(before, plan, change);
    return change;
}

void gd_plan_change_free(struct gd_plan_change *change)
{
    if (change == NULL)
        return;
    gd_free(change->routes);
    gd_free(change->upstreams);
    gd_free(change->kept);
    gd_free(change->fixed);
    gd_free(change->servers);
    gd_free(change);
}
