#include "json/project.h"

#include "json/cut.h"
#include "json/level.h"

#define OUT_OF_LINE __attribute__((noinline))
#define UNUSUALLY(condition) __builtin_expect(!!(condition), 0)

/* Scratch memory of projections with few rules. */
enum { SLOTS_FEW = 128 };

struct work;

typedef bool pick_fn(struct work *w, const struct gd_level *level, gd_node object);

struct work {
    struct gd_cut cut;
    const struct gd_tape *tape;
    /* For each rule of a level the name it was last met at, in whichever object, and room
     * for an order of the rules. Levels that are busy at the same time are inside each
     * other, so each has slots of its own. */
    uint32_t *slots;
    pick_fn *pick; /* quickly, or carefully */
};

/* A name with escapes is compared with every rule. */
static OUT_OF_LINE const struct gd_rule *
rule_of_escaped(const struct gd_level *level, const struct gd_tape *tape, gd_node name)
{
    for (unsigned i = 0; i < level->count; i++)
        if (gd_tape_string_is(tape, name, level->rules[i]->name))
            return level->rules[i];
    return NULL;
}

/* Names are short, so a call would cost more than to compare them. */
static inline bool is_name_of(const struct gd_rule *rule, struct gd_span name)
{
    const char *a = rule->name.ptr, *b = name.ptr;
    size_t len = name.len;

    if (rule->name.len != len)
        return false;
    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len >= 8)
        return memcmp(a, b, 8) == 0 && memcmp(a + len - 8, b + len - 8, 8) == 0;
    if (len >= 4)
        return memcmp(a, b, 4) == 0 && memcmp(a + len - 4, b + len - 4, 4) == 0;
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* The rule of a name among those of its bucket. */
static OUT_OF_LINE const struct gd_rule *rule_among(const struct gd_rule *rule,
                                                    struct gd_span name)
{
    while (rule && !is_name_of(rule, name))
        rule = rule->next;
    return rule;
}

/* text: of the tape. */
static inline const struct gd_rule *rule_of(const struct gd_level *level,
                                            const struct gd_tape *tape, const char *text,
                                            const struct gd_tape_word *name)
{
    const char *inner = text + gd_word_start(*name) + 1;
    unsigned first;

    if (UNUSUALLY(name->head & GD_WORD_ESCAPED))
        return rule_of_escaped(level, tape, (gd_node)(name - tape->words));
    first = level->buckets[gd_level_hash(*inner, name->tail)];
    if (first == 0)
        return NULL;
    return rule_among(level->rules[first - 1], (struct gd_span){inner, name->tail - 2});
}

/* The word behind a value. */
static inline const struct gd_tape_word *behind_value(const struct gd_tape_word *words,
                                                      const struct gd_tape_word *value)
{
    return gd_word_kind(*value) < GD_JSON_ARRAY ? value + 1 : words + value->tail + 1;
}

/* From object to object slots are not cleared: nodes grow, so what was met before this
 * object is not of it. */
static inline bool is_met(const struct work *w, const struct gd_rule *rule,
                          gd_node object)
{
    return w->slots[rule->slot] > object;
}

/* Whether another member gets the name of this one, which then goes. */
static inline bool is_taken(const struct work *w, const struct gd_rule *rule,
                            gd_node object)
{
    return rule->takes && rule->takes->keep && rule->to.ptr == NULL &&
           is_met(w, rule->takes, object);
}

static bool project_value(struct work *w, const struct gd_level *level, gd_node node);

static inline bool project_member(struct work *w, const struct gd_rule *rule,
                                  gd_node name)
{
    if (rule->to.ptr) {
        if (!gd_cut_out(&w->cut, gd_tape_from(w->tape, name),
                        gd_tape_end(w->tape, name)) ||
            !gd_splice_add(w->cut.out, rule->to))
            return false;
    }
    if (rule->inside == NULL)
        return true;
    if (rule->inside->picking && gd_word_kind(w->tape->words[name + 1]) == GD_JSON_OBJECT)
        return w->pick(w, rule->inside, name + 1);
    return project_value(w, rule->inside, name + 1);
}

/* An object that is being picked from. */
struct picking {
    const struct gd_level *level;
    const struct gd_tape_word *words, *first, *end; /* of the tape; the object's own */
    const struct gd_tape_word *behind; /* the member kept last, or first before any is */
    gd_node object;
};

static inline struct picking picking_of(const struct work *w,
                                        const struct gd_level *level, gd_node object)
{
    const struct gd_tape_word *words = w->tape->words, *first = words + object + 1;

    return (struct picking){level, words, first, words + words[object].tail,
                            first, object};
}

/* Leaves out all between the member kept last and `to`, which is a name or the end. The
 * comma before a name stays, when there is a member that stays before it. */
static inline bool cut_to(struct work *w, const struct picking *picking,
                          const struct gd_tape_word *to)
{
    const char *text = w->tape->text.ptr;

    if (picking->behind > picking->first)
        return gd_cut_out(&w->cut, text + gd_word_end(picking->behind[-1]),
                          text + gd_word_end(to[-1]));
    return gd_cut_out(&w->cut, text + gd_word_start(*picking->first),
                      to == picking->end ? text + gd_word_end(to[-1])
                                         : text + gd_word_start(*to));
}

/* Keeps a member, which stands behind those kept before. */
static inline bool keep_member(struct work *w, struct picking *picking,
                               const struct gd_rule *rule,
                               const struct gd_tape_word *name)
{
    if (name != picking->behind && !cut_to(w, picking, name))
        return false;
    picking->behind = behind_value(picking->words, name + 1);
    return project_member(w, rule, (gd_node)(name - picking->words));
}

/* What stands behind the last member that was kept goes. */
static inline bool keep_no_more(struct work *w, const struct picking *picking)
{
    return picking->behind == picking->end || cut_to(w, picking, picking->end);
}

/* Takes the rule at a name out of the order: the name stands again behind it. */
static void forget(uint32_t *order, unsigned count, unsigned index)
{
    unsigned at = 0;

    while (order[at] != index)
        at++;
    memmove(order + at, order + at + 1, (count - at - 1) * sizeof(*order));
}

/* Finds what is picked of an object: order gets the rules as their names stand, of a name
 * that stands twice the last one. Returns how many. */
static unsigned find_picked(const struct work *w, const struct picking *picking,
                            uint32_t *order)
{
    const struct gd_tape_word *name = picking->first;
    unsigned count = 0;

    for (; name < picking->end; name = behind_value(picking->words, name + 1)) {
        const struct gd_rule *rule =
            rule_of(picking->level, w->tape, w->tape->text.ptr, name);

        if (rule == NULL || !rule->keep)
            continue;
        if (is_met(w, rule, picking->object))
            forget(order, count--, rule->index);
        w->slots[rule->slot] = (gd_node)(name - picking->words);
        order[count++] = rule->index;
    }
    return count;
}

/* Picks from an object in which what happens to a member depends on those behind it. */
static OUT_OF_LINE bool pick_carefully(struct work *w, const struct gd_level *level,
                                       gd_node object)
{
    struct picking picking = picking_of(w, level, object);
    uint32_t *order = w->slots + level->order;
    unsigned count = find_picked(w, &picking, order);

    for (unsigned i = 0; i < count; i++) {
        const struct gd_rule *rule = level->rules[order[i]];

        if (!is_taken(w, rule, object) &&
            !keep_member(w, &picking, rule, picking.words + w->slots[rule->slot]))
            return false;
    }
    return keep_no_more(w, &picking);
}

/* Picks in one go. False without memory, or when a name stands twice or may be taken by
 * another: then all has to be done carefully. */
static OUT_OF_LINE bool pick_quickly(struct work *w, const struct gd_level *level,
                                     gd_node object)
{
    struct picking picking = picking_of(w, level, object);
    const struct gd_tape_word *name = picking.first, *next;
    const char *text = w->tape->text.ptr;

    for (; name < picking.end; name = next) {
        const struct gd_rule *rule = rule_of(level, w->tape, text, name);

        next = behind_value(picking.words, name + 1);
        if (rule == NULL || !rule->keep)
            continue;
        if (UNUSUALLY(rule->takes || is_met(w, rule, object))) {
            w->pick = pick_carefully;
            return false;
        }
        w->slots[rule->slot] = (gd_node)(name - picking.words);
        if (!keep_member(w, &picking, rule, name))
            return false;
    }
    return keep_no_more(w, &picking);
}

static OUT_OF_LINE bool drop_members(struct work *w, const struct gd_level *level,
                                     gd_node object)
{
    const struct gd_tape *tape = w->tape;
    gd_node end = gd_tape_last(tape, object);
    bool kept = false;

    if (level->takes) {
        struct picking picking = picking_of(w, level, object);

        (void)find_picked(w, &picking, w->slots + level->order);
    }
    for (gd_node name = object + 1; name < end; name = gd_tape_last(tape, name + 1) + 1) {
        const struct gd_rule *rule =
            rule_of(level, tape, tape->text.ptr, tape->words + name);

        if (rule && (!rule->keep || is_taken(w, rule, object))) {
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
            if (!(level->picking ? w->pick(w, level, node)
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

static bool project_all(struct work *w, const struct gd_projection *projection,
                        gd_node node)
{
    w->cut.at = gd_tape_from(w->tape, node);
    memset(w->slots, 0, projection->slots * sizeof(*w->slots));
    return (projection->root == NULL || project_value(w, projection->root, node)) &&
           gd_cut_keep(&w->cut, gd_tape_to(w->tape, node));
}

bool gd_project(const struct gd_projection *projection, struct gd_json_value value,
                struct gd_splice *out)
{
    uint32_t few[SLOTS_FEW];
    struct work w = {{out, NULL}, value.tape, few, pick_quickly};
    size_t before = out->bytes;

    if (value.tape == NULL)
        return gd_splice_add(out, GD_SPAN("null"));
    if (projection->slots > SLOTS_FEW)
        w.slots = gd_arena_raw(out->arena, projection->slots * sizeof(*w.slots));
    if (w.slots == NULL)
        return false;
    if (project_all(&w, projection, value.node))
        return true;
    if (w.pick == pick_quickly)
        return false;
    gd_splice_shorten(out, before);
    return project_all(&w, projection, value.node);
}
