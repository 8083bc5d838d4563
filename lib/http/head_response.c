#include "http/head.h"

#include "http/chars.h"
#include "http/head_lines.h"

/* A refusal is MALFORMED whatever the version says: an upstream gets no answer. */
static bool on_start(struct gd_head_walk *walk, struct gd_span line)
{
    struct gd_response_head *out = walk->out;
    const char *at = line.ptr;

    if (line.len < 12 || !gd_head_version(walk->state, (struct gd_span){at, 8}) ||
        at[8] != ' ' || (line.len > 12 && at[12] != ' ') || at[9] == '0')
        return gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, "status line not valid");
    out->status = 0;
    for (int i = 9; i < 12; i++) {
        if (!gd_char_is(at[i], GD_CHAR_DIGIT))
            return gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, "status not valid");
        out->status = out->status * 10 + (at[i] - '0');
    }
    return true;
}

static bool on_field(struct gd_head_walk *walk, const struct gd_field *field)
{
    return gd_head_note(walk->state, field, GD_REFUSE_MALFORMED);
}

/* RFC 9112 6.3, in its order. */
static void decide_framing(const struct gd_head_state *state,
                           enum gd_method request_method, struct gd_response_head *out)
{
    const int status = out->status;

    out->content_length = 0;
    if (request_method == GD_METHOD_HEAD || status < 200 || status == 204 ||
        status == 304 || (request_method == GD_METHOD_CONNECT && status < 300)) {
        out->framing = GD_FRAMING_NONE;
    } else if (state->seen & GD_SEEN_CODING) {
        out->framing = GD_FRAMING_CHUNKED;
    } else if (state->seen & GD_SEEN_LENGTH) {
        out->framing = GD_FRAMING_LENGTH;
        out->content_length = state->content_length;
    } else {
        out->framing = GD_FRAMING_EOF;
    }
}

enum gd_parse gd_response_head_parse(struct gd_head_state *state, struct gd_span bytes,
                                     const struct gd_head_limits *limits,
                                     enum gd_method request_method,
                                     struct gd_field *fields,
                                     struct gd_response_head *out)
{
    struct gd_head_walk walk = {
        .wanted = GD_HEAD_NOTED,
        .on_start = on_start,
        .on_field = on_field,
        .out = out,
        .state = state,
        .limits = limits,
        .fields = fields,
        .bytes = bytes,
    };
    const unsigned both = GD_SEEN_LENGTH | GD_SEEN_CODING;
    enum gd_parse result = gd_head_walk(&walk);

    if (result != GD_PARSE_DONE)
        return result;
    if ((state->seen & both) == both) {
        gd_head_refuse(state, GD_REFUSE_MALFORMED,
                       "Content-Length and Transfer-Encoding together");
        return GD_PARSE_REFUSED;
    }
    out->fields = (struct gd_fields){fields, state->count};
    out->minor = state->minor;
    decide_framing(state, request_method, out);
    out->keep_alive = out->framing != GD_FRAMING_EOF && gd_head_keep_alive(state);
    out->bytes = state->line;
    return GD_PARSE_DONE;
}
