#ifndef GD_GATHER_GATHER_H
#define GD_GATHER_GATHER_H
/**
 * A gather: one browser request's calls, run as soon as what they mention is there, and
 * what came of them.
 *
 * States: running → done (or cancelled). Every part ends exactly once; the gather is done
 * when all have ended, when a required one has failed, or at the route's deadline,
 * whichever is first; what still runs then is cancelled. Completion is reported once,
 * from the loop, never inside gd_gather_start.
 *
 * All memory is the request's arena, and the buffers the parts were received into.
 */
#include "base/arena.h"
#include "base/failure.h"
#include "base/loop.h"
#include "base/stat.h"
#include "gather/forward.h"
#include "plan/plan.h"
#include "plan/values.h"
#include "upstream/upstream.h"

struct gd_gather;
struct gd_part;

/** What the gathers of one engine share; all borrowed, but the scratch is its own. */
struct gd_gather_context {
    struct gd_loop *loop;
    struct gd_stats *stats;
    struct gd_upstreams *upstreams;
    const struct gd_plan_limits *limits;
    struct gd_buf scratch; /* a target while it is expanded */
};

/** What one gather is about; all borrowed until it is freed. */
struct gd_gather_request {
    const struct gd_plan_route *route;
    const struct gd_facts *facts;
    struct gd_forward *forward;   /* what upstreams hear of the client; NULL: no calls */
    const struct gd_span *params; /* canonical encoded, as in struct gd_match */
    unsigned param_count;
    struct gd_arena *arena;
    size_t *budget;  /* bytes of memory left to the request; the arena draws on it too */
    uint64_t chosen; /* bits of the calls that are wanted; 0: all that are not hidden */
    /** Parts have ended: ask gd_gather_next. NULL: nobody wants to know. Runs from the
     *  loop, with the arg of on_done, never after it. */
    void (*on_parts)(void *arg);
};

/** Whether a body of the request that the route's references go into is JSON; true when
 *  none does. depth: of limits. */
GD_MUST_CHECK bool gd_gather_takes_body(const struct gd_plan_route *route,
                                        struct gd_span body, unsigned depth);

/** Starts all calls that depend on nothing. on_done(arg) runs once, later. Returns the
 *  gather, owned by the arena; NULL when the arena is at its bound. */
struct gd_gather *gd_gather_start(struct gd_gather_context *context,
                                  const struct gd_gather_request *request,
                                  void (*on_done)(void *arg), void *arg);

/** Cancels what runs and releases all buffers; on_done does not run afterwards. For every
 *  gather, done or not; idempotent. The spans of its outcome become invalid. */
void gd_gather_free(struct gd_gather *gather);

/** How it ended. Everything is borrowed from the gather. */
struct gd_outcome {
    enum gd_failure failure;            /* GD_OK: there is a body */
    int status;                         /* for the client */
    uint32_t retry_after_s;             /* of an upstream that said so; 0: none did */
    const struct gd_plan_call *culprit; /* the required call that failed, else NULL */
    bool complete;                      /* no optional call failed */
    struct gd_span clashed; /* failure CONFLICT: the name that met itself, with quotes */
    const struct gd_plan_header *headers; /* Gather-Parts when not complete, and the
                                             route's own */
    unsigned header_count;
    const struct iovec *body;
    int body_count;
    size_t body_bytes;
};

/** Composes the answer of a gather that is done. Once. */
void gd_gather_outcome(struct gd_gather *gather, struct gd_outcome *outcome);

/** The outcome of one whose answer, or a piece of it, could not be composed. */
void gd_gather_refusal(const struct gd_gather *gather, enum gd_failure failure,
                       struct gd_outcome *outcome);

/* Parts as they complete ---------------------------------------------------------------
 */

/** What can be sent now: members of an object. Borrowed from the gather. */
struct gd_news {
    const struct iovec *pieces; /* `{"name":…}`, or the whole answer */
    unsigned count;
};

/** Takes the next part, or member of the answer's shape, that is complete and has not
 *  been taken. False when there is none. failure: of composing it; then news is void. */
bool gd_gather_next(struct gd_gather *gather, struct gd_news *news,
                    enum gd_failure *failure);

/** Whether a required call has failed. */
bool gd_gather_failed(const struct gd_gather *gather);

/** Whether no call has failed. */
bool gd_gather_whole(const struct gd_gather *gather);

/** The last event, once the gather is done: `{"complete":…,"failed":{…}}`. ptr NULL when
 *  memory is at its bound. */
struct gd_span gd_gather_end_event(struct gd_gather *gather);

/** What parts and shapes need; see part.h and compose.h. */
struct gd_part *gd_gather_part(struct gd_gather *gather, unsigned index);
bool gd_gather_is_chosen(struct gd_gather *gather, uint64_t calls);
void gd_gather_collided(struct gd_gather *gather, unsigned collisions,
                        struct gd_span first);

#endif
