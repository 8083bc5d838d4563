#ifndef GD_HTTP_ENCODE_H
#define GD_HTTP_ENCODE_H
/**
 * Content codings made: gzip and br, piece by piece, with bounded memory.
 */
#include "http/coding.h"

struct gd_encoder;

enum gd_encode {
    GD_ENCODE_MORE,  /* more content comes: keeps what compresses better with it */
    GD_ENCODE_FLUSH, /* more comes, but all that is here can be read from what is out */
    GD_ENCODE_END,
};

/** Returns owned. coding: GZIP or BR. level: 1 (fast) to 9 (small), of
 *  which br takes those that are about as fast as gzip's. content_bytes: what
 *  is to come, as far as that is known, else 0: a short content needs less memory, which
 *  is taken from blocks, and from budget (bytes left) when there is one; both are kept.
 *  NULL when that is not enough. */
struct gd_encoder *gd_encoder_new(enum gd_content_coding coding, unsigned level,
                                  size_t content_bytes, struct gd_blocks *blocks,
                                  size_t *budget);

/** Takes a piece of the content and appends to out what is ready. False when memory or
 *  the bound of out is at its end; the encoder can only be freed then. */
GD_MUST_CHECK bool gd_encoder_feed(struct gd_encoder *encoder, struct gd_span piece,
                                   enum gd_encode what, struct gd_buf *out);

/** NULL is fine. */
void gd_encoder_free(struct gd_encoder *encoder);

/** For tests: the most memory that br has taken so far, and what was reserved for it. */
size_t gd_encoder_memory(const struct gd_encoder *encoder, size_t *reserved);

/** The word of a coding in fields: `gzip`, `deflate`, `br`. */
struct gd_span gd_coding_word(enum gd_content_coding coding);

#endif
