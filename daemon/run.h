#ifndef GD_DAEMON_RUN_H
#define GD_DAEMON_RUN_H
/**
 * The process while it serves: start, signals, drain, end.
 */
#include "plan/plan.h"

/** Serves plan until SIGTERM or SIGINT, drains, and returns the exit code. A second
 * signal ends it at once. Takes the reference. file: where it came from, to be read again
 * on SIGHUP; NULL: nowhere. argv: of the process, to start its successor on SIGUSR2. */
int gd_run(struct gd_plan *plan, const char *file, char *const *argv);

/** Warns of what a plan does that nobody should do unaware. */
void gd_run_warn(const struct gd_plan *plan);

#endif
