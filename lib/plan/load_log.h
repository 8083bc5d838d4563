#ifndef GD_PLAN_LOAD_LOG_H
#define GD_PLAN_LOAD_LOG_H
/**
 * Loading what a configuration says about logs; of what loader.h has.
 */
#include "plan/loader.h"

/** The logs. */
void gd_load_log(struct gd_loader *loader);

/** What a route says about them, once gd_load_log has run; node NULL: nothing. */
void gd_load_route_log(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_route_log *out);

#endif
