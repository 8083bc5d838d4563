#include "base/mem.h"
#include "gather/choose.h"
#include "gather/explain_inside.h"
#include "http/target.h"
#include "plan/secret.h"

/* Values --------------------------------------------------------------------------------
 */

json_t *gd_explain_span(struct gd_span text)
{
    json_t *json = json_stringn(text.len ? text.ptr : "", text.len);
    char *copy;

    if (json)
        return json;
    copy = gd_alloc(text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (unsigned char)text.ptr[i] < 0x80 ? text.ptr[i] : '?';
    json = json_stringn(copy, text.len);
    gd_free(copy);
    return json;
}

static json_t *value_json(const struct gd_explaining *x,
                          const struct gd_plan_field *field)
{
    struct gd_template_gaps gaps;
    struct gd_buf value;
    json_t *json;

    if (field->secret || gd_secret_name(field->name))
        return json_string(GD_SECRET_MASK);
    if (field->template == NULL)
        return gd_explain_span(field->value);
    gd_buf_init(&value, NULL, GD_EXPLAIN_TEXT_MAX);
    json = gd_template_show(field->template, &x->values, &value, &gaps)
               ? gd_explain_span(gd_buf_span(&value))
               : json_null();
    gd_buf_free(&value);
    return json;
}

json_t *gd_explain_field(const struct gd_explaining *x, const struct gd_plan_field *field)
{
    return json_pack("{s:o, s:o}", "name", gd_explain_span(field->name), "value",
                     value_json(x, field));
}

json_t *gd_explain_written(struct gd_span object, const char *key)
{
    json_t *all = json_loadb(object.ptr, object.len, JSON_DECODE_ANY, NULL);
    json_t *value = all ? json_incref(json_object_get(all, key)) : NULL;

    json_decref(all);
    return value;
}

/* A route's calls -----------------------------------------------------------------------
 */

static json_t *names_of(const struct gd_plan_route *route, uint64_t bits)
{
    json_t *names = json_array();

    for (unsigned i = 0; i < route->call_count; i++)
        if (bits >> i & 1)
            json_array_append_new(names, json_string(route->calls[i].name));
    return names;
}

/* A stage is what can start when all stages before it have ended. */
static json_t *stages_json(const struct gd_explaining *x)
{
    const struct gd_plan_route *route = x->route;
    json_t *stages = json_array();
    uint64_t ended = ~x->wanted;

    while ((x->wanted & ~ended) != 0) {
        uint64_t stage = 0;

        for (unsigned i = 0; i < route->call_count; i++)
            if (!(ended >> i & 1) && (route->calls[i].needs & ~ended) == 0)
                stage |= UINT64_C(1) << i;
        json_array_append_new(stages, names_of(route, stage));
        ended |= stage;
    }
    return stages;
}

static json_t *calls_json(const struct gd_explaining *x)
{
    json_t *calls = json_array();

    for (unsigned i = 0; i < x->route->call_count; i++) {
        const struct gd_plan_call *call = &x->route->calls[i];
        json_t *json;

        if (!(x->wanted >> i & 1))
            continue;
        json = gd_explain_call(x, call);
        json_object_set_new(json, "after", names_of(x->route, call->needs));
        json_array_append_new(calls, json);
    }
    return calls;
}

/* What the browser gets. */
static json_t *answer_json(const struct gd_explaining *x)
{
    const struct gd_plan_route *route = x->route;
    json_t *answer = json_object();
    json_t *respond = gd_explain_written(route->answer_written, "respond");
    json_t *merge = gd_explain_written(route->answer_written, "merge");

    if (route->status_call)
        json_object_set_new(answer, "status_of", json_string(route->status_call->name));
    else
        json_object_set_new(answer, "status", json_integer(route->status));
    if (respond)
        json_object_set_new(answer, "respond", respond);
    if (merge)
        json_object_set_new(answer, "merge", merge);
    return answer;
}

static json_t *members_json(const struct gd_explaining *x)
{
    uint64_t shown = x->chosen;

    for (unsigned i = 0; i < x->route->call_count; i++)
        if (x->route->calls[i].hidden)
            shown &= ~(UINT64_C(1) << i);
    return names_of(x->route, shown);
}

/* Kinds of routes -----------------------------------------------------------------------
 */

static void explain_gather(struct gd_explaining *x, json_t *document)
{
    json_t *answer = answer_json(x);
    struct gd_span unknown = GD_SPAN_NONE;

    if (!gd_choose(x->route, x->facts.query, &x->chosen, &unknown)) {
        json_object_set_new(document, "refused",
                            json_string("400: the query asks for a part that there is "
                                        "not"));
        x->chosen = 0;
    }
    if (x->chosen == 0)
        x->chosen = gd_route_all(x->route);
    x->wanted = gd_choose_wanted(x->route, x->chosen);
    json_object_set_new(document, "stages", stages_json(x));
    json_object_set_new(document, "calls", calls_json(x));
    json_object_set_new(answer, "members", members_json(x));
    json_object_set_new(answer, "stream", json_boolean(x->route->stream));
    json_object_set_new(answer, "parts", json_boolean(x->route->parts));
    json_object_set_new(document, "answer", answer);
}

static void explain_respond(struct gd_explaining *x, json_t *document)
{
    json_object_set_new(document, "answer", answer_json(x));
}

/* A row each, in the order of enum gd_route_kind. */
static const struct {
    const char *word, *says;
    void (*explain)(struct gd_explaining *x, json_t *document);
} kinds[] = {
    [GD_ROUTE_KIND_GATHER] = {"gather", "makes calls and merges their answers",
                              explain_gather},
    [GD_ROUTE_KIND_RESPOND] = {"respond", "answers by itself and calls nothing",
                               explain_respond},
    [GD_ROUTE_KIND_FILES] = {"files", "answers with a file of a folder",
                             gd_explain_files},
    [GD_ROUTE_KIND_PASS] = {"pass", "streams request and answer to and from one upstream",
                            gd_explain_pass},
    [GD_ROUTE_KIND_REDIRECT] = {"redirect", "sends the client elsewhere",
                                gd_explain_redirect},
};

const char *gd_explain_kind(enum gd_route_kind kind)
{
    return kinds[kind].word;
}

static json_t *params_json(const struct gd_explaining *x)
{
    json_t *params = json_object();

    for (unsigned i = 0; i < x->route->param_count && i < x->match.param_count; i++) {
        struct gd_span name = x->route->param_names[i];

        json_object_setn_new(params, name.ptr, name.len,
                             gd_explain_span(x->match.params[i]));
    }
    return params;
}

static void explain_found(struct gd_explaining *x, json_t *document)
{
    const struct gd_plan_route *route = x->route;
    json_t *answer;

    json_object_set_new(document, "route", json_string(route->pattern));
    gd_explain_choice(x, document);
    json_object_set_new(document, "params", params_json(x));
    json_object_set_new(document, "kind", json_string(gd_explain_kind(route->kind)));
    json_object_set_new(document, "does", json_string(kinds[route->kind].says));
    json_object_set_new(document, "timeout_ms", json_integer(route->timeout_ms));
    json_object_set_new(document, "max_body_bytes",
                        json_integer((json_int_t)route->max_body));
    kinds[route->kind].explain(x, document);
    answer = json_incref(json_object_get(document, "answer"));
    if (answer == NULL)
        answer = json_object();
    gd_explain_finish(x, answer);
    if (json_object_size(answer))
        json_object_set(document, "answer", answer);
    json_decref(answer);
}

/* Requests ------------------------------------------------------------------------------
 */

static json_t *request_json(const struct gd_explaining *x)
{
    struct gd_buf target, shown;
    json_t *json = json_object();

    json_object_set_new(json, "method", gd_explain_span(x->facts.method));
    gd_buf_init(&target, NULL, GD_EXPLAIN_TEXT_MAX);
    gd_buf_init(&shown, NULL, GD_EXPLAIN_TEXT_MAX);
    if (gd_buf_add_span(&target, x->facts.path) &&
        gd_buf_add_text(&target, x->facts.query.ptr ? "?" : "") &&
        gd_buf_add_span(&target, x->facts.query) &&
        gd_secret_add_target(&shown, gd_buf_span(&target)))
        json_object_set_new(json, "target", gd_explain_span(gd_buf_span(&shown)));
    gd_buf_free(&target);
    gd_buf_free(&shown);
    json_object_set_new(json, "host",
                        x->facts.host.ptr ? gd_explain_span(x->facts.host) : json_null());
    return json;
}

/* Reads what was given into facts; room: target.len + 1 bytes. */
static bool read_request(struct gd_explaining *x, char *room, struct gd_err *err)
{
    const struct gd_explain_request *request = x->request;
    const struct gd_field *host = gd_fields_get(request->fields, GD_FIELD_HOST);
    struct gd_target target;

    if (!gd_is_token(request->method))
        return gd_err_set(err, "\"%.*s\" is no method", GD_SPAN_ARG(request->method));
    if (!gd_target_parse(request->target, room, &target) ||
        target.form == GD_TARGET_ASTERISK)
        return gd_err_set(err,
                          "\"%.*s\" is no path that a request can have; it starts with / "
                          "and spaces, quotes and the like are written as %%XX",
                          GD_SPAN_ARG(request->target));
    x->method = gd_method_of(request->method);
    x->facts.method = request->method;
    x->facts.path = target.path;
    x->facts.query = target.query;
    x->facts.fields = request->fields;
    x->facts.host = request->host;
    if (target.form == GD_TARGET_ABSOLUTE)
        x->facts.host = target.authority;
    else if (x->facts.host.ptr == NULL && host)
        x->facts.host = host->value;
    return gd_is_host(x->facts.host) ||
           gd_err_set(err, "\"%.*s\" is no host", GD_SPAN_ARG(x->facts.host));
}

static const char *result_word(const struct gd_explaining *x)
{
    if (x->result == GD_MATCH_FOUND)
        return "route";
    if (x->result == GD_MATCH_NONE)
        return "not_found";
    return x->method == GD_METHOD_OPTIONS ? "options" : "method_not_allowed";
}

static json_t *explain(struct gd_explaining *x)
{
    json_t *document = json_object();

    x->result = gd_router_match(x->plan->router, x->method, x->facts.method,
                                x->facts.host, x->facts.path, &x->match);
    json_object_set_new(document, "request", request_json(x));
    json_object_set_new(document, "result", json_string(result_word(x)));
    x->values = (struct gd_values){.params = x->match.params,
                                   .param_count = x->match.param_count,
                                   .facts = &x->facts};
    if (x->result == GD_MATCH_FOUND) {
        x->route = &x->plan->routes[x->match.index];
        explain_found(x, document);
    } else {
        gd_explain_choice(x, document);
    }
    return document;
}

json_t *gd_explain(const struct gd_plan *plan, const struct gd_explain_request *request,
                   struct gd_err *err)
{
    struct gd_explaining x = {.plan = plan, .request = request};
    char *room = gd_alloc(request->target.len + 1);
    json_t *document = NULL;

    if (read_request(&x, room, err))
        document = explain(&x);
    gd_free(room);
    return document;
}

bool gd_explain_has_route(const json_t *document)
{
    const char *result = json_string_value(json_object_get(document, "result"));

    return strcmp(result, "route") == 0 || strcmp(result, "options") == 0;
}
