#ifndef GD_PLAN_EFFECTIVE_H
#define GD_PLAN_EFFECTIVE_H
/**
 * What a configuration says in effect: every option with the value it has, be it written
 * or a default, by the rows of schema_table.h; null where none is set. Short forms are
 * shown as the long ones they stand for, routes with what `defaults` says. Secrets are
 * masked (plan/secret.h): they are not in what the plan keeps of the file.
 *
 * Costs time and memory in the size of the configuration: for people who ask.
 */
#include <jansson.h>

#include "plan/plan.h"

/** Returns owned: all of it. */
json_t *gd_effective_config(const struct gd_plan *plan);

/** Returns owned: one upstream, also one that a call's URL has made. */
json_t *gd_effective_upstream(const struct gd_plan_upstream *upstream);

#endif
