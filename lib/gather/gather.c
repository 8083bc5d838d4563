#include "gather/gather.h"

#include <assert.h>

#include "gather/answer.h"
#include "gather/call.h"

struct gd_gather {
    struct gd_gather_context *context;
    struct gd_gather_request about;
    void (*on_done)(void *arg);
    void *arg;
    size_t budget;           /* bytes the parts may still hold */
    uint64_t ended;          /* bits of the calls that have ended */
    struct gd_call *culprit; /* the required call that failed first */
    bool done;
    struct gd_timer deadline;
    struct gd_work completion;
    unsigned count;
    struct gd_call calls[];
};

struct gd_gather_context *gd_gather_shared(struct gd_gather *gather)
{
    return gather->context;
}

const struct gd_gather_request *gd_gather_about(struct gd_gather *gather)
{
    return &gather->about;
}

size_t *gd_gather_budget(struct gd_gather *gather)
{
    return &gather->budget;
}

static void on_completion(void *arg)
{
    struct gd_gather *gather = arg;

    gather->on_done(gather->arg);
}

/* Ends what still runs with `failure`, and lets the loop report completion. */
static void finish(struct gd_gather *gather, enum gd_failure failure)
{
    gather->done = true;
    gd_timer_disarm(&gather->deadline);
    for (unsigned i = 0; i < gather->count; i++)
        gd_call_stop(&gather->calls[i], failure);
    gd_loop_defer(gather->context->loop, &gather->completion, on_completion, gather);
}

static uint64_t all(const struct gd_gather *gather)
{
    return gather->count == 64 ? UINT64_MAX : (UINT64_C(1) << gather->count) - 1;
}

/* Starts every call whose needs have ended. A call that ends at once comes back through
 * gd_gather_call_ended, which may finish the gather. */
static void start_ready(struct gd_gather *gather)
{
    for (unsigned i = 0; i < gather->count && !gather->done; i++) {
        struct gd_call *call = &gather->calls[i];

        if (call->step == GD_CALL_IDLE && (call->plan->needs & ~gather->ended) == 0)
            gd_call_start(call);
    }
}

void gd_gather_call_ended(struct gd_gather *gather, struct gd_call *call)
{
    uint64_t bit = UINT64_C(1) << call->plan->index;

    assert(!gather->done);
    gather->ended |= bit;
    if (call->failure && (gather->about.route->required & bit)) {
        gather->culprit = call;
        finish(gather, GD_FAIL_CANCELLED);
    } else if (gather->ended == all(gather)) {
        finish(gather, GD_FAIL_CANCELLED);
    } else {
        start_ready(gather);
    }
}

/* What is not there by now has failed with `timeout`; the first required one of the
 * file's order is named. */
static void on_deadline(void *arg)
{
    struct gd_gather *gather = arg;

    for (unsigned i = 0; i < gather->count && gather->culprit == NULL; i++) {
        uint64_t bit = UINT64_C(1) << i;

        if ((gather->about.route->required & bit) && !(gather->ended & bit))
            gather->culprit = &gather->calls[i];
    }
    finish(gather, GD_FAIL_TIMEOUT);
}

/* What limits.request_memory leaves to the parts. */
static size_t budget_of(const struct gd_plan_limits *limits,
                        const struct gd_gather_request *request)
{
    size_t held = request->body_bytes + request->arena->held;

    return held < limits->request_memory ? limits->request_memory - held : 0;
}

struct gd_gather *gd_gather_start(struct gd_gather_context *context,
                                  const struct gd_gather_request *request,
                                  void (*on_done)(void *arg), void *arg)
{
    const struct gd_plan_route *route = request->route;
    size_t size =
        sizeof(struct gd_gather) + (size_t)route->call_count * sizeof(struct gd_call);
    struct gd_gather *gather = gd_arena_alloc(request->arena, size);

    if (gather == NULL)
        return NULL;
    gather->context = context;
    gather->about = *request;
    gather->on_done = on_done;
    gather->arg = arg;
    gather->count = route->call_count;
    gather->budget = budget_of(context->limits, request);
    for (unsigned i = 0; i < gather->count; i++) {
        gather->calls[i].plan = &route->calls[i];
        gather->calls[i].gather = gather;
    }
    gd_timer_init(&gather->deadline, context->loop, on_deadline, gather);
    gd_timer_arm(&gather->deadline, route->timeout_ms);
    if (gather->count == 0)
        finish(gather, GD_FAIL_CANCELLED);
    else
        start_ready(gather);
    return gather;
}

void gd_gather_free(struct gd_gather *gather)
{
    gd_timer_disarm(&gather->deadline);
    gd_work_cancel(&gather->completion);
    gather->done = true;
    for (unsigned i = 0; i < gather->count; i++) {
        gd_call_stop(&gather->calls[i], GD_FAIL_CANCELLED);
        gd_call_free(&gather->calls[i]);
    }
}

/* What the client hears when a required call has failed: an upstream's own 4xx, else the
 * status of the class. */
static int failed_status(const struct gd_call *call)
{
    if (call->failure == GD_FAIL_STATUS && call->status >= 400 && call->status <= 499)
        return call->status;
    return gd_failure_status(call->failure);
}

static bool any_failed(const struct gd_gather *gather)
{
    for (unsigned i = 0; i < gather->count; i++)
        if (gather->calls[i].failure)
            return true;
    return false;
}

/* An answer that is not complete is none without saying so. */
static bool compose(struct gd_gather *gather, struct gd_outcome *outcome)
{
    struct gd_arena *arena = gather->about.arena;

    if (!gd_answer_compose(gather->calls, gather->count, arena, outcome))
        return false;
    if (!outcome->complete)
        outcome->parts = gd_answer_parts(gather->calls, gather->count, arena);
    return outcome->complete || outcome->parts.len > 0;
}

void gd_gather_outcome(struct gd_gather *gather, struct gd_outcome *outcome)
{
    struct gd_call *culprit = gather->culprit;

    assert(gather->done);
    *outcome = (struct gd_outcome){.complete = !any_failed(gather), .status = 200};
    if (culprit) {
        outcome->failure = culprit->failure;
        outcome->culprit = culprit->plan;
        outcome->status = failed_status(culprit);
        return;
    }
    if (!compose(gather, outcome)) {
        outcome->failure = GD_FAIL_TOO_LARGE;
        outcome->status = gd_failure_status(GD_FAIL_TOO_LARGE);
    }
}
