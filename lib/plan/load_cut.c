#include "json/project.h"
#include "plan/loader.h"

/* Statuses ------------------------------------------------------------------------------
 */

static void add_status(struct gd_statuses *out, unsigned status)
{
    out->bits[(status - 100) / 64] |= UINT64_C(1) << (status - 100) % 64;
}

bool gd_load_status(struct gd_span text, struct gd_statuses *out)
{
    uint64_t status;

    if (text.len != 3 || text.ptr[0] < '1' || text.ptr[0] > '5')
        return false;
    if (gd_span_ieq((struct gd_span){text.ptr + 1, 2}, GD_SPAN("xx"))) {
        for (unsigned i = 0; i < 100; i++)
            add_status(out, (unsigned)(text.ptr[0] - '0') * 100 + i);
        return true;
    }
    if (!gd_span_u64(text, &status))
        return false;
    add_status(out, (unsigned)status);
    return true;
}

static bool load_ok(struct gd_loader *loader, const struct gd_yaml_node *list,
                    struct gd_statuses *out)
{
    struct gd_words words;
    bool ok = list->count > 0 ||
              gd_report_value(&loader->report, list, "expected at least one status");

    *out = (struct gd_statuses){{0}};
    for (const struct gd_yaml_node *node = list->first; node; node = node->next)
        if (node->kind != GD_YAML_SCALAR || !gd_load_status(node->text, out))
            ok = gd_report_value(&loader->report, node,
                                 "expected a status like 404 or 2xx, found %s",
                                 gd_words_found(&words, node));
    return ok;
}

/* Projections ---------------------------------------------------------------------------
 */

static bool read_path(struct gd_loader *loader, const struct gd_yaml_node *node,
                      struct gd_span text, struct gd_json_path *path)
{
    struct gd_err err;

    if (!gd_json_path_parse(&loader->plan->arena, text, path, &err))
        return gd_report_value(&loader->report, node, "%s", err.text);
    for (unsigned i = 0; i < path->count; i++)
        if (path->steps[i].kind != GD_STEP_NAME)
            return gd_report_value(&loader->report, node,
                                   "names fields only; it goes through lists by itself");
    return path->count > 0 ||
           gd_report_value(&loader->report, node, "expected the name of a field");
}

static bool load_paths(struct gd_loader *loader, const struct gd_yaml_node *list,
                       const struct gd_json_path **out, unsigned *count)
{
    struct gd_json_path *paths;
    struct gd_words words;
    bool ok = true;

    *count = 0;
    if (list == NULL)
        return true;
    if (list->count == 0)
        return gd_report_value(&loader->report, list, "expected at least one field");
    paths = gd_need(gd_arena_alloc(&loader->plan->arena, list->count * sizeof(*paths)));
    for (const struct gd_yaml_node *node = list->first; node; node = node->next)
        ok = (node->kind == GD_YAML_SCALAR
                  ? read_path(loader, node, node->text, &paths[(*count)++])
                  : gd_report_value(&loader->report, node, "expected a name, found %s",
                                    gd_words_found(&words, node))) &&
             ok;
    *out = paths;
    return ok;
}

static bool load_renames(struct gd_loader *loader, const struct gd_yaml_node *map,
                         struct gd_project_rules *rules)
{
    struct gd_rename *renames;
    struct gd_words words;
    bool ok = true;

    if (map == NULL)
        return true;
    renames = gd_need(
        gd_arena_alloc(&loader->plan->arena, (map->count + 1) * sizeof(*renames)));
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_rename *rename = &renames[rules->rename_count];

        if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node)) {
            ok = gd_report_value(&loader->report, node, "expected a name, found %s",
                                 gd_words_found(&words, node));
            continue;
        }
        ok = read_path(loader, node, node->key->text, &rename->from) && ok;
        rename->to = gd_arena_copy(&loader->plan->arena, node->text);
        gd_need(rename->to.ptr);
        rules->rename_count++;
    }
    rules->rename = renames;
    return ok;
}

static bool load_projection(struct gd_loader *loader, const struct gd_draft_call *draft,
                            struct gd_plan_call *call)
{
    const struct gd_yaml_node *any = draft->pick   ? draft->pick
                                     : draft->drop ? draft->drop
                                                   : draft->rename;
    struct gd_project_rules rules = {.pick = NULL};
    struct gd_err err;

    if (!load_paths(loader, draft->pick, &rules.pick, &rules.pick_count) ||
        !load_paths(loader, draft->drop, &rules.drop, &rules.drop_count) ||
        !load_renames(loader, draft->rename, &rules))
        return false;
    if (any == NULL)
        return true;
    call->projection = gd_projection_new(&loader->plan->arena, &rules, &err);
    return call->projection || gd_report_value(&loader->report, any, "%s", err.text);
}

static bool load_select(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_plan_call *call)
{
    struct gd_json_path *path =
        gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*path)));
    struct gd_err err;

    if (!gd_json_path_parse(&loader->plan->arena, node->text, path, &err))
        return gd_report_value(&loader->report, node, "%s", err.text);
    if (path->many)
        return gd_report_value(&loader->report, node,
                               "select takes one value; a path with [*] names several");
    call->select = path;
    return true;
}

bool gd_load_cut(struct gd_loader *loader, const struct gd_draft_call *draft,
                 struct gd_plan_call *call)
{
    bool ok = draft->ok ? load_ok(loader, draft->ok, &call->ok)
                        : gd_load_status(GD_SPAN("2xx"), &call->ok);

    if (draft->select)
        ok = load_select(loader, draft->select, call) && ok;
    return load_projection(loader, draft, call) && ok;
}
