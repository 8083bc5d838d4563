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

/** Returns owned, NULL with err. plan: a reference is kept. stats, addresses (by server
 *  index): borrowed, must outlive the engine. */
struct gd_engine *gd_engine_new(struct gd_loop *loop, struct gd_plan *plan,
                                struct gd_stats *stats,
                                const struct gd_address *addresses, struct gd_err *err);

/** Accepts connections from a listening socket; a dup of fd is kept. */
GD_MUST_CHECK bool gd_engine_listen(struct gd_engine *engine, int fd, struct gd_err *err);

/** Stops accepting and lets requests in flight finish; on_drained runs once from the loop
 *  when the last connection has gone. */
void gd_engine_drain(struct gd_engine *engine, void (*on_drained)(void *arg), void *arg);

/** Cancels what is left and frees. Not from a callback of the engine. */
void gd_engine_free(struct gd_engine *engine);

#endif
