#ifndef GD_DAEMON_WORKER_H
#define GD_DAEMON_WORKER_H
/**
 * A worker: a thread that runs a loop with an engine on it. The mocks of a plan have a
 * thread of the same kind.
 */
#include "base/loop.h"
#include "base/stat.h"
#include "net/address.h"
#include "plan/plan.h"

struct gd_engine;
struct gd_worker;

/** What a worker is made of; all borrowed, must outlive it. */
struct gd_worker_config {
    unsigned index;
    struct gd_plan *plan;
    const struct gd_address *addresses;
    const int *fds;
    unsigned fd_count;
    struct gd_loop *home;          /* the loop on_drained runs in */
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

/** Returns borrowed: its counters. */
struct gd_stats *gd_worker_stats(struct gd_worker *worker);

/** Returns borrowed: its loop, and its engine, which is for that loop's thread alone. */
struct gd_loop *gd_worker_loop(struct gd_worker *worker);
struct gd_engine *gd_worker_engine(struct gd_worker *worker);

struct gd_mock_thread;

/** Starts the thread of the plan's mocks and fills in their addresses. Returns owned,
 * NULL with err. */
struct gd_mock_thread *gd_mock_thread_start(struct gd_plan *plan,
                                            struct gd_address *addresses,
                                            struct gd_err *err);
void gd_mock_thread_stop(struct gd_mock_thread *mocks);

#endif
