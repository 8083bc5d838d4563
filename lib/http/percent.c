#include "http/target.h"

#include "http/chars.h"

/* The next decoded character of [*at, end); the caller knows there is one. Something that
 * only looks like an escape stands for itself. */
static char decode_one(const char **at, const char *end, bool plus_is_space)
{
    const char *text = *at;

    *at += 1;
    if (*text == '+' && plus_is_space)
        return ' ';
    if (*text != '%' || end - text < 3 || !gd_char_is(text[1], GD_CHAR_HEX) ||
        !gd_char_is(text[2], GD_CHAR_HEX))
        return *text;
    *at += 2;
    return (char)(gd_hex_value(text[1]) << 4 | gd_hex_value(text[2]));
}

size_t gd_percent_decode(struct gd_span text, bool plus_is_space, char *out)
{
    const char *at = text.ptr;
    const char *end = at + text.len;
    size_t len = 0;

    while (at < end)
        out[len++] = decode_one(&at, end, plus_is_space);
    return len;
}

bool gd_percent_encode(struct gd_buf *buf, struct gd_span text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t escapes = 0;
    char *out;

    for (size_t i = 0; i < text.len; i++)
        escapes += !gd_char_is(text.ptr[i], GD_CHAR_UNRESERVED);
    if (escapes > (SIZE_MAX - text.len) / 2 ||
        !gd_buf_reserve(buf, text.len + 2 * escapes))
        return false;
    if (text.len == 0)
        return true;
    out = buf->data + buf->len;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (gd_char_is((char)c, GD_CHAR_UNRESERVED)) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '%';
        *out++ = hex[c >> 4];
        *out++ = hex[c & 15];
    }
    buf->len += text.len + 2 * escapes;
    return true;
}

static bool same_key(struct gd_span key, struct gd_span name)
{
    const char *at = key.ptr;
    const char *end = at + key.len;
    size_t i = 0;

    for (; at < end && i < name.len; i++)
        if (decode_one(&at, end, true) != name.ptr[i])
            return false;
    return at == end && i == name.len;
}

struct gd_span gd_query_get(struct gd_span query, struct gd_span name)
{
    const char *at = query.ptr;
    const char *end;

    if (query.len == 0)
        return GD_SPAN_NONE;
    end = at + query.len;
    while (at < end) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp ? amp : end;
        const char *sign = memchr(at, '=', (size_t)(stop - at));
        const char *key_end = sign ? sign : stop;
        const char *value = sign ? sign + 1 : stop;

        if (key_end > at && same_key((struct gd_span){at, (size_t)(key_end - at)}, name))
            return (struct gd_span){value, (size_t)(stop - value)};
        at = amp ? amp + 1 : end;
    }
    return GD_SPAN_NONE;
}
