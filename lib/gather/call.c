#include "gather/call.h"

#include <assert.h>

#include "base/log.h"
#include "gather/again.h"
#include "gather/part.h"
#include "json/scan.h"

/* What a step says: take the next one now, or wait for an event. */
enum verdict { MORE, WAIT };

static void run(struct gd_call *call);

static struct gd_upstream_stats *stats_of(struct gd_call *call)
{
    return gd_gather_shared(call->gather)->stats->upstreams[call->plan->upstream->index];
}

static const char *step_name(enum gd_call_step step)
{
    static const char *const names[] = {
#define X(id, function, wake) #id,
        GD_CALL_STEP_ROWS(X)
#undef X
    };

    return names[step];
}

/* The only place where a step changes. */
static enum verdict go(struct gd_call *call, enum gd_call_step step)
{
    assert(call->step != GD_CALL_ENDED);
    if (gd_log_enabled(GD_LOG_DEBUG))
        gd_log(GD_LOG_DEBUG, "call %.*s/%s %s → %s",
               GD_SPAN_ARG(gd_gather_about(call->gather)->facts->id), call->plan->name,
               step_name(call->step), step_name(step));
    call->step = step;
    return MORE;
}

static enum verdict fail(struct gd_call *call, enum gd_failure failure)
{
    call->failure = failure;
    return go(call, GD_CALL_ENDED);
}

/* Gives back what the call holds of the upstream. A connection with an unfinished
 * exchange is of no more use. */
static void let_go(struct gd_call *call)
{
    gd_exchange_cancel(&call->exchange);
    gd_lease_end(&call->lease, call->exchange.reusable);
    if (call->try_deadline)
        gd_timer_disarm(call->try_deadline);
}

/* Ends a try that failed: another one follows, or the call has failed. */
static enum verdict conclude(struct gd_call *call, enum gd_failure failure)
{
    return gd_retry_prepare(call, failure) ? go(call, GD_CALL_PAUSE)
                                           : fail(call, failure);
}

/* The first request has failed for good. While a second one is on its way, it decides. */
static void give_up_first(struct gd_call *call, enum gd_failure failure)
{
    call->failure = failure;
    go(call, gd_hedge_runs(call) ? GD_CALL_SECOND : GD_CALL_DECODE);
}

/* A deadline that is not the server's own says something of it only when it had a fair
 * part of the time a try may take. */
static void judge_late(struct gd_call *call)
{
    uint64_t now_us = gd_loop_now_us(gd_gather_shared(call->gather)->loop);
    uint64_t fair_us = (uint64_t)call->plan->upstream->timeout_ms * 1000 / 4;

    if (call->lease.session && now_us - call->exchange.started_us >= fair_us)
        gd_lease_judge(&call->lease, GD_FAIL_TIMEOUT, 0);
}

static void on_deadline(void *arg)
{
    struct gd_call *call = arg;

    judge_late(call);
    let_go(call);
    fail(call, GD_FAIL_TIMEOUT);
    run(call);
}

static void on_try_deadline(void *arg)
{
    struct gd_call *call = arg;

    gd_lease_judge(&call->lease, GD_FAIL_TIMEOUT, 0);
    let_go(call);
    give_up_first(call, GD_FAIL_TIMEOUT);
    run(call);
}

static void on_pause(void *arg)
{
    struct gd_call *call = arg;

    go(call, GD_CALL_EXPAND);
    run(call);
}

static void on_lease(void *arg, enum gd_failure failure)
{
    struct gd_call *call = arg;

    if (failure)
        give_up_first(call, failure);
    else
        go(call, GD_CALL_EXCHANGE);
    run(call);
}

static void say_why(struct gd_call *call, enum gd_failure failure)
{
    if (gd_log_enabled(GD_LOG_DEBUG))
        gd_log(GD_LOG_DEBUG, "call %.*s/%s: %s: %s",
               GD_SPAN_ARG(gd_gather_about(call->gather)->facts->id), call->plan->name,
               gd_failure_word(failure), call->exchange.why);
}

/* RFC 9112 9.3.1: a connection may be closed just as a request is sent on it; one that
 * was not answered at all may be sent again when that does no harm. RFC 9113 8.7: one
 * that the server has not looked at may always be. */
static bool is_stale(const struct gd_call *call)
{
    if (call->failure != GD_FAIL_RESET || call->lease.session == NULL)
        return false;
    if (call->exchange.refused)
        return call->refusals < GD_REFUSALS_MAX;
    return call->lease.reused && !call->exchange.heard && !call->stale &&
           gd_method_idempotent(call->plan->method);
}

/* Once for nothing. Whatever follows is a try like any other to a server that fares
 * badly, and is taken from the budget. */
static bool may_resend(struct gd_call *call)
{
    return is_stale(call) &&
           ((!call->stale && call->refusals == 0) || gd_retry_take_extra(call));
}

static void on_exchange(void *arg, enum gd_failure failure)
{
    struct gd_call *call = arg;

    if (failure)
        say_why(call, failure);
    call->failure = failure;
    call->resend = may_resend(call);
    if (call->hedge && !call->resend && (failure || call->exchange.status >= 500)) {
        gd_lease_judge(&call->lease, failure, call->exchange.status);
        let_go(call);
        give_up_first(call, failure);
    } else {
        go(call, GD_CALL_DECODE);
    }
    run(call);
}

/* Arms a timer only where it can come before the route's deadline. */
static void arm(struct gd_call *call, struct gd_timer **timer, uint32_t ms,
                void (*on_expired)(void *arg))
{
    const struct gd_gather_request *about = gd_gather_about(call->gather);

    if (ms == 0 || ms >= about->route->timeout_ms)
        return;
    if (*timer == NULL) {
        *timer = gd_arena_alloc(about->arena, sizeof(**timer));
        if (*timer == NULL)
            return; /* at the bound of memory: the route's deadline still holds */
        gd_timer_init(*timer, gd_gather_shared(call->gather)->loop, on_expired, call);
    }
    gd_timer_arm(*timer, ms);
}

static enum verdict step_idle(struct gd_call *call)
{
    gd_stat_inc(&stats_of(call)->values[GD_UPSTREAM_CALLS]);
    gd_stat_inc(&stats_of(call)->values[GD_UPSTREAM_IN_FLIGHT]);
    arm(call, &call->call_deadline, call->plan->timeout_ms, on_deadline);
    return go(call, GD_CALL_EXPAND);
}

static enum verdict step_expand(struct gd_call *call)
{
    enum gd_failure failure = gd_call_expand(call);

    return failure ? fail(call, failure) : go(call, GD_CALL_LEASE);
}

static enum verdict step_lease(struct gd_call *call)
{
    struct gd_gather_context *shared = gd_gather_shared(call->gather);

    call->asked_us = gd_loop_now_us(shared->loop);
    call->leased_us = 0;
    call->lease.may_fail = gd_retry_may_follow(call);
    switch (gd_upstream_lease(shared->upstreams, call->plan->upstream->index, call->fresh,
                              &call->lease, on_lease, call)) {
    case GD_LEASE_READY:
        return go(call, GD_CALL_EXCHANGE);
    case GD_LEASE_WAIT:
        return WAIT;
    case GD_LEASE_FULL:
        break;
    }
    return fail(call, GD_FAIL_OVERLOAD);
}

static enum verdict step_exchange(struct gd_call *call)
{
    enum gd_failure failure = gd_call_write_fields(call, gd_lease_server(&call->lease));

    call->leased_us = gd_loop_now_us(gd_gather_shared(call->gather)->loop);
    if (failure) {
        /* Nothing was sent, so the connection is as good as before. */
        gd_lease_end(&call->lease, true);
        return fail(call, failure);
    }
    arm(call, &call->try_deadline, call->plan->upstream->timeout_ms, on_try_deadline);
    call->exchange.budget = gd_gather_budget(call->gather);
    call->exchange.content = call->content;
    gd_exchange_start(&call->exchange, call->lease.session, call->plan->method,
                      &call->request, call->plan->upstream->max_response, on_exchange,
                      call);
    if (call->plan->upstream->hedge.kind)
        gd_hedge_arm(call);
    return WAIT;
}

static enum verdict step_second(struct gd_call *call)
{
    return WAIT;
}

static enum verdict step_pause(struct gd_call *call)
{
    if (call->pause_ms == 0)
        return go(call, GD_CALL_EXPAND);
    arm(call, &call->pause, call->pause_ms, on_pause);
    return WAIT;
}

/* Undoes what the answer was coded with on its way. */
static enum gd_failure undo_codings(struct gd_call *call)
{
    bool coded = call->exchange.codings.count > 0 && call->exchange.body.len > 0;
    enum gd_failure failure =
        gd_exchange_decode(&call->exchange, call->plan->upstream->accept_encoding);

    if (failure)
        say_why(call, failure);
    else if (coded)
        gd_stat_inc(&stats_of(call)->values[GD_UPSTREAM_DECODED]);
    return failure;
}

/* The JSON text of a reply with a status that counts as success. */
static enum gd_failure decode(struct gd_call *call)
{
    struct gd_gather_context *shared = gd_gather_shared(call->gather);
    unsigned depth = shared->limits->json_depth;
    struct gd_doc *json = &call->json;
    enum gd_failure failure;
    struct gd_span body;
    bool valid;

    call->status = call->exchange.status;
    if (!gd_statuses_have(&call->plan->ok, call->status))
        return GD_FAIL_STATUS;
    gd_tape_init(&json->tape, gd_loop_blocks(shared->loop),
                 gd_gather_budget(call->gather));
    failure = undo_codings(call);
    if (failure)
        return failure;
    body = call->exchange.body;
    if (body.len == 0) {
        json->text = GD_SPAN("null");
        return GD_OK;
    }
    valid = gd_part_looks_inside(call->part)
                ? gd_doc_scan(json, body, depth)
                : gd_json_scan(body, depth, &json->text, NULL);
    return valid ? GD_OK : GD_FAIL_JSON;
}

static enum verdict send_again(struct gd_call *call)
{
    if (call->exchange.refused)
        call->refusals++;
    else
        call->stale = true;
    call->fresh = true;
    call->resend = false;
    call->failure = GD_OK;
    gd_exchange_free(&call->exchange);
    gd_stat_inc(&stats_of(call)->values[GD_UPSTREAM_STALE_RETRIES]);
    return go(call, GD_CALL_EXPAND);
}

static enum verdict step_decode(struct gd_call *call)
{
    enum gd_failure failure = call->failure;

    if (failure == GD_OK)
        gd_call_keep_cookies(call);
    if (call->lease.session && !call->resend)
        gd_lease_judge(&call->lease, failure, call->exchange.status);
    let_go(call);
    if (call->resend)
        return send_again(call);
    if (failure == GD_OK)
        failure = decode(call);
    return failure ? conclude(call, failure) : go(call, GD_CALL_ENDED);
}

/* Counts the end, once a call, whatever led there. */
static void account(struct gd_call *call)
{
    struct gd_upstream_stats *stats = stats_of(call);
    uint64_t now_us = gd_loop_now_us(gd_gather_shared(call->gather)->loop);

    call->ended_us = now_us;
    gd_stat_add(&stats->values[GD_UPSTREAM_IN_FLIGHT], -1);
    if (call->failure)
        gd_stat_inc(&stats->values[GD_UPSTREAM_FAIL_CONNECT + call->failure - 1]);
    else
        gd_stat_inc(&stats->values[GD_UPSTREAM_SUCCEEDED]);
    gd_hist_record(&stats->latency, now_us - call->start_us);
}

static void end_retries(struct gd_call *call)
{
    struct gd_gather_context *shared = gd_gather_shared(call->gather);

    if (call->pause)
        gd_timer_disarm(call->pause);
    if (call->extra)
        gd_upstream_end_extra(shared->upstreams, call->plan->upstream->index);
    call->extra = false;
}

static enum verdict step_ended(struct gd_call *call)
{
    if (call->call_deadline)
        gd_timer_disarm(call->call_deadline);
    if (call->tries || call->extra)
        end_retries(call);
    if (call->hedge)
        gd_hedge_stop(call);
    if (call->failure)
        gd_call_free(call);
    account(call);
    return WAIT;
}

/* Takes steps until one waits. The part hears of the end last: it may cancel others, but
 * never frees this call on the spot. */
static void run(struct gd_call *call)
{
    static enum verdict (*const steps[])(struct gd_call *) = {
#define X(id, function, wake) step_##function,
        GD_CALL_STEP_ROWS(X)
#undef X
    };

    while (steps[call->step](call) == MORE)
        ;
    if (call->step == GD_CALL_ENDED)
        gd_part_call_ended(call->part, call);
}

void gd_call_start(struct gd_call *call)
{
    assert(call->step == GD_CALL_IDLE);
    call->start_us = gd_loop_now_us(gd_gather_shared(call->gather)->loop);
    run(call);
}

void gd_call_stop(struct gd_call *call, enum gd_failure failure)
{
    if (call->step == GD_CALL_ENDED)
        return;
    if (call->step == GD_CALL_IDLE) {
        fail(call, failure);
        return;
    }
    if (failure == GD_FAIL_TIMEOUT)
        judge_late(call);
    let_go(call);
    fail(call, failure);
    step_ended(call);
}

void gd_call_hedge_ended(struct gd_call *call, struct gd_exchange *won)
{
    if (won) {
        /* The server of the first request was slower than another one. */
        if (call->lease.session)
            gd_lease_judge(&call->lease, GD_FAIL_TIMEOUT, 0);
        let_go(call);
        gd_call_free(call);
        call->exchange = *won;
        *won = (struct gd_exchange){.status = 0};
        call->failure = GD_OK;
        go(call, GD_CALL_DECODE);
    } else if (call->step == GD_CALL_SECOND) {
        go(call, GD_CALL_DECODE);
    } else {
        return;
    }
    run(call);
}

void gd_call_free(struct gd_call *call)
{
    gd_buf_free(&call->request);
    gd_doc_free(&call->json);
    gd_exchange_free(&call->exchange);
}
