#ifndef GD_DAEMON_DEMO_H
#define GD_DAEMON_DEMO_H
/**
 * The demo: conf/demo.yaml, built into the program, with what to try.
 */
#include "plan/load.h"

/** Returns a plan with one reference; NULL with findings would be our bug. */
struct gd_plan *gd_demo_plan(struct gd_findings *findings);

/** Prints what to type, to standard output. */
void gd_demo_explain(const struct gd_plan *plan);

#endif
