#ifndef GD_PLAN_SECRET_H
#define GD_PLAN_SECRET_H
/**
 * What people who look at a plan must not see: values that came from a `${…}`, and values
 * of fields, parameters and members whose names speak of secrets. A mask stands instead.
 */
#include "base/bytes.h"

#define GD_SECRET_MASK "***"

/** Whether a name speaks of a secret: Authorization, Cookie, X-Api-Key, access_token … */
bool gd_secret_name(struct gd_span name);

/** Appends a target (path, or path and query), with the mask for the value of every query
 *  parameter of such a name. Values that begin with a placeholder stay. False past the
 *  buffer's bound. */
GD_MUST_CHECK bool gd_secret_add_target(struct gd_buf *out, struct gd_span target);

#endif
