#include "http/head_lines.h"

#include "http/fields.h"

bool gd_head_refuse(struct gd_head_state *state, enum gd_refusal refusal, const char *why)
{
    state->refusal = refusal;
    state->why = why;
    return false;
}

bool gd_head_version(struct gd_head_state *state, struct gd_span text)
{
    if (text.len != 8 || memcmp(text.ptr, "HTTP/", 5) != 0 || text.ptr[6] != '.' ||
        !gd_char_is(text.ptr[5], GD_CHAR_DIGIT) ||
        !gd_char_is(text.ptr[7], GD_CHAR_DIGIT))
        return gd_head_refuse(state, GD_REFUSE_MALFORMED, "no HTTP version");
    if (text.ptr[5] != '1')
        return gd_head_refuse(state, GD_REFUSE_VERSION, "not HTTP/1");
    state->minor = text.ptr[7] != '0';
    return true;
}

/* In a checked line space and tab are the only characters up to space. */
static inline struct gd_span trim(const char *at, const char *end)
{
    while (at < end && (unsigned char)*at <= ' ')
        at++;
    while (at < end && (unsigned char)end[-1] <= ' ')
        end--;
    return (struct gd_span){at, (size_t)(end - at)};
}

bool gd_head_next_element(struct gd_span *rest, struct gd_span *element)
{
    const char *comma;
    size_t len;

    if (rest->ptr == NULL)
        return false;
    comma = rest->len ? memchr(rest->ptr, ',', rest->len) : NULL;
    len = comma ? (size_t)(comma - rest->ptr) : rest->len;
    *element = trim(rest->ptr, rest->ptr + len);
    if (comma)
        *rest = (struct gd_span){comma + 1, rest->len - len - 1};
    else
        *rest = GD_SPAN_NONE;
    return true;
}

static void note_connection(struct gd_head_state *state, struct gd_span value)
{
    struct gd_span element;

    if (gd_same_name(value, GD_SPAN("keep-alive"))) { /* what most clients send */
        state->seen |= GD_SEEN_KEEP_ALIVE;
        return;
    }
    while (gd_head_next_element(&value, &element)) {
        if (gd_same_name(element, GD_SPAN("close")))
            state->seen |= GD_SEEN_CLOSE;
        else if (gd_same_name(element, GD_SPAN("keep-alive")))
            state->seen |= GD_SEEN_KEEP_ALIVE;
    }
}

static bool note_length(struct gd_head_state *state, struct gd_span value)
{
    if (state->seen & GD_SEEN_LENGTH)
        return gd_head_refuse(state, GD_REFUSE_MALFORMED, "Content-Length repeated");
    if (!gd_span_u64(value, &state->content_length))
        return gd_head_refuse(state, GD_REFUSE_MALFORMED,
                              "Content-Length is not 1 to 18 digits");
    state->seen |= GD_SEEN_LENGTH;
    return true;
}

static bool note_coding(struct gd_head_state *state, struct gd_span value,
                        enum gd_refusal coding)
{
    if (state->seen & GD_SEEN_CODING)
        return gd_head_refuse(state, GD_REFUSE_MALFORMED, "Transfer-Encoding repeated");
    if (state->minor == 0)
        return gd_head_refuse(state, GD_REFUSE_MALFORMED,
                              "Transfer-Encoding in HTTP/1.0");
    if (!gd_same_name(value, GD_SPAN("chunked")))
        return gd_head_refuse(state, coding, "Transfer-Encoding other than chunked");
    state->seen |= GD_SEEN_CODING;
    return true;
}

bool gd_head_note(struct gd_head_state *state, const struct gd_field *field,
                  enum gd_refusal coding)
{
    if (field->id == GD_FIELD_CONNECTION)
        note_connection(state, field->value);
    else if (field->id == GD_FIELD_CONTENT_LENGTH)
        return note_length(state, field->value);
    else if (field->id == GD_FIELD_TRANSFER_ENCODING)
        return note_coding(state, field->value, coding);
    return true;
}

bool gd_head_keep_alive(const struct gd_head_state *state)
{
    if (state->seen & GD_SEEN_CLOSE)
        return false;
    return state->minor > 0 || (state->seen & GD_SEEN_KEEP_ALIVE);
}

static bool refuse_name(struct gd_head_state *state, char first)
{
    return gd_head_refuse(state, GD_REFUSE_MALFORMED,
                          first == ' ' || first == '\t' ? "folded field line"
                                                        : "field name is no token");
}

/* Splits a field line whose octets have been checked. stop: how far bytes may be read. */
static inline bool parse_field(struct gd_head_state *state, struct gd_span line,
                               const char *stop, struct gd_field *field)
{
    const char *end = line.ptr + line.len;
    const char *colon = gd_find_byte(line.ptr, stop, ':');

    if (colon >= end)
        return gd_head_refuse(state, GD_REFUSE_MALFORMED, "field line without colon");
    field->name = (struct gd_span){line.ptr, (size_t)(colon - line.ptr)};
    field->value = trim(colon + 1, end);
    field->id = colon > line.ptr ? gd_field_guess(field->name) : GD_FIELD_OTHER;
    /* The name of a known field is a token. */
    return field->id != GD_FIELD_OTHER || gd_is_token(field->name) ||
           refuse_name(state, *line.ptr);
}

static bool refuse_long(struct gd_head_walk *walk)
{
    struct gd_head_state *state = walk->state;

    if (!walk->request || state->block)
        return gd_head_refuse(state, GD_REFUSE_HEAD_TOO_LARGE,
                              state->block ? "header too large" : "status line too long");
    if (memchr(walk->bytes.ptr + state->line, ' ', walk->limits->line_bytes) == NULL)
        return gd_head_refuse(state, GD_REFUSE_MALFORMED, "method without end");
    return gd_head_refuse(state, GD_REFUSE_TARGET_TOO_LONG, "request line too long");
}

/* How far lines are looked at. When `limited`, a line that has no CR before `stop` is
 * too long, else more bytes may come there. */
struct reach {
    size_t stop;
    bool limited;
    bool ascii_only;
};

static struct reach reach_of(const struct gd_head_walk *walk)
{
    const struct gd_head_state *state = walk->state;
    const size_t start = state->block ? state->block : state->line;
    const size_t here = walk->bytes.len - start;
    size_t room = walk->limits->line_bytes;

    if (state->block) /* the block's bound counts the last CRLF, the line's does not */
        room = walk->limits->head_bytes - (walk->limits->head_bytes ? 1 : 0);
    else if (room < SIZE_MAX)
        room++;
    return (struct reach){
        .stop = start + (here < room ? here : room),
        .limited = here >= room,
        .ascii_only = walk->request && !state->block,
    };
}

static enum gd_parse refuse_octet(struct gd_head_walk *walk, const char *why)
{
    gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, why);
    return GD_PARSE_REFUSED;
}

/* Looks for the end of the line at hand, from where the last call left off. DONE:
 * state->checked is at its CR, and an LF follows. */
static enum gd_parse find_line_end(struct gd_head_walk *walk, const struct reach *reach)
{
    const char *base = walk->bytes.ptr;
    const char *stop = base + reach->stop;
    const char *at = base + walk->state->checked;

    for (; at < stop; at++) {
        at = gd_find_control(at, stop, reach->ascii_only);
        if (at == stop || *at == '\r')
            break;
        if (*at != '\t' || reach->ascii_only)
            return refuse_octet(walk, *at == '\n' ? "bare LF" : "forbidden octet");
    }
    walk->state->checked = (size_t)(at - base);
    if (at == stop && reach->limited) {
        refuse_long(walk);
        return GD_PARSE_REFUSED;
    }
    if (at == stop || at + 1 == base + walk->bytes.len)
        return GD_PARSE_MORE;
    return at[1] == '\n' ? GD_PARSE_DONE : refuse_octet(walk, "bare CR");
}

static bool take_blank(struct gd_head_walk *walk)
{
    if (!walk->request)
        return gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, "blank line first");
    if (walk->state->blank_lines++ == GD_BLANK_LINES_MAX)
        return gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, "too many blank lines");
    return true;
}

static enum gd_parse walk_start(struct gd_head_walk *walk)
{
    struct gd_head_state *state = walk->state;
    enum gd_parse found = GD_PARSE_DONE;

    while (state->block == 0) {
        struct reach reach = reach_of(walk);
        struct gd_span line;

        found = find_line_end(walk, &reach);
        if (found != GD_PARSE_DONE)
            break;
        line =
            (struct gd_span){walk->bytes.ptr + state->line, state->checked - state->line};
        if (line.len ? !walk->on_start(walk, line) : !take_blank(walk))
            return GD_PARSE_REFUSED;
        state->checked += 2;
        state->line = state->checked;
        state->block = line.len ? state->checked : 0;
    }
    return found;
}

static inline bool take_field(struct gd_head_walk *walk, struct gd_span line,
                              const char *stop)
{
    struct gd_head_state *state = walk->state;
    struct gd_field *field = &walk->fields[state->count];

    if (state->count >= walk->limits->field_count)
        return gd_head_refuse(state, GD_REFUSE_HEAD_TOO_LARGE, "too many fields");
    if (!parse_field(state, line, stop, field))
        return false;
    state->count++;
    return !(walk->wanted >> field->id & 1) || walk->on_field(walk, field);
}

static enum gd_parse walk_fields(struct gd_head_walk *walk)
{
    struct gd_head_state *state = walk->state;
    const struct reach reach = reach_of(walk);
    const char *base = walk->bytes.ptr;
    const char *stop = base + reach.stop;
    enum gd_parse found;

    for (;;) {
        const char *line = base + state->line;
        const char *cr = gd_find_control(base + state->checked, stop, false);

        if (stop - cr < 2 || cr[0] != '\r' || cr[1] != '\n') {
            state->checked = (size_t)(cr - base);
            found = find_line_end(walk, &reach);
            if (found != GD_PARSE_DONE)
                return found;
            cr = base + state->checked;
        }
        state->checked = (size_t)(cr - base) + 2;
        state->line = state->checked;
        if (cr == line)
            return GD_PARSE_DONE;
        if (!take_field(walk, (struct gd_span){line, (size_t)(cr - line)}, stop))
            return GD_PARSE_REFUSED;
    }
}

static enum gd_parse walk_lines(struct gd_head_walk *walk)
{
    enum gd_parse found = walk_start(walk);

    return found == GD_PARSE_DONE ? walk_fields(walk) : found;
}

enum gd_parse gd_head_walk(struct gd_head_walk *walk)
{
    const bool resumed = walk->state->line > 0;
    enum gd_parse result;

    if (walk->state->refusal != GD_REFUSE_NONE)
        return GD_PARSE_REFUSED;
    result = walk_lines(walk);
    /* What earlier calls stored may be gone, and the bytes may have moved since. */
    if (result == GD_PARSE_DONE && resumed) {
        *walk->state = (struct gd_head_state){0};
        result = walk_lines(walk);
    }
    return result;
}
