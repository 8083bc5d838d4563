#include "json/project.h"

#include "json/cut.h"
#include "json/level.h"

/* Scratch memory of projections with few rules. */
enum { SLOTS_FEW = 128 };

struct work {
    struct gd_cut cut;
    const struct gd_tape *tape;
    /* For each rule of the levels being worked on: the name it was last met at, and the
     * rules in the order of their names. Shapes that are busy at the same time are inside
     * each other, so each has slots of its own. */
    uint32_t *slots;
};

/* A name with escapes is compared with every rule. */
static __attribute__((noinline)) const struct gd_rule *
rule_of_escaped(const struct gd_level *level, const struct gd_tape *tape, gd_node name)
{
    for (unsigned i = 0; i < level->count; i++)
        if (gd_tape_string_is(tape, name, level->rules[i]->name))
            return level->rules[i];
    return NULL;
}

static __attribute__((noinline)) const struct gd_rule *
rule_of_plain(const struct gd_level *level, struct gd_span name)
{
    const struct gd_rule *rule =
        level->buckets[gd_level_hash(name.ptr, name.len) & level->mask];

    while (rule && !gd_span_eq(rule->name, name))
        rule = rule->next;
    return rule;
}

/* Most names have no rule, and that is told quickly. */
static inline const struct gd_rule *rule_of(const struct gd_level *level,
                                            const struct gd_tape *tape, gd_node name)
{
    struct gd_span inner = gd_tape_inner(tape, name);

    if (gd_tape_is_escaped(tape, name))
        return rule_of_escaped(level, tape, name);
    if (!(level->filter & gd_level_sign(inner.ptr, inner.len)))
        return NULL;
    return rule_of_plain(level, inner);
}

/* Whether another member gets the name of this one, which then goes. */
static inline bool is_taken(const struct gd_rule *rule, const uint32_t *met)
{
    return rule->takes && rule->takes->keep && rule->to.ptr == NULL &&
           met[rule->takes->index] != GD_NODE_NONE;
}

static bool project_value(struct work *w, const struct gd_level *level, gd_node node);

static inline bool project_member(struct work *w, const struct gd_rule *rule,
                                  gd_node name)
{
    if (rule->to.ptr) {
        if (!gd_cut_out(&w->cut, gd_tape_from(w->tape, name),
                        gd_tape_to(w->tape, name)) ||
            !gd_splice_add(w->cut.out, rule->to))
            return false;
    }
    return rule->inside == NULL || project_value(w, rule->inside, name + 1);
}

static inline void forget(const struct gd_level *level, uint32_t *met)
{
    for (unsigned i = 0; i < level->count; i++)
        met[i] = GD_NODE_NONE;
}

/* Finds what is picked of an object: order gets the rules as their names stand, of a name
 * that stands twice the last one. Returns how many. */
static unsigned find_picked(const struct work *w, const struct gd_level *level,
                            gd_node object, uint32_t *met, uint32_t *order)
{
    gd_node end = gd_tape_last(w->tape, object);
    unsigned count = 0;

    forget(level, met);
    for (gd_node name = object + 1; name < end;
         name = gd_tape_last(w->tape, name + 1) + 1) {
        const struct gd_rule *rule = rule_of(level, w->tape, name);

        if (rule == NULL || !rule->keep)
            continue;
        if (met[rule->index] != GD_NODE_NONE) {
            unsigned at = 0;

            while (order[at] != rule->index)
                at++;
            count--;
            memmove(order + at, order + at + 1, (count - at) * sizeof(*order));
        }
        met[rule->index] = name;
        order[count++] = rule->index;
    }
    return count;
}

static bool pick_members(struct work *w, const struct gd_level *level, gd_node object)
{
    const struct gd_tape *tape = w->tape;
    gd_node end = gd_tape_last(tape, object);
    uint32_t *met = w->slots + level->slot, *order = met + level->count;
    unsigned count = find_picked(w, level, object, met, order);
    const char *kept = NULL; /* where the last member that stays ended */

    if (end == object + 1)
        return true;
    for (unsigned i = 0; i < count; i++) {
        const struct gd_rule *rule = level->rules[order[i]];
        gd_node name = met[rule->index];
        const char *from = kept ? kept : gd_tape_from(tape, object + 1);
        const char *to =
            kept ? gd_cut_before(tape, name, object) : gd_tape_from(tape, name);

        if (is_taken(rule, met))
            continue;
        if ((from != to && !gd_cut_out(&w->cut, from, to)) ||
            !project_member(w, rule, name))
            return false;
        kept = gd_tape_to(tape, name + 1);
    }
    return gd_cut_out(&w->cut, kept ? kept : gd_tape_from(tape, object + 1),
                      gd_cut_before(tape, end, object));
}

static bool drop_members(struct work *w, const struct gd_level *level, gd_node object)
{
    const struct gd_tape *tape = w->tape;
    gd_node end = gd_tape_last(tape, object);
    uint32_t *met = w->slots + level->slot;
    bool kept = false;

    if (level->takes)
        (void)find_picked(w, level, object, met, met + level->count);
    for (gd_node name = object + 1; name < end; name = gd_tape_last(tape, name + 1) + 1) {
        const struct gd_rule *rule = rule_of(level, tape, name);

        if (rule && (!rule->keep || is_taken(rule, met))) {
            if (!gd_cut_member(&w->cut, tape, object, name, kept))
                return false;
            continue;
        }
        kept = true;
        if (rule && !project_member(w, rule, name))
            return false;
    }
    return true;
}

static bool put_null(struct work *w, gd_node node)
{
    return gd_cut_out(&w->cut, gd_tape_from(w->tape, node), gd_tape_to(w->tape, node)) &&
           gd_splice_add(w->cut.out, GD_SPAN("null"));
}

/* Goes through arrays, however they are nested, word by word; calls itself only for what
 * is inside objects, so as deep as paths are long. */
static bool project_value(struct work *w, const struct gd_level *level, gd_node node)
{
    const struct gd_tape *tape = w->tape;
    gd_node last = gd_tape_last(tape, node);

    while (node <= last) {
        unsigned kind = gd_word_kind(tape->words[node]);

        if (kind == GD_JSON_OBJECT) {
            if (!(level->picking ? pick_members(w, level, node)
                                 : drop_members(w, level, node)))
                return false;
            node = gd_tape_last(tape, node);
        } else if (level->picking && kind < GD_JSON_ARRAY && kind != GD_JSON_NULL) {
            if (!put_null(w, node))
                return false;
        }
        node++;
    }
    return true;
}

bool gd_project(const struct gd_projection *projection, struct gd_json_value value,
                struct gd_splice *out)
{
    uint32_t few[SLOTS_FEW];
    struct work w = {{out, NULL}, value.tape, few};

    if (value.tape == NULL)
        return gd_splice_add(out, GD_SPAN("null"));
    w.cut.at = gd_tape_from(value.tape, value.node);
    if (projection->slots > SLOTS_FEW)
        w.slots = gd_arena_raw(out->arena, projection->slots * sizeof(*w.slots));
    return w.slots &&
           (projection->root == NULL ||
            project_value(&w, projection->root, value.node)) &&
           gd_cut_keep(&w.cut, gd_tape_to(value.tape, value.node));
}
