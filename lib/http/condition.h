#ifndef GD_HTTP_CONDITION_H
#define GD_HTTP_CONDITION_H
/**
 * Validators and conditional requests (RFC 9110 8.8 and 13), and ranges (14).
 */
#include <sys/uio.h>

#include "http/head.h"

enum { GD_ETAG_BYTES = 34 }; /* of one that is made of content: 32 hex digits in quotes */

/** Writes the strong entity tag of a content: the same bytes always have the same one,
 *  in whatever pieces, process or machine; others have another (128 bits; not made to
 *  stand against one who looks for two contents with one tag). */
struct gd_span gd_etag_of(const struct iovec *pieces, int count, char out[GD_ETAG_BYTES]);

/** Whether a list like `"a", W/"b"` has the tag, or is `*`. weak: `W/` does not count;
 *  else neither may be weak. What is malformed ends the list. */
bool gd_etag_listed(struct gd_span list, struct gd_span etag, bool weak);

struct gd_validators {
    struct gd_span etag; /* empty: none */
    int64_t modified_s;  /* since 1970; negative: unknown */
};

enum gd_condition {
    GD_CONDITION_HOLDS,        /* answer as if there was none */
    GD_CONDITION_NOT_MODIFIED, /* 304 */
    GD_CONDITION_FAILED,       /* 412 */
};

/** What If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since say of what
 *  would be answered with 200, in the order of RFC 9110 13.2.2. */
enum gd_condition gd_condition_check(const struct gd_fields *fields,
                                     enum gd_method method,
                                     const struct gd_validators *validators);

struct gd_range {
    uint64_t first, bytes;
};

enum gd_range_result {
    GD_RANGE_ALL,  /* there is none, or one that is not followed: several, another unit,
                      malformed, or If-Range does not hold */
    GD_RANGE_PART, /* 206 */
    GD_RANGE_NONE, /* nothing of it is there: 416 */
};

/** What Range and If-Range say of a content of `size` bytes. now_s: wall clock; a date in
 *  If-Range counts when it is surely that of the content's last change. */
enum gd_range_result gd_range_check(const struct gd_fields *fields, uint64_t size,
                                    const struct gd_validators *validators, int64_t now_s,
                                    struct gd_range *out);

#endif
