#ifndef GD_GATHER_CALL_H
#define GD_GATHER_CALL_H
/**
 * One call of a part: a machine of steps from its templates to JSON text.
 *
 *   IDLE → EXPAND → LEASE → EXCHANGE → DECODE → ENDED
 *             ↑________________|  |      ↑ |
 *             |    stale, once    SECOND_| |
 *             |__________________________PAUSE
 *
 * A try whose pooled connection had gone stale is made again at once. SECOND: the first
 * request has failed, and a hedge is still on its way. PAUSE: a try has failed, and the
 * upstream's `retry` lets another one follow.
 *
 * A call ends exactly once, with JSON text or a failure class, and tells its part.
 * Cancelling ends it at once, without telling.
 */
#include "base/failure.h"
#include "gather/gather.h"
#include "upstream/exchange.h"

struct gd_hedge;
struct gd_part;

/* The steps: X(id, function that takes the step, what wakes it up again). */
#define GD_CALL_STEP_ROWS(X)                                                             \
    X(IDLE, idle, "gd_call_start")                                                       \
    X(EXPAND, expand, "nothing: it never waits")                                         \
    X(LEASE, lease, "on_lease, on_deadline")                                             \
    X(EXCHANGE, exchange, "on_exchange, on_try_deadline, on_deadline, the hedge")        \
    X(SECOND, second, "the hedge, on_deadline")                                          \
    X(DECODE, decode, "nothing: it never waits")                                         \
    X(PAUSE, pause, "on_pause, on_deadline")                                             \
    X(ENDED, ended, "nothing: it is over")

enum gd_call_step {
#define X(id, function, wake) GD_CALL_##id,
    GD_CALL_STEP_ROWS(X)
#undef X
        GD_CALL_STEPS
};

struct gd_call {
    const struct gd_plan_call *plan;
    struct gd_part *part;
    struct gd_gather *gather;
    struct gd_json_value item; /* what it is made for; tape NULL without each */
    enum gd_call_step step;
    enum gd_failure failure; /* once ENDED */
    int status;              /* of the upstream's answer; 0 without one */
    struct gd_doc json;      /* once ENDED with GD_OK; the text borrows from exchange */
    bool stale;              /* of this try: a connection had gone stale before */
    bool resend;             /* the request is sent once more, as nothing became of it */
    bool fresh;              /* the next lease must be a new connection */
    bool made;               /* the content is there: all tries send the same */
    bool extra;              /* it holds one of the upstream's tries beside the first */
    uint8_t tries;           /* beside the first */
    uint8_t refusals;        /* times the server had not looked at the request */
    uint32_t pause_ms;       /* before the next one */
    uint32_t retry_after_s;  /* what the last reply asked for; 0: nothing */
    uint64_t start_us;
    uint64_t asked_us;      /* the try at hand: a connection was asked for */
    uint64_t leased_us;     /* … and was there; 0: not yet */
    uint64_t ended_us;      /* once ENDED; 0: it never ran */
    struct gd_buf request;  /* the head of the request */
    struct gd_span content; /* its body, in the arena or the browser's own */
    struct gd_span path;    /* of the target, in the arena, where there is a jar */
    struct gd_lease lease;
    struct gd_exchange exchange;
    struct gd_timer *call_deadline,
        *try_deadline;      /* NULL where the route's comes first */
    struct gd_timer *pause; /* NULL: never waited */
    struct gd_hedge *hedge; /* NULL: none was thought of */
};

/** Starts an IDLE call. It may end inside (gd_part_call_ended runs). */
void gd_call_start(struct gd_call *call);

/** Ends a call that runs as failed with this class; no effect on one that is not started
 *  (it counts as ended) or has ended. The part is not told. */
void gd_call_stop(struct gd_call *call, enum gd_failure failure);

/** Releases the buffers of an ended call. */
void gd_call_free(struct gd_call *call);

/* request.c: what a call sends ---------------------------------------------------------
 */

/** Writes the request line into call->request and makes call->content. GD_OK, UNRESOLVED
 *  or TOO_LARGE. */
enum gd_failure gd_call_expand(struct gd_call *call);

/** Writes the fields behind it, for this server. */
enum gd_failure gd_call_write_fields(struct gd_call *call,
                                     const struct gd_plan_server *server);

/** Appends the browser's parameters that are passed on, encoded as they came, to a
 * target. False past the buffer's bound. */
GD_MUST_CHECK bool gd_call_forward_query(const struct gd_plan_forward *forward,
                                         const struct gd_facts *facts,
                                         struct gd_buf *target);

/* cookies.c ----------------------------------------------------------------------------
 */

/** Remembers what of the target cookies depend on. False past the arena's bound. */
GD_MUST_CHECK bool gd_call_note_path(struct gd_call *call, struct gd_span target);

/** Appends one Cookie field (RFC 6265 5.4), if there are any: the browser's that are
 * passed on, then those of the jar with other names. False past the buffer's bound. */
GD_MUST_CHECK bool gd_call_write_cookies(struct gd_call *call);

/** Keeps the cookies that a complete answer sets, where there is a jar; while the lease
 * is out. */
void gd_call_keep_cookies(struct gd_call *call);

/* gather.c: what calls and parts need of their gather; borrowed -------------------------
 */

size_t *gd_gather_budget(struct gd_gather *gather);

/** When the route's deadline is, loop time. */
uint64_t gd_gather_deadline_us(const struct gd_gather *gather);
struct gd_gather_context *gd_gather_shared(struct gd_gather *gather);
const struct gd_gather_request *gd_gather_about(struct gd_gather *gather);

/** What references stand for so far; item is left empty. */
const struct gd_values *gd_gather_values(struct gd_gather *gather);

/** Whether other calls of this route mention the part of this one. */
bool gd_gather_is_mentioned(struct gd_gather *gather, const struct gd_plan_call *plan);

#endif
