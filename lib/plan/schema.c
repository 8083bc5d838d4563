#include "plan/schema.h"

#include <assert.h>
#include <stdio.h>

#include "base/suggest.h"
#include "plan/draft.h"
#include "plan/value.h"

enum { KEYS_MAX = 32 };

/* The struct a section's rows write into. */
#define X(id, type, title, help) typedef type target_##id;
GD_SECTION_ROWS(X)
#undef X

#define RELOAD_APPLIED true
#define RELOAD_RESTART false
#define WIDTH(type, field) sizeof(((type *)0)->field)

const struct gd_option gd_options[] = {
#define X(section, key, type, of, field, min, max, fallback, words, reload, help)        \
    {GD_SECTION_##section,                                                               \
     key,                                                                                \
     GD_TYPE_##type,                                                                     \
     GD_SECTION_##of,                                                                    \
     offsetof(target_##section, field),                                                  \
     WIDTH(target_##section, field),                                                     \
     min,                                                                                \
     max,                                                                                \
     fallback,                                                                           \
     words,                                                                              \
     RELOAD_##reload,                                                                    \
     help},
    GD_OPTION_ROWS(X)
#undef X
};
const size_t gd_option_count = sizeof(gd_options) / sizeof(gd_options[0]);

static const struct gd_section_info sections[] = {
#define X(id, type, title, help) [GD_SECTION_##id] = {#id, title, help},
    GD_SECTION_ROWS(X)
#undef X
};

const struct gd_section_info *gd_section_info(enum gd_section section)
{
    return &sections[section];
}

const char *gd_type_words(enum gd_type type)
{
    static const char *const all[] = {
#define X(id, words, noun) words,
        GD_TYPE_ROWS(X)
#undef X
    };
    return all[type];
}

bool gd_option_in(const struct gd_option *option, enum gd_section section)
{
    /* What answers a route is its own. */
    if (section == GD_SECTION_DEFAULTS)
        return option->section == GD_SECTION_ROUTE && option->type != GD_TYPE_MAP &&
               option->type != GD_TYPE_JSON && option->type != GD_TYPE_REDIRECT &&
               option->type != GD_TYPE_FOLDER && strcmp(option->key, "pass") != 0;
    return option->section == section;
}

bool gd_option_required(const struct gd_option *option)
{
    return strcmp(option->fallback, "!") == 0;
}

/* The value of one of the `|`-separated words; false when text is none of them. */
static bool word_index(const char *list, struct gd_span text, uint64_t *out)
{
    for (uint64_t i = 0; *list; i++) {
        struct gd_span word = {list, strcspn(list, "|")};

        if (gd_span_eq(word, text)) {
            *out = i;
            return true;
        }
        list += word.len + (list[word.len] == '|');
    }
    return false;
}

static bool read_number(const struct gd_option *option, struct gd_span text,
                        uint64_t *out)
{
    bool on;

    if (option->type == GD_TYPE_BOOL) {
        if (!gd_value_bool(text, &on))
            return false;
        *out = on;
        return true;
    }
    if (option->type == GD_TYPE_INT && *option->words &&
        gd_span_is(text, option->words)) {
        *out = 0;
        return true;
    }
    if (option->type == GD_TYPE_INT)
        return gd_value_number(text, out);
    if (option->type == GD_TYPE_DURATION)
        return gd_value_duration(text, out);
    if (option->type == GD_TYPE_SIZE)
        return gd_value_size(text, out);
    return option->type == GD_TYPE_ENUM && word_index(option->words, text, out);
}

static void store(const struct gd_option *option, void *target, uint64_t number)
{
    char *field = (char *)target + option->offset;

    if (option->width == sizeof(uint64_t)) {
        memcpy(field, &number, sizeof(number));
    } else if (option->width == sizeof(uint32_t)) {
        uint32_t narrow = (uint32_t)number;

        memcpy(field, &narrow, sizeof(narrow));
    } else {
        assert(option->width == sizeof(bool) && option->type == GD_TYPE_BOOL);
        *(bool *)field = number != 0;
    }
}

/* Values that are more than one whole number. */
static bool is_read_in_place(const struct gd_option *option)
{
    return option->type == GD_TYPE_PERCENT || option->type == GD_TYPE_RANGE;
}

static bool read_in_place(const struct gd_option *option, struct gd_span text,
                          void *target)
{
    void *field = (char *)target + option->offset;

    return option->type == GD_TYPE_PERCENT ? gd_value_percent(text, field)
                                           : gd_value_range(text, field);
}

/* Whether a range that was read is outside that of its row. */
static bool is_outside(const struct gd_option *option, const void *target)
{
    const struct gd_value_range *range;

    if (option->type != GD_TYPE_RANGE)
        return false;
    range = (const void *)((const char *)target + option->offset);
    return range->low_ms < option->min || range->high_ms > option->max;
}

void gd_schema_defaults(enum gd_section section, void *target)
{
    for (size_t i = 0; i < gd_option_count; i++) {
        const struct gd_option *option = &gd_options[i];
        struct gd_span text = gd_span_of(option->fallback);
        uint64_t number = 0;
        bool ok = true;

        if (!gd_option_in(option, section))
            continue;
        if (option->type == GD_TYPE_SECTION)
            gd_schema_defaults(option->of, (char *)target + option->offset);
        if (text.len == 0 || text.ptr[0] == '=' || gd_option_required(option))
            continue;
        if (is_read_in_place(option))
            ok = read_in_place(option, text, target);
        else if ((ok = read_number(option, text, &number)))
            store(option, target, number);
        assert(ok); /* a row whose default is not of its type */
    }
}

/* " from 1 to 256", "" without a range. */
static const char *range_of(const struct gd_option *option, char *out, size_t size)
{
    struct gd_value_text low, high;

    if (option->max == 0)
        *out = '\0';
    else if (option->type == GD_TYPE_DURATION || option->type == GD_TYPE_RANGE)
        snprintf(out, size, " from %s to %s", gd_value_duration_text(option->min, &low),
                 gd_value_duration_text(option->max, &high));
    else if (option->type == GD_TYPE_SIZE)
        snprintf(out, size, " from %s to %s", gd_value_size_text(option->min, &low),
                 gd_value_size_text(option->max, &high));
    else
        snprintf(out, size, " from %llu to %llu", (unsigned long long)option->min,
                 (unsigned long long)option->max);
    return out;
}

/* "error, warn, info or debug" */
static const char *words_of(const struct gd_option *option, char *out, size_t size)
{
    size_t len = 0;

    *out = '\0';
    for (const char *list = option->words; *list && len < size;) {
        size_t word = strcspn(list, "|");
        const char *after = list + word + (list[word] == '|');
        const char *joint = len == 0 ? "" : *after ? ", " : " or ";

        len += (size_t)snprintf(out + len, size - len, "%s%.*s", joint, (int)word, list);
        list = after;
    }
    return out;
}

/* Why a text is not what the row wants, beyond that it is not. */
static const char *hint(const struct gd_option *option, const struct gd_yaml_node *node)
{
    static const char *const unsure[] = {"yes", "no", "y", "n"};
    struct gd_span text = node->text;

    if (node->kind != GD_YAML_SCALAR)
        return "";
    if (option->type == GD_TYPE_BOOL)
        for (size_t i = 0; i < 4; i++)
            if (gd_span_ieq(text, gd_span_of(unsure[i])))
                return "; YAML versions disagree on yes and no, so they are not accepted";
    if ((option->type == GD_TYPE_DURATION || option->type == GD_TYPE_RANGE ||
         option->type == GD_TYPE_SIZE || option->type == GD_TYPE_PERCENT) &&
        gd_value_is_digits(text) && !node->source)
        return "; the unit is missing";
    if (option->type == GD_TYPE_INT && text.len && text.ptr[0] >= '0' &&
        text.ptr[0] <= '9' && node->plain && !node->source)
        return "; write plain decimal digits";
    if ((option->type == GD_TYPE_INT || option->type == GD_TYPE_BOOL) && !node->plain)
        return "; remove the quotes";
    return "";
}

static bool say_wrong(struct gd_report *report, const struct gd_option *option,
                      const struct gd_yaml_node *node)
{
    struct gd_words found;
    char extra[160] = "";

    if (option->type == GD_TYPE_ENUM) {
        words_of(option, extra, sizeof(extra));
        return gd_report_value(report, node, "expected %s, found %s", extra,
                               gd_words_found(&found, node));
    }
    if (option->type == GD_TYPE_INT) {
        range_of(option, extra, sizeof(extra));
        return gd_report_value(report, node, "expected %s%s%s%s, found %s%s",
                               gd_type_words(option->type), extra,
                               *option->words ? ", or " : "", option->words,
                               gd_words_found(&found, node), hint(option, node));
    }
    return gd_report_value(report, node, "expected %s, found %s%s",
                           gd_type_words(option->type), gd_words_found(&found, node),
                           hint(option, node));
}

static bool say_outside(struct gd_report *report, const struct gd_option *option,
                        const struct gd_yaml_node *node)
{
    struct gd_words found;
    char range[80];

    return gd_report_value(report, node, "%s is out of range: allowed is%s",
                           gd_words_found(&found, node),
                           range_of(option, range, sizeof(range)));
}

static bool read_scalar(struct gd_report *report, const struct gd_option *option,
                        const struct gd_yaml_node *node, void *target)
{
    bool text_form = option->type != GD_TYPE_INT && option->type != GD_TYPE_BOOL;
    uint64_t number;

    if (node->kind != GD_YAML_SCALAR || !(node->plain || text_form))
        return say_wrong(report, option, node);
    if (is_read_in_place(option)) {
        if (!read_in_place(option, node->text, target))
            return say_wrong(report, option, node);
        return !is_outside(option, target) || say_outside(report, option, node);
    }
    if (!read_number(option, node->text, &number))
        return say_wrong(report, option, node);
    if (option->max && (number < option->min || number > option->max) &&
        !(*option->words && gd_span_is(node->text, option->words)))
        return say_outside(report, option, node);
    store(option, target, number);
    return true;
}

static bool keep_node(struct gd_report *report, const struct gd_option *option,
                      const struct gd_yaml_node *node, void *target)
{
    bool map = option->type == GD_TYPE_MAP || option->type == GD_TYPE_HEADERS ||
               option->type == GD_TYPE_TEXTS || option->type == GD_TYPE_NODE;
    bool list = option->type == GD_TYPE_NAMES || option->type == GD_TYPE_STATUSES ||
                option->type == GD_TYPE_MAPS;
    bool text = option->type == GD_TYPE_TEXT;
    bool either = option->type == GD_TYPE_LIST;

    if ((map && node->kind != GD_YAML_MAP) || (list && node->kind != GD_YAML_LIST) ||
        (either && node->kind == GD_YAML_MAP) ||
        (text && (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node))) ||
        (option->type != GD_TYPE_JSON && gd_yaml_is_null(node)))
        return say_wrong(report, option, node);
    memcpy((char *)target + option->offset, &node, sizeof(node));
    return true;
}

static bool read_option(struct gd_report *report, const struct gd_option *option,
                        const struct gd_yaml_node *node, void *target)
{
    if (node->broken)
        return false;
    if (option->type == GD_TYPE_SECTION)
        return node->kind == GD_YAML_MAP ? gd_schema_read(report, option->of, node,
                                                          (char *)target + option->offset)
                                         : say_wrong(report, option, node);
    if (option->type < GD_TYPE_SECTION)
        return read_scalar(report, option, node, target);
    return keep_node(report, option, node, target);
}

static bool say_unknown(struct gd_report *report, enum gd_section section,
                        const struct gd_yaml_node *node)
{
    const char *keys[KEYS_MAX];
    size_t count = 0;
    const char *meant;
    char list[400] = "";
    size_t len = 0;

    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_option_in(&gd_options[i], section) && count < KEYS_MAX)
            keys[count++] = gd_options[i].key;
    meant = gd_report_crowded(report) ? NULL : gd_suggest(node->key->text, keys, count);
    if (meant)
        return gd_report_key(report, node, "unknown key; did you mean \"%s\"?", meant);
    for (size_t i = 0; i < count && len < sizeof(list); i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
                                keys[i]);
    return gd_report_key(report, node, "unknown key; allowed are %s", list);
}

static const struct gd_option *find_option(enum gd_section section, struct gd_span key)
{
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_option_in(&gd_options[i], section) && gd_span_is(key, gd_options[i].key))
            return &gd_options[i];
    return NULL;
}

bool gd_schema_read(struct gd_report *report, enum gd_section section,
                    const struct gd_yaml_node *map, void *target)
{
    bool ok = true;

    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        const struct gd_option *option = find_option(section, node->key->text);

        if (option == NULL)
            ok = say_unknown(report, section, node);
        else if (!read_option(report, option, node, target))
            ok = false;
    }
    for (size_t i = 0; i < gd_option_count; i++)
        if (gd_option_in(&gd_options[i], section) && gd_option_required(&gd_options[i]) &&
            gd_yaml_get(map, gd_options[i].key) == NULL)
            ok = gd_report_value(report, map, "%s is missing", gd_options[i].key);
    return ok;
}
