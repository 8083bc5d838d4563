#ifndef GD_GATHER_AGAIN_H
#define GD_GATHER_AGAIN_H
/**
 * What a call does beside its first try: retries after one that failed, and a hedge while
 * one takes long. Both draw on the budget of the upstream. For call.c only.
 */
#include "gather/call.h"

/** Whether the upstream's plan lets another try follow this one. */
static inline bool gd_retry_may_follow(const struct gd_call *call)
{
    const struct gd_plan_retry *plan = &call->plan->upstream->retry;

    return call->tries < plan->tries && (plan->methods >> call->plan->method & 1);
}

/** Decides whether a try that failed, and holds nothing of the upstream any more, is
 *  followed by another. True: the call is ready for it, call->pause_ms from now. */
GD_MUST_CHECK bool gd_retry_prepare(struct gd_call *call, enum gd_failure failure);

/** Takes one of the upstream's tries beside the first, in place of the one the call may
 *  hold. False, which is counted: there is none left. */
GD_MUST_CHECK bool gd_retry_take_extra(struct gd_call *call);

/** Arms the hedge of a call whose request was sent. Once a call. */
void gd_hedge_arm(struct gd_call *call);

/** Whether a second request is on its way. */
bool gd_hedge_runs(const struct gd_call *call);

/** Whether a second request was sent. */
bool gd_hedge_was_sent(const struct gd_call *call);

/** Disarms or cancels it, and gives back what it holds. Idempotent. */
void gd_hedge_stop(struct gd_call *call);

/** call.c: the second request is over. won: its reply, to be taken over by the call, or
 *  NULL when it is of no use. */
void gd_call_hedge_ended(struct gd_call *call, struct gd_exchange *won);

#endif
