#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/shape.h"

enum merge_mode { MODE_NAMED, MODE_FLAT, MODE_DEEP };

/* `flat`, or {mode: flat, conflict: first} */
static bool load_merge(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_draft_merge *out)
{
    static const char *const modes[] = {"named", "flat", "deep"};
    struct gd_words words;

    gd_schema_defaults(GD_SECTION_MERGE, out);
    if (node == NULL)
        return true;
    if (node->kind == GD_YAML_MAP)
        return gd_schema_read(&loader->report, GD_SECTION_MERGE, node, out);
    for (unsigned i = 0; node->kind == GD_YAML_SCALAR && i < 3; i++)
        if (gd_span_is(node->text, modes[i])) {
            out->mode = i;
            return true;
        }
    return gd_report_value(&loader->report, node, "expected %s, found %s",
                           gd_type_words(GD_TYPE_MERGE), gd_words_found(&words, node));
}

/* The shape that stands for `merge: flat` and `deep`: all visible parts, in one. */
static struct gd_shape *merge_shape(struct gd_loader *loader,
                                    const struct gd_draft_merge *merge,
                                    const struct gd_plan_route *route)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_shape *shape = gd_need(gd_arena_alloc(arena, sizeof(*shape)));
    size_t most = route->call_count;

    *shape = (struct gd_shape){
        .kind = GD_SHAPE_MERGE,
        .parts = gd_need(gd_arena_alloc(arena, most * sizeof(*shape->parts))),
        .keys = gd_need(gd_arena_alloc(arena, most * sizeof(*shape->keys))),
        .wrap = true,
        .deep = merge->mode == MODE_DEEP,
        .conflict = (enum gd_conflict)merge->conflict,
    };
    for (unsigned i = 0; i < route->call_count; i++) {
        struct gd_shape part = {.kind = GD_SHAPE_REF, .needs = UINT64_C(1) << i};

        if (route->calls[i].hidden)
            continue;
        part.ref = (struct gd_ref){.source = GD_SOURCE_CALL, .index = i};
        shape->keys[shape->count] = route->calls[i].key;
        shape->parts[shape->count++] = part;
        shape->needs |= part.needs;
    }
    return shape;
}

static void load_shape(struct gd_loader *loader, const struct gd_draft_route *draft,
                       const struct gd_names *names, struct gd_plan_route *route)
{
    struct gd_draft_merge merge;

    if (!load_merge(loader, draft->merge, &merge))
        return;
    if (draft->respond) {
        route->shape = gd_shape_load(loader, draft->respond, names);
        route->reads_body |= route->shape && route->shape->body;
    }
    if (merge.mode == MODE_NAMED && draft->merge && gd_yaml_get(draft->merge, "conflict"))
        gd_report_key(&loader->report, gd_yaml_get(draft->merge, "conflict"),
                      "belongs to flat and deep; the names of calls differ");
    if (draft->respond && merge.mode != MODE_NAMED && draft->merge)
        gd_report_key(&loader->report, draft->merge,
                      "a route has respond or merge, not both");
    if (draft->respond == NULL && merge.mode != MODE_NAMED)
        route->shape = merge_shape(loader, &merge, route);
}

static const struct gd_plan_call *call_named(const struct gd_plan_route *route,
                                             struct gd_span name)
{
    for (unsigned i = 0; i < route->call_count; i++)
        if (gd_span_is(name, route->calls[i].name))
            return &route->calls[i];
    return NULL;
}

static void load_status(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_plan_route *route)
{
    struct gd_words words;
    uint64_t status;

    route->status = 200;
    if (node == NULL)
        return;
    if (gd_span_u64(node->text, &status) && status >= 200 && status <= 599) {
        route->status = (int)status;
        return;
    }
    route->status_call = call_named(route, node->text);
    if (route->status_call && route->status_call->each == NULL) {
        route->status = 0;
        return;
    }
    gd_report_value(&loader->report, node,
                    route->status_call
                        ? "a call with each has many statuses: %s"
                        : "expected a status from 200 to 599 or the name of a call, "
                          "found %s",
                    gd_words_found(&words, node));
}

void gd_load_answer(struct gd_loader *loader, const struct gd_draft_route *draft,
                    const struct gd_names *names, struct gd_plan_route *route)
{
    load_shape(loader, draft, names, route);
    route->answer_written = gd_load_answer_written(loader, draft);
    load_status(loader, draft->status, route);
}
