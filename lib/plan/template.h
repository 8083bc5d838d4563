#ifndef GD_PLAN_TEMPLATE_H
#define GD_PLAN_TEMPLATE_H
/**
 * Templates: text with placeholders, compiled in the plan, expanded per request.
 *
 * `{name}` is a path parameter or `query.x`; `{name?}` may be absent (in a query string
 * the whole `key=` goes with it, in JSON it is empty text); `{name=text}` has a default
 * (also used for a tail that is empty). `{{` and `}}` are literal braces.
 *
 * Values are encoded for the place where they stand, so that no value can add a segment,
 * a parameter or a quote:
 *
 *   place     path parameter               query.x
 *   path      its canonical text, as is    decoded, all but unreserved escaped
 *   query     decoded, then as query.x     decoded, all but unreserved escaped
 *   JSON      decoded, JSON-escaped        decoded, JSON-escaped
 *
 * A segment with placeholders never becomes empty, "." or "..", and no control character
 * enters a path. A tail keeps its slashes in a path, where it has to be a whole segment.
 */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/failure.h"
#include "http/head.h"
#include "plan/route.h"

struct gd_template;

/** What a target template or a JSON text template may mention. */
struct gd_names {
    const struct gd_span *params; /* path parameters of the route */
    unsigned param_count;
    bool tail; /* the last one is a tail */
};

/** What the names stand for in one request; all borrowed. */
struct gd_values {
    const struct gd_span *params; /* canonical encoded, as in struct gd_match */
    unsigned param_count;
    struct gd_span query; /* as sent, checked (struct gd_target); ptr NULL: none */
};

/** Compiles `/path?query` of a call's target. Literal text has to be a valid target
 *  without dot segments and is kept as written, but for bytes above 127 and doubled
 *  braces, which are escaped. Returns a template owned by the arena (text and names are
 *  not needed afterwards), NULL with err (unknown names come with a "did you mean"). */
struct gd_template *gd_template_target(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err);

/** Compiles JSON text (our own, valid) in whose strings placeholders may stand; values
 *  are written as JSON string content. A default is JSON string content already. */
struct gd_template *gd_template_json(struct gd_arena *arena, struct gd_span json,
                                     const struct gd_names *names, struct gd_err *err);

/** The text of a template without any placeholder; ptr NULL when it has some. */
struct gd_span gd_template_literal(const struct gd_template *tpl);

/** Appends the expansion. GD_OK, GD_FAIL_UNRESOLVED (a placeholder had no value, or a
 *  value that cannot stand there: an empty, "." or ".." path segment) or
 *  GD_FAIL_TOO_LARGE (the buffer's bound). After a failure out is as it was. */
enum gd_failure gd_template_expand(const struct gd_template *tpl,
                                   const struct gd_values *values, struct gd_buf *out);

#endif
