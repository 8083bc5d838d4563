#ifndef GD_HTTP_BODY_H
#define GD_HTTP_BODY_H
/**
 * The body decoder: from framed bytes to content, without copying.
 *
 * Serves requests and responses. Chunked coding is strict: hex digits only and at most 15
 * of them, CRLF only, extensions skipped but bounded, trailers checked by the field
 * rules, bounded and dropped.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/head.h"

enum { GD_CHUNK_LINE_MAX = 512, GD_TRAILERS_MAX = 8192 };

struct gd_body {
    enum gd_framing framing;
    uint64_t left;       /* of the length, or of the chunk at hand */
    uint32_t line_bytes; /* of the chunk line or trailers at hand */
    uint8_t step;        /* private to body.c */
    uint8_t digits;
};

enum gd_body_result {
    GD_BODY_MORE, /* all input consumed, more is to come */
    GD_BODY_DATA, /* *data is content inside the input; call again with the rest */
    GD_BODY_DONE, /* the body is complete; the rest of the input is not part of it */
    GD_BODY_BAD,  /* malformed chunked coding */
};

void gd_body_init(struct gd_body *body, enum gd_framing framing, uint64_t length);

/** Takes a step through `input`: *consumed bytes of it are used up (also with DATA, where
 *  *data lies within them). framing EOF never says DONE: the caller ends it at EOF. */
enum gd_body_result gd_body_step(struct gd_body *body, struct gd_span input,
                                 size_t *consumed, struct gd_span *data);

/** Whether the body is complete (no further input wanted). */
bool gd_body_complete(const struct gd_body *body);

#endif
