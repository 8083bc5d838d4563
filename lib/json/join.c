#include "json/merge.h"

#include "json/cut.h"
#include "json/names.h"

struct work {
    const struct gd_join *join;
    struct gd_cut cut;
    struct gd_span as; /* with quotes and escapes */
    struct gd_names keys;
    struct gd_json_value *found; /* by number of key */
};

static bool is_key(struct gd_json_value value)
{
    enum gd_json_kind kind = gd_value_kind(value);

    return kind == GD_JSON_STRING || kind == GD_JSON_NUMBER;
}

static struct gd_span key_text(struct gd_arena *arena, struct gd_json_value key)
{
    return gd_tape_kind(key.tape, key.node) == GD_JSON_STRING
               ? gd_names_decoded(arena, key.tape, key.node)
               : gd_tape_text(key.tape, key.node);
}

static uint32_t count_elements(struct gd_json_value list)
{
    uint32_t count = 0;

    for (gd_node at = gd_tape_first(list.tape, list.node); at != GD_NODE_NONE;
         at = gd_tape_next(list.tape, at))
        count++;
    return count;
}

/* Of elements with the same key the first one stays. */
static bool add_right(struct work *w, struct gd_json_value element,
                      struct gd_json_value key)
{
    struct gd_span text;
    uint32_t number;

    if (!is_key(key))
        return true;
    text = key_text(w->cut.out->arena, key);
    if (text.ptr == NULL)
        return false;
    number = w->keys.count;
    if (gd_names_put(&w->keys, text) == number)
        w->found[number] = element;
    return true;
}

static bool fill_keys(struct work *w, struct gd_json_value right)
{
    struct gd_arena *arena = w->cut.out->arena;
    bool list = gd_value_kind(right) == GD_JSON_ARRAY;
    uint32_t most = list ? count_elements(right) : 0;
    unsigned i = 0;

    w->found = gd_arena_raw(arena, most * sizeof(*w->found) + 1);
    if (w->found == NULL || !gd_names_init(&w->keys, arena, most))
        return false;
    if (!list)
        return true;
    for (gd_node at = gd_tape_first(right.tape, right.node); at != GD_NODE_NONE;
         at = gd_tape_next(right.tape, at), i++) {
        struct gd_json_value element = {right.tape, at};

        if (!add_right(w, element,
                       w->join->right_key ? gd_json_path_find(w->join->right_key, element)
                                          : w->join->right_keys[i]))
            return false;
    }
    return true;
}

/* Cuts out the members named as the new one. *kept: whether any other is there. */
static bool cut_members(struct work *w, struct gd_json_value object, bool *kept)
{
    *kept = false;
    for (gd_node name = gd_tape_first(object.tape, object.node); name != GD_NODE_NONE;
         name = gd_tape_next_name(object.tape, name)) {
        if (!gd_tape_string_is(object.tape, name, w->join->as))
            *kept = true;
        else if (!gd_cut_member(&w->cut, object.tape, object.node, name, *kept))
            return false;
    }
    return true;
}

static bool join_element(struct work *w, struct gd_json_value element)
{
    struct gd_json_value key = gd_json_path_find(w->join->left_key, element);
    gd_node end = gd_tape_last(element.tape, element.node);
    struct gd_splice *out = w->cut.out;
    struct gd_span text;
    uint32_t number;
    bool kept;

    if (gd_value_kind(element) != GD_JSON_OBJECT || !is_key(key))
        return true;
    text = key_text(out->arena, key);
    if (text.ptr == NULL)
        return false;
    number = gd_names_find(&w->keys, text);
    if (!cut_members(w, element, &kept) ||
        !gd_cut_keep(&w->cut, gd_cut_before(element.tape, end, element.node)))
        return false;
    text = number == UINT32_MAX
               ? GD_SPAN("null")
               : gd_tape_text(w->found[number].tape, w->found[number].node);
    return (!kept || gd_splice_copy(out, GD_SPAN(","))) && gd_splice_add(out, w->as) &&
           gd_splice_copy(out, GD_SPAN(":")) && gd_splice_add(out, text);
}

bool gd_join_lists(const struct gd_join *join, struct gd_json_value left,
                   struct gd_json_value right, struct gd_splice *out)
{
    struct work w = {.join = join, .cut = {out, NULL}};

    if (left.tape == NULL)
        return gd_splice_add(out, GD_SPAN("null"));
    if (gd_value_kind(left) != GD_JSON_ARRAY)
        return gd_splice_add(out, gd_tape_text(left.tape, left.node));
    w.as = gd_names_quoted(out->arena, join->as);
    if (w.as.ptr == NULL || !fill_keys(&w, right))
        return false;
    w.cut.at = gd_tape_from(left.tape, left.node);
    for (gd_node at = gd_tape_first(left.tape, left.node); at != GD_NODE_NONE;
         at = gd_tape_next(left.tape, at))
        if (!join_element(&w, (struct gd_json_value){left.tape, at}))
            return false;
    return gd_cut_keep(&w.cut, gd_tape_to(left.tape, left.node));
}
