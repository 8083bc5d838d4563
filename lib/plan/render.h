#ifndef GD_PLAN_RENDER_H
#define GD_PLAN_RENDER_H
/**
 * A YAML value as JSON text.
 *
 * Plain scalars follow the core schema of YAML 1.2: null, true, false and numbers, whose
 * text is kept; all others, and everything in quotes, are strings. Numbers JSON cannot
 * write (`010`, `0x1F`, `.inf`, `1_000`) are reported instead of guessed.
 */
#include "plan/yamldoc.h"

/** Appends the value. False with something reported. */
GD_MUST_CHECK bool gd_render_json(struct gd_report *report,
                                  const struct gd_yaml_node *node, struct gd_buf *out);

/** Appends the value as it was written, for people: nothing is reported, what cannot be
 *  JSON is text, and secrets (plan/secret.h) are masked. by_name: also members whose
 * names speak of secrets, but for references and placeholders. False past the bound. */
GD_MUST_CHECK bool gd_render_written(const struct gd_yaml_node *node, bool by_name,
                                     struct gd_buf *out);

#endif
