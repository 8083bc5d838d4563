#include "gather/compose.h"

#include "gather/part.h"
#include "json/text.h"
#include "plan/template.h"

enum { TEXT_MAX = 1 << 24 };

/* An index of text that was made on the way; freed when all is written. */
struct temporary {
    struct temporary *next;
    struct gd_doc doc;
};

struct composer {
    struct gd_gather *gather;
    const struct gd_values *values;
    struct gd_arena *arena;
    struct temporary *temporaries;
};

/* As deep as the shape, which is bounded by the depth of YAML. */
static enum gd_composed write_shape(struct composer *c, const struct gd_shape *shape,
                                    struct gd_splice *out);

static enum gd_composed done(bool ok)
{
    return ok ? GD_COMPOSED : GD_COMPOSE_NO_MEMORY;
}

/* References ----------------------------------------------------------------------------
 */

/* Parts are made ready to be looked into when they are first shown. */
static bool ready(struct composer *c, uint64_t needs)
{
    if (!c->values->showing)
        return true;
    for (; needs; needs &= needs - 1)
        if (!gd_part_flatten(gd_gather_part(c->gather, (unsigned)__builtin_ctzll(needs))))
            return false;
    return true;
}

static bool write_whole_part(struct composer *c, const struct gd_ref *ref,
                             struct gd_splice *out)
{
    struct gd_part *part = gd_gather_part(c->gather, ref->index);

    if (!gd_part_show(part))
        return false;
    for (unsigned i = 0; i < part->piece_count; i++)
        if (!gd_splice_add(
                out, (struct gd_span){part->pieces[i].iov_base, part->pieces[i].iov_len}))
            return false;
    return true;
}

/* Several values of a path, with commas between. */
struct listing {
    struct gd_splice *out;
    bool first;
};

static bool on_element(void *arg, struct gd_json_value value)
{
    struct listing *listing = arg;
    bool first = listing->first;

    listing->first = false;
    return (first || gd_splice_copy(listing->out, GD_SPAN(","))) &&
           gd_splice_add(listing->out, gd_tape_text(value.tape, value.node));
}

static bool write_many(const struct gd_found *found, const struct gd_json_path *path,
                       struct gd_splice *out)
{
    struct listing listing = {out, true};

    return gd_splice_copy(out, GD_SPAN("[")) &&
           gd_json_path_each(path, found->json, on_element, &listing) &&
           gd_splice_copy(out, GD_SPAN("]"));
}

/* Text that is put together before it is copied counts as long as it is there. */
static void init_text(struct composer *c, struct gd_buf *text)
{
    gd_buf_init(text, gd_loop_blocks(gd_gather_shared(c->gather)->loop), TEXT_MAX);
    text->budget = gd_gather_budget(c->gather);
}

static bool write_text(struct composer *c, const struct gd_found *found,
                       struct gd_splice *out)
{
    struct gd_buf text;
    bool full, ok;

    init_text(c, &text);
    ok = gd_found_text(found, NULL, &text, &full) &&
         (found->kind == GD_FOUND_NUMBER ? gd_splice_copy(out, gd_buf_span(&text))
                                         : gd_splice_string(out, gd_buf_span(&text)));
    gd_buf_free(&text);
    return ok;
}

static bool write_ref(struct composer *c, const struct gd_shape *shape,
                      struct gd_splice *out)
{
    const struct gd_ref *ref = &shape->ref;
    struct gd_found found;

    if (c->values->showing && ref->source == GD_SOURCE_CALL && ref->path.count == 0)
        return write_whole_part(c, ref, out);
    if (!ready(c, shape->needs))
        return false;
    found = gd_values_find(c->values, ref);
    switch (found.kind) {
    case GD_FOUND_NOTHING:
        return gd_splice_copy(out, GD_SPAN("null"));
    case GD_FOUND_JSON:
        return gd_splice_add(out, gd_tape_text(found.json.tape, found.json.node));
    case GD_FOUND_MANY:
        return write_many(&found, &ref->path, out);
    case GD_FOUND_TEXT:
    case GD_FOUND_NUMBER:
        return write_text(c, &found, out);
    case GD_FOUND_NO_MEMORY:
        break;
    }
    return false;
}

static enum gd_composed write_template(struct composer *c, const struct gd_shape *shape,
                                       struct gd_splice *out)
{
    enum gd_failure failure;
    struct gd_buf text;
    bool ok;

    if (!ready(c, shape->needs))
        return GD_COMPOSE_NO_MEMORY;
    init_text(c, &text);
    ok = gd_buf_add(&text, "\"", 1);
    failure = ok ? gd_template_expand(shape->text, c->values, &text) : GD_FAIL_TOO_LARGE;
    if (failure == GD_OK)
        ok = gd_buf_add(&text, "\"", 1) && gd_splice_copy(out, gd_buf_span(&text));
    else if (failure == GD_FAIL_UNRESOLVED)
        ok = gd_splice_copy(out, GD_SPAN("null"));
    else
        ok = false;
    gd_buf_free(&text);
    return done(ok);
}

/* Containers ----------------------------------------------------------------------------
 */

static enum gd_composed write_inside(struct composer *c, const struct gd_shape *shape,
                                     struct gd_splice *out)
{
    bool object = shape->kind == GD_SHAPE_OBJECT;
    enum gd_composed result =
        done(gd_splice_copy(out, object ? GD_SPAN("{") : GD_SPAN("[")));

    for (unsigned i = 0; i < shape->count && result == GD_COMPOSED; i++) {
        bool ok = (i == 0 || gd_splice_copy(out, GD_SPAN(","))) &&
                  (!object || gd_splice_add(out, shape->keys[i]));

        result = ok ? write_shape(c, &shape->parts[i], out) : GD_COMPOSE_NO_MEMORY;
    }
    if (result != GD_COMPOSED)
        return result;
    return done(gd_splice_copy(out, object ? GD_SPAN("}") : GD_SPAN("]")));
}

/* Operators -----------------------------------------------------------------------------
 */

/* Text of our own as a value. */
static enum gd_composed index_text(struct composer *c, struct gd_span text,
                                   struct gd_json_value *value)
{
    struct gd_gather_context *shared = gd_gather_shared(c->gather);
    struct temporary *temporary = gd_arena_alloc(c->arena, sizeof(*temporary));

    if (text.ptr == NULL || temporary == NULL)
        return GD_COMPOSE_NO_MEMORY;
    temporary->doc.text = text;
    gd_tape_init(&temporary->doc.tape, gd_loop_blocks(shared->loop),
                 gd_gather_budget(c->gather));
    temporary->next = c->temporaries;
    c->temporaries = temporary;
    if (!gd_doc_index(&temporary->doc))
        return GD_COMPOSE_NO_MEMORY;
    *value = (struct gd_json_value){&temporary->doc.tape, GD_NODE_ROOT};
    return GD_COMPOSED;
}

/* What an argument of an operator stands for, as a value that can be looked into. */
static enum gd_composed value_of(struct composer *c, const struct gd_shape *shape,
                                 struct gd_json_value *value)
{
    enum gd_composed result;
    struct gd_splice splice;
    struct gd_found found;

    if (shape->kind == GD_SHAPE_REF) {
        if (!ready(c, shape->needs))
            return GD_COMPOSE_NO_MEMORY;
        found = gd_values_find(c->values, &shape->ref);
        *value = found.json;
        if (found.kind == GD_FOUND_JSON)
            return GD_COMPOSED;
    }
    gd_splice_init(&splice, c->arena);
    result = write_shape(c, shape, &splice);
    if (result != GD_COMPOSED)
        return result;
    return index_text(c, gd_splice_flat(&splice), value);
}

static bool is_null(struct gd_json_value value)
{
    return value.tape == NULL || gd_tape_kind(value.tape, value.node) == GD_JSON_NULL;
}

/* A part that is no object cannot be merged: it stands under its own name. */
static enum gd_composed wrap(struct composer *c, struct gd_span key,
                             struct gd_json_value *value)
{
    struct gd_splice splice;
    bool ok;

    if (is_null(*value) || gd_tape_kind(value->tape, value->node) == GD_JSON_OBJECT)
        return GD_COMPOSED;
    gd_splice_init(&splice, c->arena);
    ok = gd_splice_copy(&splice, GD_SPAN("{")) && gd_splice_add(&splice, key) &&
         gd_splice_add(&splice, gd_tape_text(value->tape, value->node)) &&
         gd_splice_copy(&splice, GD_SPAN("}"));
    return ok ? index_text(c, gd_splice_flat(&splice), value) : GD_COMPOSE_NO_MEMORY;
}

static enum gd_composed values_of(struct composer *c, const struct gd_shape *shape,
                                  struct gd_json_value **out)
{
    struct gd_json_value *values =
        gd_arena_alloc(c->arena, shape->count * sizeof(*values));
    enum gd_composed result = done(values != NULL);

    for (unsigned i = 0; i < shape->count && result == GD_COMPOSED; i++) {
        /* A call that is not made this time has no part in it. */
        if (shape->wrap && !gd_gather_is_chosen(c->gather, shape->parts[i].needs))
            continue;
        result = value_of(c, &shape->parts[i], &values[i]);
        if (result == GD_COMPOSED && shape->wrap)
            result = wrap(c, shape->keys[i], &values[i]);
    }
    *out = values;
    return result;
}

static enum gd_composed write_merge(struct composer *c, const struct gd_shape *shape,
                                    struct gd_splice *out)
{
    struct gd_merge merge = {.deep = shape->deep, .conflict = shape->conflict};
    struct gd_json_value *values;
    enum gd_composed result = values_of(c, shape, &values);

    if (result != GD_COMPOSED)
        return result;
    switch (gd_merge_objects(&merge, values, shape->count, out)) {
    case GD_MERGE_OK:
        gd_gather_collided(c->gather, merge.collisions, merge.clashed);
        return GD_COMPOSED;
    case GD_MERGE_CONFLICT:
        gd_gather_collided(c->gather, merge.collisions, merge.clashed);
        return GD_COMPOSE_CONFLICT;
    case GD_MERGE_NO_MEMORY:
        break;
    }
    return GD_COMPOSE_NO_MEMORY;
}

static enum gd_composed write_concat(struct composer *c, const struct gd_shape *shape,
                                     struct gd_splice *out)
{
    struct gd_json_value *values;
    enum gd_composed result = values_of(c, shape, &values);

    return result == GD_COMPOSED ? done(gd_concat_lists(values, shape->count, out))
                                 : result;
}

static enum gd_composed write_first(struct composer *c, const struct gd_shape *shape,
                                    struct gd_splice *out)
{
    for (unsigned i = 0; i < shape->count; i++) {
        struct gd_json_value value = {NULL, 0};
        enum gd_composed result = value_of(c, &shape->parts[i], &value);

        if (result != GD_COMPOSED)
            return result;
        if (!is_null(value))
            return done(gd_splice_add(out, gd_tape_text(value.tape, value.node)));
    }
    return done(gd_splice_copy(out, GD_SPAN("null")));
}

static enum gd_composed write_join(struct composer *c, const struct gd_shape *shape,
                                   struct gd_splice *out)
{
    struct gd_join join = {
        .left_key = &shape->left_key, .right_key = &shape->right_key, .as = shape->as};
    struct gd_json_value *values;
    enum gd_composed result = values_of(c, shape, &values);

    if (result != GD_COMPOSED)
        return result;
    if (shape->by_item) {
        join.right_key = NULL;
        join.right_keys = gd_gather_part(c->gather, shape->parts[1].ref.index)->items;
        if (join.right_keys == NULL)
            values[1] = (struct gd_json_value){NULL, 0};
    }
    return done(gd_join_lists(&join, values[0], values[1], out));
}

static enum gd_composed write_shape(struct composer *c, const struct gd_shape *shape,
                                    struct gd_splice *out)
{
    switch (shape->kind) {
    case GD_SHAPE_LITERAL:
        return done(gd_splice_add(out, shape->literal));
    case GD_SHAPE_REF:
        return done(write_ref(c, shape, out));
    case GD_SHAPE_TEXT:
        return write_template(c, shape, out);
    case GD_SHAPE_OBJECT:
    case GD_SHAPE_LIST:
        return write_inside(c, shape, out);
    case GD_SHAPE_MERGE:
        return write_merge(c, shape, out);
    case GD_SHAPE_CONCAT:
        return write_concat(c, shape, out);
    case GD_SHAPE_FIRST:
        return write_first(c, shape, out);
    case GD_SHAPE_JOIN:
        return write_join(c, shape, out);
    }
    return GD_COMPOSE_NO_MEMORY;
}

enum gd_composed gd_compose(const struct gd_shape *shape, struct gd_gather *gather,
                            const struct gd_values *values, struct gd_splice *out)
{
    struct composer c = {.gather = gather, .values = values, .arena = out->arena};
    enum gd_composed result = write_shape(&c, shape, out);

    for (struct temporary *t = c.temporaries; t; t = t->next)
        gd_doc_free(&t->doc);
    return result;
}
