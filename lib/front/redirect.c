#include "front/redirect.h"

/* A value may begin with a slash. `//name` would be a host, `/.//name` is the path that
 * is meant (RFC 3986 3.3 and 5.2.4). */
static const struct gd_span guard = {"/.", 2};

enum gd_failure gd_redirect_write(const struct gd_plan_redirect *redirect,
                                  const struct gd_values *values, struct gd_buf *out,
                                  struct gd_span *location)
{
    bool local = redirect->origin.len == 0;
    struct gd_span front = local ? guard : redirect->origin;
    enum gd_failure failure;

    out->len = 0;
    if (!gd_buf_add_span(out, front))
        return GD_FAIL_TOO_LARGE;
    failure = gd_template_expand(redirect->target, values, out);
    *location = gd_buf_span(out);
    if (failure || !local)
        return failure;
    location->ptr += guard.len;
    location->len -= guard.len;
    if (gd_span_starts(*location, GD_SPAN("//")))
        *location = gd_buf_span(out);
    return GD_OK;
}
