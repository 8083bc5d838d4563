#ifndef GD_GATHER_GATHER_H
#define GD_GATHER_GATHER_H
/**
 * A gather: one browser request's calls, run side by side, and what came of them.
 *
 * States: running → done (or cancelled). Every call ends exactly once; the gather is done
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
#include "plan/template.h"
#include "upstream/upstream.h"

struct gd_gather;

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
    struct gd_values values;    /* what placeholders stand for */
    struct gd_span id;          /* X-Request-Id */
    struct gd_forward *forward; /* what upstreams hear of the client */
    struct gd_arena *arena;
    size_t body_bytes; /* what the browser's body takes of limits->request_memory */
};

/** Starts all calls that depend on nothing. on_done(arg) runs once, later. Returns the
 *  gather, owned by the arena; NULL when the arena is at its bound. */
struct gd_gather *gd_gather_start(struct gd_gather_context *context,
                                  const struct gd_gather_request *request,
                                  void (*on_done)(void *arg), void *arg);

/** Cancels what runs and releases all buffers; on_done does not run afterwards. Called
 * once for every gather, done or not; the spans of its outcome become invalid. */
void gd_gather_free(struct gd_gather *gather);

/** How it ended. Everything is borrowed from the gather. */
struct gd_outcome {
    enum gd_failure failure;            /* GD_OK: there is a body */
    int status;                         /* for the client */
    const struct gd_plan_call *culprit; /* the required call that failed, else NULL */
    bool complete;                      /* no optional call failed */
    struct gd_span parts;               /* Gather-Parts when not complete, else empty */
    const struct iovec *body;
    int body_count;
    size_t body_bytes;
};

/** Composes the answer of a gather that is done. Once. */
void gd_gather_outcome(struct gd_gather *gather, struct gd_outcome *outcome);

#endif
