#include "base/suggest.h"
#include "plan/expr.h"
#include "plan/loader.h"
#include "plan/render.h"
#include "plan/schema.h"
#include "plan/shape.h"
#include "plan/template.h"
#include "plan/text.h"
#include "plan/url.h"
#include "plan/value.h"

enum { KNOWN_MAX = 1000 };

/* One call while it is read. */
struct reading {
    struct gd_loader *loader;
    const struct gd_draft_route *route;
    const struct gd_yaml_node *node;
    const struct gd_names *names;
    struct gd_plan_call *call;
    const struct gd_upstream_draft *upstream;
    bool reads_body;
};

static void uses_template(struct reading *r, const struct gd_template *tpl)
{
    r->call->needs |= gd_template_needs(tpl);
    r->reads_body |= gd_template_reads_body(tpl);
}

static bool parse_method(struct reading *r, const struct gd_yaml_node *node,
                         struct gd_span text)
{
    static const char *const allowed[] = {"GET",    "POST",  "PUT",
                                          "DELETE", "PATCH", "OPTIONS"};
    const char *meant = gd_suggest(text, allowed, 6);
    struct gd_words words;

    for (size_t i = 0; i < 6; i++)
        if (gd_span_is(text, allowed[i])) {
            r->call->method = gd_method_of(text);
            return true;
        }
    if (meant)
        return gd_report_value(&r->loader->report, node,
                               "%s is no method of a call; did you mean \"%s\"?",
                               gd_words_quote(&words, text), meant);
    return gd_report_value(&r->loader->report, node,
                           "%s is no method of a call; allowed are GET, POST, PUT, "
                           "DELETE, PATCH and OPTIONS",
                           gd_words_quote(&words, text));
}

static bool say_no_upstream(struct reading *r, const struct gd_yaml_node *node,
                            struct gd_span name)
{
    struct gd_loader *loader = r->loader;
    const char *known[KNOWN_MAX];
    const char *meant;
    struct gd_words words;
    size_t count = 0;

    if (loader->incomplete)
        return false;
    if (name.len && memchr(name.ptr, '{', name.len))
        return gd_report_value(&loader->report, node,
                               "a placeholder cannot stand in the name of an upstream");
    for (struct gd_upstream_draft *u = loader->first_upstream;
         u && count < KNOWN_MAX && !gd_report_crowded(&loader->report); u = u->next)
        known[count++] = u->node ? u->plan.name : NULL;
    meant = gd_suggest(name, known, count);
    if (meant)
        return gd_report_value(&loader->report, node,
                               "there is no upstream %s; did you mean \"%s\"?",
                               gd_words_quote(&words, name), meant);
    return gd_report_value(&loader->report, node, "there is no upstream %s",
                           gd_words_quote(&words, name));
}

/* The literal URL of a call; *target is what follows the host. */
static bool find_literal(struct reading *r, const struct gd_yaml_node *node,
                         struct gd_span text, struct gd_span *target)
{
    struct gd_report *report = &r->loader->report;
    struct gd_url url;
    struct gd_err err;

    if (!gd_url_parse(text, &url, &err))
        return gd_report_value(report, node, "%s", err.text);
    if (url.port == 0)
        return gd_report_value(report, node, "ports are 1 to 65535");
    *target = url.rest;
    r->upstream = gd_load_literal_upstream(r->loader, &url);
    return r->upstream ||
           gd_report_value(
               report, node,
               "the file declares an upstream \"%.*s\": write %.*s/… for it, or "
               "give it another name",
               GD_SPAN_ARG(url.authority), GD_SPAN_ARG(url.authority));
}

static bool find_upstream(struct reading *r, const struct gd_yaml_node *node,
                          struct gd_span text, struct gd_span *target)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    struct gd_span name = {text.ptr, slash ? (size_t)(slash - text.ptr) : text.len};
    struct gd_words words;

    if (gd_url_like(text))
        return find_literal(r, node, text, target);
    r->upstream = gd_dict_get(&r->loader->upstreams, name);
    if (r->upstream && r->upstream->node == NULL)
        r->upstream = NULL; /* made by a URL: that name is not declared */
    if (name.len == 0 || (slash == NULL && r->upstream == NULL))
        return gd_report_value(&r->loader->report, node,
                               "expected UPSTREAM/PATH, found %s",
                               gd_words_quote(&words, text));
    if (r->upstream == NULL)
        return say_no_upstream(r, node, name);
    *target = (struct gd_span){text.ptr + name.len, text.len - name.len};
    return true;
}

/* Characters of a scalar before a byte of it. */
static size_t chars_before(const struct gd_yaml_node *node, const char *at)
{
    return gd_text_chars((struct gd_span){node->text.ptr, (size_t)(at - node->text.ptr)});
}

static bool parse_url(struct reading *r, const struct gd_yaml_node *node,
                      struct gd_span text)
{
    struct gd_report *report = &r->loader->report;
    struct gd_span target;
    struct gd_words words;
    struct gd_err err;

    if (!find_upstream(r, node, text, &target))
        return false;
    r->call->upstream = &r->upstream->plan;
    if (target.len == 0 || target.ptr[0] != '/')
        return gd_report_value(report, node, "%s has no path; the root is written %.*s/",
                               gd_words_quote(&words, text), (int)(text.len - target.len),
                               text.ptr);
    r->call->target = gd_template_target(&r->loader->plan->arena, target, r->names, &err);
    if (r->call->target == NULL)
        return gd_report_inside(report, node, chars_before(node, target.ptr + err.offset),
                                "%s", err.text);
    uses_template(r, r->call->target);
    return true;
}

/* What stands before a space that comes before the path; empty: nothing. */
static struct gd_span leading_word(struct gd_span text)
{
    size_t n = 0;

    while (n < text.len && text.ptr[n] != ' ' && text.ptr[n] != '/')
        n++;
    return (struct gd_span){text.ptr, n < text.len && text.ptr[n] == ' ' ? n : 0};
}

/* `[METHOD ]UPSTREAM/PATH?QUERY` */
static bool parse_short(struct reading *r, const struct gd_yaml_node *node)
{
    struct gd_span text = node->text, method = leading_word(text);

    if (method.len) {
        if (!parse_method(r, node, method))
            return false;
        text = (struct gd_span){text.ptr + method.len + 1, text.len - method.len - 1};
    }
    return parse_url(r, node, text);
}

/* In the long form the method has a key of its own. */
static bool parse_long_url(struct reading *r, const struct gd_yaml_node *node)
{
    struct gd_span method = leading_word(node->text);

    if (method.len)
        return gd_report_value(
            &r->loader->report, node,
            "a url has no method in front; write method: %.*s beside it",
            GD_SPAN_ARG(method));
    return parse_url(r, node, node->text);
}

static void load_fallback(struct reading *r, const struct gd_yaml_node *node)
{
    struct gd_buf json;

    gd_buf_init(&json, NULL, SIZE_MAX / 2);
    if (gd_render_json(&r->loader->report, node, &json)) {
        r->call->fallback = gd_arena_copy(&r->loader->plan->arena, gd_buf_span(&json));
        gd_need(r->call->fallback.ptr);
    }
    gd_buf_free(&json);
}

static void load_when(struct reading *r, const struct gd_yaml_node *node)
{
    struct gd_names names = *r->names;
    struct gd_err err;
    size_t offset;

    names.item = false; /* a call is skipped as a whole */
    r->call->when =
        gd_expr_parse(&r->loader->plan->arena, node->text, &names, &offset, &err);
    if (r->call->when == NULL) {
        gd_report_inside(&r->loader->report, node,
                         chars_before(node, node->text.ptr + offset), "%s", err.text);
        return;
    }
    r->call->needs |= gd_expr_needs(r->call->when);
    r->reads_body |= gd_expr_reads_body(r->call->when);
}

static void load_each(struct reading *r, const struct gd_yaml_node *node)
{
    struct gd_names names = *r->names;
    struct gd_ref *each = gd_need(gd_arena_alloc(&r->loader->plan->arena, sizeof(*each)));
    struct gd_err err;

    names.item = false;
    if (!gd_ref_parse(&r->loader->plan->arena, node->text, node->text, &names, each,
                      &err)) {
        gd_report_value(&r->loader->report, node, "%s", err.text);
        return;
    }
    if (each->source != GD_SOURCE_CALL && each->source != GD_SOURCE_BODY) {
        gd_report_value(&r->loader->report, node,
                        "each takes a list in the answer of a call, like "
                        "orders[*].product_id, or in the body of the request");
        return;
    }
    r->call->each = each;
    r->call->needs |= gd_ref_needs(each);
    r->reads_body |= each->source == GD_SOURCE_BODY;
}

/* The fields of the upstream that a forwarded one of the browser stands in for. */
static void drop_forwarded(const struct reading *r, struct gd_headers *headers)
{
    const struct gd_plan_forward *forward = &r->call->forward;
    unsigned kept = 0;

    for (unsigned i = 0; i < headers->count; i++) {
        bool stands_in = false;

        for (unsigned k = 0; k < forward->header_count; k++)
            stands_in |= gd_span_ieq(headers->items[i].name, forward->headers[k]);
        if (stands_in)
            continue;
        headers->items[kept] = headers->items[i];
        headers->secrets[kept] = headers->secrets[i];
        headers->templates[kept++] = headers->templates[i];
    }
    headers->count = kept;
}

/* What of the browser's fields is not forwarded since the call has its own. */
static void prefer_own(struct reading *r, const struct gd_yaml_node *own)
{
    struct gd_plan_forward *forward = &r->call->forward;
    struct gd_span *kept = gd_need(gd_arena_alloc(
        &r->loader->plan->arena, (forward->header_count + 1) * sizeof(*kept)));
    unsigned count = 0;

    for (unsigned k = 0; k < forward->header_count; k++) {
        bool has = gd_span_ieq(r->upstream->plan.deadline_field, forward->headers[k]);

        for (const struct gd_yaml_node *node = own ? own->first : NULL; node;
             node = node->next)
            has |= gd_span_ieq(node->key->text, forward->headers[k]);
        if (!has)
            kept[count++] = forward->headers[k];
    }
    forward->headers = kept;
    forward->header_count = count;
}

static void note_fields(struct reading *r, const struct gd_headers *headers)
{
    r->call->written.fields =
        gd_load_fields(r->loader, headers, true, &r->call->written.field_count);
}

/* What the call has itself counts more than what is passed on. */
static void load_fields(struct reading *r, const struct gd_yaml_node *url,
                        const struct gd_yaml_node *own)
{
    const struct gd_plan_forward *forward = &r->call->forward;
    struct gd_headers headers;

    if (url)
        gd_load_prefer_query(r->loader, url->text, &r->call->forward);
    if (r->upstream == NULL)
        return;
    if (own == NULL && forward->header_count == 0) {
        r->call->header_lines = r->upstream->plan.header_lines;
        note_fields(r, &r->upstream->headers);
        return;
    }
    gd_load_refuse_made(r->loader, &r->upstream->plan, own);
    prefer_own(r, own);
    headers = gd_load_copy_headers(r->loader, &r->upstream->headers);
    drop_forwarded(r, &headers);
    gd_load_headers(r->loader, own, GD_HEADERS_REQUEST, r->names, &headers);
    r->call->header_lines = gd_load_header_lines(r->loader, &headers);
    r->call->fields = gd_load_fields(r->loader, &headers, false, &r->call->field_count);
    note_fields(r, &headers);
    for (unsigned i = 0; i < r->call->field_count; i++)
        uses_template(r, r->call->fields[i].template);
}

static void load_payload(struct reading *r, const struct gd_draft_call *draft)
{
    struct gd_plan_call *call = r->call;

    if (!gd_load_payload(r->loader, draft, r->names, call))
        return;
    if (call->payload != GD_PAYLOAD_NONE && draft->method == NULL)
        call->method = GD_METHOD_POST;
    if (call->json) {
        call->needs |= call->json->needs;
        r->reads_body |= call->json->body;
    }
    if (call->form)
        uses_template(r, call->form);
}

static void load_failing(struct reading *r, const struct gd_draft_call *draft)
{
    const struct gd_yaml_node *optional = gd_yaml_get(r->node, "optional");
    bool on = true;

    r->call->optional = draft->optional || draft->fallback;
    r->call->has_fallback = draft->fallback != NULL;
    if (draft->fallback)
        load_fallback(r, draft->fallback);
    if (draft->fallback && optional && gd_value_bool(optional->text, &on) && !on)
        gd_report_value(&r->loader->report, optional,
                        "a call with a default is optional");
}

/* Bounds of `each` where there is none would do nothing. */
static void check_each(struct reading *r)
{
    static const char *const bounds[] = {"each_limit", "each_parallel"};

    for (unsigned i = 0; i < 2; i++) {
        const struct gd_yaml_node *node = gd_yaml_get(r->node, bounds[i]);

        if (node)
            gd_report_key(&r->loader->report, node, "belongs to a call with each");
    }
}

static void load_long(struct reading *r)
{
    struct gd_draft_call draft = {.url = NULL};
    struct gd_names names = *r->names;

    gd_schema_defaults(GD_SECTION_CALL, &draft);
    draft.forward = r->route->forward;
    gd_schema_read(&r->loader->report, GD_SECTION_CALL, r->node, &draft);
    names.item = draft.each != NULL;
    r->names = &names;
    r->call->timeout_ms = draft.timeout_ms;
    r->call->hidden = draft.hidden;
    r->call->each_limit = draft.each_limit;
    r->call->each_parallel = draft.each_parallel;
    load_failing(r, &draft);
    if (draft.method)
        parse_method(r, draft.method, draft.method->text);
    if (draft.each)
        load_each(r, draft.each);
    else
        check_each(r);
    if (draft.when)
        load_when(r, draft.when);
    if (draft.url)
        parse_long_url(r, draft.url);
    load_payload(r, &draft);
    gd_load_cut(r->loader, &draft, r->call);
    if (gd_load_forward(r->loader, &draft.forward, &r->call->forward))
        load_fields(r, draft.url, draft.headers);
    gd_load_written(r->loader, r->node, r->names, r->call);
}

static void load_short(struct reading *r)
{
    const struct gd_draft_call none = {.url = NULL};

    gd_load_cut(r->loader, &none, r->call);
    if (parse_short(r, r->node) &&
        gd_load_forward(r->loader, &r->route->forward, &r->call->forward))
        load_fields(r, r->node, NULL);
    gd_load_written(r->loader, r->node, r->names, r->call);
}

static void load_call(struct reading *r)
{
    struct gd_plan_call *call = r->call;
    struct gd_words words;

    call->name = gd_need(gd_arena_text(&r->loader->plan->arena, r->node->key->text));
    call->key = gd_load_json_key(r->loader, r->node->key->text, ":");
    call->method = GD_METHOD_GET;
    call->fallback = GD_SPAN("null");
    if (r->node->key->text.len == 0)
        gd_report_key(&r->loader->report, r->node, "a call needs a name");
    if (r->node->key->text.len > GD_CALL_NAME_MAX)
        gd_report_key(&r->loader->report, r->node,
                      "the name of a call has at most %d bytes", GD_CALL_NAME_MAX);
    if (r->node->broken)
        return;
    if (r->node->kind == GD_YAML_MAP)
        load_long(r);
    else if (r->node->kind == GD_YAML_SCALAR && !gd_yaml_is_null(r->node))
        load_short(r);
    else
        gd_report_value(&r->loader->report, r->node,
                        "expected UPSTREAM/PATH or a map with url, found %s",
                        gd_words_found(&words, r->node));
}

void gd_load_calls(struct gd_loader *loader, const struct gd_yaml_node *map,
                   const struct gd_draft_route *draft, const struct gd_names *names,
                   struct gd_plan_route *route)
{
    route->call_count = map->count;
    route->calls =
        gd_need(gd_arena_alloc(&loader->plan->arena, map->count * sizeof(*route->calls)));
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_plan_call *call = &route->calls[node->index];
        struct reading reading = {
            .loader = loader, .route = draft, .node = node, .names = names, .call = call};

        call->index = node->index;
        load_call(&reading);
        if (!call->optional)
            route->required |= UINT64_C(1) << call->index;
        route->mentioned |= call->needs;
        route->reads_body |= reading.reads_body;
    }
    gd_load_check_cycles(loader, map, route);
}

const struct gd_upstream_draft *gd_load_destination(struct gd_loader *loader,
                                                    const struct gd_yaml_node *node,
                                                    const struct gd_names *names,
                                                    struct gd_template **target)
{
    struct gd_plan_call call = {.upstream = NULL};
    struct reading r = {.loader = loader, .node = node, .names = names, .call = &call};
    struct gd_span rest = GD_SPAN_NONE;

    if (node->text.len && !memchr(node->text.ptr, '/', node->text.len) &&
        !gd_dict_get(&loader->upstreams, node->text)) {
        say_no_upstream(&r, node, node->text);
        return NULL;
    }
    if (!find_upstream(&r, node, node->text, &rest))
        return NULL;
    if (rest.len && !parse_url(&r, node, node->text))
        return NULL;
    *target = call.target;
    return r.upstream;
}
