#include "upstream/upstream.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "upstream/balance.h"
#include "upstream/budget.h"
#include "upstream/carrier.h"
#include "upstream/health.h"
#include "upstream/jar.h"
#include "upstream/place.h"
#include "upstream/standing.h"

/* What a server can ask for at most. */
enum { ASKED_REST_MAX_S = 60 };

/* How many calls it takes to know how long they take, how long that is taken for true,
 * and what it is at least. */
enum { P95_SAMPLES = 100, P95_AGE_US = 1000000, P95_MIN_MS = 5 };

/* Tries beside the first that an upstream may make before calls have saved up for them,
 * in thousandths. */
enum { SAVED_AT_FIRST = 10 * 1000 };

struct gd_upstreams {
    struct gd_plan *plan; /* one reference */
    struct gd_upstream **list;
    struct gd_stats *stats;
};

/* Life
 * ------------------------------------------------------------------------------------
 */

/* Lets it mean an upstream of plan: a new one, or one that says the same. */
static void bind_to(struct gd_upstream *upstream,
                    const struct gd_upstream_context *context, struct gd_plan *plan,
                    unsigned index)
{
    struct gd_plan *before = upstream->whole_plan;
    const struct gd_plan_upstream *mine = &plan->upstreams[index];

    upstream->whole_plan = gd_plan_ref(plan);
    upstream->plan = mine;
    upstream->stats = context->stats->upstreams[index];
    for (unsigned i = 0; i < upstream->count; i++)
        gd_pool_bind(&upstream->servers[i], context, mine, &mine->servers[i]);
    gd_stats_set_jar(context->stats, index, upstream->jar);
    gd_plan_unref(before);
}

static struct gd_upstream *upstream_new(const struct gd_upstream_context *context,
                                        struct gd_plan *plan, unsigned index)
{
    const struct gd_plan_upstream *mine = &plan->upstreams[index];
    struct gd_upstream *upstream = gd_alloc(sizeof(*upstream));

    assert(mine->server_count > 0);
    upstream->users = 1;
    upstream->count = mine->server_count;
    upstream->servers = gd_alloc_array(upstream->count, sizeof(*upstream->servers));
    upstream->saved = SAVED_AT_FIRST;
    upstream->dice = gd_loop_now_us(context->loop) ^ (uintptr_t)upstream;
    if (mine->cookies)
        upstream->jar = gd_jar_new(context->stats->upstreams[index]->values);
    for (unsigned i = 0; i < upstream->count; i++) {
        gd_pool_init(&upstream->servers[i], context, mine, &mine->servers[i]);
        upstream->servers[i].owner = upstream;
    }
    bind_to(upstream, context, plan, index);
    gd_health_start(upstream);
    return upstream;
}

static void free_upstream(void *object)
{
    struct gd_upstream *upstream = object;

    gd_free(upstream->servers);
    gd_free(upstream);
}

/* Its sessions are dead at the end of the turn, and know their server until then. */
static void upstream_leave(struct gd_upstream *upstream)
{
    struct gd_loop *loop = upstream->servers[0].loop;

    if (--upstream->users > 0)
        return;
    gd_health_stop(upstream);
    for (unsigned i = 0; i < upstream->count; i++)
        gd_pool_close(&upstream->servers[i]);
    gd_jar_free(upstream->jar);
    gd_plan_unref(upstream->whole_plan);
    gd_loop_bury(loop, &upstream->grave, free_upstream, upstream);
}

static struct gd_server *find_server(struct gd_upstreams *upstreams, const char *upstream,
                                     const char *name)
{
    for (unsigned u = 0; u < upstreams->plan->upstream_count; u++) {
        struct gd_upstream *in = upstreams->list[u];

        if (strcmp(in->plan->name, upstream) != 0)
            continue;
        for (unsigned i = 0; i < in->count; i++)
            if (strcmp(in->servers[i].name, name) == 0 &&
                (in->plan->discovery == GD_DISCOVERY_NONE ||
                 in->servers[i].address_count))
                return &in->servers[i];
    }
    return NULL;
}

/* What an operator has drained stays so under a plan that says something else of it. */
static void keep_drained(struct gd_upstreams *before, struct gd_upstream *upstream)
{
    for (unsigned i = 0; before && i < upstream->count; i++) {
        struct gd_server *same =
            find_server(before, upstream->plan->name, upstream->servers[i].name);

        gd_standing_set_drained(&upstream->servers[i], same && same->drained);
    }
}

struct gd_upstreams *gd_upstreams_next(struct gd_upstreams *before,
                                       const struct gd_upstream_context *context,
                                       struct gd_plan *plan, const int *kept)
{
    struct gd_upstreams *upstreams = gd_alloc(sizeof(*upstreams));

    upstreams->plan = gd_plan_ref(plan);
    upstreams->stats = context->stats;
    upstreams->list = gd_alloc_array(plan->upstream_count, sizeof(*upstreams->list));
    for (unsigned i = 0; i < plan->upstream_count; i++) {
        if (kept == NULL || kept[i] < 0) {
            upstreams->list[i] = upstream_new(context, plan, i);
            keep_drained(before, upstreams->list[i]);
            continue;
        }
        upstreams->list[i] = before->list[kept[i]];
        upstreams->list[i]->users++;
        bind_to(upstreams->list[i], context, plan, i);
    }
    return upstreams;
}

struct gd_upstreams *gd_upstreams_new(const struct gd_upstream_context *context,
                                      struct gd_plan *plan)
{
    return gd_upstreams_next(NULL, context, plan, NULL);
}

void gd_upstreams_place(struct gd_upstreams *upstreams, unsigned index, unsigned server,
                        struct gd_site *site)
{
    struct gd_upstream *upstream = upstreams->list[index];

    assert(server < upstream->count);
    gd_place_change(&upstream->servers[server], site);
}

void gd_upstreams_free(struct gd_upstreams *upstreams)
{
    if (upstreams == NULL)
        return;
    for (unsigned i = 0; i < upstreams->plan->upstream_count; i++)
        upstream_leave(upstreams->list[i]);
    gd_plan_unref(upstreams->plan);
    gd_free(upstreams->list);
    gd_free(upstreams);
}

/* Draining ------------------------------------------------------------------------------
 */

bool gd_upstreams_drain(struct gd_upstreams *upstreams, const char *upstream,
                        const char *name, bool drained)
{
    struct gd_server *server = find_server(upstreams, upstream, name);

    if (server == NULL)
        return false;
    gd_standing_set_drained(server, drained);
    if (drained)
        gd_pool_close_idle(server);
    return true;
}

/* Leasing -------------------------------------------------------------------------------
 */

uint32_t gd_upstream_p95_ms(struct gd_upstreams *upstreams, unsigned index)
{
    struct gd_upstream *upstream = upstreams->list[index];
    const struct gd_hist *latency = &upstream->stats->latency;
    uint64_t now_us = gd_loop_now_us(upstream->servers[0].loop);
    uint64_t ms;

    if (latency->count < P95_SAMPLES)
        return 0;
    if (upstream->p95_ms && now_us - upstream->p95_us < P95_AGE_US)
        return upstream->p95_ms;
    ms = gd_hist_quantile(latency, 0.95) / 1000 + 1;
    upstream->p95_ms = ms < P95_MIN_MS ? P95_MIN_MS : (uint32_t)ms;
    upstream->p95_us = now_us;
    return upstream->p95_ms;
}

static bool is_full(const struct gd_upstream *upstream)
{
    uint32_t most = upstream->plan->max_in_flight;

    return most && upstream->active >= most;
}

enum gd_lease_result
gd_upstream_lease(struct gd_upstreams *upstreams, unsigned index, bool fresh,
                  struct gd_lease *lease,
                  void (*on_ready)(void *arg, enum gd_failure failure), void *arg)
{
    struct gd_upstream *upstream = upstreams->list[index];
    enum gd_lease_result result;

    assert(lease->state == 0 && lease->session == NULL);
    if (is_full(upstream)) {
        gd_stat_inc(&upstream->stats->values[GD_UPSTREAM_REFUSED]);
        return GD_LEASE_FULL;
    }
    lease->server = gd_balance_pick(upstream, lease);
    if (lease->server == NULL)
        gd_stat_inc(&upstream->stats->values[GD_UPSTREAM_REFUSED]);
    if (lease->server == NULL || (lease->elsewhere && lease->server == lease->avoid))
        return GD_LEASE_FULL;
    lease->on_ready = on_ready;
    lease->arg = arg;
    lease->fresh = fresh;
    lease->reused = false;
    lease->server->tried |= lease->trial;
    result = gd_pool_lease(lease->server, lease);
    if (result == GD_LEASE_FULL) {
        lease->server->tried &= !lease->trial;
        return result;
    }
    lease->upstream = upstream;
    upstream->active++;
    if (!fresh && lease->avoid == NULL)
        gd_budget_save(upstream);
    if (lease->trial)
        gd_stat_inc(&lease->server->stats[GD_SERVER_TRIALS]);
    return result;
}

void gd_lease_judge(const struct gd_lease *lease, enum gd_failure failure, int status)
{
    const struct gd_session *session = lease->session;
    bool broken =
        failure == GD_FAIL_RESET || failure == GD_FAIL_TLS || failure == GD_FAIL_PROTOCOL;

    if (broken && session && session->h2 && !gd_carrier_takes_blame(lease->session))
        return;
    if (broken || failure == GD_FAIL_TIMEOUT || (failure == GD_OK && status >= 500))
        gd_standing_bad(lease->server, lease->trial);
    else if (failure == GD_OK)
        gd_standing_good(lease->server, lease->trial);
}

void gd_lease_rest(const struct gd_lease *lease, uint64_t seconds)
{
    struct gd_server *server = lease->server;
    uint64_t most = seconds < ASKED_REST_MAX_S ? seconds : ASKED_REST_MAX_S;

    server->asked_until_us = gd_loop_now_us(server->loop) + most * 1000000;
}

bool gd_upstream_has_other(const struct gd_upstreams *upstreams, unsigned index,
                           const struct gd_lease *lease)
{
    return gd_balance_has_other(upstreams->list[index], lease->server);
}

bool gd_upstream_take_extra(struct gd_upstreams *upstreams, unsigned index)
{
    return gd_budget_take(upstreams->list[index]);
}

void gd_upstream_end_extra(struct gd_upstreams *upstreams, unsigned index)
{
    assert(upstreams->list[index]->spare > 0);
    upstreams->list[index]->spare--;
}

uint64_t gd_upstream_random(struct gd_upstreams *upstreams, unsigned index)
{
    return gd_upstream_roll(upstreams->list[index]);
}

struct gd_jar *gd_upstream_jar(struct gd_upstreams *upstreams, unsigned index)
{
    return upstreams->list[index]->jar;
}

const char *gd_lease_server_name(const struct gd_lease *lease)
{
    return lease->server ? lease->server->name : NULL;
}

const struct gd_plan_server *gd_lease_server(const struct gd_lease *lease)
{
    return lease->server ? lease->server->plan : NULL;
}
