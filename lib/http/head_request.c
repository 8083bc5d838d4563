#include "http/head.h"

#include "http/chars.h"
#include "http/head_lines.h"

static bool malformed(struct gd_head_state *state, const char *why)
{
    return gd_head_refuse(state, GD_REFUSE_MALFORMED, why);
}

static bool parse_target(struct gd_head_state *state, struct gd_request_head *out)
{
    if (!gd_target_parse(out->target, NULL, &out->parsed))
        return malformed(state, "target not valid");
    if (out->parsed.form == GD_TARGET_ASTERISK && out->method != GD_METHOD_OPTIONS)
        return malformed(state, "asterisk target without OPTIONS");
    return true;
}

/* The version is looked at first, so that an HTTP/2 preface is told what it is. */
static bool on_start(struct gd_head_walk *walk, struct gd_span line)
{
    struct gd_request_head *out = walk->out;
    struct gd_head_state *state = walk->state;
    const char *end = line.ptr + line.len;
    const char *at = line.ptr;

    while (gd_char_is(*at, GD_CHAR_TOKEN)) /* stops at "\r" at the latest */
        at++;
    if (at == line.ptr || *at != ' ')
        return malformed(state, "method is no token");
    out->method_text = (struct gd_span){line.ptr, (size_t)(at - line.ptr)};
    at++;
    if (end - at < 10 || end[-9] != ' ')
        return malformed(state, "request line without target or version");
    if (!gd_head_version(state, (struct gd_span){end - 8, 8}))
        return false;
    out->target = (struct gd_span){at, (size_t)(end - 9 - at)};
    out->method = gd_method_of(out->method_text);
    if (out->method == GD_METHOD_CONNECT)
        return gd_head_refuse(state, GD_REFUSE_NOT_IMPLEMENTED, "CONNECT");
    return parse_target(state, out);
}

static bool note_host(struct gd_head_walk *walk, struct gd_span value)
{
    struct gd_request_head *out = walk->out;

    if (walk->state->seen & GD_SEEN_HOST)
        return malformed(walk->state, "Host repeated");
    if (!gd_is_host(value))
        return malformed(walk->state, "Host not valid");
    walk->state->seen |= GD_SEEN_HOST;
    out->host = value;
    return true;
}

/* HTTP/1.0 knows no Expect: RFC 9110 10.1.1 wants a 100-continue there ignored. */
static bool note_expect(struct gd_head_state *state, struct gd_span value)
{
    if (!gd_same_name(value, GD_SPAN("100-continue")))
        return gd_head_refuse(state, GD_REFUSE_EXPECTATION,
                              "Expect other than 100-continue");
    if (state->minor > 0)
        state->seen |= GD_SEEN_EXPECT;
    return true;
}

static bool on_field(struct gd_head_walk *walk, const struct gd_field *field)
{
    if (field->id == GD_FIELD_HOST)
        return note_host(walk, field->value);
    if (field->id == GD_FIELD_EXPECT)
        return note_expect(walk->state, field->value);
    return gd_head_note(walk->state, field, GD_REFUSE_NOT_IMPLEMENTED);
}

static void decide_framing(const struct gd_head_state *state, struct gd_request_head *out)
{
    out->content_length = 0;
    out->framing = GD_FRAMING_NONE;
    if (state->seen & GD_SEEN_CODING) {
        out->framing = GD_FRAMING_CHUNKED;
    } else if (state->seen & GD_SEEN_LENGTH) {
        out->framing = GD_FRAMING_LENGTH;
        out->content_length = state->content_length;
    }
}

static bool finish(struct gd_head_state *state, struct gd_request_head *out)
{
    const unsigned both = GD_SEEN_LENGTH | GD_SEEN_CODING;

    if ((state->seen & both) == both)
        return malformed(state, "Content-Length and Transfer-Encoding together");
    if (!(state->seen & GD_SEEN_HOST)) {
        if (state->minor > 0)
            return malformed(state, "no Host");
        out->host = GD_SPAN_NONE;
    }
    if (out->parsed.form == GD_TARGET_ABSOLUTE)
        out->host = out->parsed.authority;
    decide_framing(state, out);
    out->minor = state->minor;
    out->keep_alive = gd_head_keep_alive(state);
    out->expect_continue =
        (state->seen & GD_SEEN_EXPECT) &&
        (out->framing == GD_FRAMING_CHUNKED || out->content_length > 0);
    out->bytes = state->line;
    return true;
}

enum gd_parse gd_request_head_parse(struct gd_head_state *state, struct gd_span bytes,
                                    const struct gd_head_limits *limits,
                                    struct gd_field *fields, struct gd_request_head *out)
{
    struct gd_head_walk walk = {
        .request = true,
        .wanted = GD_HEAD_NOTED | 1U << GD_FIELD_HOST | 1U << GD_FIELD_EXPECT,
        .on_start = on_start,
        .on_field = on_field,
        .out = out,
        .state = state,
        .limits = limits,
        .fields = fields,
        .bytes = bytes,
    };
    enum gd_parse result = gd_head_walk(&walk);

    if (result != GD_PARSE_DONE)
        return result;
    out->fields = (struct gd_fields){fields, state->count};
    return finish(state, out) ? GD_PARSE_DONE : GD_PARSE_REFUSED;
}
