#ifndef GD_PLAN_EXPAND_H
#define GD_PLAN_EXPAND_H
/**
 * `${NAME}`, `${NAME:-default}` and `${file:/path}` in the values of a configuration.
 *
 * `$${` is a literal `${`. A variable that is unset, a file that cannot be read and a
 * form that is none of these are reported at their place.
 */
#include "plan/yamldoc.h"

/** Replaces the text of a scalar when it mentions any. */
void gd_expand(struct gd_yaml *yaml, struct gd_yaml_node *node);

/** Whether a scalar was made of a `${…}` and has no braces of its own: then all of it is
 *  data, and a `$` or a brace in it means nothing. */
bool gd_expand_is_data(const struct gd_yaml_node *node);

/** Appends the text of a scalar as people may see it: with a mask for each `${…}` that
 *  was replaced. False past the buffer's bound. */
GD_MUST_CHECK bool gd_expand_masked(const struct gd_yaml_node *node, struct gd_buf *out);

#endif
