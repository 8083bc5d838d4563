#ifndef GD_PLAN_MOCK_H
#define GD_PLAN_MOCK_H
/**
 * What a mock upstream answers. Owned by the plan.
 */
#include "plan/plan.h"

/** One answer of a mock upstream. */
struct gd_plan_mock_route {
    unsigned index; /* its route in the mock's router */
    int status;
    struct gd_template
        *body; /* JSON text with placeholders encoded for JSON; may be NULL */
    struct gd_plan_header *headers;
    unsigned header_count;
    uint32_t delay_ms;
    double fail_share; /* 0 to 1: answered with 500 */
};

struct gd_plan_mock {
    struct gd_router *router;
    struct gd_plan_mock_route *routes;
    unsigned route_count;
};

#endif
