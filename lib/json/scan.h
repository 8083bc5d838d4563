#ifndef GD_JSON_SCAN_H
#define GD_JSON_SCAN_H
/**
 * Is this JSON? One strict pass, nothing built.
 *
 * Accepts exactly one value by RFC 8259, in valid UTF-8 (RFC 3629, no surrogates, no
 * overlong forms, no byte order mark), nested at most max_depth deep. Escaped lone
 * surrogates (\ud800) are grammar-valid and accepted, as RFC 8259 section 8.2 allows.
 * Numbers may have at most GD_JSON_NUMBER_MAX characters. Linear time, no recursion.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { GD_JSON_DEPTH_MAX = 1024, GD_JSON_NUMBER_MAX = 1024 };

struct gd_json_fault {
    size_t offset;      /* of the first byte that cannot be part of a valid text; the
                         * text's length when it stops early */
    const char *reason; /* constant text, e.g. "invalid number", "nested too deep" */
};

/** Scans bytes. On success *value is the text without the white space around it (borrows
 *  from bytes). On failure false, with fault set (NULL is fine) and *value untouched.
 *  max_depth: containers that may be open at once, 1 to GD_JSON_DEPTH_MAX; a scalar needs
 *  none. Reads nothing outside bytes. */
GD_MUST_CHECK bool gd_json_scan(struct gd_span bytes, unsigned max_depth,
                                struct gd_span *value, struct gd_json_fault *fault);

/** The portable twin of gd_json_scan without vector instructions; same result always. */
GD_MUST_CHECK bool gd_json_scan_portable(struct gd_span bytes, unsigned max_depth,
                                         struct gd_span *value,
                                         struct gd_json_fault *fault);

#endif
