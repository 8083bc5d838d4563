#include "gather/answer.h"

/* Pieces: a bracket, and for each part a comma, its key and its value. */
enum { PIECES_PER_PART = 3, PIECES_MORE = 2 };

/* Of Gather-Parts: the names of all calls, each character escaped, and what happened. */
enum { PARTS_MAX_BYTES = GD_CALLS_MAX * (2 * GD_CALL_NAME_MAX + 32) };

static void add(struct gd_outcome *outcome, struct iovec *body, struct gd_span span)
{
    /* iovec is not const, the bytes are only read */
    body[outcome->body_count++] = (struct iovec){(void *)span.ptr, span.len};
    outcome->body_bytes += span.len;
}

bool gd_answer_compose(struct gd_call *calls, unsigned count, struct gd_arena *arena,
                       struct gd_outcome *outcome)
{
    size_t most = (size_t)count * PIECES_PER_PART + PIECES_MORE;
    struct iovec *body = gd_arena_raw(arena, most * sizeof(*body));
    bool first = true;

    if (body == NULL)
        return false;
    outcome->body_count = 0;
    outcome->body_bytes = 0;
    add(outcome, body, GD_SPAN("{"));
    for (unsigned i = 0; i < count; i++) {
        const struct gd_plan_call *plan = calls[i].plan;

        if (plan->hidden)
            continue;
        if (!first)
            add(outcome, body, GD_SPAN(","));
        first = false;
        add(outcome, body, plan->key);
        add(outcome, body, calls[i].failure ? plan->fallback : calls[i].part);
    }
    add(outcome, body, GD_SPAN("}"));
    outcome->body = body;
    return true;
}

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

static bool add_part(struct gd_buf *out, const struct gd_call *call)
{
    struct gd_span name = gd_span_of(call->plan->name);

    if (out->len && !gd_buf_add_text(out, ", "))
        return false;
    if (is_sf_token(name) ? !gd_buf_add_span(out, name) : !add_sf_string(out, name))
        return false;
    return call->failure == GD_OK ||
           (gd_buf_add_text(out, ";error=") &&
            gd_buf_add_text(out, gd_failure_word(call->failure)));
}

struct gd_span gd_answer_parts(const struct gd_call *calls, unsigned count,
                               struct gd_arena *arena)
{
    struct gd_span parts = GD_SPAN_NONE;
    struct gd_buf out;
    bool ok = true;

    gd_buf_init(&out, arena->blocks, PARTS_MAX_BYTES);
    for (unsigned i = 0; ok && i < count; i++)
        if (!calls[i].plan->hidden || calls[i].failure)
            ok = add_part(&out, &calls[i]);
    if (ok)
        parts = gd_arena_copy(arena, gd_buf_span(&out));
    gd_buf_free(&out);
    return parts.ptr ? parts : GD_SPAN_NONE;
}
