#include "gather/compose.h"
#include "gather/fields.h"
#include "gather/gather_inside.h"

#include <assert.h>

/* The answer of a gather that is done: parts spliced in the order of the file, or in the
 * shape the route gives it. */

/* Of Gather-Parts: the names of all calls, each character escaped, and what happened. */
enum { PARTS_MAX_BYTES = GD_CALLS_MAX * (2 * GD_CALL_NAME_MAX + 48) };

/* RFC 9110 15.3.6: such an answer has no content, and says so by its length. */
enum { STATUS_RESET_CONTENT = 205 };

/* Gather-Parts --------------------------------------------------------------------------
 */

/* RFC 8941 3.3.4: a token begins with a letter or "*". */
static bool is_sf_token(struct gd_span name)
{
    if (name.len == 0 || !(((name.ptr[0] | 0x20) >= 'a' && (name.ptr[0] | 0x20) <= 'z') ||
                           name.ptr[0] == '*'))
        return false;
    return gd_is_token(name);
}

/* RFC 8941 3.3.3: a string is printable ASCII; what is not is shown as "?". */
static bool add_sf_string(struct gd_buf *out, struct gd_span name)
{
    bool ok = gd_buf_add(out, "\"", 1);

    for (size_t i = 0; ok && i < name.len; i++) {
        char c = name.ptr[i];

        if (c == '"' || c == '\\')
            ok = gd_buf_add(out, "\\", 1);
        if (c < 0x20 || c > 0x7e)
            c = '?';
        ok = ok && gd_buf_add(out, &c, 1);
    }
    return ok && gd_buf_add(out, "\"", 1);
}

/* The name, and what happened: `;error=class`, with `;failed=n` where other items are
 * there, or `;skipped`. */
static bool add_part(struct gd_buf *out, const struct gd_part *part)
{
    struct gd_span name = gd_span_of(part->plan->name);

    if (out->len && !gd_buf_add_text(out, ", "))
        return false;
    if (is_sf_token(name) ? !gd_buf_add_span(out, name) : !add_sf_string(out, name))
        return false;
    if (part->skipped)
        return gd_buf_add_text(out, ";skipped");
    if (part->failure == GD_OK)
        return true;
    return gd_buf_add_text(out, ";error=") &&
           gd_buf_add_text(out, gd_failure_word(part->failure)) &&
           (!part->partial ||
            (gd_buf_add_text(out, ";failed=") && gd_buf_add_u64(out, part->failed)));
}

/* Every part that is shown, and every one that failed. */
static struct gd_span gather_parts(struct gd_gather *gather)
{
    struct gd_arena *arena = gather->about.arena;
    struct gd_span text = GD_SPAN_NONE;
    struct gd_buf out;
    bool ok = true;

    gd_buf_init(&out, arena->blocks, PARTS_MAX_BYTES);
    for (unsigned i = 0; ok && i < gather->count; i++) {
        const struct gd_part *part = &gather->parts[i];

        if (gd_part_is_visible(gather, part) || part->failure)
            ok = add_part(&out, part);
    }
    if (ok)
        text = gd_arena_copy(arena, gd_buf_span(&out));
    gd_buf_free(&out);
    return text.ptr ? text : GD_SPAN_NONE;
}

/* Header fields -------------------------------------------------------------------------
 */

/* An answer that is not complete is none without saying so. */
static bool make_headers(struct gd_gather *gather, struct gd_outcome *outcome)
{
    const struct gd_plan_route *route = gather->about.route;
    struct gd_plan_header *headers;

    if (outcome->complete && route->own_fields == 0)
        return true;
    headers =
        gd_arena_raw(gather->about.arena, (route->own_fields + 1) * sizeof(*headers));
    if (headers == NULL)
        return false;
    outcome->headers = headers;
    if (!gd_answer_fields(route, &gather->values, gather->about.arena,
                          &gather->context->scratch, headers, &outcome->header_count))
        return false;
    if (outcome->complete)
        return true;
    headers[outcome->header_count] =
        (struct gd_plan_header){GD_SPAN("Gather-Parts"), gather_parts(gather)};
    return headers[outcome->header_count++].value.len > 0;
}

/* The body ------------------------------------------------------------------------------
 */

static bool add_pieces(struct gd_splice *out, const struct gd_part *part)
{
    for (unsigned i = 0; i < part->piece_count; i++)
        if (!gd_splice_add(
                out, (struct gd_span){part->pieces[i].iov_base, part->pieces[i].iov_len}))
            return false;
    return true;
}

/* A member for each part that is shown, in the order of the file. */
static bool compose_named(struct gd_gather *gather, struct gd_splice *out)
{
    bool ok = gd_splice_copy(out, GD_SPAN("{"));
    bool first = true;

    for (unsigned i = 0; ok && i < gather->count; i++) {
        struct gd_part *part = &gather->parts[i];

        if (!gd_part_is_visible(gather, part))
            continue;
        ok = (first || gd_splice_copy(out, GD_SPAN(","))) &&
             gd_splice_add(out, part->plan->key) && gd_part_show(part) &&
             add_pieces(out, part);
        first = false;
    }
    return ok && gd_splice_copy(out, GD_SPAN("}"));
}

static enum gd_composed compose_body(struct gd_gather *gather, struct gd_splice *out)
{
    const struct gd_shape *shape = gather->about.route->shape;
    struct gd_values values = gather->values;

    if (shape == NULL)
        return compose_named(gather, out) ? GD_COMPOSED : GD_COMPOSE_NO_MEMORY;
    values.showing = true;
    return gd_compose(shape, gather, &values, out);
}

static enum gd_composed compose(struct gd_gather *gather, struct gd_outcome *outcome)
{
    struct gd_splice splice;
    enum gd_composed result;

    gd_splice_init(&splice, gather->about.arena);
    result = compose_body(gather, &splice);
    if (result == GD_COMPOSED && !make_headers(gather, outcome))
        result = GD_COMPOSE_NO_MEMORY;
    if (outcome->status == STATUS_RESET_CONTENT)
        return result;
    outcome->body = splice.pieces;
    outcome->body_count = (int)splice.count;
    outcome->body_bytes = splice.bytes;
    return result;
}

/* The outcome ---------------------------------------------------------------------------
 */

/* What the client hears when a required call has failed: an upstream's own 4xx, and a 503
 * that says when to come back; else the status of the class. */
static int failed_status(const struct gd_part *part)
{
    int status = part->yield->status;

    if (part->failure == GD_FAIL_STATUS &&
        ((status >= 400 && status <= 499) || (status == 503 && part->retry_after_s)))
        return status;
    return gd_failure_status(part->failure);
}

bool gd_gather_whole(const struct gd_gather *gather)
{
    for (unsigned i = 0; i < gather->count; i++)
        if (gather->parts[i].failure)
            return false;
    return true;
}

static int answer_status(const struct gd_gather *gather)
{
    const struct gd_plan_route *route = gather->about.route;
    const struct gd_plan_call *call = route->status_call;
    int status = call ? gather->parts[call->index].yield->status : route->status;

    return status ? status : 200;
}

void gd_gather_refusal(const struct gd_gather *gather, enum gd_failure failure,
                       struct gd_outcome *outcome)
{
    *outcome = (struct gd_outcome){.failure = failure,
                                   .status = gd_failure_status(failure),
                                   .complete = gd_gather_whole(gather),
                                   .clashed = gather->clashed};
}

void gd_gather_outcome(struct gd_gather *gather, struct gd_outcome *outcome)
{
    struct gd_part *culprit = gather->culprit;

    assert(gather->done);
    *outcome = (struct gd_outcome){.complete = gd_gather_whole(gather),
                                   .status = answer_status(gather)};
    if (culprit) {
        outcome->failure = culprit->failure;
        outcome->culprit = culprit->plan;
        outcome->status = failed_status(culprit);
        outcome->retry_after_s = culprit->retry_after_s;
        return;
    }
    switch (compose(gather, outcome)) {
    case GD_COMPOSED:
        return;
    case GD_COMPOSE_CONFLICT:
        gd_gather_refusal(gather, GD_FAIL_CONFLICT, outcome);
        break;
    case GD_COMPOSE_NO_MEMORY:
        gd_gather_refusal(gather, GD_FAIL_TOO_LARGE, outcome);
        break;
    }
}
