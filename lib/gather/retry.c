#include "gather/again.h"

/* The longest pause before the same server is asked again, and the first one; between
 * half of it and all of it by chance, so that callers do not come back together. */
enum { PAUSE_FIRST_MS = 20, PAUSE_MAX_MS = 250 };

/* What is told to a client as Retry-After at most. */
enum { RETRY_AFTER_MAX_S = 3600 };

static struct gd_upstreams *upstreams_of(struct gd_call *call)
{
    return gd_gather_shared(call->gather)->upstreams;
}

static uint64_t *stats_of(struct gd_call *call)
{
    unsigned index = call->plan->upstream->index;

    return gd_gather_shared(call->gather)->stats->upstreams[index]->values;
}

/* Retry-After ---------------------------------------------------------------------------
 */

/* The seconds a reply asks to wait; 0: it does not say, or names a date. */
static uint64_t asked_rest_s(const struct gd_exchange *exchange)
{
    static const struct gd_head_limits limits = {SIZE_MAX, SIZE_MAX, GD_REPLY_FIELDS_MAX};
    struct gd_field fields[GD_REPLY_FIELDS_MAX];
    struct gd_span head = {exchange->reply.data, exchange->head_bytes};
    struct gd_head_state state = {0};
    struct gd_response_head out;
    const struct gd_field *field;
    uint64_t seconds;

    if (head.len == 0 || gd_response_head_parse(&state, head, &limits, GD_METHOD_HEAD,
                                                fields, &out) != GD_PARSE_DONE)
        return 0;
    field = gd_fields_get(&out.fields, GD_FIELD_RETRY_AFTER);
    return field && gd_span_u64(field->value, &seconds) ? seconds : 0;
}

/* A server that says when to come back is left alone until then. */
static void note_rest(struct gd_call *call)
{
    uint64_t seconds = asked_rest_s(&call->exchange);

    call->retry_after_s =
        (uint32_t)(seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S);
    if (seconds)
        gd_lease_rest(&call->lease, seconds);
}

/* Deciding ------------------------------------------------------------------------------
 */

static bool is_listed(const struct gd_call *call, enum gd_failure failure)
{
    const struct gd_plan_retry *plan = &call->plan->upstream->retry;

    if (failure == GD_FAIL_STATUS)
        return gd_statuses_have(&plan->statuses, call->status);
    return plan->failures >> failure & 1;
}

/* None when another server can be asked. */
static uint32_t pause_ms(struct gd_call *call, bool other)
{
    uint32_t most = PAUSE_FIRST_MS << (call->tries < 4 ? call->tries : 4);
    unsigned index = call->plan->upstream->index;

    if (other)
        return 0;
    if (most > PAUSE_MAX_MS)
        most = PAUSE_MAX_MS;
    return most / 2 +
           (uint32_t)(gd_upstream_random(upstreams_of(call), index) % (most / 2 + 1));
}

static bool has_time(struct gd_call *call, uint32_t ms)
{
    uint64_t then_us =
        gd_loop_now_us(gd_gather_shared(call->gather)->loop) + (uint64_t)ms * 1000;
    uint64_t own_us = (uint64_t)call->plan->timeout_ms * 1000;

    return then_us < gd_gather_deadline_us(call->gather) &&
           (own_us == 0 || then_us < call->start_us + own_us);
}

bool gd_retry_take_extra(struct gd_call *call)
{
    unsigned index = call->plan->upstream->index;

    if (call->extra)
        gd_upstream_end_extra(upstreams_of(call), index);
    call->extra = gd_upstream_take_extra(upstreams_of(call), index);
    if (!call->extra)
        gd_stat_inc(&stats_of(call)[GD_UPSTREAM_OVER_BUDGET]);
    return call->extra;
}

bool gd_retry_prepare(struct gd_call *call, enum gd_failure failure)
{
    bool other;

    if (failure == GD_FAIL_STATUS && (call->status == 429 || call->status == 503))
        note_rest(call);
    if (!gd_retry_may_follow(call) || !is_listed(call, failure))
        return false;
    other = gd_upstream_has_other(upstreams_of(call), call->plan->upstream->index,
                                  &call->lease);
    if (!other && call->retry_after_s)
        return false;
    call->pause_ms = pause_ms(call, other);
    if (!has_time(call, call->pause_ms) || !gd_retry_take_extra(call))
        return false;
    gd_stat_inc(&stats_of(call)[GD_UPSTREAM_RETRIES]);
    gd_hedge_stop(call);
    gd_call_free(call);
    call->tries++;
    call->stale = call->fresh = false;
    call->refusals = 0;
    call->failure = GD_OK;
    call->status = 0;
    call->lease.avoid = call->lease.server;
    return true;
}
