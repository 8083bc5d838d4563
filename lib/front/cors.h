#ifndef GD_FRONT_CORS_H
#define GD_FRONT_CORS_H
/**
 * Scripts of other origins: what answers say to them, and preflights (the fetch
 * standard's CORS protocol).
 */
#include "front/front.h"
#include "plan/route.h"

/** The lines of every answer to a request with these fields: the plan's, and what cors
 *  says to the origin that asks. Borrowed from the plan or the arena; ptr NULL when that
 *  is at its bound. */
struct gd_span gd_cors_lines(const struct gd_plan_finish *finish,
                             const struct gd_fields *fields, struct gd_arena *arena);

/** Answers OPTIONS that is a preflight for a route with cors; false when it is none, and
 * nothing has happened. match: room. counters: of the worker. */
GD_MUST_CHECK bool gd_cors_preflight(const struct gd_plan *plan,
                                     struct gd_request *request, struct gd_match *match,
                                     uint64_t *counters);

/** Whether cors decides on the field of an answer, whoever else has sent one. */
bool gd_cors_owns(struct gd_span name);

#endif
