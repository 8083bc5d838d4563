#ifndef GD_DAEMON_WORKER_H
#define GD_DAEMON_WORKER_H
/**
 * A worker: a thread that runs a loop with an engine on it. The mocks of a plan have a
 * thread of the same kind.
 */
#include "base/loop.h"
#include "daemon/sockets.h"
#include "front/engine.h"
#include "net/address.h"
#include "plan/plan.h"

struct gd_engine;
struct gd_worker;

/** What a worker is made of; all borrowed, must outlive it. */
struct gd_worker_config {
    unsigned index;
    const struct gd_engine_plan *first; /* borrowed for the call */
    struct gd_access_lane *lane;        /* of the access log */
    struct gd_recent *recent;
    const struct gd_socket *sockets; /* it listens on */
    unsigned socket_count;
    struct gd_loop *home;          /* the loop its callbacks run in, and on_switched */
    void (*on_warm)(void *arg);    /* once: it has the sessions that pool.min asks for, or
                                      cannot have them */
    void (*on_drained)(void *arg); /* once, after gd_worker_drain */
    void *arg;
};

/** Makes the engine, opens its listeners and starts the thread. Returns owned, NULL with
 * err. */
struct gd_worker *gd_worker_start(const struct gd_worker_config *config,
                                  struct gd_err *err);

/** Lets it finish what it has; then on_drained runs in the home loop. */
void gd_worker_drain(struct gd_worker *worker);

/** Ends the thread, cancelling what is left, and frees the worker. */
void gd_worker_stop(struct gd_worker *worker);

/** An order to work by another plan; the caller's until on_switched has run. */
struct gd_worker_switch {
    struct gd_engine_plan next;
    const struct gd_socket *sockets; /* it listens on from now on; the settings of those
                                        it knows are those of the plan */
    unsigned socket_count;
    void (*on_switched)(void *arg); /* in the home loop */
    void *arg;
    struct gd_worker *worker; /* private */
};

/** Lets it work by another plan from now on. */
void gd_worker_switch(struct gd_worker *worker, struct gd_worker_switch *order);

/** Returns borrowed: its loop, and its engine, which is for that loop's thread alone. */
struct gd_loop *gd_worker_loop(struct gd_worker *worker);
struct gd_engine *gd_worker_engine(struct gd_worker *worker);

struct gd_mock_thread;

/** Starts the thread of the plan's mocks and fills in their addresses. Returns owned,
 * NULL with err. */
struct gd_mock_thread *gd_mock_thread_start(struct gd_plan *plan,
                                            struct gd_address *addresses,
                                            struct gd_err *err);

/** Runs the mocks of the next plan as well (see gd_mocks_next). Waits for the thread. */
GD_MUST_CHECK bool gd_mock_thread_next(struct gd_mock_thread *mocks, struct gd_plan *plan,
                                       const int *kept, struct gd_address *addresses,
                                       struct gd_err *err);

/** The mocks of an earlier plan are not called any more. Waits for the thread. */
void gd_mock_thread_leave(struct gd_mock_thread *mocks, struct gd_plan *plan);

void gd_mock_thread_stop(struct gd_mock_thread *mocks);

#endif
