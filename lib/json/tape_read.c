#include "json/tape_words.h"

enum gd_json_kind gd_tape_kind(const struct gd_tape *tape, gd_node node)
{
    return (enum gd_json_kind)gd_word_kind(tape->words[node]);
}

struct gd_span gd_tape_text(const struct gd_tape *tape, gd_node node)
{
    const char *from = gd_tape_from(tape, node);

    return (struct gd_span){from, (size_t)(gd_tape_to(tape, node) - from)};
}

/* The node, unless the container ends there. */
static gd_node unless_end(const struct gd_tape *tape, gd_node node)
{
    if (node >= tape->count || gd_word_kind(tape->words[node]) == GD_WORD_END)
        return GD_NODE_NONE;
    return node;
}

gd_node gd_tape_first(const struct gd_tape *tape, gd_node node)
{
    if (gd_word_kind(tape->words[node]) < GD_JSON_ARRAY)
        return GD_NODE_NONE;
    return unless_end(tape, node + 1);
}

gd_node gd_tape_next(const struct gd_tape *tape, gd_node node)
{
    return unless_end(tape, gd_tape_last(tape, node) + 1);
}

gd_node gd_tape_value(const struct gd_tape *tape, gd_node name)
{
    (void)tape;
    return name + 1;
}

gd_node gd_tape_next_name(const struct gd_tape *tape, gd_node name)
{
    return gd_tape_next(tape, name + 1);
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static uint32_t four_hex(const char *p)
{
    return hex_value(p[0]) << 12 | hex_value(p[1]) << 8 | hex_value(p[2]) << 4 |
           hex_value(p[3]);
}

static size_t put_utf8(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* Decodes the \u escape at p, with its other half when it is a pair. */
static const char *take_unicode(const char *p, const char *end, char out[4], size_t *len)
{
    uint32_t code = four_hex(p + 2);

    p += 6;
    if (code >= 0xd800 && code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = four_hex(p + 2);

        if (low >= 0xdc00 && low < 0xe000) {
            *len = put_utf8(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
            return p + 6;
        }
    }
    *len = put_utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, out);
    return p;
}

/* Decodes the escape at p; returns what is behind it. */
static const char *take_escape(const char *p, const char *end, char out[4], size_t *len)
{
    static const char letters[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    const char *letter;

    if (p[1] == 'u')
        return take_unicode(p, end, out, len);
    letter = memchr(letters, p[1], sizeof(letters) - 1);
    out[0] = letter ? meant[letter - letters] : p[1];
    *len = 1;
    return p + 2;
}

/* The next backslash, or end. */
static const char *plain_run(const char *p, const char *end)
{
    const char *stop = memchr(p, '\\', (size_t)(end - p));

    return stop ? stop : end;
}

static bool takes(struct gd_span *bytes, const char *prefix, size_t len)
{
    if (bytes->len < len || memcmp(bytes->ptr, prefix, len) != 0)
        return false;
    bytes->ptr += len;
    bytes->len -= len;
    return true;
}

static bool escaped_is(struct gd_span inner, struct gd_span bytes)
{
    const char *p = inner.ptr, *end = inner.ptr + inner.len;

    if (bytes.len == 0)
        return false;
    while (p < end) {
        const char *stop = plain_run(p, end);
        char one[4];
        size_t len;

        if (!takes(&bytes, p, (size_t)(stop - p)))
            return false;
        if (stop == end)
            break;
        p = take_escape(stop, end, one, &len);
        if (!takes(&bytes, one, len))
            return false;
    }
    return bytes.len == 0;
}

bool gd_tape_string_is(const struct gd_tape *tape, gd_node node, struct gd_span bytes)
{
    struct gd_span inner;

    if (gd_word_kind(tape->words[node]) != GD_JSON_STRING)
        return false;
    inner = gd_tape_inner(tape, node);
    return gd_tape_is_escaped(tape, node) ? escaped_is(inner, bytes)
                                          : gd_span_eq(inner, bytes);
}

gd_node gd_tape_get(const struct gd_tape *tape, gd_node object, struct gd_span name)
{
    gd_node found = GD_NODE_NONE;

    if (gd_word_kind(tape->words[object]) != GD_JSON_OBJECT)
        return GD_NODE_NONE;
    for (gd_node at = gd_tape_first(tape, object); at != GD_NODE_NONE;
         at = gd_tape_next_name(tape, at))
        if (gd_tape_string_is(tape, at, name))
            found = at + 1;
    return found;
}

static bool add_decoded(struct gd_span inner, struct gd_buf *out)
{
    const char *p = inner.ptr, *end = inner.ptr + inner.len;

    while (p < end) {
        const char *stop = plain_run(p, end);
        char one[4];
        size_t len;

        if (!gd_buf_add(out, p, (size_t)(stop - p)))
            return false;
        if (stop == end)
            break;
        p = take_escape(stop, end, one, &len);
        if (!gd_buf_add(out, one, len))
            return false;
    }
    return true;
}

bool gd_tape_decode(const struct gd_tape *tape, gd_node node, struct gd_buf *out)
{
    size_t before = out->len;
    struct gd_span inner = gd_tape_inner(tape, node);

    if (!gd_tape_is_escaped(tape, node))
        return gd_buf_add_span(out, inner);
    if (add_decoded(inner, out))
        return true;
    out->len = before;
    return false;
}
