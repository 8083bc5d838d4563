#ifndef GD_BASE_BYTES_H
#define GD_BASE_BYTES_H
/**
 * Bytes: spans that borrow, and buffers that own and never outgrow their bound.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct gd_blocks;

/** Borrowed bytes, not terminated. An absent value has ptr NULL; an empty one has not. */
struct gd_span {
    const char *ptr;
    size_t len;
};

#define GD_SPAN(literal) ((struct gd_span){(literal), sizeof(literal) - 1})
#define GD_SPAN_NONE ((struct gd_span){NULL, 0})
/** For printf's "%.*s". */
#define GD_SPAN_ARG(span) (int)(span).len, (span).ptr

static inline struct gd_span gd_span_of(const char *text)
{
    return (struct gd_span){text, strlen(text)};
}

static inline bool gd_span_eq(struct gd_span a, struct gd_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool gd_span_is(struct gd_span a, const char *text)
{
    return gd_span_eq(a, gd_span_of(text));
}

/** Equality without regard to ASCII case. */
bool gd_span_ieq(struct gd_span a, struct gd_span b);

/** Removes the bytes of `set` (a C string) from both ends. */
struct gd_span gd_span_trim(struct gd_span span, const char *set);

/** Whether span starts with prefix. */
bool gd_span_starts(struct gd_span span, struct gd_span prefix);

/** Reads a decimal number of 1 to 18 digits and nothing else. */
GD_MUST_CHECK bool gd_span_u64(struct gd_span span, uint64_t *out);

/**
 * A growing byte buffer with a bound given at init. Memory comes from the thread's block
 * cache (base/blocks.h) when there is one, else from the heap. Data is not terminated.
 */
struct gd_buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max;               /* bound on len, bytes */
    struct gd_blocks *blocks; /* borrowed, may be NULL */
    size_t *budget; /* borrowed: bytes left to several buffers together, or NULL */
};

/** Makes an empty buffer that holds no memory yet. blocks: borrowed, NULL for the heap.
 *  A budget may be set afterwards, while it is empty: what the buffer holds is taken
 *  from it. */
void gd_buf_init(struct gd_buf *buf, struct gd_blocks *blocks, size_t max_bytes);

/** Releases the memory; the buffer is empty and usable again. */
void gd_buf_free(struct gd_buf *buf);

/** Moves src's memory into dst (whose own is released first); src is left empty. */
void gd_buf_move(struct gd_buf *dst, struct gd_buf *src);

/** Makes room for `extra` bytes behind len. False, and nothing changed, when that would
 *  pass the bound or the budget, or there is no memory. */
GD_MUST_CHECK bool gd_buf_reserve(struct gd_buf *buf, size_t extra);

/** Appends; false, and nothing appended, when that would pass the bound. */
GD_MUST_CHECK bool gd_buf_add(struct gd_buf *buf, const void *bytes, size_t len);
GD_MUST_CHECK bool gd_buf_add_span(struct gd_buf *buf, struct gd_span span);
GD_MUST_CHECK bool gd_buf_add_text(struct gd_buf *buf, const char *text);
GD_MUST_CHECK bool gd_buf_add_u64(struct gd_buf *buf, uint64_t number);

/** printf; for set-up, logs and admin only, never on the request path. */
GD_MUST_CHECK bool gd_buf_addf(struct gd_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** Drops the first n bytes, moving the rest to the front. */
void gd_buf_drop(struct gd_buf *buf, size_t n);

static inline struct gd_span gd_buf_span(const struct gd_buf *buf)
{
    return (struct gd_span){buf->data, buf->len};
}

/** Writes the decimal digits of number to out (at least 20 bytes); returns their count.
 */
size_t gd_u64_digits(uint64_t number, char *out);

#endif
