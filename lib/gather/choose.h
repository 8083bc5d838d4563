#ifndef GD_GATHER_CHOOSE_H
#define GD_GATHER_CHOOSE_H
/**
 * `?parts=user,orders`: the client chooses which calls are made.
 */
#include "base/blocks.h"
#include "plan/plan.h"

/** The calls a query chooses: their bits, 0 when it has no `parts` or the route lets
 *  nobody choose. False when it names something that is no visible call of the route;
 *  *unknown is then the place of that name in the query, as sent. */
GD_MUST_CHECK bool gd_choose(const struct gd_plan_route *route, struct gd_span query,
                             uint64_t *chosen, struct gd_span *unknown);

/** The chosen calls and all they depend on, as bits. */
uint64_t gd_choose_wanted(const struct gd_plan_route *route, uint64_t chosen);

#endif
