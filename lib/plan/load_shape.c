#include "base/suggest.h"
#include "plan/expand.h"
#include "plan/loader.h"
#include "plan/render.h"
#include "plan/shape.h"
#include "plan/template.h"
#include "plan/text.h"
#include "plan/value.h"

/* Compiling one value; the height of a YAML tree is bounded. */
struct shaping {
    struct gd_loader *loader;
    const struct gd_names *names;
};

static bool load(const struct shaping *s, const struct gd_yaml_node *node,
                 struct gd_shape *out);

static struct gd_arena *arena_of(const struct shaping *s)
{
    return &s->loader->plan->arena;
}

static void *room(const struct shaping *s, size_t count, size_t size)
{
    return gd_need(gd_arena_alloc(arena_of(s), (count + 1) * size));
}

/* Scalars -------------------------------------------------------------------------------
 */

static bool load_ref(const struct shaping *s, const struct gd_yaml_node *node,
                     struct gd_shape *out)
{
    struct gd_span name = {node->text.ptr + 1, node->text.len - 1};
    struct gd_err err;

    out->kind = GD_SHAPE_REF;
    if (!gd_ref_parse(arena_of(s), name, node->text, s->names, &out->ref, &err))
        return gd_report_value(&s->loader->report, node, "%s%s", err.text,
                               gd_ref_length(name) == 0 ? " (a literal $ is written $$)"
                                                        : "");
    out->needs = gd_ref_needs(&out->ref);
    out->body = out->ref.source == GD_SOURCE_BODY;
    return true;
}

static bool load_text(const struct shaping *s, const struct gd_yaml_node *node,
                      struct gd_span text, struct gd_shape *out)
{
    struct gd_err err;

    out->kind = GD_SHAPE_TEXT;
    out->text = gd_template_string(arena_of(s), text, s->names, &err);
    if (out->text == NULL)
        return gd_report_inside(
            &s->loader->report, node,
            gd_text_chars((struct gd_span){node->text.ptr, err.offset}), "%s", err.text);
    out->needs = gd_template_needs(out->text);
    out->body = gd_template_reads_body(out->text);
    return true;
}

static bool load_literal(const struct shaping *s, const struct gd_yaml_node *node,
                         struct gd_shape *out)
{
    struct gd_buf json;
    bool ok;

    gd_buf_init(&json, NULL, SIZE_MAX / 2);
    out->kind = GD_SHAPE_LITERAL;
    ok = gd_render_json(&s->loader->report, node, &json);
    if (ok) {
        out->literal = gd_arena_copy(arena_of(s), gd_buf_span(&json));
        gd_need(out->literal.ptr);
    }
    gd_buf_free(&json);
    return ok;
}

static bool load_scalar(const struct shaping *s, const struct gd_yaml_node *node,
                        struct gd_shape *out)
{
    struct gd_span text = node->text;

    if (node->broken || gd_expand_is_data(node))
        return load_literal(s, node, out);
    if (node->source)
        return load_text(s, node, text, out);
    if (gd_span_starts(text, GD_SPAN("$$")))
        return load_text(s, node, (struct gd_span){text.ptr + 1, text.len - 1}, out);
    if (gd_span_starts(text, GD_SPAN("$")))
        return load_ref(s, node, out);
    return gd_template_has_brace(text) ? load_text(s, node, text, out)
                                       : load_literal(s, node, out);
}

/* Operators -----------------------------------------------------------------------------
 */

static void sum_up(struct gd_shape *out)
{
    for (unsigned i = 0; i < out->count; i++) {
        out->needs |= out->parts[i].needs;
        out->body |= out->parts[i].body;
    }
}

static bool load_parts(const struct shaping *s, const struct gd_yaml_node *list,
                       struct gd_shape *out)
{
    bool ok = true;

    out->count = list->count;
    out->parts = room(s, list->count, sizeof(*out->parts));
    for (const struct gd_yaml_node *node = list->first; node; node = node->next)
        ok = load(s, node, &out->parts[node->index]) && ok;
    sum_up(out);
    return ok;
}

/* A name that begins with $$ begins with $. */
static struct gd_span unescaped(struct gd_span key)
{
    if (gd_span_starts(key, GD_SPAN("$$")))
        return (struct gd_span){key.ptr + 1, key.len - 1};
    return key;
}

static bool load_keys(const struct shaping *s, const struct gd_yaml_node *map,
                      struct gd_shape *out)
{
    out->keys = room(s, map->count, sizeof(*out->keys));
    for (const struct gd_yaml_node *node = map->first; node; node = node->next)
        out->keys[node->index] =
            gd_load_json_key(s->loader, unescaped(node->key->text), ":");
    return load_parts(s, map, out);
}

static bool load_arguments(const struct shaping *s, const struct gd_yaml_node *list,
                           struct gd_shape *out)
{
    struct gd_words words;

    if (list->kind == GD_YAML_LIST && list->count == 0)
        return gd_report_value(&s->loader->report, list, "expected at least one value");
    if (list->kind != GD_YAML_LIST)
        return gd_report_value(&s->loader->report, list,
                               "expected a list of values, found %s",
                               gd_words_found(&words, list));
    return load_parts(s, list, out);
}

bool gd_load_conflict(struct gd_loader *loader, const struct gd_yaml_node *node,
                      unsigned *out)
{
    static const char *const words[] = {"last", "first", "error", "concat"};
    struct gd_words found;

    for (unsigned i = 0; node->kind == GD_YAML_SCALAR && i < 4; i++)
        if (gd_span_is(node->text, words[i])) {
            *out = i;
            return true;
        }
    return gd_report_value(&loader->report, node,
                           "expected first, last, error or concat, found %s",
                           gd_words_found(&found, node));
}

static bool load_merge(const struct shaping *s, const struct gd_yaml_node *map,
                       struct gd_shape *out)
{
    const struct gd_yaml_node *deep = gd_yaml_get(map, "deep");
    const struct gd_yaml_node *conflict = gd_yaml_get(map, "conflict");
    struct gd_words words;
    bool ok = load_arguments(s, gd_yaml_get(map, "$merge"), out);
    unsigned policy = GD_CONFLICT_LAST;

    out->kind = GD_SHAPE_MERGE;
    if (deep && !(deep->kind == GD_YAML_SCALAR && gd_value_bool(deep->text, &out->deep)))
        ok = gd_report_value(&s->loader->report, deep, "expected %s, found %s",
                             "true or false (or on, off)", gd_words_found(&words, deep));
    if (conflict)
        ok = gd_load_conflict(s->loader, conflict, &policy) && ok;
    out->conflict = (enum gd_conflict)policy;
    return ok;
}

static bool load_concat(const struct shaping *s, const struct gd_yaml_node *map,
                        struct gd_shape *out)
{
    out->kind = GD_SHAPE_CONCAT;
    return load_arguments(s, gd_yaml_get(map, "$concat"), out);
}

static bool load_first(const struct shaping *s, const struct gd_yaml_node *map,
                       struct gd_shape *out)
{
    out->kind = GD_SHAPE_FIRST;
    return load_arguments(s, gd_yaml_get(map, "$first"), out);
}

static bool load_path(const struct shaping *s, const struct gd_yaml_node *node,
                      struct gd_span text, struct gd_json_path *path)
{
    struct gd_err err;

    if (!gd_json_path_parse(arena_of(s), text, path, &err))
        return gd_report_value(&s->loader->report, node, "%s", err.text);
    if (path->many || path->count == 0)
        return gd_report_value(&s->loader->report, node,
                               "a key to join by is one value of an element, like "
                               "product.id");
    return true;
}

/* Right is a call with each, as a whole: its values are known. */
static bool is_each(const struct shaping *s, const struct gd_shape *right)
{
    return right->kind == GD_SHAPE_REF && right->ref.source == GD_SOURCE_CALL &&
           right->ref.path.count == 0 && s->names->each &&
           (s->names->each >> right->ref.index & 1);
}

static bool load_on(const struct shaping *s, const struct gd_yaml_node *on,
                    struct gd_shape *out)
{
    const struct gd_yaml_node *right = on->kind == GD_YAML_MAP ? on->first : NULL;
    struct gd_words words;

    if (on->kind == GD_YAML_SCALAR && !gd_yaml_is_null(on)) {
        if (!load_path(s, on, on->text, &out->left_key))
            return false;
        out->right_key = out->left_key;
        return true;
    }
    if (right == NULL || on->count != 1 || right->kind != GD_YAML_SCALAR)
        return gd_report_value(&s->loader->report, on,
                               "expected {LEFT_KEY: RIGHT_KEY} or one name for both, "
                               "found %s",
                               gd_words_found(&words, on));
    if (!load_path(s, right, right->key->text, &out->left_key))
        return false;
    out->by_item = gd_span_is(right->text, "$item");
    if (!out->by_item)
        return load_path(s, right, right->text, &out->right_key);
    if (out->count == 2 && is_each(s, &out->parts[1]))
        return true;
    return gd_report_value(&s->loader->report, right,
                           "$item is known where the second list is a whole call with "
                           "each, like $products");
}

static bool load_join(const struct shaping *s, const struct gd_yaml_node *map,
                      struct gd_shape *out)
{
    const struct gd_yaml_node *lists = gd_yaml_get(map, "$join");
    const struct gd_yaml_node *on = gd_yaml_get(map, "on");
    const struct gd_yaml_node *as = gd_yaml_get(map, "as");
    struct gd_report *report = &s->loader->report;
    bool ok = load_arguments(s, lists, out);

    out->kind = GD_SHAPE_JOIN;
    if (ok && out->count != 2)
        ok =
            gd_report_value(report, lists, "$join takes two lists, found %u", out->count);
    if (on == NULL || as == NULL)
        return gd_report_value(report, map,
                               "%s is missing; a join is written {$join: "
                               "[$orders, $products], on: {product_id: id}, as: product}",
                               on == NULL ? "on" : "as");
    if (as->kind != GD_YAML_SCALAR || as->text.len == 0)
        return gd_report_value(report, as, "expected the name of the new member");
    out->as = gd_arena_copy(arena_of(s), as->text);
    gd_need(out->as.ptr);
    return load_on(s, on, out) && ok;
}

/* The operators, and the keys that may stand beside each. */
static const struct {
    const char *key;
    const char *beside[2];
    bool (*load)(const struct shaping *s, const struct gd_yaml_node *map,
                 struct gd_shape *out);
} operators[] = {
    {"$merge", {"deep", "conflict"}, load_merge},
    {"$concat", {NULL, NULL}, load_concat},
    {"$first", {NULL, NULL}, load_first},
    {"$join", {"on", "as"}, load_join},
};
enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

static bool belongs(unsigned operator, struct gd_span key)
{
    const char *const *beside = operators[operator].beside;

    return gd_span_is(key, operators[operator].key) ||
           (beside[0] && (gd_span_is(key, beside[0]) || gd_span_is(key, beside[1])));
}

static bool say_operator(const struct shaping *s, const struct gd_yaml_node *node)
{
    const char *known[OPERATORS];
    const char *meant;

    for (unsigned i = 0; i < OPERATORS; i++)
        known[i] = operators[i].key;
    meant = gd_suggest(node->key->text, known, OPERATORS);
    if (meant)
        return gd_report_key(&s->loader->report, node,
                             "there is no such operator; did you mean \"%s\"?", meant);
    return gd_report_key(&s->loader->report, node,
                         "there is no such operator; there are $merge, $concat, $first "
                         "and $join, and a name that begins with $ is written with $$");
}

static bool load_operator(const struct shaping *s, const struct gd_yaml_node *map,
                          unsigned operator, struct gd_shape * out)
{
    for (const struct gd_yaml_node *node = map->first; node; node = node->next)
        if (!belongs(operator, node->key->text))
            return gd_report_key(&s->loader->report, node,
                                 "cannot stand beside %s", operators[operator].key);
    return operators[operator].load(s, map, out);
}

static bool load_map(const struct shaping *s, const struct gd_yaml_node *map,
                     struct gd_shape *out)
{
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_span key = node->key->text;

        if (!gd_span_starts(key, GD_SPAN("$")) || gd_span_starts(key, GD_SPAN("$$")))
            continue;
        for (unsigned i = 0; i < OPERATORS; i++)
            if (gd_span_is(key, operators[i].key))
                return load_operator(s, map, i, out);
        return say_operator(s, node);
    }
    out->kind = GD_SHAPE_OBJECT;
    return load_keys(s, map, out);
}

static bool load(const struct shaping *s, const struct gd_yaml_node *node,
                 struct gd_shape *out)
{
    *out = (struct gd_shape){.kind = GD_SHAPE_LITERAL};
    if (node->kind == GD_YAML_SCALAR)
        return load_scalar(s, node, out);
    if (node->kind == GD_YAML_MAP)
        return load_map(s, node, out);
    out->kind = GD_SHAPE_LIST;
    return load_parts(s, node, out);
}

struct gd_shape *gd_shape_load(struct gd_loader *loader, const struct gd_yaml_node *node,
                               const struct gd_names *names)
{
    struct shaping s = {loader, names};
    struct gd_shape *shape = room(&s, 1, sizeof(*shape));

    return load(&s, node, shape) ? shape : NULL;
}
