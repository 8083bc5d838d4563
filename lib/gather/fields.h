#ifndef GD_GATHER_FIELDS_H
#define GD_GATHER_FIELDS_H
/**
 * The header fields that a route gives its own answers (`response_headers`), but for
 * those that every answer has (struct gd_plan_finish).
 */
#include "plan/plan.h"
#include "plan/values.h"

/** Writes them to out, which has room for route->own_fields; one whose placeholder has no
 *  value is left out. Values are owned by the arena or the plan. scratch: room for one.
 *  False when they are more than a head holds, or the arena is at its bound. */
GD_MUST_CHECK bool gd_answer_fields(const struct gd_plan_route *route,
                                    const struct gd_values *values,
                                    struct gd_arena *arena, struct gd_buf *scratch,
                                    struct gd_plan_header *out, unsigned *count);

#endif
