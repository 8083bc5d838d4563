#include "json/merge.h"

#include "json/cut.h"
#include "json/names.h"

/* A member that goes into a merge. */
struct part {
    uint32_t source; /* index of the object it is of */
    gd_node name;
    uint32_t next; /* of the same name, of a later object; NO_PART: none */
};

#define NO_PART UINT32_MAX

/* All parts of a name: of each object the last one. */
struct met {
    uint32_t first, last;
    gd_node name; /* where it stood first */
};

/* One object that is being made of several. */
struct table {
    const struct gd_json_value *objects;
    struct gd_names names;
    struct met *met; /* by number of name */
    struct part *parts;
    uint32_t part_count;
};

struct work {
    struct gd_merge *merge;
    struct gd_splice *out;
    const char *from, *to; /* members in a row, not yet appended */
};

static bool flush(struct work *w)
{
    const char *from = w->from;

    w->from = NULL;
    return from == NULL ||
           gd_splice_add(w->out, (struct gd_span){from, (size_t)(w->to - from)});
}

static bool put(struct work *w, struct gd_span bytes)
{
    return flush(w) && gd_splice_add(w->out, bytes);
}

static struct gd_span text_of(struct gd_json_value value)
{
    return gd_tape_text(value.tape, value.node);
}

static uint32_t count_members(const struct gd_json_value *objects, unsigned count)
{
    uint32_t members = 0;

    for (unsigned i = 0; i < count; i++)
        for (gd_node name = gd_tape_first(objects[i].tape, objects[i].node);
             name != GD_NODE_NONE; name = gd_tape_next_name(objects[i].tape, name))
            members++;
    return members;
}

static bool add_member(struct work *w, struct table *table, uint32_t source, gd_node name)
{
    const struct gd_tape *tape = table->objects[source].tape;
    struct gd_span text = gd_names_decoded(w->out->arena, tape, name);
    uint32_t known = table->names.count, part = table->part_count;
    struct met *met;

    if (text.ptr == NULL)
        return false;
    met = &table->met[gd_names_put(&table->names, text)];
    if (table->names.count > known) {
        *met = (struct met){part, part, name};
    } else if (table->parts[met->last].source == source) {
        table->parts[met->last].name = name;
        return true;
    } else {
        table->parts[met->last].next = part;
        met->last = part;
    }
    table->parts[table->part_count++] = (struct part){source, name, NO_PART};
    return true;
}

static bool fill_table(struct work *w, struct table *table, unsigned count)
{
    struct gd_arena *arena = w->out->arena;
    uint32_t most = count_members(table->objects, count);

    if (!gd_names_init(&table->names, arena, most))
        return false;
    table->met = gd_arena_raw(arena, most * sizeof(*table->met));
    table->parts = gd_arena_raw(arena, most * sizeof(*table->parts));
    table->part_count = 0;
    if (table->met == NULL || table->parts == NULL)
        return false;
    for (unsigned i = 0; i < count; i++) {
        const struct gd_tape *tape = table->objects[i].tape;

        for (gd_node name = gd_tape_first(tape, table->objects[i].node);
             name != GD_NODE_NONE; name = gd_tape_next_name(tape, name))
            if (!add_member(w, table, i, name))
                return false;
    }
    return true;
}

/* Appends an element of a list, or what a list has: before it a comma, unless it is the
 * first one. */
static bool put_elements(struct gd_splice *out, struct gd_json_value value, bool *first)
{
    struct gd_span text = text_of(value);

    if (gd_value_kind(value) == GD_JSON_ARRAY) {
        gd_node end = gd_tape_last(value.tape, value.node);

        if (end == value.node + 1)
            return true;
        text.ptr = gd_tape_from(value.tape, value.node + 1);
        text.len = (size_t)(gd_cut_before(value.tape, end, value.node) - text.ptr);
    }
    if (!*first && !gd_splice_copy(out, GD_SPAN(",")))
        return false;
    *first = false;
    return gd_splice_add(out, text);
}

static enum gd_merge_result
put_merged(struct work *w, const struct gd_json_value *objects, unsigned count);

/* Appends one array: what came together before, then all values that collide. */
static enum gd_merge_result put_concat(struct work *w, struct gd_json_value *values,
                                       unsigned merged, unsigned from, unsigned count)
{
    bool first = true;

    if (!put(w, GD_SPAN("[")))
        return GD_MERGE_NO_MEMORY;
    if (merged > 1) {
        enum gd_merge_result result = put_merged(w, values, merged);

        if (result != GD_MERGE_OK)
            return result;
        if (!flush(w))
            return GD_MERGE_NO_MEMORY;
        first = false;
    } else if (!put_elements(w->out, values[0], &first)) {
        return GD_MERGE_NO_MEMORY;
    }
    for (unsigned i = from; i < count; i++)
        if (!put_elements(w->out, values[i], &first))
            return GD_MERGE_NO_MEMORY;
    return put(w, GD_SPAN("]")) ? GD_MERGE_OK : GD_MERGE_NO_MEMORY;
}

static void note_collision(struct work *w, struct gd_span name)
{
    if (w->merge->collisions++ == 0)
        w->merge->clashed = name;
}

/* Appends what becomes of the values of one name, two at least. The front of values
 * holds what counts so far: one value, or objects to be merged. */
static enum gd_merge_result put_values(struct work *w, struct gd_json_value *values,
                                       unsigned count, struct gd_span name)
{
    unsigned merged = 1;
    bool collided = false;

    for (unsigned i = 1; i < count; i++) {
        if (w->merge->deep && gd_value_kind(values[0]) == GD_JSON_OBJECT &&
            gd_value_kind(values[i]) == GD_JSON_OBJECT) {
            values[merged++] = values[i];
            continue;
        }
        if (!collided)
            note_collision(w, name);
        collided = true;
        switch (w->merge->conflict) {
        case GD_CONFLICT_FIRST:
            break;
        case GD_CONFLICT_LAST:
            values[0] = values[i];
            merged = 1;
            break;
        case GD_CONFLICT_CONCAT:
            return put_concat(w, values, merged, i, count);
        case GD_CONFLICT_ERROR:
            return GD_MERGE_CONFLICT;
        }
    }
    if (merged > 1)
        return put_merged(w, values, merged);
    return put(w, text_of(values[0])) ? GD_MERGE_OK : GD_MERGE_NO_MEMORY;
}

/* Appends a member that only one object has. Those that stood in a row stay one. */
static bool put_single(struct work *w, struct gd_json_value object, gd_node name,
                       bool first)
{
    const struct gd_tape *tape = object.tape;

    if (first || w->from == NULL || w->to != gd_cut_before(tape, name, object.node)) {
        if (!flush(w) || (!first && !gd_splice_copy(w->out, GD_SPAN(","))))
            return false;
        w->from = gd_tape_from(tape, name);
    }
    w->to = gd_tape_to(tape, name + 1);
    return true;
}

static enum gd_merge_result put_met(struct work *w, const struct table *table,
                                    const struct met *met, bool first)
{
    const struct part *part = &table->parts[met->first];
    struct gd_json_value object = table->objects[part->source];
    struct gd_span name = gd_tape_text(object.tape, met->name);
    struct gd_json_value *values;
    unsigned count = 0;

    if (part->next == NO_PART && part->name == met->name)
        return put_single(w, object, part->name, first) ? GD_MERGE_OK
                                                        : GD_MERGE_NO_MEMORY;
    if ((!first && !put(w, GD_SPAN(","))) || !put(w, name) || !put(w, GD_SPAN(":")))
        return GD_MERGE_NO_MEMORY;
    for (uint32_t i = met->first; i != NO_PART; i = table->parts[i].next)
        count++;
    values = gd_arena_raw(w->out->arena, count * sizeof(*values));
    if (values == NULL)
        return GD_MERGE_NO_MEMORY;
    count = 0;
    for (uint32_t i = met->first; i != NO_PART; i = table->parts[i].next)
        values[count++] =
            (struct gd_json_value){table->objects[table->parts[i].source].tape,
                                   gd_tape_value(object.tape, table->parts[i].name)};
    return put_values(w, values, count, name);
}

/* Calls itself for objects inside objects: as deep as they are nested, which the check of
 * the text has bounded at GD_JSON_DEPTH_MAX, with some hundred bytes of stack each. */
static enum gd_merge_result
put_merged(struct work *w, const struct gd_json_value *objects, unsigned count)
{
    struct table table = {.objects = objects};

    if (!fill_table(w, &table, count) || !put(w, GD_SPAN("{")))
        return GD_MERGE_NO_MEMORY;
    for (uint32_t i = 0; i < table.names.count; i++) {
        enum gd_merge_result result = put_met(w, &table, &table.met[i], i == 0);

        if (result != GD_MERGE_OK)
            return result;
    }
    return put(w, GD_SPAN("}")) ? GD_MERGE_OK : GD_MERGE_NO_MEMORY;
}

enum gd_merge_result gd_merge_objects(struct gd_merge *merge,
                                      const struct gd_json_value *values, unsigned count,
                                      struct gd_splice *out)
{
    struct work w = {.merge = merge, .out = out};
    struct gd_json_value *objects =
        gd_arena_raw(out->arena, count * sizeof(*objects) + 1);
    unsigned kept = 0;

    merge->collisions = 0;
    merge->clashed = GD_SPAN_NONE;
    if (objects == NULL)
        return GD_MERGE_NO_MEMORY;
    for (unsigned i = 0; i < count; i++)
        if (gd_value_kind(values[i]) == GD_JSON_OBJECT)
            objects[kept++] = values[i];
    return put_merged(&w, objects, kept);
}

bool gd_concat_lists(const struct gd_json_value *values, unsigned count,
                     struct gd_splice *out)
{
    bool first = true;

    if (!gd_splice_copy(out, GD_SPAN("[")))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (gd_value_kind(values[i]) != GD_JSON_NULL &&
            !put_elements(out, values[i], &first))
            return false;
    return gd_splice_copy(out, GD_SPAN("]"));
}
