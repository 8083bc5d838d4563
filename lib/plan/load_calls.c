#include "base/suggest.h"
#include "plan/loader.h"
#include "plan/render.h"
#include "plan/schema.h"
#include "plan/template.h"
#include "plan/url.h"
#include "plan/value.h"

enum { KNOWN_MAX = 1000 };

/* One call while it is read. */
struct reading {
    struct gd_loader *loader;
    const struct gd_yaml_node *calls; /* all of the route */
    const struct gd_yaml_node *node;
    const struct gd_names *names;
    struct gd_plan_call *call;
    const struct gd_upstream_draft *upstream;
};

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

static const struct gd_yaml_node *call_named(const struct reading *r, struct gd_span name)
{
    for (const struct gd_yaml_node *node = r->calls->first; node; node = node->next)
        if (gd_span_eq(node->key->text, name))
            return node;
    return NULL;
}

static bool is_param(const struct gd_names *names, struct gd_span name)
{
    for (unsigned i = 0; i < names->param_count; i++)
        if (gd_span_eq(names->params[i], name))
            return true;
    return false;
}

/* What a placeholder starts with: `user` of `user.login`, `user[0]`, `user:status`. */
static struct gd_span base_name(struct gd_span inside)
{
    size_t n = 0;

    while (n < inside.len && !strchr(".[:?=", inside.ptr[n]))
        n++;
    return (struct gd_span){inside.ptr, n};
}

static bool check_placeholder(struct reading *r, const struct gd_yaml_node *node,
                              size_t offset, struct gd_span inside)
{
    struct gd_span base = base_name(inside);
    bool whole = base.len == inside.len || strchr("?=", inside.ptr[base.len]);
    struct gd_report *report = &r->loader->report;

    if (call_named(r, base) == NULL || gd_span_is(base, "query"))
        return true;
    if (!is_param(r->names, base))
        return gd_report_inside(
            report, node, offset,
            "{%.*s} mentions the call \"%.*s\"; answers of other calls "
            "cannot be used in this version",
            GD_SPAN_ARG(inside), GD_SPAN_ARG(base));
    if (!whole)
        return gd_report_inside(
            report, node, offset,
            "{%.*s} mentions the call \"%.*s\", and a path parameter has "
            "that name; answers of other calls cannot be used in this "
            "version",
            GD_SPAN_ARG(inside), GD_SPAN_ARG(base));
    return gd_report_inside(
        report, node, offset,
        "{%.*s} could be the path parameter or the call of that name; "
        "rename one",
        GD_SPAN_ARG(inside));
}

/* Placeholders that name calls have words of their own; all else the template says. */
static bool check_placeholders(struct reading *r, const struct gd_yaml_node *node,
                               struct gd_span target)
{
    size_t i = 0;

    while (i < target.len) {
        struct gd_span rest = {target.ptr + i, target.len - i};
        const char *close;

        if (gd_span_starts(rest, GD_SPAN("{{"))) {
            i += 2;
            continue;
        }
        close = *rest.ptr == '{' ? memchr(rest.ptr, '}', rest.len) : NULL;
        if (close) {
            struct gd_span inside = {rest.ptr + 1, (size_t)(close - rest.ptr - 1)};

            if (!check_placeholder(r, node, (size_t)(rest.ptr - node->text.ptr), inside))
                return false;
            i += inside.len + 1;
        }
        i++;
    }
    return true;
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
    if (!check_placeholders(r, node, target))
        return false;
    r->call->target = gd_template_target(&r->loader->plan->arena, target, r->names, &err);
    return r->call->target || gd_report_value(report, node, "%s", err.text);
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

static void load_long(struct reading *r)
{
    struct gd_report *report = &r->loader->report;
    struct gd_draft_call draft = {.url = NULL};
    const struct gd_yaml_node *optional = gd_yaml_get(r->node, "optional");
    bool on = true;

    gd_schema_defaults(GD_SECTION_CALL, &draft);
    gd_schema_read(report, GD_SECTION_CALL, r->node, &draft);
    r->call->timeout_ms = draft.timeout_ms;
    r->call->hidden = draft.hidden;
    r->call->optional = draft.optional || draft.fallback;
    if (draft.fallback)
        load_fallback(r, draft.fallback);
    if (draft.fallback && optional && gd_value_bool(optional->text, &on) && !on)
        gd_report_value(report, optional, "a call with a default is optional");
    if (draft.method)
        parse_method(r, draft.method, draft.method->text);
    if (draft.url)
        parse_long_url(r, draft.url);
    if (draft.headers && r->upstream) {
        struct gd_headers headers = r->upstream->headers;

        gd_load_headers(r->loader, draft.headers, &headers);
        r->call->header_lines = gd_load_header_lines(r->loader, &headers);
    }
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
        parse_short(r, r->node);
    else
        gd_report_value(&r->loader->report, r->node,
                        "expected UPSTREAM/PATH or a map with url, found %s",
                        gd_words_found(&words, r->node));
    if (r->upstream && call->header_lines.ptr == NULL)
        call->header_lines = r->upstream->plan.header_lines;
}

void gd_load_calls(struct gd_loader *loader, const struct gd_yaml_node *map,
                   const struct gd_names *names, struct gd_plan_route *route)
{
    if (map->count == 0 || map->count > GD_CALLS_MAX) {
        gd_report_value(&loader->report, map, "a route has 1 to %d calls, found %u",
                        GD_CALLS_MAX, map->count);
        return;
    }
    route->call_count = map->count;
    route->calls =
        gd_need(gd_arena_alloc(&loader->plan->arena, map->count * sizeof(*route->calls)));
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_plan_call *call = &route->calls[node->index];
        struct reading reading = {loader, map, node, names, call, NULL};

        call->index = node->index;
        load_call(&reading);
        if (!call->optional)
            route->required |= UINT64_C(1) << call->index;
    }
}

const struct gd_upstream_draft *gd_load_destination(struct gd_loader *loader,
                                                    const struct gd_yaml_node *node,
                                                    const struct gd_names *names,
                                                    struct gd_template **target)
{
    const struct gd_yaml_node no_calls = {.kind = GD_YAML_MAP};
    struct gd_plan_call call = {.upstream = NULL};
    struct reading r = {loader, &no_calls, node, names, &call, NULL};
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
