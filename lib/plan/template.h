#ifndef GD_PLAN_TEMPLATE_H
#define GD_PLAN_TEMPLATE_H
/**
 * Templates: text with placeholders, compiled in the plan, expanded per request.
 *
 * `{name}` is a reference (plan/ref.h); `{name?}` may be absent (in a query string the
 * whole `key=` goes with it, elsewhere it is empty text); `{name=text}` has a default
 * (also used for a tail that is empty). `{{` and `}}` are literal braces.
 *
 * Values are encoded for the place where they stand, so that no value can add a segment,
 * a parameter, a field or a quote:
 *
 *   place     path parameter               any other value
 *   path      its canonical text, as is    decoded, all but unreserved escaped
 *   query     decoded, all but unreserved escaped
 *   header    decoded, refused when it has control characters
 *   JSON      decoded, JSON-escaped
 *
 * A segment with placeholders never becomes empty, "." or "..", and no control character
 * enters a path. A tail keeps its slashes in a path, where it has to be a whole segment.
 * JSON's null counts as absent. Lists and objects are no text; of a path with `[*]` the
 * values are joined by commas.
 */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/failure.h"
#include "plan/values.h"

struct gd_template;

/** Whether text has more to it than its bytes: a placeholder, or a doubled brace. */
bool gd_template_has_brace(struct gd_span text);

/** Compiles `/path?query` of a call's target. Literal text has to be a valid target
 *  without dot segments and is kept as written, but for bytes above 127 and doubled
 *  braces, which are escaped. Returns a template owned by the arena (text and names are
 *  not needed afterwards), NULL with err (unknown names come with a "did you mean", and
 *  the offset is that of the placeholder). */
struct gd_template *gd_template_target(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err);

/** Compiles the value of a header field. */
struct gd_template *gd_template_header(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err);

/** Compiles text that becomes the content of a JSON string. */
struct gd_template *gd_template_string(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err);

/** Compiles JSON text (our own, valid) in whose strings placeholders may stand; values
 *  are written as JSON string content. A default is JSON string content already. */
struct gd_template *gd_template_json(struct gd_arena *arena, struct gd_span json,
                                     const struct gd_names *names, struct gd_err *err);

/** The text of a template without any placeholder; ptr NULL when it has some. */
struct gd_span gd_template_literal(const struct gd_template *tpl);

/** The bits of the calls it mentions. */
uint64_t gd_template_needs(const struct gd_template *tpl);

/** Whether it mentions the body of the request. */
bool gd_template_reads_body(const struct gd_template *tpl);

/** Whether a placeholder names that query parameter, header or cookie. */
bool gd_template_names(const struct gd_template *tpl, enum gd_source source,
                       struct gd_span name);

/** Appends the expansion. GD_OK, GD_FAIL_UNRESOLVED (a placeholder had no value, or a
 *  value that cannot stand there: no text, an empty, "." or ".." path segment, a control
 *  character) or GD_FAIL_TOO_LARGE (the buffer's bound). After a failure out is as it
 *  was. */
enum gd_failure gd_template_expand(const struct gd_template *tpl,
                                   const struct gd_values *values, struct gd_buf *out);

/** What gd_template_show could not fill in. */
struct gd_template_gaps {
    bool open; /* something is known only later: of an answer, for instance */
    struct gd_span missing; /* the first placeholder for which an expansion would fail, as
                               written; ptr NULL: none. Borrowed from the template */
};

/** Appends what an expansion would, for people, where not all is known yet
 *  (gd_values_know): such placeholders stay as they were written, and so do those without
 *  a value. Values of fields that hold secrets, and of cookies, are masked. False past
 * the buffer's bound. */
GD_MUST_CHECK bool gd_template_show(const struct gd_template *tpl,
                                    const struct gd_values *values, struct gd_buf *out,
                                    struct gd_template_gaps *gaps);

#endif
