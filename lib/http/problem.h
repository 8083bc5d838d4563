#ifndef GD_HTTP_PROBLEM_H
#define GD_HTTP_PROBLEM_H
/**
 * What an answer that refuses says: problem documents and lists of methods.
 */
#include <stdint.h>

#include "base/bytes.h"

/** Appends an application/problem+json document (RFC 9457). detail: a sentence for
 * people; extra: further members as JSON text without braces (`"call":"user"`), or empty.
 */
GD_MUST_CHECK bool gd_problem_write(struct gd_buf *body, int status, const char *detail,
                                    struct gd_span extra);

/** Appends the names of methods, given as bits (1 << enum gd_method), as the list that
 *  Allow wants (RFC 9110 10.2.1). Methods without a name here are left out. */
GD_MUST_CHECK bool gd_methods_write(struct gd_buf *out, uint32_t methods);

#endif
