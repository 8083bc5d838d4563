#include "front/redirect.h"

#include "front/passage.h"
#include "gather/fields.h"

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

void gd_redirect_start(struct gd_passage *passage)
{
    const struct gd_plan_redirect *redirect = passage->route->redirect;
    struct gd_values values = {.params = passage->match.params,
                               .param_count = passage->match.param_count,
                               .facts = &passage->facts};
    struct gd_plan_header headers[2 * GD_HEADERS_MAX + 2], *location;
    struct gd_answer answer = {.status = redirect->status, .headers = headers};
    struct gd_buf *scratch = &passage->generation->gathers.scratch;
    enum gd_failure failure;

    if (!gd_answer_fields(passage->route, &values, passage->request->arena, scratch,
                          headers, &answer.header_count)) {
        gd_passage_refuse(passage, 503, "no memory is left for this request");
        return;
    }
    if (passage->route->finish.cache_control.len)
        headers[answer.header_count++] = (struct gd_plan_header){
            GD_SPAN("Cache-Control"), passage->route->finish.cache_control};
    location = &headers[answer.header_count++];
    location->name = GD_SPAN("Location");
    failure = gd_redirect_write(redirect, &values, scratch, &location->value);
    if (failure == GD_OK) {
        gd_passage_account(passage, redirect->status);
        gd_request_answer(passage->request, &answer);
        return;
    }
    gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_FAIL_CONNECT + failure - 1]);
    gd_passage_refuse(passage, 400,
                      "the request lacks a value that the redirect is made of, or has "
                      "one that cannot stand there");
}
