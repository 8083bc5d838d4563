#ifndef GD_HTTP_HOPS_H
#define GD_HTTP_HOPS_H
/**
 * Which fields belong to one connection and go no further (RFC 9110 7.6.1): those that
 * are about the connection or the framing, and those that Connection names.
 */
#include "http/head.h"

enum { GD_HOPS_NAMED_MAX = 32 }; /* names in Connection */

struct gd_hops {
    unsigned count;
    struct gd_span named[GD_HOPS_NAMED_MAX]; /* borrow from the fields */
};

/** Reads the Connection fields of a head. False when they name more than a head can
 *  reasonably mean: such a message cannot be passed on. */
GD_MUST_CHECK bool gd_hops_read(struct gd_hops *hops, const struct gd_fields *fields);

/** Whether the field ends here. Host and Expect do as well: they are answered here. */
bool gd_hops_has(const struct gd_hops *hops, const struct gd_field *field);

#endif
