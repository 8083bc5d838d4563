#ifndef GD_TESTS_COMPOSE_ORACLE_H
#define GD_TESTS_COMPOSE_ORACLE_H
/**
 * What paths, projections, merges and joins give, by their contracts and in the plainest
 * way, on values of jansson. All results are owned by the caller.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "json/merge.h"
#include "json/project.h"

static inline bool oracle_is_name(const struct gd_json_path *path, unsigned step,
                                  const char *name)
{
    return step < path->count && gd_span_is(path->steps[step].name, name);
}

/* --- Paths --- */

/* Appends to `found` all that the steps from `step` on name. */
static inline void oracle_find(const struct gd_json_path *path, unsigned step,
                               json_t *from, json_t *found)
{
    const struct gd_json_step *at = &path->steps[step];
    const char *key;
    json_t *value;
    size_t i;

    if (step == path->count) {
        json_array_append(found, from);
    } else if (at->kind == GD_STEP_NAME) {
        json_object_foreach(from, key, value) if (oracle_is_name(path, step, key))
            oracle_find(path, step + 1, value, found);
    } else if (json_is_array(from)) {
        json_array_foreach(from, i, value) if (at->kind == GD_STEP_ALL || at->index == i)
            oracle_find(path, step + 1, value, found);
    }
}

/* --- Projections: rules[i] is at step steps of its path --- */

enum oracle_kind { ORACLE_PICK, ORACLE_DROP, ORACLE_RENAME };

struct oracle_rule {
    enum oracle_kind kind;
    struct gd_json_path path;
    unsigned step;
    const char *to;
};

enum { ORACLE_RULES_MAX = 12 };

struct oracle_rules {
    struct oracle_rule rules[ORACLE_RULES_MAX];
    unsigned count;
    bool picking;
};

static inline bool oracle_ends(const struct oracle_rule *rule, enum oracle_kind kind,
                               const char *name)
{
    return rule->kind == kind && rule->step + 1 == rule->path.count &&
           oracle_is_name(&rule->path, rule->step, name);
}

static inline const struct oracle_rule *
oracle_rule_at(const struct oracle_rules *rules, enum oracle_kind kind, const char *name)
{
    for (unsigned i = 0; i < rules->count; i++)
        if (oracle_ends(&rules->rules[i], kind, name))
            return &rules->rules[i];
    return NULL;
}

/* Whether a member is kept by pick and drop alone. */
static inline bool oracle_stays(const struct oracle_rules *rules, const char *name)
{
    bool picked = !rules->picking;

    for (unsigned i = 0; i < rules->count; i++)
        picked =
            picked || (rules->rules[i].kind == ORACLE_PICK &&
                       oracle_is_name(&rules->rules[i].path, rules->rules[i].step, name));
    return picked && oracle_rule_at(rules, ORACLE_DROP, name) == NULL;
}

static inline bool oracle_is_taken(const struct oracle_rules *rules, json_t *object,
                                   const char *name)
{
    const char *from;
    json_t *value;

    if (oracle_rule_at(rules, ORACLE_RENAME, name))
        return false;
    json_object_foreach(object, from, value)
    {
        const struct oracle_rule *rename = oracle_rule_at(rules, ORACLE_RENAME, from);

        if (rename && strcmp(rename->to, name) == 0 && oracle_stays(rules, from))
            return true;
    }
    return false;
}

static inline struct oracle_rules oracle_below(const struct oracle_rules *rules,
                                               const char *name)
{
    struct oracle_rules below = {.picking = rules->picking};

    below.picking = rules->picking && oracle_rule_at(rules, ORACLE_PICK, name) == NULL;
    for (unsigned i = 0; i < rules->count; i++) {
        struct oracle_rule rule = rules->rules[i];

        if (!oracle_is_name(&rule.path, rule.step++, name) ||
            rule.step == rule.path.count || (rule.kind == ORACLE_PICK && !below.picking))
            continue;
        below.rules[below.count++] = rule;
    }
    return below;
}

static inline json_t *oracle_project(const struct oracle_rules *rules, json_t *value)
{
    json_t *result, *child;
    const char *name;
    size_t i;

    if (json_is_array(value)) {
        result = json_array();
        json_array_foreach(value, i, child)
            json_array_append_new(result, oracle_project(rules, child));
        return result;
    }
    if (!json_is_object(value))
        return rules->picking ? json_null() : json_incref(value);
    result = json_object();
    json_object_foreach(value, name, child)
    {
        struct oracle_rules below = oracle_below(rules, name);
        const struct oracle_rule *rename = oracle_rule_at(rules, ORACLE_RENAME, name);

        if (oracle_stays(rules, name) && !oracle_is_taken(rules, value, name))
            json_object_set_new(result, rename ? rename->to : name,
                                oracle_project(&below, child));
    }
    return result;
}

/* Whether b begins with a. */
static inline bool oracle_begins(const struct gd_json_path *b,
                                 const struct gd_json_path *a, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++)
        if (!gd_span_eq(a->steps[i].name, b->steps[i].name))
            return false;
    return true;
}

static inline bool oracle_contradict(const struct oracle_rule *a,
                                     const struct oracle_rule *b)
{
    unsigned count = a->path.count;

    if (a->kind == ORACLE_DROP && b->kind == ORACLE_PICK)
        return count <= b->path.count && oracle_begins(&b->path, &a->path, count);
    if (a->kind != ORACLE_RENAME || b->kind != ORACLE_RENAME || b->path.count != count ||
        !oracle_begins(&b->path, &a->path, count - 1))
        return false;
    return strcmp(a->to, b->to) == 0 || oracle_begins(&b->path, &a->path, count);
}

/* --- Merges and joins --- */

static inline void oracle_extend(json_t *list, json_t *value)
{
    if (json_is_array(value))
        json_array_extend(list, value);
    else
        json_array_append(list, value);
}

/* Adds the members of b to the object a. False for a conflict that is an error. */
static inline bool oracle_merge(json_t *a, json_t *b, const struct gd_merge *how,
                                unsigned *collisions)
{
    const char *name;
    json_t *value;

    json_object_foreach(b, name, value)
    {
        json_t *had = json_object_get(a, name), *made;

        if (had == NULL) {
            json_object_set_new(a, name, json_deep_copy(value));
            continue;
        }
        if (how->deep && json_is_object(had) && json_is_object(value)) {
            if (!oracle_merge(had, value, how, collisions))
                return false;
            continue;
        }
        ++*collisions;
        if (how->conflict == GD_CONFLICT_ERROR)
            return false;
        if (how->conflict == GD_CONFLICT_LAST)
            json_object_set_new(a, name, json_deep_copy(value));
        if (how->conflict != GD_CONFLICT_CONCAT)
            continue;
        made = json_array();
        oracle_extend(made, had);
        oracle_extend(made, value);
        json_object_set_new(a, name, made);
    }
    return true;
}

/* The text of the key in an element, "" for none. False when jansson does not know what
 * the number looked like. */
static inline bool oracle_key(const struct gd_json_path *path, json_t *element,
                              char *text, size_t size, bool *is_key)
{
    json_t *found = json_array(), *key;
    bool known = true;

    oracle_find(path, 0, element, found);
    key = json_array_get(found, 0);
    *is_key = json_is_string(key) || json_is_number(key);
    text[0] = '\0';
    if (json_is_string(key)) {
        known = json_string_length(key) < size &&
                strlen(json_string_value(key)) == json_string_length(key);
        snprintf(text, size, "%s", json_string_value(key));
    } else if (json_is_number(key)) {
        known = json_is_integer(key) && json_integer_value(key) != 0;
        snprintf(text, size, "%lld", (long long)json_integer_value(key));
    }
    json_decref(found);
    return known;
}

#endif
