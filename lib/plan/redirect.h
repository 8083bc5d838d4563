#ifndef GD_PLAN_REDIRECT_H
#define GD_PLAN_REDIRECT_H
/**
 * A redirect, compiled. Owned by the plan.
 */
#include "base/bytes.h"

struct gd_template;

/** Where a client is sent. */
struct gd_plan_redirect {
    int status;
    struct gd_span origin;      /* `https://host`; empty: the one the client asked */
    struct gd_template *target; /* path and query */
};

#endif
