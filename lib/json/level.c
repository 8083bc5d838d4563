#include "json/level.h"

#include <stdio.h>

#include "json/names.h"

struct compiler {
    struct gd_arena *arena;
    struct gd_projection *projection;
    struct gd_err *err;
};

static bool no_memory(struct compiler *c)
{
    return gd_err_set(c->err, "there is no memory for so many rules");
}

static struct gd_level *new_level(struct compiler *c, struct gd_rule *above)
{
    struct gd_level *level = gd_arena_alloc(c->arena, sizeof(*level));

    if (level == NULL) {
        no_memory(c);
        return NULL;
    }
    level->above = above;
    return level;
}

static struct gd_rule *find_rule(const struct gd_level *level, struct gd_span name)
{
    for (unsigned i = 0; i < level->count; i++)
        if (gd_span_eq(level->rules[i]->name, name))
            return level->rules[i];
    return NULL;
}

/* The rules of a level double when their count is a power of two. */
static struct gd_rule *add_rule(struct compiler *c, struct gd_level *level,
                                struct gd_span name)
{
    struct gd_rule *rule = find_rule(level, name);

    if (rule)
        return rule;
    if ((level->count & (level->count - 1)) == 0) {
        size_t cap = level->count ? (size_t)level->count * 2 : 1;
        struct gd_rule **rules = gd_arena_alloc(c->arena, cap * sizeof(struct gd_rule *));

        if (rules == NULL) {
            no_memory(c);
            return NULL;
        }
        if (level->count)
            memcpy(rules, level->rules, level->count * sizeof(struct gd_rule *));
        level->rules = rules;
    }
    rule = level->count < GD_LEVEL_RULES ? gd_arena_alloc(c->arena, sizeof(*rule)) : NULL;
    if (rule == NULL) {
        no_memory(c);
        return NULL;
    }
    rule->name = gd_arena_copy(c->arena, name);
    if (rule->name.ptr == NULL) {
        no_memory(c);
        return NULL;
    }
    rule->owner = level;
    rule->index = level->count;
    level->rules[level->count++] = rule;
    return rule;
}

/* The rule at the end of a path of names; picks mark those on the way. */
static struct gd_rule *add_path(struct compiler *c, const struct gd_json_path *path,
                                bool pick)
{
    struct gd_level *level = c->projection->root;
    struct gd_rule *rule = NULL;

    for (unsigned i = 0; i < path->count; i++) {
        if (path->steps[i].kind != GD_STEP_NAME) {
            gd_err_set(c->err, "pick, drop and rename take names only; they go through "
                               "lists by themselves");
            return NULL;
        }
        if (rule) {
            if (rule->inside == NULL)
                rule->inside = new_level(c, rule);
            level = rule->inside;
            rule->passed = rule->passed || pick;
        }
        rule = level ? add_rule(c, level, path->steps[i].name) : NULL;
        if (rule == NULL)
            return NULL;
    }
    if (rule == NULL)
        gd_err_set(c->err, "pick, drop and rename need a name");
    return rule;
}

/* Sets err to the path of the rule and the reason. */
static bool contradicts(struct compiler *c, const struct gd_rule *rule,
                        const char *reason)
{
    const struct gd_rule *chain[GD_PATH_STEPS_MAX];
    char path[256];
    size_t used = 0;
    unsigned depth = 0;

    for (; rule && depth < GD_PATH_STEPS_MAX; rule = rule->owner->above)
        chain[depth++] = rule;
    while (depth-- && used < sizeof(path)) {
        int len = snprintf(path + used, sizeof(path) - used, "%.*s%s",
                           GD_SPAN_ARG(chain[depth]->name), depth ? "." : "");

        used += len > 0 ? (size_t)len : 0;
    }
    return gd_err_set(c->err, "%s %s", path, reason);
}

static bool add_rename(struct compiler *c, const struct gd_rename *rename)
{
    struct gd_rule *rule = add_path(c, &rename->from, false);

    if (rule == NULL)
        return false;
    if (rule->to.ptr)
        return contradicts(c, rule, "is renamed twice");
    rule->to = gd_names_quoted(c->arena, rename->to);
    rule->renamed = gd_arena_copy(c->arena, rename->to);
    return (rule->to.ptr && rule->renamed.ptr) || no_memory(c);
}

/* Tells the rules of names that others become. */
static bool link_renames(struct compiler *c, struct gd_level *level)
{
    unsigned count = level->count;

    for (unsigned i = 0; i < count; i++) {
        struct gd_rule *rule = level->rules[i], *target;

        if (rule->to.ptr == NULL)
            continue;
        target = add_rule(c, level, rule->renamed);
        if (target == NULL)
            return false;
        if (target->takes)
            return contradicts(c, rule, "gets a name that another one gets too");
        target->takes = rule;
    }
    return true;
}

static void fill_buckets(struct gd_level *level)
{
    for (unsigned i = 0; i < level->count; i++) {
        struct gd_rule *rule = level->rules[i];
        uint16_t *first = &level->buckets[gd_level_hash(
            rule->name.len ? *rule->name.ptr : '"', (uint32_t)rule->name.len + 2)];

        rule->next = *first ? level->rules[*first - 1] : NULL;
        *first = (uint16_t)(i + 1);
    }
}

static bool has_effect(const struct gd_level *level)
{
    if (level->picking)
        return true;
    for (unsigned i = 0; i < level->count; i++)
        if (!level->rules[i]->keep || level->rules[i]->to.ptr || level->rules[i]->inside)
            return true;
    return false;
}

/* Calls itself as deep as paths are long. */
static bool finish(struct compiler *c, struct gd_level **place, bool picking)
{
    struct gd_level *level = *place;

    if (level == NULL)
        return true;
    level->picking = picking;
    if (!link_renames(c, level))
        return false;
    fill_buckets(level);
    level->order = c->projection->slots + level->count;
    c->projection->slots += 2 * level->count;
    for (unsigned i = 0; i < level->count; i++) {
        struct gd_rule *rule = level->rules[i];

        if (rule->dropped && (rule->picked || rule->passed))
            return contradicts(c, rule, "is picked, but all of it is dropped");
        rule->slot = level->order - level->count + i;
        rule->keep = !rule->dropped && (!picking || rule->picked || rule->passed);
        level->takes = level->takes || rule->takes;
        if (!finish(c, &rule->inside, picking && !rule->picked))
            return false;
    }
    if (!has_effect(level))
        *place = NULL;
    return true;
}

static bool add_rules(struct compiler *c, const struct gd_project_rules *rules)
{
    for (unsigned i = 0; i < rules->pick_count; i++) {
        struct gd_rule *rule = add_path(c, &rules->pick[i], true);

        if (rule == NULL)
            return false;
        rule->picked = true;
    }
    for (unsigned i = 0; i < rules->drop_count; i++) {
        struct gd_rule *rule = add_path(c, &rules->drop[i], false);

        if (rule == NULL)
            return false;
        rule->dropped = true;
    }
    for (unsigned i = 0; i < rules->rename_count; i++)
        if (!add_rename(c, &rules->rename[i]))
            return false;
    return true;
}

struct gd_projection *gd_projection_new(struct gd_arena *arena,
                                        const struct gd_project_rules *rules,
                                        struct gd_err *err)
{
    struct compiler c = {arena, gd_arena_alloc(arena, sizeof(struct gd_projection)), err};

    if (c.projection == NULL) {
        no_memory(&c);
        return NULL;
    }
    c.projection->root = new_level(&c, NULL);
    if (c.projection->root == NULL || !add_rules(&c, rules) ||
        !finish(&c, &c.projection->root, rules->pick_count > 0))
        return NULL;
    return c.projection;
}
