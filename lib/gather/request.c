#include "gather/call.h"
#include "gather/compose.h"
#include "gather/part.h"
#include "http/write.h"
#include "plan/template.h"

/* What a call sends: its line, its fields and its body. */

enum { REQUEST_MAX_BYTES = 128 * 1024 };

static const struct gd_facts *facts_of(struct gd_call *call)
{
    return gd_gather_about(call->gather)->facts;
}

/* What references stand for in this call. */
static struct gd_values values_of(struct gd_call *call)
{
    struct gd_values values = *gd_gather_values(call->gather);

    values.item = call->item;
    values.seen = call->part->seen;
    return values;
}

/* The line ------------------------------------------------------------------------------
 */

/* Appends a value as it came, encoded anew: what only some take for a separator, like
 * ";", does not reach an upstream bare. It is decoded behind the room for its encoding.
 */
static bool add_value(struct gd_buf *target, struct gd_span value)
{
    char *decoded;

    if (!gd_buf_reserve(target, value.len * 4))
        return false;
    decoded = target->data + target->len + value.len * 3;
    return gd_percent_encode(
        target, (struct gd_span){decoded, gd_percent_decode(value, true, decoded)});
}

bool gd_call_forward_query(const struct gd_plan_forward *forward,
                           const struct gd_facts *facts, struct gd_buf *target)
{
    bool first = memchr(target->data, '?', target->len) == NULL;

    for (unsigned i = 0; i < forward->query_count; i++) {
        struct gd_span value = gd_query_get(facts->query, forward->query[i]);

        if (value.ptr == NULL)
            continue;
        if (!gd_buf_add(target, first ? "?" : "&", 1) ||
            !gd_percent_encode(target, forward->query[i]) ||
            !gd_buf_add(target, "=", 1) || !add_value(target, value))
            return false;
        first = false;
    }
    return true;
}

static enum gd_failure expand_line(struct gd_call *call, const struct gd_values *values)
{
    struct gd_gather_context *shared = gd_gather_shared(call->gather);
    const char *method = gd_method_text(call->plan->method);
    struct gd_buf *target = &shared->scratch;
    enum gd_failure failure;

    target->len = 0;
    failure = gd_template_expand(call->plan->target, values, target);
    if (failure)
        return failure;
    if (!gd_call_forward_query(&call->plan->forward, facts_of(call), target) ||
        !gd_call_note_path(call, gd_buf_span(target)))
        return GD_FAIL_TOO_LARGE;
    gd_buf_init(&call->request, gd_loop_blocks(shared->loop), REQUEST_MAX_BYTES);
    call->request.budget = gd_gather_budget(call->gather);
    return gd_write_request_line(&call->request, gd_span_of(method), gd_buf_span(target))
               ? GD_OK
               : GD_FAIL_TOO_LARGE;
}

/* The body ------------------------------------------------------------------------------
 */

static enum gd_failure make_json(struct gd_call *call, const struct gd_values *values)
{
    struct gd_arena *arena = gd_gather_about(call->gather)->arena;
    struct gd_splice splice;

    gd_splice_init(&splice, arena);
    switch (gd_compose(call->plan->json, call->gather, values, &splice)) {
    case GD_COMPOSED:
        call->content = gd_splice_flat(&splice);
        return call->content.ptr ? GD_OK : GD_FAIL_TOO_LARGE;
    case GD_COMPOSE_CONFLICT:
        return GD_FAIL_CONFLICT;
    case GD_COMPOSE_NO_MEMORY:
        break;
    }
    return GD_FAIL_TOO_LARGE;
}

/* The template is that of a target, `/?a=…`: what is behind the "?" is the form. */
static enum gd_failure make_form(struct gd_call *call, const struct gd_values *values)
{
    const struct gd_gather_request *about = gd_gather_about(call->gather);
    struct gd_gather_context *shared = gd_gather_shared(call->gather);
    struct gd_buf form;
    enum gd_failure failure;

    gd_buf_init(&form, gd_loop_blocks(shared->loop), shared->limits->request_memory);
    form.budget = gd_gather_budget(call->gather);
    failure = gd_template_expand(call->plan->form, values, &form);
    if (failure == GD_OK) {
        size_t start = form.len < 2 ? form.len : 2;
        struct gd_span text = {form.data + start, form.len - start};

        call->content = gd_arena_copy(about->arena, text);
        failure = call->content.ptr ? GD_OK : GD_FAIL_TOO_LARGE;
    }
    gd_buf_free(&form);
    return failure;
}

static enum gd_failure make_content(struct gd_call *call, const struct gd_values *values)
{
    switch (call->plan->payload) {
    case GD_PAYLOAD_NONE:
        break;
    case GD_PAYLOAD_JSON:
        return make_json(call, values);
    case GD_PAYLOAD_FORM:
        return make_form(call, values);
    case GD_PAYLOAD_FORWARD:
        call->content = facts_of(call)->body;
        break;
    }
    return GD_OK;
}

enum gd_failure gd_call_expand(struct gd_call *call)
{
    struct gd_values values = values_of(call);
    enum gd_failure failure = expand_line(call, &values);

    if (failure == GD_OK && !call->made)
        failure = make_content(call, &values);
    if (call->plan->upstream->hash_key && !call->made)
        call->lease.key = gd_upstream_key(call->plan->upstream, &values,
                                          &gd_gather_shared(call->gather)->scratch);
    call->made = true;
    return failure;
}

/* The fields ----------------------------------------------------------------------------
 */

/* A request with a method that may carry a body says that it has none (RFC 9110 8.6). */
static bool wants_length(enum gd_method method)
{
    return method == GD_METHOD_POST || method == GD_METHOD_PUT ||
           method == GD_METHOD_PATCH;
}

static bool copy_field(struct gd_call *call, enum gd_field_id id)
{
    const struct gd_field *field = gd_fields_get(facts_of(call)->fields, id);

    return field == NULL || gd_write_field(&call->request, field->name, field->value);
}

static bool write_type(struct gd_call *call)
{
    switch (call->plan->payload) {
    case GD_PAYLOAD_NONE:
        return true;
    case GD_PAYLOAD_JSON:
        return gd_buf_add_span(&call->request,
                               GD_SPAN("Content-Type: application/json\r\n"));
    case GD_PAYLOAD_FORM:
        return gd_buf_add_span(
            &call->request,
            GD_SPAN("Content-Type: application/x-www-form-urlencoded\r\n"));
    case GD_PAYLOAD_FORWARD:
        break;
    }
    return call->content.ptr == NULL || (copy_field(call, GD_FIELD_CONTENT_TYPE) &&
                                         copy_field(call, GD_FIELD_CONTENT_ENCODING));
}

static bool write_length(struct gd_call *call)
{
    if (call->content.ptr == NULL && !wants_length(call->plan->method))
        return true;
    return gd_write_field_u64(&call->request, GD_SPAN("Content-Length"),
                              call->content.len);
}

/* The browser's fields that are passed on: all lines of a name, in their order. */
static bool write_forwarded(struct gd_call *call)
{
    const struct gd_plan_forward *forward = &call->plan->forward;
    const struct gd_fields *fields = facts_of(call)->fields;

    for (unsigned i = 0; i < forward->header_count; i++)
        for (unsigned k = 0; k < fields->count; k++)
            if (gd_span_ieq(fields->items[k].name, forward->headers[i]) &&
                !gd_write_field(&call->request, forward->headers[i],
                                fields->items[k].value))
                return false;
    return true;
}

/* The call's own fields that have placeholders. */
static enum gd_failure write_own(struct gd_call *call)
{
    struct gd_values values = values_of(call);
    struct gd_buf *value = &gd_gather_shared(call->gather)->scratch;

    for (unsigned i = 0; i < call->plan->field_count; i++) {
        const struct gd_plan_field *field = &call->plan->fields[i];
        enum gd_failure failure;

        value->len = 0;
        failure = gd_template_expand(field->template, &values, value);
        if (failure)
            return failure;
        if (!gd_write_field(&call->request, field->name, gd_buf_span(value)))
            return GD_FAIL_TOO_LARGE;
    }
    return GD_OK;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long the answer may take: the first of the deadlines counts. */
static bool write_deadline(struct gd_call *call)
{
    const struct gd_plan_upstream *upstream = call->plan->upstream;
    uint64_t now_us, end_us = gd_gather_deadline_us(call->gather);

    if (upstream->deadline_field.ptr == NULL)
        return true;
    now_us = gd_loop_now_us(gd_gather_shared(call->gather)->loop);
    end_us = earlier(end_us, now_us + upstream->timeout_ms * UINT64_C(1000));
    if (call->plan->timeout_ms)
        end_us =
            earlier(end_us, call->start_us + call->plan->timeout_ms * UINT64_C(1000));
    return gd_write_field_u64(&call->request, upstream->deadline_field,
                              end_us > now_us ? (end_us - now_us) / 1000 : 0);
}

enum gd_failure gd_call_write_fields(struct gd_call *call,
                                     const struct gd_plan_server *server)
{
    struct gd_buf *request = &call->request;
    enum gd_failure failure = GD_OK;
    bool ok = gd_buf_add_span(request, server->host_line) &&
              gd_buf_add_span(request, call->plan->header_lines) &&
              gd_forward_write(request, gd_gather_about(call->gather)->forward);

    if (ok && call->plan->field_count)
        failure = write_own(call);
    if (failure)
        return failure;
    ok = ok && write_deadline(call) && write_forwarded(call) &&
         gd_call_write_cookies(call) && write_type(call) && write_length(call) &&
         gd_write_end(request);
    return ok ? GD_OK : GD_FAIL_TOO_LARGE;
}
