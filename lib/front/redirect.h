#ifndef GD_FRONT_REDIRECT_H
#define GD_FRONT_REDIRECT_H
/**
 * Where a redirect leads.
 */
#include "plan/redirect.h"
#include "plan/template.h"

/** Writes it into out, of which everything is replaced; *location borrows from there.
 *  Scheme and host are the plan's, or the ones the client asked; no value can name
 *  others. A failure as of gd_template_expand. */
enum gd_failure gd_redirect_write(const struct gd_plan_redirect *redirect,
                                  const struct gd_values *values, struct gd_buf *out,
                                  struct gd_span *location);

#endif
