#ifndef GD_GATHER_EXPLAIN_H
#define GD_GATHER_EXPLAIN_H
/**
 * What a plan would do with a request: which route takes it and why, which calls would
 * be made and when, what they would send, and what would be answered. Nothing is called.
 *
 * One document is made, and a text for terminals is made of the document. Targets and
 * fields are written by what writes them when calls are made. What is known only later
 * stays as it was written, like {user.login}; secrets (plan/secret.h) are masked.
 *
 * Costs time in the number of routes, and in the calls of the one that is found: a few
 * milliseconds for thousands of routes. Lists are bounded; `…_left_out` counts the rest.
 */
#include <jansson.h>

#include "http/head.h"
#include "plan/plan.h"

/** A request as a browser could send it; all borrowed. */
struct gd_explain_request {
    struct gd_span method; /* "GET"; any token */
    struct gd_span target; /* `/path?query`, or absolute: then its host counts */
    struct gd_span host;   /* ptr NULL: that of a Host field, or not known */
    const struct gd_fields *fields;
};

/** Returns an owned document (json_decref); NULL with err when there is no such request:
 *  the sentence. */
json_t *gd_explain(const struct gd_plan *plan, const struct gd_explain_request *request,
                   struct gd_err *err);

/** The word for a kind of route: gather, pass … */
const char *gd_explain_kind(enum gd_route_kind kind);

/** Whether a request gets an answer other than 404 or 405. */
bool gd_explain_has_route(const json_t *document);

/** Appends the text for terminals. False past the buffer's bound. */
GD_MUST_CHECK bool gd_explain_text(const json_t *document, struct gd_buf *out);

#endif
