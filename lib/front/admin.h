#ifndef GD_FRONT_ADMIN_H
#define GD_FRONT_ADMIN_H
/**
 * The admin endpoint: what operators and their tools see. A listener and a loop of its
 * own, so it answers whatever the workers are busy with, and reads their counters without
 * a lock.
 *
 * GET /status (JSON), /metrics (Prometheus), /healthz, /readyz, and
 * /explain?method=GET&path=/x&host=example.com (JSON). A GET changes nothing.
 */
#include "base/loop.h"
#include "base/stat.h"
#include "plan/plan.h"

/** The life of the process, as /readyz and /status show it. */
enum gd_life { GD_LIFE_STARTING, GD_LIFE_READY, GD_LIFE_DRAINING };

const char *gd_life_word(enum gd_life life);

/** What is shown; all borrowed, must outlive the admin. */
struct gd_admin_source {
    const struct gd_plan *plan;
    struct gd_stats *const *stats; /* a set for each worker */
    unsigned worker_count;
    const _Atomic int *life; /* enum gd_life */
};

struct gd_admin;

/** Returns owned, NULL with err. */
struct gd_admin *gd_admin_new(struct gd_loop *loop, const struct gd_admin_source *source,
                              struct gd_err *err);

/** Accepts connections from a listening socket; a dup of fd is kept. */
GD_MUST_CHECK bool gd_admin_listen(struct gd_admin *admin, int fd, struct gd_err *err);

/** Closes all connections and frees. Not from a callback of the admin. */
void gd_admin_free(struct gd_admin *admin);

#endif
