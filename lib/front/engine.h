#ifndef GD_FRONT_ENGINE_H
#define GD_FRONT_ENGINE_H
/**
 * An engine: all one worker needs to answer browsers. Listeners, routing, gathers, pools
 * and counters on one loop; it shares only the read-only plan with other engines.
 *
 * It has no thread of its own, so a test runs engines, upstreams and clients on one loop.
 */
#include "base/loop.h"
#include "base/stat.h"
#include "net/address.h"
#include "plan/plan.h"

struct gd_engine;
struct gd_site;

/** A plan, and what an engine needs to work by it. */
struct gd_engine_plan {
    struct gd_plan *plan;               /* a reference is kept */
    struct gd_stats *stats;             /* borrowed until on_end */
    const struct gd_address *addresses; /* by server index; copied */
    struct gd_site *const *sites; /* the same, of those that follow names; references
                                         are taken; NULL: none does */
    const int *kept; /* for each upstream its index in the plan before, when it is the
                        very same there, or -1; NULL: none is. Borrowed for the call */
    void (*on_end)(void *arg); /* the plan is no longer needed here, since another one
                                  has come and its last request has ended; from the loop,
                                  once. Not when the engine is freed. May be NULL */
    void *arg;
};

/** Returns owned, NULL with err. */
struct gd_engine *gd_engine_new(struct gd_loop *loop, const struct gd_engine_plan *first,
                                struct gd_err *err);

/** Works by another plan from now on. Requests whose head has come before go on by the
 *  plan they began with, to their end; connections stay. Not from a callback of the
 *  engine. */
void gd_engine_switch(struct gd_engine *engine, const struct gd_engine_plan *next);

/** on_warm(arg) runs once, from the loop, when the sessions that `pool.min` asks for are
 *  there, or could not be had. */
void gd_engine_await_warm(struct gd_engine *engine, void (*on_warm)(void *arg),
                          void *arg);

struct gd_access_lane;
struct gd_recent;

/** Where what becomes of requests is written down: the worker's lane to the access log,
 *  and its memory of slow and failed ones. Borrowed, either may be NULL; they must
 * outlive the engine. Before the loop runs. */
void gd_engine_observe(struct gd_engine *engine, struct gd_access_lane *lane,
                       struct gd_recent *recent);

/** Accepts connections from a listening socket, as gd_front_listen. */
struct gd_listener *gd_engine_listen(struct gd_engine *engine, int fd,
                                     const struct gd_plan_listen *settings,
                                     struct gd_err *err);

/** An answer is the last one of its connection from now on; stop: no more connections are
 *  accepted. */
void gd_engine_leave(struct gd_engine *engine, bool stop);

/** Stops accepting and lets requests in flight finish; on_drained runs once from the loop
 *  when the last connection has gone. */
void gd_engine_drain(struct gd_engine *engine, void (*on_drained)(void *arg), void *arg);

/** A server of an upstream of the newest plan is where its name says now (see
 *  gd_upstreams_place). */
void gd_engine_place(struct gd_engine *engine, unsigned upstream, unsigned server,
                     struct gd_site *site);

/** Lets a server of an upstream have no new requests, or has it back; false when there is
 *  none of these names. */
bool gd_engine_drain_server(struct gd_engine *engine, const char *upstream,
                            const char *server, bool drained);

/** Cancels what is left and frees. Not from a callback of the engine. */
void gd_engine_free(struct gd_engine *engine);

#endif
