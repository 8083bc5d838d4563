#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/blocks.h"

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool gd_span_ieq(struct gd_span a, struct gd_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower((unsigned char)a.ptr[i]) != lower((unsigned char)b.ptr[i]))
            return false;
    return true;
}

struct gd_span gd_span_trim(struct gd_span span, const char *set)
{
    while (span.len && span.ptr[0] && strchr(set, span.ptr[0])) {
        span.ptr++;
        span.len--;
    }
    while (span.len && span.ptr[span.len - 1] && strchr(set, span.ptr[span.len - 1]))
        span.len--;
    return span;
}

bool gd_span_starts(struct gd_span span, struct gd_span prefix)
{
    return span.len >= prefix.len &&
           gd_span_eq((struct gd_span){span.ptr, prefix.len}, prefix);
}

bool gd_span_u64(struct gd_span span, uint64_t *out)
{
    uint64_t number = 0;

    if (span.len == 0 || span.len > 18)
        return false;
    for (size_t i = 0; i < span.len; i++) {
        if (span.ptr[i] < '0' || span.ptr[i] > '9')
            return false;
        number = number * 10 + (uint64_t)(span.ptr[i] - '0');
    }
    *out = number;
    return true;
}

void gd_buf_init(struct gd_buf *buf, struct gd_blocks *blocks, size_t max_bytes)
{
    *buf = (struct gd_buf){.max = max_bytes, .blocks = blocks};
}

void gd_buf_free(struct gd_buf *buf)
{
    gd_blocks_put(buf->blocks, buf->data, buf->cap);
    if (buf->budget)
        *buf->budget += buf->cap;
    buf->data = NULL;
    buf->len = 0;
    buf->cap = 0;
}

void gd_buf_move(struct gd_buf *dst, struct gd_buf *src)
{
    gd_buf_free(dst);
    *dst = *src;
    src->data = NULL;
    src->len = 0;
    src->cap = 0;
}

/* Moves the contents to memory of at least want bytes. The old and the new count against
 * the budget for a moment: both are held. */
static bool buf_grow(struct gd_buf *buf, size_t want)
{
    size_t cap;
    char *data = gd_blocks_get(buf->blocks, want, &cap);

    if (data == NULL)
        return false;
    if (buf->budget && cap > *buf->budget) {
        gd_blocks_put(buf->blocks, data, cap);
        return false;
    }
    if (buf->len)
        memcpy(data, buf->data, buf->len);
    gd_blocks_put(buf->blocks, buf->data, buf->cap);
    if (buf->budget)
        *buf->budget -= cap - buf->cap;
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool gd_buf_reserve(struct gd_buf *buf, size_t extra)
{
    size_t need;

    if (extra > buf->max || buf->len > buf->max - extra)
        return false;
    need = buf->len + extra;
    if (need <= buf->cap)
        return true;
    return buf_grow(buf,
                    buf->cap < buf->max / 2 && buf->cap * 2 > need ? buf->cap * 2 : need);
}

bool gd_buf_add(struct gd_buf *buf, const void *bytes, size_t len)
{
    if (!gd_buf_reserve(buf, len))
        return false;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    return true;
}

bool gd_buf_add_span(struct gd_buf *buf, struct gd_span span)
{
    return gd_buf_add(buf, span.ptr, span.len);
}

bool gd_buf_add_text(struct gd_buf *buf, const char *text)
{
    return gd_buf_add(buf, text, strlen(text));
}

size_t gd_u64_digits(uint64_t number, char *out)
{
    char reversed[20];
    size_t n = 0;

    do {
        reversed[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

bool gd_buf_add_u64(struct gd_buf *buf, uint64_t number)
{
    char digits[20];

    return gd_buf_add(buf, digits, gd_u64_digits(number, digits));
}

bool gd_buf_addf(struct gd_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    int need;
    bool ok = false;

    va_start(args, fmt);
    va_copy(again, args);
    need = vsnprintf(NULL, 0, fmt, args);
    /* One byte more than is kept: vsnprintf wants to write its terminator. */
    if (need >= 0 && gd_buf_reserve(buf, (size_t)need + 1)) {
        vsnprintf(buf->data + buf->len, (size_t)need + 1, fmt, again);
        buf->len += (size_t)need;
        ok = true;
    }
    va_end(again);
    va_end(args);
    return ok;
}

void gd_buf_drop(struct gd_buf *buf, size_t n)
{
    if (n >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}
