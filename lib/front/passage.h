#ifndef GD_FRONT_PASSAGE_H
#define GD_FRONT_PASSAGE_H
/**
 * A passage: one routed request on its way from the match to the counted answer. Private
 * to the engine and to the files that answer a kind of route.
 */
#include "front/access.h"
#include "front/engine.h"
#include "front/front.h"
#include "front/recent.h"
#include "gather/gather.h"
#include "plan/route.h"

struct gd_events;
struct gd_pass;
struct gd_pump;

/** A plan at work in one engine. A request is answered by the generation that was the
 *  newest when its head came, from its head to its end, whatever is loaded meanwhile. */
struct gd_generation {
    struct gd_engine *engine;
    struct gd_plan *plan; /* one reference */
    struct gd_stats *stats;
    struct gd_upstreams *upstreams;
    struct gd_gather_context gathers;
    unsigned users; /* passages, and the engine while it is the newest */
    void (*on_end)(void *arg);
    void *arg;
    struct gd_work end;
    struct gd_generation *next; /* an older one that is still needed */
};

/** Where what is known of ended requests goes. */
struct gd_observer {
    struct gd_access_lane *lane; /* borrowed, or NULL */
    struct gd_recent *recent;    /* borrowed, or NULL */
    uint64_t chance;             /* of a line to be written, where not all are */
    uint64_t memory[GD_RECORD_MAX / sizeof(uint64_t)]; /* of the record at hand */
};

/** Bodies that are made slice by slice, in turns (pump.h). */
struct gd_pumps {
    struct gd_pump *first, *last; /* last: while there is a first */
    struct gd_work turn;
};

struct gd_engine {
    struct gd_loop *loop;
    struct gd_generation *newest; /* of a list of all */
    struct gd_front *front;
    struct gd_forwarder forwarder;
    struct gd_warming warming;
    struct gd_observer observer;
    struct gd_pumps pumps;
};

/** Lives in the arena of its request. */
struct gd_passage {
    struct gd_engine *engine;
    struct gd_generation *generation;
    struct gd_request *request;
    const struct gd_plan_route *route;
    struct gd_gather *gather; /* NULL: none runs */
    struct gd_events *events; /* its parts are sent as they complete; else NULL */
    struct gd_pass *pass;     /* NULL: none runs */
    struct gd_match match;
    struct gd_facts facts;
    bool started; /* the facts are there */
};

/* generation.c ----------------------------------------------------------------------- */

/** Makes a plan the newest generation, which the engine uses; it leaves the one before.
 */
void gd_generation_begin(struct gd_engine *engine, const struct gd_engine_plan *what);

/** One user less; the last one ends the generation at the end of the turn. */
void gd_generation_leave(struct gd_generation *generation);

/** Ends it at once, without on_end. None of its requests may be in progress. */
void gd_generation_free(struct gd_generation *generation);

/* engine.c --------------------------------------------------------------------------- */

/** The route's counters of this worker. */
uint64_t *gd_passage_stats(struct gd_passage *passage);

/** Counts the answer of a routed request. Once. */
void gd_passage_account(struct gd_passage *passage, int status);

/** Answers a problem of the client's making, or for want of memory, and counts it. */
void gd_passage_refuse(struct gd_passage *passage, int status, const char *detail);

/** Returns what upstreams hear of the client, owned by the request's arena; NULL when
 * that is at its bound. */
struct gd_forward *gd_passage_forward(struct gd_passage *passage);

/* note.c ------------------------------------------------------------------------------
 */

/** Writes down what became of a request, where that is wanted. */
void gd_observe(struct gd_engine *engine, const struct gd_request *request,
                const struct gd_request_end *end);

/* files.c ---------------------------------------------------------------------------- */

/** Answers with a file. */
void gd_files_start(struct gd_passage *passage);

/* redirect.c ------------------------------------------------------------------------- */

/** Sends the client elsewhere. */
void gd_redirect_start(struct gd_passage *passage);

/* gather_route.c ----------------------------------------------------------------------
 */

/** Runs the calls of a route, or none, and answers. */
void gd_gather_route_start(struct gd_passage *passage);

/** The client has left. */
void gd_gather_route_gone(struct gd_passage *passage);

/** Answers with the problem of a gather that failed. Frees the gather. */
void gd_gather_route_problem(struct gd_passage *passage,
                             const struct gd_outcome *outcome);

/* events.c ----------------------------------------------------------------------------
 */

/** Prepares sending parts as they complete, when the route lets it and the client asks
 *  for it: passage->events is set, and on_parts is to be called by the gather. False when
 *  the arena is at its bound. */
GD_MUST_CHECK bool gd_events_prepare(struct gd_passage *passage);

/** Parts have ended. */
void gd_events_on_parts(void *passage);

/** The gather is done: sends what is left and the last event, or answers a problem when
 *  nothing has been sent yet. */
void gd_events_finish(struct gd_passage *passage);

/** Nothing more can be sent. */
void gd_events_stop(struct gd_passage *passage);

#endif
