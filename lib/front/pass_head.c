#include "front/pass_head.h"

#include <stdio.h>

#include "front/cors.h"
#include "http/forwarded.h"
#include "http/hops.h"
#include "http/write.h"

/* Requests --------------------------------------------------------------------------- */

enum gd_failure gd_pass_write_line(struct gd_buf *out, const struct gd_plan_pass *plan,
                                   const struct gd_request *request,
                                   const struct gd_values *values, struct gd_buf *scratch)
{
    struct gd_span query = request->target.query;
    enum gd_failure failure = GD_OK;

    scratch->len = 0;
    if (plan->target)
        failure = gd_template_expand(plan->target, values, scratch);
    else if (!gd_buf_add_span(scratch, request->target.path))
        failure = GD_FAIL_TOO_LARGE;
    if (failure)
        return failure;
    if (plan->adds_query && query.ptr &&
        (!gd_buf_add_text(scratch, "?") || !gd_buf_add_span(scratch, query)))
        return GD_FAIL_TOO_LARGE;
    return gd_write_request_line(out, request->head.method_text, gd_buf_span(scratch))
               ? GD_OK
               : GD_FAIL_UNRESOLVED;
}

static bool is_replaced(const struct gd_plan_pass *plan, struct gd_span name)
{
    for (unsigned i = 0; i < plan->header_count; i++)
        if (gd_span_ieq(plan->headers[i].name, name))
            return true;
    return false;
}

/* RFC 9110 8.6: a request with a method that may carry a body says that it has none. */
static bool write_framing(struct gd_buf *out, const struct gd_request_head *head)
{
    bool expected = head->method == GD_METHOD_POST || head->method == GD_METHOD_PUT ||
                    head->method == GD_METHOD_PATCH;

    if (head->framing == GD_FRAMING_CHUNKED)
        return gd_buf_add_text(out, "Transfer-Encoding: chunked\r\n");
    if (head->framing == GD_FRAMING_LENGTH)
        return gd_write_field_u64(out, GD_SPAN("Content-Length"), head->content_length);
    return !expected || gd_buf_add_text(out, "Content-Length: 0\r\n");
}

bool gd_pass_write_fields(struct gd_buf *out, const struct gd_plan_pass *plan,
                          const struct gd_plan_server *server,
                          const struct gd_request *request, struct gd_forward *forward)
{
    const struct gd_fields *fields = &request->head.fields;
    struct gd_hops hops;

    if (!gd_hops_read(&hops, fields) || !gd_buf_add_span(out, server->host_line) ||
        !gd_buf_add_span(out, plan->header_lines))
        return false;
    for (unsigned i = 0; i < fields->count; i++) {
        const struct gd_field *field = &fields->items[i];

        if (gd_hops_has(&hops, field) || gd_is_forwarding_field(field->name) ||
            is_replaced(plan, field->name))
            continue;
        if (!gd_write_field(out, field->name, field->value))
            return false;
    }
    return gd_forward_write(out, forward) && write_framing(out, &request->head) &&
           gd_write_end(out);
}

/* Replies ---------------------------------------------------------------------------- */

/* To HEAD the length is told of a body that does not come. */
static size_t told_length(const struct gd_response_head *head)
{
    const struct gd_field *field = gd_fields_get(&head->fields, GD_FIELD_CONTENT_LENGTH);
    uint64_t length;

    return field && gd_span_u64(field->value, &length) ? (size_t)length
                                                       : GD_LENGTH_UNKNOWN;
}

/* A route's cache_control is for answers, not for an upstream's errors. */
static bool says_cache_control(const struct gd_plan_route *route, int status)
{
    return route->finish.cache_control.len && status < 400;
}

/* Whether the route decides on a field of the answer. */
static bool is_routes_own(const struct gd_plan_route *route, int status,
                          struct gd_span name)
{
    if (route->finish.cors && gd_cors_owns(name))
        return true;
    if (says_cache_control(route, status) &&
        (gd_span_ieq(name, GD_SPAN("Cache-Control")) ||
         gd_span_ieq(name, GD_SPAN("Expires"))))
        return true;
    for (unsigned i = 0; i < route->field_count; i++)
        if (gd_span_ieq(route->fields[i].name, name))
            return true;
    return false;
}

bool gd_pass_read_head(const struct gd_plan_route *route,
                       const struct gd_response_head *head, bool is_head, size_t whole,
                       struct gd_plan_header *headers, struct gd_answer *answer)
{
    struct gd_hops hops;
    unsigned count = answer->header_count;

    if (!gd_hops_read(&hops, &head->fields))
        return false;
    for (unsigned i = 0; i < head->fields.count; i++) {
        const struct gd_field *field = &head->fields.items[i];

        if (!gd_hops_has(&hops, field) &&
            !is_routes_own(route, head->status, field->name))
            headers[count++] = (struct gd_plan_header){field->name, field->value};
    }
    if (says_cache_control(route, head->status))
        headers[count++] = (struct gd_plan_header){GD_SPAN("Cache-Control"),
                                                   route->finish.cache_control};
    answer->status = head->status;
    answer->headers = headers;
    answer->header_count = count;
    answer->body_bytes = whole;
    if (is_head)
        answer->body_bytes = told_length(head);
    else if (head->framing == GD_FRAMING_LENGTH)
        answer->body_bytes = (size_t)head->content_length;
    return true;
}

void gd_pass_answer_problem(struct gd_request *request, enum gd_failure failure)
{
    struct gd_plan_header retry = {GD_SPAN("Retry-After"), GD_SPAN("1")};
    int status = gd_failure_status(failure);
    char detail[128], extra[64];

    snprintf(detail, sizeof(detail), "the upstream failed: %s", gd_failure_word(failure));
    snprintf(extra, sizeof(extra), "\"class\":\"%s\"", gd_failure_word(failure));
    gd_request_problem(request, status, detail, gd_span_of(extra), &retry, status == 503);
}
