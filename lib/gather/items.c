#include "gather/items.h"

enum { SLOTS_PER_ITEM = 2 };

static struct gd_span text_of(struct gd_json_value value)
{
    return gd_tape_text(value.tape, value.node);
}

/* The slot of a text: that of the same one, or the free one where it belongs. */
static unsigned *slot_of(struct gd_items *items, struct gd_span text)
{
    unsigned at = (unsigned)gd_hash(items->key, text) & items->mask;

    while (items->slots[at] &&
           !gd_span_eq(text_of(items->values[items->slots[at] - 1]), text))
        at = (at + 1) & items->mask;
    return &items->slots[at];
}

/* Doubles the room, up to the limit. */
static bool grow(struct gd_items *items)
{
    unsigned room = items->room ? items->room * 2 : 32, slots = 1;
    struct gd_json_value *values;

    if (room > items->limit)
        room = items->limit;
    while (slots < room * SLOTS_PER_ITEM)
        slots *= 2;
    values = gd_arena_alloc(items->arena, room * sizeof(*values));
    items->slots = gd_arena_alloc(items->arena, slots * sizeof(*items->slots));
    if (values == NULL || items->slots == NULL)
        return false;
    if (items->count)
        memcpy(values, items->values, items->count * sizeof(*values));
    items->values = values;
    items->room = room;
    items->mask = slots - 1;
    for (unsigned i = 0; i < items->count; i++)
        *slot_of(items, text_of(values[i])) = i + 1;
    return true;
}

static bool on_value(void *arg, struct gd_json_value value)
{
    struct gd_items *items = arg;
    unsigned *slot = NULL;

    if (gd_tape_kind(value.tape, value.node) == GD_JSON_NULL)
        return true;
    if (items->slots)
        slot = slot_of(items, text_of(value));
    if (slot && *slot)
        return true;
    if (items->count == items->room) {
        if (items->count == items->limit || !grow(items)) {
            items->failure = GD_FAIL_TOO_LARGE;
            return false;
        }
        slot = slot_of(items, text_of(value));
    }
    items->values[items->count++] = value;
    *slot = items->count;
    return true;
}

/* What stands before the first `[*]` has to be a list. */
static bool starts_at_list(const struct gd_ref *each, struct gd_json_value from)
{
    struct gd_json_path before = each->path;

    before.count = 0;
    while (each->path.steps[before.count].kind != GD_STEP_ALL)
        before.count++;
    before.many = false;
    from = gd_json_path_find(&before, from);
    return from.tape && gd_tape_kind(from.tape, from.node) == GD_JSON_ARRAY;
}

static void collect_list(struct gd_items *items, struct gd_json_value list)
{
    gd_node node;

    if (gd_tape_kind(list.tape, list.node) != GD_JSON_ARRAY) {
        items->failure = GD_FAIL_UNRESOLVED;
        return;
    }
    node = gd_tape_first(list.tape, list.node);
    while (node != GD_NODE_NONE &&
           on_value(items, (struct gd_json_value){list.tape, node}))
        node = gd_tape_next(list.tape, node);
}

enum gd_failure gd_items_collect(struct gd_items *items, const struct gd_ref *each,
                                 const struct gd_values *values)
{
    struct gd_found found = gd_values_find(values, each);

    items->key = gd_hash_key_of_process();
    switch (found.kind) {
    case GD_FOUND_JSON:
        collect_list(items, found.json);
        break;
    case GD_FOUND_MANY:
        if (!starts_at_list(each, found.json))
            return GD_FAIL_UNRESOLVED;
        if (!gd_json_path_each(&each->path, found.json, on_value, items))
            return items->failure;
        break;
    case GD_FOUND_NO_MEMORY:
        return GD_FAIL_TOO_LARGE;
    case GD_FOUND_NOTHING:
    case GD_FOUND_TEXT:
    case GD_FOUND_NUMBER:
        return GD_FAIL_UNRESOLVED;
    }
    return items->failure;
}
