#ifndef GD_PLAN_CHANGE_H
#define GD_PLAN_CHANGE_H
/**
 * What a plan has in common with the one before it.
 */
#include "plan/plan.h"

enum { GD_CHANGE_NEW = -1 };

/** For each route, upstream and server of the plan its index in the one before, or
 *  GD_CHANGE_NEW. All owned by the change. */
struct gd_plan_change {
    int *routes;    /* of the same pattern, as it is written */
    int *upstreams; /* of the same name */
    int *servers;   /* of the same name in an upstream of the same name */
    int *kept;      /* of the same name, and the file says the very same of it */
    bool *fixed;    /* for each of plan->fixed: it has changed */
};

/** Returns owned. */
struct gd_plan_change *gd_plan_compare(const struct gd_plan *before,
                                       const struct gd_plan *plan);

/** NULL is fine. */
void gd_plan_change_free(struct gd_plan_change *change);

#endif
