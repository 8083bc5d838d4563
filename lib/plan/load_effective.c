#include "json/text.h"
#include "plan/expand.h"
#include "plan/loader.h"
#include "plan/render.h"
#include "plan/schema.h"
#include "plan/secret.h"
#include "plan/value.h"

/* What is kept of the file to show it again, in effect (plan/effective.h): as it was
 * written, without secrets. */

static const struct gd_option *find_option(enum gd_section section, struct gd_span key)
{
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_option_in(&gd_options[i], section) && gd_span_is(key, gd_options[i].key))
            return &gd_options[i];
    return NULL;
}

static const struct gd_option *first_option(enum gd_section section)
{
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_options[i].section == section)
            return &gd_options[i];
    return NULL;
}

static bool write_option(const struct gd_option *option, const struct gd_yaml_node *node,
                         struct gd_buf *out);

static bool write_key(const struct gd_yaml_node *node, struct gd_buf *out)
{
    return (node->index == 0 || gd_buf_add(out, ",", 1)) &&
           gd_json_add_string(out, node->key->text) && gd_buf_add(out, ":", 1);
}

static bool write_section(enum gd_section section, const struct gd_yaml_node *map,
                          struct gd_buf *out)
{
    bool ok = gd_buf_add(out, "{", 1);

    for (const struct gd_yaml_node *node = map->first; ok && node; node = node->next) {
        const struct gd_option *option = find_option(section, node->key->text);

        ok = write_key(node, out) &&
             (option ? write_option(option, node, out) : gd_buf_add_text(out, "null"));
    }
    return ok && gd_buf_add(out, "}", 1);
}

/* Something that has a name, or its short form. */
static bool write_entry(enum gd_section section, const struct gd_yaml_node *node,
                        struct gd_buf *out)
{
    return node->kind == GD_YAML_MAP ? write_section(section, node, out)
                                     : write_option(first_option(section), node, out);
}

static bool write_names(enum gd_section section, const struct gd_yaml_node *map,
                        struct gd_buf *out)
{
    bool ok = gd_buf_add(out, "{", 1);

    for (const struct gd_yaml_node *node = map->first; ok && node; node = node->next)
        ok = write_key(node, out) && write_entry(section, node, out);
    return ok && gd_buf_add(out, "}", 1);
}

static bool is_number(const struct gd_yaml_node *node)
{
    uint64_t number;

    return gd_value_number(node->text, &number);
}

/* Text may be a secret by its name, come from outside, or have a query with secrets. */
static bool write_text(const struct gd_option *option, const struct gd_yaml_node *node,
                       struct gd_buf *out)
{
    struct gd_buf text, shown;
    bool ok;

    if (!node->source && node->plain && (gd_yaml_is_null(node) || is_number(node)) &&
        !gd_secret_name(gd_span_of(option->key)))
        return gd_render_written(node, false, out);
    gd_buf_init(&text, NULL, SIZE_MAX / 2);
    gd_buf_init(&shown, NULL, SIZE_MAX / 2);
    if (gd_secret_name(gd_span_of(option->key)))
        ok = gd_buf_add_text(&shown, GD_SECRET_MASK);
    else
        ok = (node->source ? gd_expand_masked(node, &text)
                           : gd_buf_add_span(&text, node->text)) &&
             gd_secret_add_target(&shown, gd_buf_span(&text));
    ok = ok && gd_json_add_string(out, gd_buf_span(&shown));
    gd_buf_free(&text);
    gd_buf_free(&shown);
    return ok;
}

/* Numbers and words of the file's own are no secrets, wherever they come from. */
static bool is_harmless(const struct gd_option *option)
{
    return option->type < GD_TYPE_SECTION;
}

static bool write_option(const struct gd_option *option, const struct gd_yaml_node *node,
                         struct gd_buf *out)
{
    bool ok = gd_buf_add(out, "[", node->kind == GD_YAML_LIST && option->of);

    if (node->kind == GD_YAML_MAP && option->type == GD_TYPE_MAP)
        return write_names(option->of, node, out);
    if (node->kind == GD_YAML_MAP && option->of)
        return write_section(option->of, node, out);
    if (node->kind == GD_YAML_SCALAR && is_harmless(option) && node->source)
        return is_number(node) ? gd_buf_add_span(out, node->text)
                               : gd_json_add_string(out, node->text);
    if (node->kind == GD_YAML_SCALAR &&
        (option->type == GD_TYPE_TEXT || option->type == GD_TYPE_REDIRECT ||
         option->type == GD_TYPE_SERVERS))
        return write_text(option, node, out);
    if (node->kind != GD_YAML_LIST || !option->of)
        return gd_render_written(node, !gd_span_is(gd_span_of(option->key), "rename"),
                                 out);
    for (const struct gd_yaml_node *value = node->first; ok && value; value = value->next)
        ok = gd_buf_add(out, ",", value != node->first) &&
             (value->kind == GD_YAML_MAP ? write_section(option->of, value, out)
                                         : write_option(option, value, out));
    return ok && gd_buf_add(out, "]", 1);
}

/* ---------------------------------------------------------------------------------------
 */

static struct gd_span keep(struct gd_loader *loader, struct gd_buf *text, bool whole)
{
    struct gd_span kept = gd_arena_copy(&loader->plan->arena, gd_buf_span(text));

    gd_need(whole ? kept.ptr : NULL);
    gd_buf_free(text);
    return kept;
}

static struct gd_span keep_entry(struct gd_loader *loader, enum gd_section section,
                                 const struct gd_yaml_node *node)
{
    struct gd_buf out;
    bool whole;

    gd_buf_init(&out, NULL, SIZE_MAX / 2);
    whole = write_entry(section, node, &out);
    return keep(loader, &out, whole);
}

struct gd_span gd_load_upstream_written(struct gd_loader *loader,
                                        const struct gd_yaml_node *node)
{
    return keep_entry(loader, GD_SECTION_UPSTREAM, node);
}

struct gd_span gd_load_route_written(struct gd_loader *loader,
                                     const struct gd_yaml_node *node)
{
    return keep_entry(loader, GD_SECTION_ROUTE, node);
}

void gd_load_top_written(struct gd_loader *loader)
{
    const char *comma = "";
    struct gd_buf out;
    bool ok;

    gd_buf_init(&out, NULL, SIZE_MAX / 2);
    ok = gd_buf_add(&out, "{", 1);
    for (unsigned i = 0; i < loader->root_count; i++)
        for (const struct gd_yaml_node *node = loader->roots[i]->first; ok && node;
             node = node->next) {
            const struct gd_option *option = find_option(GD_SECTION_TOP, node->key->text);

            /* What has names is kept with them; the first file's `include` is shown. */
            if (option == NULL || option->type == GD_TYPE_MAP ||
                (i > 0 && option->type == GD_TYPE_PATTERNS))
                continue;
            ok = gd_buf_addf(&out, "%s\"%s\":", comma, option->key) &&
                 write_option(option, node, &out);
            comma = ",";
        }
    ok = ok && gd_buf_add(&out, "}", 1);
    loader->plan->written = keep(loader, &out, ok);
}
