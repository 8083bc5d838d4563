#ifndef GD_BASE_ERR_H
#define GD_BASE_ERR_H
/**
 * The error of a set-up step: a sentence for the person who reads it.
 *
 * Used where text matters (configuration, start, files). Run-time failures of calls are
 * classes (base/failure.h), which need no memory and no text.
 */
#include <stdbool.h>
#include <stddef.h>

struct gd_err {
    char text[512];
    size_t offset; /* of the place in a text that was compiled; 0 where nothing is said */
};

/** Fills err (NULL is fine) with a printf sentence. Always returns false, so that a
 *  failing function ends in `return gd_err_set(err, …)`. */
bool gd_err_set(struct gd_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** As gd_err_set, with ": " and the text of errno behind it. */
bool gd_err_errno(struct gd_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** A fallible function whose outcome must be looked at. */
#define GD_MUST_CHECK __attribute__((warn_unused_result))

#endif
