#ifndef GD_PLAN_MOCK_H
#define GD_PLAN_MOCK_H
/**
 * The answers of a mock upstream, as the plan has them. Times in milliseconds, shares
 * from 0 to 1.
 */
#include "plan/plan.h"
#include "plan/value.h"

/** One answer of a mock upstream. The shares are of one whole: a request has at most one
 *  of these fates. */
struct gd_plan_mock_route {
    unsigned index; /* its route in the mock's router */
    int status;
    struct gd_template
        *body; /* JSON text with placeholders encoded for JSON; may be NULL */
    struct gd_plan_header *headers;
    unsigned header_count;
    struct gd_value_range delay; /* each request has its own within it */
    uint32_t drip_ms;      /* the answer in small pieces over that time; 0: at once */
    double fail_share;     /* answered with 500 */
    double reset_share;    /* the connection is reset instead of an answer */
    double truncate_share; /* half of the body, then the end */
};

struct gd_plan_mock {
    struct gd_router *router;
    struct gd_plan_mock_route *routes;
    unsigned route_count;
};

#endif
