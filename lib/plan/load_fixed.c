#include "plan/loader.h"
#include "plan/schema.h"

/* What only a restart takes over, in a form that two loads can be compared by. */

enum { DEPTH_MAX = 8 };

/* The row whose value a section is; NULL for the top level, and for sections that stand
 * under names of the user's. */
static const struct gd_option *parent_of(enum gd_section section)
{
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_options[i].of == section && gd_options[i].section != section)
            return gd_options[i].type == GD_TYPE_MAP ? NULL : &gd_options[i];
    return NULL;
}

/* The rows from the top level down to option; how many, 0 when it is not of that kind. */
static unsigned way_to(const struct gd_option *option,
                       const struct gd_option *way[DEPTH_MAX])
{
    const struct gd_option *up[DEPTH_MAX];
    unsigned depth = 0;

    for (; option && depth < DEPTH_MAX; option = parent_of(option->section)) {
        up[depth++] = option;
        if (option->section == GD_SECTION_TOP)
            break;
    }
    if (option == NULL || depth == DEPTH_MAX)
        return 0;
    for (unsigned i = 0; i < depth; i++)
        way[i] = up[depth - 1 - i];
    return depth;
}

static const struct gd_yaml_node *find(const struct gd_loader *loader,
                                       const struct gd_option *const *way, unsigned depth)
{
    for (unsigned i = 0; i < loader->root_count; i++) {
        const struct gd_yaml_node *node = loader->roots[i];

        for (unsigned d = 0; node && d < depth; d++)
            node = gd_yaml_get(node, way[d]->key);
        if (node)
            return node;
    }
    return NULL;
}

static const char *path_of(struct gd_loader *loader, const struct gd_option *const *way,
                           unsigned depth)
{
    const char *path;
    struct gd_buf text;

    gd_buf_init(&text, NULL, SIZE_MAX / 2);
    for (unsigned d = 0; d < depth; d++)
        if (!gd_buf_addf(&text, "%s%s", d ? "." : "", way[d]->key))
            gd_need(NULL);
    path = gd_need(gd_arena_text(&loader->plan->arena, gd_buf_span(&text)));
    gd_buf_free(&text);
    return path;
}

static void add(struct gd_loader *loader, const struct gd_option *option)
{
    const struct gd_option *way[DEPTH_MAX];
    unsigned depth = way_to(option, way);
    const struct gd_yaml_node *node;
    struct gd_plan_fixed *fixed;
    struct gd_digest *digest;

    if (depth == 0)
        return;
    fixed = &loader->plan->fixed[loader->plan->fixed_count++];
    fixed->path = path_of(loader, way, depth);
    node = find(loader, way, depth);
    digest = gd_digest_new();
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
    for (size_t i = 0; i < gd_option_count; i++)
        if (!gd_options[i].reload)
            add(loader, &gd_options[i]);
}
