#ifndef GD_DAEMON_RUN_H
#define GD_DAEMON_RUN_H
/**
 * The process while it serves: start, signals, drain, end.
 */
#include "plan/plan.h"

/** Serves plan until SIGTERM or SIGINT, drains, and returns the exit code. A second
 * signal ends it at once. Takes the reference. */
int gd_run(struct gd_plan *plan);

#endif
