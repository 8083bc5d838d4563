#include "plan/load.h"
#include "plan/schema.h"
#include "plan/value.h"

static const char *type_noun(const struct gd_option *option)
{
    static const char *const nouns[] = {
#define X(id, words, noun) noun,
        GD_TYPE_ROWS(X)
#undef X
    };
    return nouns[option->type];
}

/* `error`, `warn`, `info`, `debug` */
static bool add_words(struct gd_buf *out, const char *list)
{
    for (const char *joint = ""; *list; joint = ", ") {
        size_t len = strcspn(list, "|");

        if (!gd_buf_addf(out, "%s`%.*s`", joint, (int)len, list))
            return false;
        list += len + (list[len] == '|');
    }
    return true;
}

static bool add_range(struct gd_buf *out, const struct gd_option *option)
{
    struct gd_value_text low, high;

    if (option->max == 0)
        return true;
    if (option->type == GD_TYPE_DURATION || option->type == GD_TYPE_RANGE)
        return gd_buf_addf(out, ", %s to %s", gd_value_duration_text(option->min, &low),
                           gd_value_duration_text(option->max, &high));
    if (option->type == GD_TYPE_SIZE)
        return gd_buf_addf(out, ", %s to %s", gd_value_size_text(option->min, &low),
                           gd_value_size_text(option->max, &high));
    return gd_buf_addf(out, ", %llu to %llu", (unsigned long long)option->min,
                       (unsigned long long)option->max);
}

static bool add_type(struct gd_buf *out, const struct gd_option *option)
{
    if (option->type == GD_TYPE_ENUM)
        return add_words(out, option->words);
    return gd_buf_add_text(out, type_noun(option)) && add_range(out, option) &&
           (*option->words == '\0' ||
            (gd_buf_add_text(out, " or ") && add_words(out, option->words)));
}

static bool add_default(struct gd_buf *out, const struct gd_option *option)
{
    const char *text = option->fallback;

    if (gd_option_required(option))
        return gd_buf_add_text(out, "needed");
    if (*text == '\0')
        return true;
    return gd_buf_addf(out, "`%s`", text + (*text == '='));
}

static bool add_row(struct gd_buf *out, const struct gd_option *option)
{
    return gd_buf_addf(out, "| `%s` | ", option->key) && add_type(out, option) &&
           gd_buf_add_text(out, " | ") && add_default(out, option) &&
           gd_buf_addf(out, " | %s%s |\n", option->help,
                       option->reload ? "" : " Only a restart changes it.");
}

static bool add_section(struct gd_buf *out, enum gd_section section)
{
    const struct gd_section_info *info = gd_section_info(section);
    bool ok = gd_buf_addf(out, section == GD_SECTION_TOP ? "\n## %s\n" : "\n## `%s`\n",
                          info->title) &&
              gd_buf_addf(out,
                          "\n%s\n\n| option | value | default | what it does |\n"
                          "|---|---|---|---|\n",
                          info->help);

    for (size_t i = 0; ok && i < gd_option_count; i++)
        if (gd_option_in(&gd_options[i], section))
            ok = add_row(out, &gd_options[i]);
    return ok;
}

bool gd_schema_reference(struct gd_buf *out)
{
    bool ok = gd_buf_add_text(
        out,
        "# Reference of the configuration\n"
        "\n"
        "Printed by `gatherd reference` from the table that the program reads its "
        "options\n"
        "by. Nothing else is accepted.\n"
        "\n"
        "Durations are written `250ms`, `2s`, `5m` or `1h`; sizes `512B`, `64KiB`,\n"
        "`10MiB`, `1GiB`, `1KB`, `1MB` or `1GB`; percentages `20%`; booleans `true` or\n"
        "`on`, `false` or `off`. In any value, `${NAME}` is an environment variable,\n"
        "`${NAME:-text}` has a default, `${file:/path}` is what stands in a file, and\n"
        "`$${` is a literal `${`. A reload takes over all that does not say\n"
        "otherwise.\n");

    for (enum gd_section i = GD_SECTION_NONE + 1; ok && i < GD_SECTIONS; i++)
        ok = add_section(out, i);
    return ok;
}
