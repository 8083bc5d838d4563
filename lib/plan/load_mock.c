#include <stdlib.h>

#include "plan/loader.h"
#include "plan/mock.h"
#include "plan/render.h"
#include "plan/route.h"
#include "plan/schema.h"
#include "plan/template.h"

/* Places a template's error at the text that has it. */
static bool say_text(struct gd_loader *loader, const struct gd_yaml_node *node,
                     const struct gd_names *names)
{
    struct gd_span json;
    struct gd_err err;

    if (node->kind != GD_YAML_SCALAR) {
        bool found = false;

        for (const struct gd_yaml_node *value = node->first; value; value = value->next)
            found = say_text(loader, value, names) || found;
        return found;
    }
    json = gd_load_json_key(loader, node->text, "");
    if (gd_template_json(&loader->plan->arena, json, names, &err))
        return false;
    gd_report_value(&loader->report, node, "%s", err.text);
    return true;
}

static struct gd_template *load_body(struct gd_loader *loader,
                                     const struct gd_yaml_node *node,
                                     const struct gd_names *names)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_template *body = NULL;
    struct gd_buf json;
    struct gd_err err;

    gd_buf_init(&json, NULL, SIZE_MAX / 2);
    if (gd_render_json(&loader->report, node, &json)) {
        struct gd_span text = gd_arena_copy(arena, gd_buf_span(&json));

        gd_need(text.ptr);
        body = gd_template_json(arena, text, names, &err);
        if (body == NULL && !say_text(loader, node, names))
            gd_report_value(&loader->report, node, "%s", err.text);
    }
    gd_buf_free(&json);
    return body;
}

static void check_faults(struct gd_loader *loader, const struct gd_yaml_node *node,
                         const struct gd_plan_mock_route *route)
{
    static const char *const of_body[] = {"truncate", "drip"};
    const struct gd_yaml_node *fault;

    if (route->fail_share + route->reset_share + route->truncate_share > 1 + 1e-9)
        gd_report_value(&loader->report, node,
                        "fail, reset and truncate are more than 100%% together");
    for (size_t i = 0; i < 2 && gd_yaml_get(node, "json") == NULL; i++) {
        fault = gd_yaml_get(node, of_body[i]);
        if (fault)
            gd_report_key(&loader->report, fault,
                          "there is no body to %s: json is missing", of_body[i]);
    }
}

static void load_answer(struct gd_loader *loader, const struct gd_yaml_node *node,
                        const struct gd_names *names, struct gd_plan_mock_route *out)
{
    struct gd_draft_mock draft = {.json = NULL};
    struct gd_headers headers = {0};

    gd_schema_defaults(GD_SECTION_MOCK, &draft);
    if (node->kind != GD_YAML_MAP) {
        struct gd_words words;

        gd_report_value(&loader->report, node,
                        "expected a map with json or status, found %s",
                        gd_words_found(&words, node));
        return;
    }
    gd_schema_read(&loader->report, GD_SECTION_MOCK, node, &draft);
    if (gd_yaml_get(node, "json") == NULL && gd_yaml_get(node, "status") == NULL)
        gd_report_value(&loader->report, node, "json (or status) is missing");
    check_faults(loader, node, &draft.plan);
    draft.plan.index = out->index;
    *out = draft.plan;
    if (draft.json && (out->status == 204 || out->status == 304))
        gd_report_value(&loader->report, draft.json,
                        "an answer with status %d has no body", out->status);
    if (draft.json)
        out->body = load_body(loader, draft.json, names);
    gd_load_headers(loader, draft.headers, GD_HEADERS_REQUEST, NULL, &headers);
    out->headers = headers.items;
    out->header_count = headers.count;
}

static const struct gd_yaml_node *nth(const struct gd_yaml_node *map, unsigned index)
{
    const struct gd_yaml_node *node = map->first;

    while (node && node->index != index)
        node = node->next;
    return node;
}

static bool add_pattern(struct gd_loader *loader, const struct gd_yaml_node *map,
                        const struct gd_yaml_node *node, struct gd_router *router,
                        struct gd_pattern *pattern)
{
    struct gd_report *report = &loader->report;
    struct gd_words place;
    struct gd_err err;
    unsigned other;

    if (!gd_pattern_parse(node->key->text, &loader->plan->arena, pattern, &err))
        return gd_report_key(report, node, "%s", err.text);
    if (gd_router_add(router, pattern, node->index, &other))
        return true;
    map = nth(map, other);
    /* A key that stands twice is reported already. */
    if (map == NULL || gd_span_eq(map->key->text, node->key->text))
        return false;
    return gd_report_key(report, node, "matches the same requests as \"%s\" at %s",
                         map->key->text.ptr, gd_words_place(&place, report, map));
}

void gd_load_mock(struct gd_loader *loader, const struct gd_yaml_node *map,
                  struct gd_upstream_draft *upstream)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_plan_mock *mock = gd_need(gd_arena_alloc(arena, sizeof(*mock)));
    struct gd_plan_server *server = gd_need(gd_arena_alloc(arena, sizeof(*server)));
    struct gd_buf line;

    if (map->count == 0)
        gd_report_value(&loader->report, map, "expected at least one answer");
    mock->router = gd_need(gd_router_new(arena));
    mock->routes =
        gd_need(gd_arena_alloc(arena, (map->count + 1) * sizeof(*mock->routes)));
    mock->route_count = map->count;
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_plan_mock_route *route = &mock->routes[node->index];
        struct gd_pattern pattern;
        struct gd_names names;

        route->index = node->index;
        if (!add_pattern(loader, map, node, mock->router, &pattern))
            continue;
        names = (struct gd_names){.params = pattern.params,
                                  .param_count = pattern.param_count,
                                  .tail = pattern.tail};
        load_answer(loader, node, &names, route);
    }
    gd_buf_init(&line, NULL, 256);
    if (!gd_buf_addf(&line, "Host: %s\r\n", upstream->plan.name))
        gd_need(NULL);
    *server =
        (struct gd_plan_server){.address = {.kind = GD_ADDRESS_TCP,
                                            .host = "127.0.0.1",
                                            .text = "http://127.0.0.1:0"},
                                .name = "mock",
                                .host_line = gd_arena_copy(arena, gd_buf_span(&line)),
                                .weight = 1};
    gd_buf_free(&line);
    upstream->plan.mock = mock;
    upstream->plan.servers = server;
    upstream->plan.server_count = 1;
}
