#include "gather/again.h"

/* A second request for a call whose first one takes long: the first answer wins. */
struct gd_hedge {
    struct gd_call *call;
    struct gd_timer timer; /* until it is sent, then until it has failed */
    struct gd_lease lease;
    struct gd_exchange exchange;
    uint32_t after_ms;
    bool sent;
    bool runs; /* it waits for a session, or is on its way */
};

static struct gd_gather_context *shared_of(const struct gd_hedge *hedge)
{
    return gd_gather_shared(hedge->call->gather);
}

static const struct gd_plan_upstream *upstream_of(const struct gd_hedge *hedge)
{
    return hedge->call->plan->upstream;
}

static void count(struct gd_hedge *hedge, enum gd_stat_upstream id)
{
    gd_stat_inc(
        &shared_of(hedge)->stats->upstreams[upstream_of(hedge)->index]->values[id]);
}

static void let_go(struct gd_hedge *hedge)
{
    gd_timer_disarm(&hedge->timer);
    gd_exchange_cancel(&hedge->exchange);
    gd_lease_end(&hedge->lease, hedge->exchange.reusable);
    if (hedge->runs)
        gd_upstream_end_extra(shared_of(hedge)->upstreams, upstream_of(hedge)->index);
    hedge->runs = false;
}

static void lose(struct gd_hedge *hedge)
{
    let_go(hedge);
    gd_exchange_free(&hedge->exchange);
    gd_call_hedge_ended(hedge->call, NULL);
}

static void on_exchange(void *arg, enum gd_failure failure)
{
    struct gd_hedge *hedge = arg;
    int status = hedge->exchange.status;
    bool stale =
        failure == GD_FAIL_RESET &&
        (hedge->exchange.refused || (hedge->lease.reused && !hedge->exchange.heard));

    if (!stale)
        gd_lease_judge(&hedge->lease, failure, status);
    if (failure || status >= 500) {
        lose(hedge);
        return;
    }
    count(hedge, GD_UPSTREAM_HEDGES_WON);
    let_go(hedge);
    gd_call_hedge_ended(hedge->call, &hedge->exchange);
}

/* The request of the call, written once more for this server. The call's own buffer may
 * hold one that waits to be sent. */
static bool write_request(struct gd_hedge *hedge, struct gd_buf *request)
{
    struct gd_call *call = hedge->call;
    struct gd_buf own = call->request;
    bool ok;

    call->request = (struct gd_buf){.data = NULL};
    ok = gd_call_expand(call) == GD_OK &&
         gd_call_write_fields(call, gd_lease_server(&hedge->lease)) == GD_OK;
    *request = call->request;
    call->request = own;
    if (!ok)
        gd_buf_free(request);
    return ok;
}

static void send_request(struct gd_hedge *hedge)
{
    struct gd_call *call = hedge->call;
    struct gd_buf request;

    if (!write_request(hedge, &request)) {
        gd_lease_end(&hedge->lease, true);
        lose(hedge);
        return;
    }
    count(hedge, GD_UPSTREAM_HEDGES);
    hedge->sent = true;
    hedge->exchange.budget = gd_gather_budget(call->gather);
    hedge->exchange.content = call->content;
    gd_exchange_start(&hedge->exchange, hedge->lease.session, call->plan->method,
                      &request, upstream_of(hedge)->max_response, on_exchange, hedge);
}

static void on_lease(void *arg, enum gd_failure failure)
{
    if (failure)
        lose(arg);
    else
        send_request(arg);
}

static void start(struct gd_hedge *hedge)
{
    struct gd_gather_context *shared = shared_of(hedge);
    struct gd_call *call = hedge->call;
    unsigned index = upstream_of(hedge)->index;

    if (!gd_upstream_has_other(shared->upstreams, index, &call->lease))
        return;
    if (!gd_upstream_take_extra(shared->upstreams, index)) {
        count(hedge, GD_UPSTREAM_OVER_BUDGET);
        gd_timer_arm(&hedge->timer, hedge->after_ms); /* there may be some left then */
        return;
    }
    hedge->runs = true;
    hedge->lease.key = call->lease.key;
    hedge->lease.avoid = call->lease.server;
    hedge->lease.elsewhere = true;
    gd_timer_arm(&hedge->timer, upstream_of(hedge)->timeout_ms);
    switch (gd_upstream_lease(shared->upstreams, index, false, &hedge->lease, on_lease,
                              hedge)) {
    case GD_LEASE_READY:
        send_request(hedge);
        break;
    case GD_LEASE_WAIT:
        break;
    case GD_LEASE_FULL:
        lose(hedge);
        break;
    }
}

static void on_timer(void *arg)
{
    struct gd_hedge *hedge = arg;

    if (!hedge->runs) {
        start(hedge);
        return;
    }
    if (hedge->lease.session)
        gd_lease_judge(&hedge->lease, GD_FAIL_TIMEOUT, 0);
    lose(hedge);
}

void gd_hedge_arm(struct gd_call *call)
{
    const struct gd_plan_upstream *upstream = call->plan->upstream;
    struct gd_gather_context *shared = gd_gather_shared(call->gather);
    uint32_t ms = upstream->hedge.after_ms;

    if (upstream->hedge.kind == GD_HEDGE_P95)
        ms = gd_upstream_p95_ms(shared->upstreams, upstream->index);
    if (ms == 0 || call->hedge || !gd_method_idempotent(call->plan->method))
        return;
    call->hedge =
        gd_arena_alloc(gd_gather_about(call->gather)->arena, sizeof(*call->hedge));
    if (call->hedge == NULL)
        return; /* at the bound of memory: the first try has to do */
    call->hedge->call = call;
    call->hedge->after_ms = ms;
    gd_timer_init(&call->hedge->timer, shared->loop, on_timer, call->hedge);
    gd_timer_arm(&call->hedge->timer, ms);
}

bool gd_hedge_runs(const struct gd_call *call)
{
    return call->hedge && call->hedge->runs;
}

bool gd_hedge_was_sent(const struct gd_call *call)
{
    return call->hedge && call->hedge->sent;
}

void gd_hedge_stop(struct gd_call *call)
{
    if (call->hedge == NULL)
        return;
    let_go(call->hedge);
    gd_exchange_free(&call->hedge->exchange);
}
