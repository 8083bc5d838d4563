#include "base/mem.h"
#include "json/text.h"
#include "plan/load_folder.h"
#include "plan/load_log.h"
#include "plan/route.h"
#include "plan/schema.h"
#include "plan/template.h"

struct gd_span gd_load_json_key(struct gd_loader *loader, struct gd_span text,
                                const char *behind)
{
    struct gd_span key;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, SIZE_MAX / 2);
    if (!gd_json_add_string(&buf, text) || !gd_buf_add_text(&buf, behind))
        gd_need(NULL);
    key = gd_arena_copy(&loader->plan->arena, gd_buf_span(&buf));
    gd_need(key.ptr);
    gd_buf_free(&buf);
    return key;
}

static void load_defaults(struct gd_loader *loader)
{
    const struct gd_yaml_node *node = loader->top.defaults;

    gd_schema_defaults(GD_SECTION_ROUTE, &loader->defaults);
    loader->defaults.max_body = loader->top.limits.body;
    if (node)
        gd_schema_read(&loader->report, GD_SECTION_DEFAULTS, node, &loader->defaults);
}

static bool add_pattern(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_pattern *pattern)
{
    struct gd_plan *plan = loader->plan;
    const struct gd_yaml_node *twin;
    struct gd_words place;
    struct gd_err err;
    unsigned other;

    if (!gd_pattern_parse(node->key->text, &plan->arena, pattern, &err))
        return gd_report_key(&loader->report, node, "%s", err.text);
    if (gd_router_add(plan->router, pattern, plan->route_count, &other))
        return true;
    twin = loader->route_nodes[other];
    if (!gd_span_eq(twin->key->text, node->key->text))
        return gd_report_key(
            &loader->report, node, "matches the same requests as \"%s\" at %s",
            twin->key->text.ptr, gd_words_place(&place, &loader->report, twin));
    /* In one file the key that stands twice is reported already. */
    if (twin->file != node->file)
        gd_report_key(&loader->report, node, "this route is declared twice, first at %s",
                      gd_words_place(&place, &loader->report, twin));
    return false;
}

/* The names of the calls, which any of them may mention. */
static void name_calls(struct gd_loader *loader, const struct gd_yaml_node *map,
                       struct gd_names *names)
{
    struct gd_span *calls =
        gd_need(gd_arena_alloc(&loader->plan->arena, (map->count + 1) * sizeof(*calls)));

    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        calls[node->index] = node->key->text;
        if (gd_yaml_get(node, "each"))
            names->each |= UINT64_C(1) << node->index;
    }
    names->calls = calls;
    names->call_count = map->count;
}

static void load_gather(struct gd_loader *loader, const struct gd_draft_route *draft,
                        struct gd_names *names, struct gd_plan_route *route)
{
    const struct gd_yaml_node *map = draft->calls;

    if (map->count == 0 || map->count > GD_CALLS_MAX) {
        gd_report_value(&loader->report, map, "a route has 1 to %d calls, found %u",
                        GD_CALLS_MAX, map->count);
        return;
    }
    name_calls(loader, map, names);
    gd_load_calls(loader, map, draft, names, route);
}

/* A redirect and a file are answered at once, without calls and without the request's
 * body. */
static void check_unused(struct gd_loader *loader, const struct gd_yaml_node *node,
                         const char *what)
{
    static const char *const keys[] = {"timeout", "max_body", "merge",  "status",
                                       "parts",   "stream",   "forward"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (gd_yaml_get(node, keys[i]))
            gd_report_key(&loader->report, gd_yaml_get(node, keys[i]),
                          "%s has no effect on %s; remove it", keys[i], what);
}

/* Says so of a route that has two answers. */
static bool check_kind(struct gd_loader *loader, const struct gd_draft_route *draft)
{
    const struct gd_yaml_node *alone = draft->pass       ? draft->pass
                                       : draft->redirect ? draft->redirect
                                                         : draft->files;
    int count = (draft->pass != NULL) + (draft->redirect != NULL) +
                (draft->files != NULL) + (draft->calls || draft->respond);

    if (alone == NULL || count == 1)
        return true;
    return gd_report_key(&loader->report, alone,
                         "a route has one of calls, pass, redirect, files and respond");
}

/* A route is one of several kinds, by the key that says what answers it. `respond` goes
 * with calls or stands alone. */
static void load_kind(struct gd_loader *loader, const struct gd_yaml_node *node,
                      const struct gd_draft_route *draft, struct gd_names *names,
                      struct gd_plan_route *route)
{
    if (!check_kind(loader, draft))
        return;
    if (draft->pass) {
        route->kind = GD_ROUTE_KIND_PASS;
        gd_load_pass(loader, draft->pass, names, route);
    } else if (draft->redirect) {
        route->kind = GD_ROUTE_KIND_REDIRECT;
        gd_load_redirect(loader, draft->redirect, names, route);
        check_unused(loader, node, "a redirect");
    } else if (draft->files) {
        route->kind = GD_ROUTE_KIND_FILES;
        gd_load_folder(loader, draft->files, names, route);
        check_unused(loader, node, "files");
    } else if (draft->calls) {
        route->kind = GD_ROUTE_KIND_GATHER;
        load_gather(loader, draft, names, route);
        if (route->call_count)
            gd_load_answer(loader, draft, names, route);
    } else if (draft->respond) {
        route->kind = GD_ROUTE_KIND_RESPOND;
        gd_load_answer(loader, draft, names, route);
    } else if (!gd_yaml_get(node, "calls") && !gd_yaml_get(node, "pass") &&
               !gd_yaml_get(node, "redirect") && !gd_yaml_get(node, "files")) {
        gd_report_value(&loader->report, node,
                        "calls is missing (or pass, redirect, files or respond)");
    }
}

static void load_options(struct gd_loader *loader, const struct gd_yaml_node *node,
                         struct gd_names *names, struct gd_plan_route *route)
{
    struct gd_draft_route draft = loader->defaults;
    struct gd_words words;

    if (node->kind != GD_YAML_MAP) {
        gd_report_value(&loader->report, node,
                        "expected a map with calls, pass or redirect, found %s",
                        gd_words_found(&words, node));
        return;
    }
    gd_schema_read(&loader->report, GD_SECTION_ROUTE, node, &draft);
    route->timeout_ms = draft.timeout_ms;
    route->max_body = draft.max_body;
    route->stream = draft.stream;
    route->parts = draft.parts != 0;
    gd_load_route_log(loader, draft.access_log, &route->log);
    load_kind(loader, node, &draft, names, route);
    gd_load_finish(loader, node, &draft, names, route);
}

static void load_route(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_plan *plan = loader->plan;
    struct gd_plan_route *route = &plan->routes[plan->route_count];
    struct gd_pattern pattern;
    struct gd_names names;
    size_t size;

    if (!add_pattern(loader, node, &pattern))
        return;
    loader->route_nodes[plan->route_count] = node;
    size = (pattern.param_count + 1) * sizeof(*route->param_names);
    route->index = plan->route_count++;
    route->pattern = gd_need(gd_arena_text(&plan->arena, node->key->text));
    route->method = pattern.method;
    route->method_text = pattern.method_text;
    route->host = pattern.host;
    route->path = pattern.path;
    route->param_count = pattern.param_count;
    route->param_names = gd_need(gd_arena_alloc(&plan->arena, size));
    memcpy(route->param_names, pattern.params,
           pattern.param_count * sizeof(*route->param_names));
    names = (struct gd_names){.params = route->param_names,
                              .param_count = route->param_count,
                              .tail = pattern.tail,
                              .request = true};
    load_options(loader, node, &names, route);
    route->written = gd_load_route_written(loader, node);
}

static void count_route(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    loader->route_room++;
}

void gd_load_routes(struct gd_loader *loader)
{
    struct gd_plan *plan = loader->plan;

    load_defaults(loader);
    gd_load_each(loader, "routes", count_route);
    plan->router = gd_need(gd_router_new(&plan->arena));
    plan->routes = gd_need(
        gd_arena_alloc(&plan->arena, (loader->route_room + 1) * sizeof(*plan->routes)));
    loader->route_nodes =
        gd_alloc_array(loader->route_room + 1, sizeof(*loader->route_nodes));
    gd_load_each(loader, "routes", load_route);
}
