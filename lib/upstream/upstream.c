#include "upstream/upstream.h"

#include <assert.h>

#include "base/mem.h"
#include "upstream/balance.h"
#include "upstream/jar.h"
#include "upstream/pool.h"

struct upstream {
    struct gd_server *servers; /* a run of gd_upstreams.servers */
    unsigned count;
    enum gd_balance balance;
    struct gd_jar *jar;
};

struct gd_upstreams {
    struct gd_plan *plan; /* one reference */
    struct upstream *list;
    struct gd_server *servers; /* of all */
    unsigned server_count;
    struct gd_stats *stats;
};

struct gd_upstreams *gd_upstreams_new(const struct gd_upstream_context *context,
                                      struct gd_plan *plan)
{
    struct gd_upstreams *upstreams = gd_alloc(sizeof(*upstreams));

    upstreams->plan = gd_plan_ref(plan);
    upstreams->stats = context->stats;
    upstreams->list = gd_alloc_array(plan->upstream_count, sizeof(*upstreams->list));
    upstreams->servers = gd_alloc_array(plan->server_count, sizeof(*upstreams->servers));
    for (unsigned i = 0; i < plan->upstream_count; i++) {
        const struct gd_plan_upstream *from = &plan->upstreams[i];
        struct upstream *upstream = &upstreams->list[i];

        assert(from->server_count > 0);
        upstream->servers = &upstreams->servers[upstreams->server_count];
        upstream->count = from->server_count;
        upstream->balance = from->balance;
        for (unsigned j = 0; j < from->server_count; j++)
            gd_pool_init(&upstream->servers[j], context, from, &from->servers[j]);
        upstreams->server_count += from->server_count;
        if (from->cookies)
            upstream->jar = gd_jar_new(context->stats->upstreams[i].values);
        context->stats->upstreams[i].jar = upstream->jar;
    }
    return upstreams;
}

void gd_upstreams_free(struct gd_upstreams *upstreams)
{
    if (upstreams == NULL)
        return;
    for (unsigned i = 0; i < upstreams->server_count; i++)
        gd_pool_close(&upstreams->servers[i]);
    for (unsigned i = 0; i < upstreams->plan->upstream_count; i++) {
        upstreams->stats->upstreams[i].jar = NULL;
        gd_jar_free(upstreams->list[i].jar);
    }
    gd_plan_unref(upstreams->plan);
    gd_free(upstreams->servers);
    gd_free(upstreams->list);
    gd_free(upstreams);
}

enum gd_lease_result
gd_upstream_lease(struct gd_upstreams *upstreams, unsigned index, bool fresh,
                  struct gd_lease *lease,
                  void (*on_ready)(void *arg, enum gd_failure failure), void *arg)
{
    struct upstream *upstream = &upstreams->list[index];

    assert(lease->state == 0 && lease->session == NULL);
    lease->server =
        gd_balance_pick(upstream->balance, upstream->servers, upstream->count);
    lease->on_ready = on_ready;
    lease->arg = arg;
    lease->fresh = fresh;
    lease->reused = false;
    return gd_pool_lease(lease->server, lease);
}

struct gd_jar *gd_upstream_jar(struct gd_upstreams *upstreams, unsigned index)
{
    return upstreams->list[index].jar;
}

const struct gd_plan_server *gd_lease_server(const struct gd_lease *lease)
{
    return lease->server ? lease->server->plan : NULL;
}
