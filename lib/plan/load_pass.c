#include "plan/loader.h"
#include "plan/template.h"

/* Whether the upstream's `headers` have the name; all others are set by us. */
static bool is_configured(const struct gd_upstream_draft *upstream, struct gd_span name)
{
    const struct gd_yaml_node *map = NULL;

    if (upstream->node && upstream->node->kind == GD_YAML_MAP)
        map = gd_yaml_get(upstream->node, "headers");
    if (map == NULL || map->kind != GD_YAML_MAP)
        return false;
    for (const struct gd_yaml_node *node = map->first; node; node = node->next)
        if (gd_span_ieq(node->key->text, name))
            return true;
    return false;
}

/* A browser's Accept and User-Agent are its own; only what the file says is put there. */
static void load_pass_headers(struct gd_loader *loader,
                              const struct gd_upstream_draft *upstream,
                              struct gd_plan_pass *pass)
{
    const struct gd_headers *from = &upstream->headers;
    struct gd_headers own = gd_load_copy_headers(loader, from);

    own.count = 0;
    for (unsigned i = 0; i < from->count; i++)
        if (is_configured(upstream, from->items[i].name))
            own.items[own.count++] = from->items[i];
    pass->headers = own.items;
    pass->header_count = own.count;
    pass->header_lines = gd_load_header_lines(loader, &own);
}

void gd_load_pass(struct gd_loader *loader, const struct gd_yaml_node *node,
                  const struct gd_names *names, struct gd_plan_route *route)
{
    struct gd_plan_pass *pass =
        gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*pass)));
    const struct gd_upstream_draft *upstream =
        gd_load_destination(loader, node, names, &pass->target);

    if (upstream == NULL)
        return;
    if (pass->target && gd_template_reads_body(pass->target)) {
        gd_report_value(&loader->report, node,
                        "a pass streams the body, so nothing can be taken from it");
        return;
    }
    pass->upstream = &upstream->plan;
    pass->adds_query = memchr(node->text.ptr, '?', node->text.len) == NULL;
    load_pass_headers(loader, upstream, pass);
    route->pass = pass;
}

void gd_load_settle_passes(struct gd_loader *loader)
{
    struct gd_plan *plan = loader->plan;

    for (unsigned i = 0; i < plan->route_count; i++) {
        struct gd_plan_pass *pass = plan->routes[i].pass;

        if (pass)
            pass->upstream = &plan->upstreams[pass->upstream->index];
    }
}
