#include "http/head_lines.h"

#include "http/chars.h"

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

static struct gd_span trim(const char *at, size_t len)
{
    while (len && (at[0] == ' ' || at[0] == '\t')) {
        at++;
        len--;
    }
    while (len && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    return (struct gd_span){at, len};
}

bool gd_head_next_element(struct gd_span *rest, struct gd_span *element)
{
    const char *comma;
    size_t len;

    if (rest->ptr == NULL)
        return false;
    comma = rest->len ? memchr(rest->ptr, ',', rest->len) : NULL;
    len = comma ? (size_t)(comma - rest->ptr) : rest->len;
    *element = trim(rest->ptr, len);
    if (comma)
        *rest = (struct gd_span){comma + 1, rest->len - len - 1};
    else
        *rest = GD_SPAN_NONE;
    return true;
}

static void note_connection(struct gd_head_state *state, struct gd_span value)
{
    struct gd_span element;

    while (gd_head_next_element(&value, &element)) {
        if (element.len == 5 && gd_span_ieq(element, GD_SPAN("close")))
            state->seen |= GD_SEEN_CLOSE;
        else if (element.len == 10 && gd_span_ieq(element, GD_SPAN("keep-alive")))
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
    if (!gd_span_ieq(value, GD_SPAN("chunked")))
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

/* Splits a field line whose octets have been checked. */
static bool parse_field(struct gd_head_state *state, struct gd_span line,
                        struct gd_field *field)
{
    const char *at = line.ptr; /* the line's "\r" ends the loop */
    size_t name_len;

    while (gd_char_is(*at, GD_CHAR_TOKEN))
        at++;
    if (at == line.ptr)
        return gd_head_refuse(state, GD_REFUSE_MALFORMED,
                              *at == ' ' || *at == '\t' ? "folded field line"
                                                        : "field without a name");
    if (*at != ':')
        return gd_head_refuse(state, GD_REFUSE_MALFORMED, "field name is no token");
    name_len = (size_t)(at - line.ptr);
    field->name = (struct gd_span){line.ptr, name_len};
    field->value = trim(at + 1, line.len - name_len - 1);
    field->id = gd_field_id_of(field->name);
    return true;
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

/* Where the line at hand must have its CR at the latest (an index into the bytes). */
static size_t last_cr(const struct gd_head_walk *walk)
{
    const struct gd_head_state *state = walk->state;
    size_t start = state->block ? state->block : state->line;
    size_t room = state->block ? walk->limits->head_bytes : walk->limits->line_bytes;

    /* The block's bound counts the CRLF, the line's does not. */
    if (state->block)
        room = room < 2 ? 0 : room - 2;
    return room < SIZE_MAX - 1 - start ? start + room : SIZE_MAX - 1;
}

/* Looks for the end of the line at hand, from where the last call left off. DONE: *cr is
 * the index of its CR, and an LF follows. */
static enum gd_parse find_line_end(struct gd_head_walk *walk, size_t *cr)
{
    struct gd_head_state *state = walk->state;
    const char *base = walk->bytes.ptr;
    const size_t last = last_cr(walk);
    const size_t stop = walk->bytes.len <= last ? walk->bytes.len : last + 1;
    const bool ascii_only = walk->request && !state->block;
    size_t at = state->checked;

    for (; at < stop; at++) {
        at = (size_t)(gd_find_control(base + at, base + stop, ascii_only) - base);
        if (at == stop || base[at] == '\r')
            break;
        if (base[at] != '\t' || ascii_only) {
            gd_head_refuse(state, GD_REFUSE_MALFORMED,
                           base[at] == '\n' ? "bare LF" : "forbidden octet");
            return GD_PARSE_REFUSED;
        }
    }
    state->checked = at;
    if (at > last) {
        refuse_long(walk);
        return GD_PARSE_REFUSED;
    }
    if (at == stop || at + 1 == walk->bytes.len)
        return GD_PARSE_MORE;
    if (base[at + 1] != '\n') {
        gd_head_refuse(state, GD_REFUSE_MALFORMED, "bare CR");
        return GD_PARSE_REFUSED;
    }
    *cr = at;
    return GD_PARSE_DONE;
}

static bool take_blank_before(struct gd_head_walk *walk)
{
    if (!walk->request)
        return gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, "blank line first");
    if (walk->state->blank_lines++ == GD_BLANK_LINES_MAX)
        return gd_head_refuse(walk->state, GD_REFUSE_MALFORMED, "too many blank lines");
    return true;
}

static bool take_field(struct gd_head_walk *walk, struct gd_span line)
{
    struct gd_head_state *state = walk->state;
    struct gd_field *field = &walk->fields[state->count];

    if (state->count >= walk->limits->field_count)
        return gd_head_refuse(state, GD_REFUSE_HEAD_TOO_LARGE, "too many fields");
    if (!parse_field(state, line, field))
        return false;
    state->count++;
    return walk->on_field(walk, field);
}

static bool take_line(struct gd_head_walk *walk, struct gd_span line, size_t next)
{
    if (walk->state->block)
        return take_field(walk, line);
    if (line.len == 0)
        return take_blank_before(walk);
    if (!walk->on_start(walk, line))
        return false;
    walk->state->block = next;
    return true;
}

static enum gd_parse walk_lines(struct gd_head_walk *walk)
{
    struct gd_head_state *state = walk->state;
    enum gd_parse found;
    size_t cr;

    while ((found = find_line_end(walk, &cr)) == GD_PARSE_DONE) {
        struct gd_span line = {walk->bytes.ptr + state->line, cr - state->line};
        bool last = state->block && line.len == 0;

        if (!last && !take_line(walk, line, cr + 2))
            return GD_PARSE_REFUSED;
        state->line = cr + 2;
        state->checked = cr + 2;
        if (last)
            return GD_PARSE_DONE;
    }
    return found;
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
