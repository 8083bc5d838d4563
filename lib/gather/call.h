#ifndef GD_GATHER_CALL_H
#define GD_GATHER_CALL_H
/**
 * One call of a gather: a machine of steps from its template to a part.
 *
 *   IDLE → EXPAND → LEASE → EXCHANGE → DECODE → ENDED
 *             ↑________________|  once, when a pooled connection had gone stale
 *
 * A call ends exactly once, with a part (JSON text) or a failure class, and tells its
 * gather. Cancelling ends it at once, without telling.
 */
#include "base/failure.h"
#include "gather/gather.h"
#include "upstream/exchange.h"

/* The steps: X(id, function that takes the step, what wakes it up again). */
#define GD_CALL_STEP_ROWS(X)                                                             \
    X(IDLE, idle, "gd_call_start")                                                       \
    X(EXPAND, expand, "nothing: it never waits")                                         \
    X(LEASE, lease, "on_lease, on_deadline")                                             \
    X(EXCHANGE, exchange, "on_exchange, on_deadline")                                    \
    X(DECODE, decode, "nothing: it never waits")                                         \
    X(ENDED, ended, "nothing: it is over")

enum gd_call_step {
#define X(id, function, wake) GD_CALL_##id,
    GD_CALL_STEP_ROWS(X)
#undef X
        GD_CALL_STEPS
};

struct gd_call {
    const struct gd_plan_call *plan;
    struct gd_gather *gather;
    enum gd_call_step step;
    enum gd_failure failure; /* once ENDED */
    int status;              /* of the upstream's answer; 0 without one */
    struct gd_span part;     /* JSON text, once ENDED with GD_OK; borrows from exchange */
    bool retried;            /* the one retry after a stale connection is used up */
    bool fresh;              /* the next lease must be a new connection */
    uint64_t start_us;
    struct gd_buf request;
    struct gd_lease lease;
    struct gd_exchange exchange;
    struct gd_timer *call_deadline,
        *try_deadline; /* NULL where the route's comes first */
};

/** Starts an IDLE call. It may end inside (gd_gather_call_ended runs). */
void gd_call_start(struct gd_call *call);

/** Ends a call that runs as failed with this class; no effect on one that is not started
 *  (it counts as ended) or has ended. The gather is not told. */
void gd_call_stop(struct gd_call *call, enum gd_failure failure);

/** Releases the buffers of an ended call. */
void gd_call_free(struct gd_call *call);

/** The gather's side: a call has ended. */
void gd_gather_call_ended(struct gd_gather *gather, struct gd_call *call);

/** What a call needs of its gather; borrowed. The budget: bytes all parts may still hold.
 */
size_t *gd_gather_budget(struct gd_gather *gather);
struct gd_gather_context *gd_gather_shared(struct gd_gather *gather);
const struct gd_gather_request *gd_gather_about(struct gd_gather *gather);

#endif
