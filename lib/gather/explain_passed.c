#include "base/mem.h"
#include "gather/explain_inside.h"
#include "http/target.h"
#include "plan/expr.h"
#include "plan/shape.h"

/* What of the request goes along with a call: fields, parameters and cookies that are
 * passed on as they are, those whose values the call names, and those it leaves out. */

/* What a call names ---------------------------------------------------------------------
 */

static bool shape_names(const struct gd_shape *shape, enum gd_source source,
                        struct gd_span name)
{
    if (shape->kind == GD_SHAPE_REF)
        return gd_ref_names(&shape->ref, source, name);
    if (shape->kind == GD_SHAPE_TEXT)
        return gd_template_names(shape->text, source, name);
    for (unsigned i = 0; i < shape->count; i++)
        if (shape_names(&shape->parts[i], source, name))
            return true;
    return false;
}

static bool call_names(const struct gd_plan_call *call, enum gd_source source,
                       struct gd_span name)
{
    for (unsigned i = 0; i < call->field_count; i++)
        if (gd_template_names(call->fields[i].template, source, name))
            return true;
    return gd_template_names(call->target, source, name) ||
           gd_expr_names(call->when, source, name) ||
           (call->json && shape_names(call->json, source, name)) ||
           (call->form && gd_template_names(call->form, source, name));
}

/* Lists ---------------------------------------------------------------------------------
 */

static json_t *passed_new(void)
{
    return json_pack("{s:[], s:[], s:[]}", "kept", "named", "dropped");
}

static void leave_out(json_t *passed)
{
    json_int_t before = json_integer_value(json_object_get(passed, "left_out"));

    json_object_set_new(passed, "left_out", json_integer(before + 1));
}

/* Adds a name to its list, once. */
static void sort_name(json_t *passed, const struct gd_plan_call *call,
                      enum gd_source source, struct gd_span name, bool kept)
{
    bool named = !kept && call_names(call, source, name);
    json_t *list = json_object_get(passed, kept ? "kept" : named ? "named" : "dropped");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (gd_span_is(name, json_string_value(json_array_get(list, i))))
            return;
    if (json_array_size(list) < GD_EXPLAIN_NAMES_MAX)
        json_array_append_new(list, gd_explain_span(name));
    else
        leave_out(passed);
}

static bool is_header_kept(const struct gd_plan_call *call, const struct gd_field *field)
{
    const struct gd_plan_forward *forward = &call->forward;

    if (call->payload == GD_PAYLOAD_FORWARD &&
        (field->id == GD_FIELD_CONTENT_TYPE || field->id == GD_FIELD_CONTENT_ENCODING))
        return true;
    for (unsigned i = 0; i < forward->header_count; i++)
        if (gd_span_ieq(forward->headers[i], field->name))
            return true;
    return false;
}

/* Host and the cookies are told elsewhere. */
static json_t *headers_passed(const struct gd_explaining *x,
                              const struct gd_plan_call *call)
{
    json_t *passed = passed_new();

    for (unsigned i = 0; i < x->facts.fields->count; i++) {
        const struct gd_field *field = &x->facts.fields->items[i];

        if (field->id != GD_FIELD_HOST && field->id != GD_FIELD_COOKIE)
            sort_name(passed, call, GD_SOURCE_HEADER, field->name,
                      is_header_kept(call, field));
    }
    return passed;
}

static bool is_listed(const struct gd_span *names, unsigned count, struct gd_span name)
{
    unsigned i = 0;

    while (i < count && !gd_span_eq(names[i], name))
        i++;
    return i < count;
}

static bool is_pair_kept(const struct gd_plan_forward *forward, enum gd_source source,
                         struct gd_span name)
{
    return source == GD_SOURCE_QUERY
               ? is_listed(forward->query, forward->query_count, name)
               : is_listed(forward->cookies, forward->cookie_count, name);
}

/* Sorts the names of `name=value` pairs. Those of a query are compared decoded. */
static void sort_pairs(json_t *passed, const struct gd_plan_call *call,
                       enum gd_source source, struct gd_span pairs)
{
    bool query = source == GD_SOURCE_QUERY;
    char *room = gd_alloc(pairs.len + 1);

    while (pairs.len) {
        const char *end = memchr(pairs.ptr, query ? '&' : ';', pairs.len);
        size_t len = end ? (size_t)(end - pairs.ptr) : pairs.len;
        struct gd_span name = gd_span_trim((struct gd_span){pairs.ptr, len}, " \t");
        const char *equals = name.len ? memchr(name.ptr, '=', name.len) : NULL;

        if (equals)
            name.len = (size_t)(equals - name.ptr);
        if (query)
            name = (struct gd_span){room, gd_percent_decode(name, true, room)};
        if (name.len)
            sort_name(passed, call, source, name,
                      is_pair_kept(&call->forward, source, name));
        pairs.ptr += len + (end != NULL);
        pairs.len -= len + (end != NULL);
    }
    gd_free(room);
}

static json_t *query_passed(const struct gd_explaining *x,
                            const struct gd_plan_call *call)
{
    json_t *passed = passed_new();

    sort_pairs(passed, call, GD_SOURCE_QUERY, x->facts.query);
    return passed;
}

static json_t *cookies_passed(const struct gd_explaining *x,
                              const struct gd_plan_call *call)
{
    json_t *passed = passed_new();

    for (unsigned i = 0; i < x->facts.fields->count; i++)
        if (x->facts.fields->items[i].id == GD_FIELD_COOKIE)
            sort_pairs(passed, call, GD_SOURCE_COOKIE, x->facts.fields->items[i].value);
    return passed;
}

json_t *gd_explain_passed(const struct gd_explaining *x, const struct gd_plan_call *call)
{
    return json_pack("{s:o, s:o, s:o}", "headers", headers_passed(x, call), "query",
                     query_passed(x, call), "cookies", cookies_passed(x, call));
}
