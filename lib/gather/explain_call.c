#include "gather/call.h"
#include "gather/explain_inside.h"
#include "plan/effective.h"
#include "plan/expr.h"
#include "plan/secret.h"
#include "plan/tls_context.h"

/* One call: where it goes, what it sends, what is made of the answer. */

/* Where it goes -------------------------------------------------------------------------
 */

/* What its options say, but for what is told in words of its own. */
static json_t *settings_json(const struct gd_plan_upstream *upstream)
{
    static const char *const told[] = {"servers", "mock",    "headers",
                                       "tls",     "balance", "http"};
    json_t *settings = gd_effective_upstream(upstream);

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        json_object_del(settings, told[i]);
    return settings;
}

json_t *gd_explain_upstream(const struct gd_plan_upstream *upstream)
{
    static const char *const balances[] = {
        [GD_BALANCE_ROUND_ROBIN] = "round_robin",
        [GD_BALANCE_LEAST_PENDING] = "least_pending",
        [GD_BALANCE_RANDOM_TWO] = "random_two",
        [GD_BALANCE_HASH] = "hash",
    };
    json_t *json =
        json_pack("{s:s, s:b}", "name", upstream->name, "mock", upstream->mock != NULL);
    unsigned count = upstream->server_count;
    json_t *servers;

    json_object_set_new(json, "settings", settings_json(upstream));
    if (upstream->mock)
        return json;
    servers = json_array();
    if (upstream->discovery != GD_DISCOVERY_NONE) {
        json_array_append_new(servers,
                              json_sprintf("%s %s",
                                           upstream->discovery == GD_DISCOVERY_DNS
                                               ? "the addresses of"
                                               : "the targets of",
                                           upstream->servers[0].name));
        count = 0;
    }
    for (unsigned i = 0; i < count && i < GD_EXPLAIN_SERVERS_MAX; i++)
        json_array_append_new(servers, json_string(upstream->servers[i].name));
    json_object_set_new(json, "servers", servers);
    if (count > GD_EXPLAIN_SERVERS_MAX)
        json_object_set_new(json, "servers_left_out",
                            json_integer(count - GD_EXPLAIN_SERVERS_MAX));
    if (upstream->server_count > 1)
        json_object_set_new(json, "balance", json_string(balances[upstream->balance]));
    if (upstream->http != GD_HTTP_1)
        json_object_set_new(json, "http", json_string(gd_plan_http_word(upstream->http)));
    if (upstream->tls)
        json_object_set_new(json, "verify", json_boolean(upstream->tls->verify));
    return json;
}

struct gd_span gd_explain_host(const struct gd_plan_server *server)
{
    size_t name = strlen("Host: "), end = strlen("\r\n");

    return (struct gd_span){server->host_line.ptr + name,
                            server->host_line.len - name - end};
}

static bool write_url(const struct gd_explaining *x, const struct gd_plan_call *call,
                      struct gd_buf *url, struct gd_template_gaps *gaps)
{
    struct gd_span host = gd_explain_host(&call->upstream->servers[0]);
    struct gd_buf target;
    bool ok;

    gd_buf_init(&target, NULL, GD_EXPLAIN_TEXT_MAX);
    ok = gd_template_show(call->written.target, &x->values, &target, gaps) &&
         gd_call_forward_query(&call->forward, &x->facts, &target) &&
         gd_buf_addf(url, "http%s://%.*s", call->upstream->servers[0].https ? "s" : "",
                     GD_SPAN_ARG(host)) &&
         gd_secret_add_target(url, gd_buf_span(&target));
    gd_buf_free(&target);
    return ok;
}

static void set_url(const struct gd_explaining *x, const struct gd_plan_call *call,
                    json_t *json)
{
    struct gd_template_gaps gaps;
    struct gd_buf url;

    gd_buf_init(&url, NULL, GD_EXPLAIN_TEXT_MAX);
    if (write_url(x, call, &url, &gaps)) {
        json_object_set_new(json, "url", gd_explain_span(gd_buf_span(&url)));
        json_object_set_new(json, "url_is_final", json_boolean(!gaps.open));
        if (gaps.missing.ptr)
            json_object_set_new(json, "unresolved", gd_explain_span(gaps.missing));
    }
    gd_buf_free(&url);
}

/* Fields --------------------------------------------------------------------------------
 */

/* Fields that gatherd sets besides, a row each. */
static const struct {
    const char *name, *value;
} always[] = {
    {"X-Request-Id", "{request.id}"},
    {"X-Forwarded-For", "(the client)"},
    {"X-Forwarded-Proto", "(http, or https)"},
    {"X-Forwarded-Host", "{request.host}"},
    {"traceparent", "(the trace, a new parent)"},
};

static void add_field(json_t *fields, struct gd_span name, struct gd_span value,
                      const char *from)
{
    if (gd_secret_name(name))
        value = GD_SPAN(GD_SECRET_MASK);
    json_array_append_new(fields,
                          json_pack("{s:o, s:o, s:s}", "name", gd_explain_span(name),
                                    "value", gd_explain_span(value), "from", from));
}

static void add_configured(const struct gd_explaining *x, const struct gd_plan_call *call,
                           bool templates, json_t *fields)
{
    for (unsigned i = 0; i < call->written.field_count; i++) {
        const struct gd_plan_field *field = &call->written.fields[i];
        json_t *json;

        if ((field->template != NULL) != templates)
            continue;
        json = gd_explain_field(x, field);
        json_object_set_new(json, "from", json_string("configuration"));
        json_array_append_new(fields, json);
    }
}

/* A cookie's value is a secret, so one field stands for all that are passed on. */
static void add_forwarded(const struct gd_explaining *x, const struct gd_plan_call *call,
                          const json_t *passed, json_t *fields)
{
    const struct gd_plan_forward *forward = &call->forward;

    for (unsigned i = 0; i < forward->header_count; i++)
        for (unsigned k = 0; k < x->facts.fields->count; k++) {
            const struct gd_field *field = &x->facts.fields->items[k];

            if (gd_span_ieq(field->name, forward->headers[i]))
                add_field(fields, forward->headers[i], field->value, "request");
        }
    if (json_array_size(json_object_get(json_object_get(passed, "cookies"), "kept")))
        add_field(fields, GD_SPAN("Cookie"), GD_SPAN(""), "request");
    if (call->upstream->cookies)
        add_field(fields, GD_SPAN("Cookie"), GD_SPAN(""), "jar");
}

static void add_type(const struct gd_plan_call *call, json_t *fields)
{
    const char *const types[] = {
        [GD_PAYLOAD_NONE] = NULL,
        [GD_PAYLOAD_JSON] = "application/json",
        [GD_PAYLOAD_FORM] = "application/x-www-form-urlencoded",
        [GD_PAYLOAD_FORWARD] = "{header.content-type}",
    };
    const char *type = types[call->payload];

    if (type)
        add_field(fields, GD_SPAN("Content-Type"), gd_span_of(type), "gatherd");
}

/* In the order in which they are sent. */
static json_t *fields_json(const struct gd_explaining *x, const struct gd_plan_call *call,
                           const json_t *passed)
{
    json_t *fields = json_array();

    add_field(fields, GD_SPAN("Host"), gd_explain_host(&call->upstream->servers[0]),
              "gatherd");
    add_configured(x, call, false, fields);
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        add_field(fields, gd_span_of(always[i].name), gd_span_of(always[i].value),
                  "gatherd");
    add_configured(x, call, true, fields);
    if (call->upstream->deadline_field.ptr)
        add_field(fields, call->upstream->deadline_field, GD_SPAN("(milliseconds left)"),
                  "gatherd");
    add_forwarded(x, call, passed, fields);
    add_type(call, fields);
    return fields;
}

/* When, and for how long ----------------------------------------------------------------
 */

/* Whether the condition holds, where that is known already. */
static json_t *holds_json(const struct gd_explaining *x, const struct gd_plan_call *call)
{
    if (call->when == NULL || !gd_expr_is_known(call->when, &x->values))
        return NULL;
    return json_boolean(gd_expr_eval(call->when, &x->values, NULL) == GD_TRUE);
}

static json_t *timeouts_json(const struct gd_plan_call *call, uint32_t route_ms)
{
    uint32_t try_ms = call->upstream->timeout_ms, call_ms = call->timeout_ms;
    json_t *json = json_pack("{s:I, s:I}", "try_ms", (json_int_t)try_ms, "route_ms",
                             (json_int_t)route_ms);
    const char *first = "route";

    if (try_ms < route_ms)
        first = "try";
    if (call_ms && call_ms <= try_ms && call_ms < route_ms)
        first = "call";
    if (call_ms)
        json_object_set_new(json, "call_ms", json_integer(call_ms));
    json_object_set_new(json, "first", json_string(first));
    return json;
}

/* ---------------------------------------------------------------------------------------
 */

/* The options as they were written, but for what is told in words of its own. */
static void set_options(const struct gd_plan_call *call, json_t *json)
{
    json_t *options =
        json_loadb(call->written.options.ptr, call->written.options.len, 0, NULL);

    json_object_update_missing(json, options);
    json_decref(options);
    if (json_object_get(json, "ok") == NULL)
        json_object_set_new(json, "ok", json_pack("[s]", "2xx"));
    if (call->each) {
        json_object_set_new(json, "each_limit", json_integer(call->each_limit));
        json_object_set_new(json, "each_parallel", json_integer(call->each_parallel));
    }
}

/* Whether its request may be sent more than once, by the rules of its upstream. */
static const char *sent_again(const struct gd_plan_call *call)
{
    const struct gd_plan_upstream *upstream = call->upstream;
    bool retried =
        upstream->retry.tries > 0 && upstream->retry.methods >> call->method & 1;
    bool hedged =
        upstream->hedge.kind != GD_HEDGE_OFF && gd_method_idempotent(call->method);

    if (retried)
        return hedged ? "when it fails, or takes long" : "when it fails";
    return hedged ? "when it takes long" : "never";
}

static const char *if_it_fails(const struct gd_plan_call *call)
{
    if (!call->optional)
        return "route_fails";
    return call->has_fallback ? "default" : "null";
}

json_t *gd_explain_call(const struct gd_explaining *x, const struct gd_plan_call *call)
{
    json_t *json = json_pack("{s:s, s:s}", "name", call->name, "method",
                             gd_method_text(call->method));
    json_t *holds = holds_json(x, call), *passed = gd_explain_passed(x, call);

    set_url(x, call, json);
    json_object_set_new(json, "upstream", gd_explain_upstream(call->upstream));
    json_object_set_new(json, "headers", fields_json(x, call, passed));
    json_object_set_new(json, "passed_on", passed);
    set_options(call, json);
    if (holds)
        json_object_set_new(json, "when_holds", holds);
    json_object_set_new(json, "timeouts", timeouts_json(call, x->route->timeout_ms));
    json_object_set_new(json, "sent_again", json_string(sent_again(call)));
    json_object_set_new(json, "if_it_fails", json_string(if_it_fails(call)));
    json_object_set_new(json, "hidden", json_boolean(call->hidden));
    return json;
}
