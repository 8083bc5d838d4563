/* What is printed from the table of options. */
#include <jansson.h>

#include "plan/schema.h"
#include "plan_text.h"
#include "suite.h"

START_TEST(the_reference_is_what_the_table_says)
{
    char path[512];
    struct gd_buf printed;
    char *stored;
    size_t len;
    FILE *file;

    if (project_file("docs/reference.md", path, sizeof(path)) == NULL)
        return;
    gd_buf_init(&printed, NULL, 1 << 20);
    ck_assert(gd_schema_reference(&printed));
    stored = malloc(printed.len + 2);
    ck_assert_ptr_nonnull(stored);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    len = fread(stored, 1, printed.len + 2, file);
    fclose(file);
    ck_assert_msg(len == printed.len && memcmp(stored, printed.data, len) == 0,
                  "docs/reference.md is old: write it again with `gatherd reference`");
    free(stored);
    gd_buf_free(&printed);
}
END_TEST

static json_t *load_schema(void)
{
    struct gd_buf printed;
    json_error_t error;
    json_t *root;

    gd_buf_init(&printed, NULL, 1 << 20);
    ck_assert(gd_schema_json(&printed));
    root = json_loadb(printed.data, printed.len, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(root != NULL, "%s", error.text);
    gd_buf_free(&printed);
    return root;
}

/* The map form of a section: the definition itself, or the last of its forms. */
static json_t *map_of(json_t *root, enum gd_section section)
{
    json_t *definition, *forms;
    char name[32];
    size_t n = 0;

    if (section == GD_SECTION_TOP)
        return root;
    for (const char *id = gd_section_info(section)->id; id[n]; n++)
        name[n] = (char)(id[n] | 0x20);
    name[n] = '\0';
    definition = json_object_get(json_object_get(root, "$defs"), name);
    ck_assert_msg(definition != NULL, "no definition of %s", name);
    forms = json_object_get(definition, "anyOf");
    return forms ? json_array_get(forms, json_array_size(forms) - 1) : definition;
}

START_TEST(the_json_schema_has_every_option_and_nothing_else)
{
    json_t *root = load_schema();
    size_t options = 0, properties = 0;

    for (enum gd_section s = GD_SECTION_TOP; s < GD_SECTIONS; s++) {
        json_t *map = map_of(root, s), *all = json_object_get(map, "properties");

        ck_assert(json_is_false(json_object_get(map, "additionalProperties")));
        properties += json_object_size(all);
        for (size_t i = 0; i < gd_option_count; i++) {
            if (!gd_option_in(&gd_options[i], s))
                continue;
            options++;
            ck_assert_msg(json_object_get(all, gd_options[i].key) != NULL, "no %s",
                          gd_options[i].key);
        }
    }
    ck_assert_uint_eq(options, properties);
    json_decref(root);
}
END_TEST

/* Each "$ref" names a definition. */
static void check_refs(json_t *root, json_t *value)
{
    const char *key, *prefix = "#/$defs/";
    json_t *inside;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach(value, i, inside) check_refs(root, inside);
        return;
    }
    json_object_foreach(value, key, inside)
    {
        if (strcmp(key, "$ref") == 0) {
            const char *path = json_string_value(inside);

            ck_assert(strncmp(path, prefix, strlen(prefix)) == 0);
            ck_assert_ptr_nonnull(
                json_object_get(json_object_get(root, "$defs"), path + strlen(prefix)));
        }
        check_refs(root, inside);
    }
}

START_TEST(the_json_schema_is_whole)
{
    json_t *root = load_schema();

    check_refs(root, root);
    ck_assert_str_eq(json_string_value(json_object_get(root, "$schema")),
                     "https://json-schema.org/draft/2020-12/schema");
    json_decref(root);
}
END_TEST

START_TEST(printing_says_when_there_is_no_room)
{
    struct gd_buf small;

    for (size_t room = 0; room < 4096; room += 97) {
        gd_buf_init(&small, NULL, room);
        ck_assert(!gd_schema_reference(&small));
        gd_buf_free(&small);
        gd_buf_init(&small, NULL, room);
        ck_assert(!gd_schema_json(&small));
        gd_buf_free(&small);
    }
}
END_TEST

GD_SUITE("plan schema", the_reference_is_what_the_table_says,
         the_json_schema_has_every_option_and_nothing_else, the_json_schema_is_whole,
         printing_says_when_there_is_no_room)
