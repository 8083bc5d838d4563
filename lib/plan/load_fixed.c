#include <stdio.h>

#include "plan/loader.h"
#include "plan/schema.h"

/* What only a restart takes over, in a form that two loads can be compared by. */

static const struct gd_yaml_node *find(const struct gd_loader *loader,
                                       const struct gd_option *parent, const char *key)
{
    for (unsigned i = 0; i < loader->root_count; i++) {
        const struct gd_yaml_node *node = loader->roots[i];

        if (parent)
            node = gd_yaml_get(node, parent->key);
        node = node ? gd_yaml_get(node, key) : NULL;
        if (node)
            return node;
    }
    return NULL;
}

/* The row of the top level that a section is the value of; NULL: there is none. */
static const struct gd_option *parent_of(enum gd_section section)
{
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_options[i].section == GD_SECTION_TOP && gd_options[i].of == section)
            return &gd_options[i];
    return NULL;
}

static void add(struct gd_loader *loader, const struct gd_option *option,
                const struct gd_option *parent)
{
    struct gd_plan_fixed *fixed = &loader->plan->fixed[loader->plan->fixed_count++];
    const struct gd_yaml_node *node = find(loader, parent, option->key);
    struct gd_digest *digest = gd_digest_new();
    char path[128];

    snprintf(path, sizeof(path), "%s%s%s", parent ? parent->key : "", parent ? "." : "",
             option->key);
    fixed->path = gd_need(gd_arena_text(&loader->plan->arena, gd_span_of(path)));
    if (node && node->kind == GD_YAML_SCALAR)
        gd_digest_bytes(digest, node->text);
    else if (node)
        gd_digest_node(digest, node);
    else
        gd_digest_bytes(digest, gd_span_of(option->fallback));
    gd_digest_end(digest, fixed->digest);
}

void gd_load_fixed(struct gd_loader *loader)
{
    struct gd_plan *plan = loader->plan;
    size_t bytes = gd_option_count * sizeof(*plan->fixed);

    plan->fixed = gd_need(gd_arena_alloc(&plan->arena, bytes));
    for (size_t i = 0; i < gd_option_count; i++) {
        const struct gd_option *option = &gd_options[i];
        const struct gd_option *parent =
            option->section == GD_SECTION_TOP ? NULL : parent_of(option->section);

        if (!option->reload && (parent || option->section == GD_SECTION_TOP))
            add(loader, option, parent);
    }
}
