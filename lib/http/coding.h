#ifndef GD_HTTP_CODING_H
#define GD_HTTP_CODING_H
/**
 * Content codings (RFC 9110 8.4): gzip, deflate and br, undone strictly and within
 * bounds.
 *
 * What is not exactly one coded content is broken: an end that is missing, anything
 * behind it, a checksum that differs. gzip may have several members (RFC 1952); deflate
 * is the zlib format (RFC 1950), as the standard says, not the bare one.
 */
#include "base/bytes.h"
#include "http/head.h"

enum gd_content_coding { GD_CODING_GZIP, GD_CODING_DEFLATE, GD_CODING_BR };

/** For Accept-Encoding. */
#define GD_CODINGS_TEXT "gzip, deflate, br"

enum { GD_CODINGS_MAX = 3 };

/** The codings of a content, in the order in which they were applied. */
struct gd_codings {
    uint8_t items[GD_CODINGS_MAX]; /* enum gd_content_coding */
    uint8_t count;
    bool unknown; /* there is one that is not known, or more than GD_CODINGS_MAX */
};

/** Reads all Content-Encoding lines; `identity` stands for nothing. */
struct gd_codings gd_codings_read(const struct gd_fields *fields);

enum gd_coding_result {
    GD_CODING_DONE,
    GD_CODING_BROKEN,    /* not one content of this coding */
    GD_CODING_TOO_LARGE, /* the content, or what decoding needs, is more than allowed */
};

/**
 * Appends the content that `coded` stands for to out, at most to its bound and budget.
 * The decoder's own memory is taken from out's blocks, counts against its budget and is
 * given back before this returns. After a failure out holds a part of the content.
 */
enum gd_coding_result gd_coding_decode(enum gd_content_coding coding,
                                       struct gd_span coded, struct gd_buf *out);

#endif
