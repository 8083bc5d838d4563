#include "plan/effective.h"

#include <stdlib.h>

#include "plan/schema.h"
#include "plan/value.h"

/* Where a map stands. */
struct around {
    const json_t *root;  /* the whole, as far as it is there; NULL: it is not */
    const json_t *route; /* that a call is of */
    const json_t *base;  /* values in place of the defaults of the rows */
};

static json_t *fill(enum gd_section section, const json_t *map,
                    const struct around *around);

static json_t *need(json_t *json)
{
    if (json == NULL)
        abort();
    return json;
}

/* A copy; null when there is nothing. */
static json_t *copy(const json_t *json)
{
    return json ? need(json_deep_copy(json)) : json_null();
}

/* Defaults ------------------------------------------------------------------------------
 */

static json_t *word_json(struct gd_span word)
{
    uint64_t number;

    if (gd_value_number(word, &number))
        return need(json_integer((json_int_t)number));
    return need(json_stringn(word.ptr, word.len));
}

/* `[a, b]` */
static json_t *list_json(struct gd_span text)
{
    json_t *list = need(json_array());

    text = gd_span_trim(text, "[]");
    while (text.len) {
        const char *comma = memchr(text.ptr, ',', text.len);
        size_t len = comma ? (size_t)(comma - text.ptr) : text.len;
        size_t skip = comma ? len + 1 : len;

        json_array_append_new(
            list, word_json(gd_span_trim((struct gd_span){text.ptr, len}, " ")));
        text = (struct gd_span){text.ptr + skip, text.len - skip};
    }
    return list;
}

/* The default of a row that the loader makes. */
static json_t *made_json(const struct gd_option *option, const char *words,
                         const struct around *around)
{
    if (strcmp(words, "see below") == 0)
        return fill(option->of, NULL, around);
    if (strcmp(words, "the route's") == 0)
        return copy(json_object_get(around->route, option->key));
    if (strcmp(words, "limits.body") == 0 && around->root)
        return copy(json_object_get(json_object_get(around->root, "limits"), "body"));
    if (*words == '[')
        return list_json(gd_span_of(words));
    /* What is only described is not set. */
    return strchr(words, ' ') ? json_null() : word_json(gd_span_of(words));
}

static json_t *default_json(const struct gd_option *option, const struct around *around)
{
    const char *words = option->fallback;
    const json_t *base = json_object_get(around->base, option->key);
    bool on;

    if (base)
        return copy(base);
    if (option->type == GD_TYPE_SECTION && *words == '\0')
        return fill(option->of, NULL, around);
    if (option->type == GD_TYPE_NODE)
        return fill(option->of, NULL, around);
    if (*words == '\0' || gd_option_required(option))
        return json_null();
    if (*words == '=')
        return made_json(option, words + 1, around);
    if (option->type == GD_TYPE_BOOL && gd_value_bool(gd_span_of(words), &on))
        return json_boolean(on);
    return word_json(gd_span_of(words));
}

/* Written values ------------------------------------------------------------------------
 */

/* What a short form stands for: the first option of its section. */
static const char *first_key(enum gd_section section)
{
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_options[i].section == section)
            return gd_options[i].key;
    return "";
}

static json_t *fill_entry(enum gd_section section, const json_t *value,
                          const struct around *around)
{
    json_t *map, *filled;

    if (json_is_object(value) || json_is_null(value))
        return fill(section, value, around);
    map = need(json_object());
    json_object_set_new(map, first_key(section), copy(value));
    filled = fill(section, map, around);
    json_decref(map);
    return filled;
}

static json_t *fill_list(enum gd_section section, const json_t *list,
                         const struct around *around)
{
    json_t *filled = need(json_array()), *value;
    size_t i;

    if (!json_is_array(list)) {
        json_array_append_new(filled, fill_entry(section, list, around));
        return filled;
    }
    json_array_foreach(list, i, value)
    {
        json_array_append_new(filled, fill_entry(section, value, around));
    }
    return filled;
}

static json_t *value_json(const struct gd_option *option, const json_t *value,
                          const struct around *around)
{
    struct around inside = *around;
    const char *text = json_string_value(value);
    bool on;

    inside.base = json_object_get(around->base, option->key);
    if (option->type == GD_TYPE_BOOL && text && gd_value_bool(gd_span_of(text), &on))
        return json_boolean(on);
    if (option->type == GD_TYPE_SERVERS)
        return fill_list(option->of, value, &inside);
    if (option->of == GD_SECTION_NONE || (text && strcmp(text, "off") == 0))
        return copy(value);
    return fill_entry(option->of, value, &inside);
}

/* Maps ----------------------------------------------------------------------------------
 */

/* A map whose keys are names: in it are things of one kind. */
static json_t *fill_names(const struct gd_option *option, const json_t *map,
                          const struct around *around)
{
    json_t *filled, *value;
    const char *name;

    if (!json_is_object(map))
        return json_null();
    filled = need(json_object());
    json_object_foreach((json_t *)map, name, value)
    {
        json_object_set_new(filled, name, fill_entry(option->of, value, around));
    }
    return filled;
}

/* Things of names come last, since they refer to what stands beside them, but keep their
 * place. */
static json_t *fill(enum gd_section section, const json_t *map,
                    const struct around *around)
{
    json_t *filled = need(json_object());
    struct around inside = *around;

    if (section == GD_SECTION_TOP)
        inside.root = filled;
    for (int names = 0; names < 2; names++)
        for (size_t i = 0; i < gd_option_count; i++) {
            const struct gd_option *option = &gd_options[i];
            const json_t *value = json_object_get(map, option->key);
            bool absent = value == NULL || json_is_null(value);

            if (!gd_option_in(option, section))
                continue;
            if (option->type == GD_TYPE_MAP && names) {
                inside.route = section == GD_SECTION_ROUTE ? filled : around->route;
                inside.base = section == GD_SECTION_TOP && option->of == GD_SECTION_ROUTE
                                  ? json_object_get(filled, "defaults")
                                  : NULL;
                json_object_set_new(filled, option->key,
                                    fill_names(option, value, &inside));
            } else if (!names) {
                json_object_set_new(filled, option->key,
                                    absent ? default_json(option, &inside)
                                           : value_json(option, value, &inside));
            }
        }
    return filled;
}

/* ---------------------------------------------------------------------------------------
 */

static json_t *written_json(struct gd_span text)
{
    json_t *json = json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL);

    return json ? json : json_null();
}

json_t *gd_effective_upstream(const struct gd_plan_upstream *upstream)
{
    struct around nothing = {.root = NULL};
    json_t *written = written_json(upstream->written);
    json_t *filled = fill_entry(GD_SECTION_UPSTREAM, written, &nothing);

    json_decref(written);
    return filled;
}

json_t *gd_effective_config(const struct gd_plan *plan)
{
    struct around nothing = {.root = NULL};
    json_t *written = written_json(plan->written), *filled;
    json_t *upstreams = need(json_object()), *routes = need(json_object());

    for (unsigned i = 0; i < plan->upstream_count; i++)
        json_object_set_new(upstreams, plan->upstreams[i].name,
                            written_json(plan->upstreams[i].written));
    for (unsigned i = 0; i < plan->route_count; i++)
        json_object_set_new(routes, plan->routes[i].pattern,
                            written_json(plan->routes[i].written));
    json_object_set_new(written, "upstreams", upstreams);
    json_object_set_new(written, "routes", routes);
    filled = fill(GD_SECTION_TOP, written, &nothing);
    json_decref(written);
    return filled;
}
