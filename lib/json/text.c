#include "json/text.h"

#include "json/block.h"
#include "json/utf8.h"

/* The letter of a short escape; 0 when the byte needs none or the long form. */
static char short_escape(uint8_t c)
{
    switch (c) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static bool add_escape(struct gd_buf *buf, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    char letter = short_escape(c);

    if (letter)
        return gd_buf_add(buf, (char[]){'\\', letter}, 2);
    return gd_buf_add(buf, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

/* Goes past all that can stand in a string as it is. */
static const uint8_t *verbatim_run(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        if (*p >= 0x80) {
            struct gd_json_utf8 got = gd_json_utf8(p, end);

            if (!got.valid)
                return p;
            p = got.next;
        } else if (*p < ' ' || *p == '"' || *p == '\\') {
            return p;
        } else {
            bool eight = end - p >= 8 && swar_plain(swar_load(p)) == GD_JSON_EACH(0x80);

            p += eight ? 8 : 1;
        }
    }
    return p;
}

static bool add_pieces(struct gd_buf *buf, const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        const uint8_t *stop = verbatim_run(p, end);

        if (!gd_buf_add(buf, p, (size_t)(stop - p)))
            return false;
        if (stop == end)
            break;
        if (*stop < 0x80) {
            if (!add_escape(buf, *stop))
                return false;
            p = stop + 1;
        } else {
            /* One replacement for all bytes that began a character together. */
            p = gd_json_utf8(stop, end).next;
            p += p == stop;
            if (!gd_buf_add(buf, "\xef\xbf\xbd", 3))
                return false;
        }
    }
    return true;
}

bool gd_json_add_escaped(struct gd_buf *buf, struct gd_span text)
{
    size_t before = buf->len;

    if (text.len == 0)
        return true;
    if (add_pieces(buf, (const uint8_t *)text.ptr, (const uint8_t *)text.ptr + text.len))
        return true;
    buf->len = before;
    return false;
}

bool gd_json_add_string(struct gd_buf *buf, struct gd_span text)
{
    size_t before = buf->len;

    if (gd_buf_add(buf, "\"", 1) && gd_json_add_escaped(buf, text) &&
        gd_buf_add(buf, "\"", 1))
        return true;
    buf->len = before;
    return false;
}
