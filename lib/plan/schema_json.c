#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan/load.h"
#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/value.h"

/* A value may come from a variable, whatever its type. */
#define VARIABLE "\\$\\{"
#define URL_PATTERN "^https?://|" VARIABLE
#define ADDRESS_PATTERN "^(https?://|unix:/|systemd:)|" VARIABLE
#define TARGET_PATTERN "^(/|https?://)|" VARIABLE
#define DURATION_PATTERN "^[0-9]+(ms|s|m|h)$|" VARIABLE
#define RANGE_PATTERN "^[0-9]+(ms|s|m|h)(\\.\\.[0-9]+(ms|s|m|h))?$|" VARIABLE
#define SIZE_PATTERN "^[0-9]+([KMG]i?)?B$|" VARIABLE
#define BALANCE_PATTERN "^(round_robin|least_pending|random_two|hash\\(.*\\))$|" VARIABLE
#define PERCENT_PATTERN "^[0-9.]+%$|" VARIABLE
#define LOG_PATTERN "^(stderr|journal(:/.*)?|syslog(:/.*)?|/.*[^/])$|" VARIABLE

static json_t *text_like(const char *pattern)
{
    return gd_need(json_pack("{s:s, s:s}", "type", "string", "pattern", pattern));
}

static json_t *plain_text(void)
{
    return gd_need(json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean"));
}

/* The name of a section among the definitions, in lower case. */
static const char *def_name(enum gd_section section, char *out, size_t size)
{
    const char *id = gd_section_info(section)->id;
    size_t n = 0;

    for (; id[n] && n + 1 < size; n++)
        out[n] = (char)(id[n] | 0x20);
    out[n] = '\0';
    return out;
}

static json_t *ref(enum gd_section section)
{
    char name[32], path[64];

    snprintf(path, sizeof(path), "#/$defs/%s", def_name(section, name, sizeof(name)));
    return gd_need(json_pack("{s:s}", "$ref", path));
}

static json_t *list_of(json_t *item)
{
    return gd_need(
        json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items", item));
}

static json_t *map_of(json_t *value)
{
    return gd_need(
        json_pack("{s:s, s:o}", "type", "object", "additionalProperties", value));
}

static json_t *any_text(void)
{
    return gd_need(json_pack("{s:s}", "type", "string"));
}

static json_t *any_of(json_t *first, json_t *second)
{
    return gd_need(json_pack("{s:[o, o]}", "anyOf", first, second));
}

static json_t *or_off(json_t *first)
{
    return any_of(first, gd_need(json_pack("{s:[s, b]}", "enum", "off", false)));
}

static json_t *address(void)
{
    return any_of(gd_need(json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0,
                                    "maximum", 65535)),
                  text_like(ADDRESS_PATTERN));
}

static json_t *addresses(const struct gd_option *option)
{
    return any_of(any_of(address(), ref(option->of)),
                  list_of(any_of(address(), ref(option->of))));
}

static json_t *number(const struct gd_option *option)
{
    json_t *integer =
        gd_need(json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
                          (json_int_t)option->min, "maximum", (json_int_t)option->max));
    json_t *one = any_of(integer, text_like(VARIABLE));

    if (*option->words)
        json_array_append_new(json_object_get(one, "anyOf"),
                              json_pack("{s:s}", "const", option->words));
    return one;
}

static json_t *words(const struct gd_option *option)
{
    json_t *list = gd_need(json_array());
    uint64_t digits;
    double decimal;
    char *end;

    for (const char *word = option->words; *word;) {
        size_t len = strcspn(word, "|");

        json_array_append_new(list, json_stringn(word, len));
        if (gd_value_number((struct gd_span){word, len}, &digits)) /* without quotes */
            json_array_append_new(list, json_integer((json_int_t)digits));
        else if ((decimal = strtod(word, &end)) > 0 && end == word + len)
            json_array_append_new(list, json_real(decimal));
        word += len + (word[len] == '|');
    }
    return any_of(gd_need(json_pack("{s:o}", "enum", list)), text_like(VARIABLE));
}

static json_t *server(const struct gd_option *option)
{
    return any_of(text_like(URL_PATTERN), ref(option->of));
}

static json_t *boolean(void)
{
    return gd_need(json_pack("{s:[b, b, s, s]}", "enum", true, false, "on", "off"));
}

/* One value, or a list of them. */
static json_t *one_or_more(json_t *one)
{
    return any_of(one, list_of(json_incref(one)));
}

/* What stands for a map of options. */
static json_t *short_form(const struct gd_option *option)
{
    switch ((int)option->type) {
    case GD_TYPE_ACCESS:
        return boolean();
    case GD_TYPE_FOLDER:
        return any_text();
    case GD_TYPE_ADMIN:
        return address();
    case GD_TYPE_LOG:
        return text_like(LOG_PATTERN);
    case GD_TYPE_REDIRECT:
        return text_like(TARGET_PATTERN);
    default:
        return words(option);
    }
}

static json_t *type_schema(const struct gd_option *option)
{
    switch (option->type) {
    case GD_TYPE_BOOL:
        return any_of(boolean(), text_like(VARIABLE));
    case GD_TYPE_INT:
        return number(option);
    case GD_TYPE_DURATION:
        return text_like(DURATION_PATTERN);
    case GD_TYPE_RANGE:
        return text_like(RANGE_PATTERN);
    case GD_TYPE_SIZE:
        return any_of(gd_need(json_pack("{s:i}", "const", 0)), text_like(SIZE_PATTERN));
    case GD_TYPE_PERCENT:
        return text_like(PERCENT_PATTERN);
    case GD_TYPE_ENUM:
        return words(option);
    case GD_TYPE_SECTION:
    case GD_TYPE_NODE:
        return ref(option->of);
    case GD_TYPE_TEXT:
        return plain_text();
    case GD_TYPE_MAP:
        return map_of(ref(option->of));
    case GD_TYPE_HEADERS:
    case GD_TYPE_TEXTS:
        return map_of(plain_text());
    case GD_TYPE_PATTERNS:
    case GD_TYPE_NAMES:
        return list_of(any_text());
    case GD_TYPE_ADDRESSES:
        return addresses(option);
    case GD_TYPE_ADMIN:
    case GD_TYPE_LOG:
        return or_off(any_of(short_form(option), ref(option->of)));
    case GD_TYPE_SERVERS:
        return one_or_more(server(option));
    case GD_TYPE_NETWORKS:
    case GD_TYPE_LIST:
        return any_of(any_text(), list_of(any_text()));
    case GD_TYPE_ACCESS:
    case GD_TYPE_FOLDER:
    case GD_TYPE_MERGE:
    case GD_TYPE_REDIRECT:
        return any_of(short_form(option), ref(option->of));
    case GD_TYPE_STATUSES:
        return list_of(gd_need(json_pack("{s:[s, s]}", "type", "string", "integer")));
    case GD_TYPE_BALANCE:
        return text_like(BALANCE_PATTERN);
    case GD_TYPE_MAPS:
        return list_of(ref(option->of));
    case GD_TYPE_SWITCH:
        return or_off(ref(option->of));
    case GD_TYPE_HEDGE:
        return or_off(text_like("^p95$|" DURATION_PATTERN));
    case GD_TYPE_JSON:
        break;
    }
    return gd_need(json_object());
}

static json_t *option_schema(const struct gd_option *option)
{
    json_t *one = type_schema(option);
    const char *fallback = option->fallback;

    json_object_set_new(one, "description", json_string(option->help));
    if (*fallback && *fallback != '=' && !gd_option_required(option))
        json_object_set_new(one, "default", json_string(fallback));
    return one;
}

/* The map form of a section. */
static json_t *map_schema(enum gd_section section)
{
    json_t *properties = gd_need(json_object()), *required = gd_need(json_array());
    json_t *map;

    for (size_t i = 0; i < gd_option_count; i++) {
        const struct gd_option *option = &gd_options[i];

        if (!gd_option_in(option, section))
            continue;
        json_object_set_new(properties, option->key, option_schema(option));
        if (gd_option_required(option))
            json_array_append_new(required, json_string(option->key));
    }
    map = gd_need(json_pack("{s:s, s:s, s:o, s:b}", "type", "object", "description",
                            gd_section_info(section)->help, "properties", properties,
                            "additionalProperties", false));
    if (json_array_size(required))
        json_object_set(map, "required", required);
    json_decref(required);
    return map;
}

/* A section with the short forms that stand for it. */
static json_t *section_schema(enum gd_section section)
{
    json_t *map = map_schema(section);

    if (section == GD_SECTION_CALL)
        return any_of(gd_need(json_pack("{s:s}", "type", "string")), map);
    if (section == GD_SECTION_UPSTREAM)
        return any_of(
            any_of(text_like(URL_PATTERN),
                   list_of(any_of(text_like(URL_PATTERN), ref(GD_SECTION_SERVER)))),
            map);
    return map;
}

static int on_text(const char *text, size_t len, void *arg)
{
    return gd_buf_add(arg, text, len) ? 0 : -1;
}

bool gd_schema_json(struct gd_buf *out)
{
    json_t *root = map_schema(GD_SECTION_TOP), *defs = gd_need(json_object());
    char name[32];
    bool ok;

    for (enum gd_section i = GD_SECTION_TOP + 1; i < GD_SECTIONS; i++)
        json_object_set_new(defs, def_name(i, name, sizeof(name)), section_schema(i));
    json_object_set_new(root, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(root, "title", json_string("gatherd configuration"));
    json_object_set_new(root, "$defs", defs);
    ok = json_dump_callback(root, on_text, out,
                            JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0 &&
         gd_buf_add_text(out, "\n");
    json_decref(root);
    return ok;
}
