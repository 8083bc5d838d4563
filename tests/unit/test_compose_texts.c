/*
 * Whatever the parts are, what is made of them is valid JSON: texts of every kind in
 * every place of every operator.
 */
#include "compose_rig.h"
#include "json_texts.h"

#include "json/merge.h"
#include "json/project.h"

enum { VALID = sizeof(valid_texts) / sizeof(valid_texts[0]) };

/* The names that texts and rules share. */
static const char *const keys[] = {"a", "b", "id", "e.x", "min"};

/* Expects one value, with nothing around it, and makes the splice empty again. */
static void expect_valid(struct rig *rig, const char *what, size_t i, size_t k)
{
    struct gd_span flat = gd_splice_flat(&rig->splice), value;
    struct gd_json_fault fault;

    ck_assert_ptr_nonnull(flat.ptr);
    ck_assert_msg(gd_json_scan(flat, GD_JSON_DEPTH_MAX, &value, &fault) &&
                      value.len == flat.len,
                  "%s of %zu and %zu: %.*s", what, i, k, GD_SPAN_ARG(flat));
    gd_splice_init(&rig->splice, &rig->arena);
}

static void merge_all(struct rig *rig, const struct gd_json_value values[2], size_t i,
                      size_t k)
{
    for (unsigned mode = 0; mode < 8; mode++) {
        struct gd_merge merge = {.deep = mode & 1,
                                 .conflict = (enum gd_conflict)(mode >> 1)};

        switch (gd_merge_objects(&merge, values, 2, &rig->splice)) {
        case GD_MERGE_OK:
            expect_valid(rig, "a merge", i, k);
            break;
        case GD_MERGE_CONFLICT:
            ck_assert_int_eq(merge.conflict, GD_CONFLICT_ERROR);
            gd_splice_init(&rig->splice, &rig->arena);
            break;
        case GD_MERGE_NO_MEMORY:
            ck_abort_msg("no memory for a merge of %zu and %zu", i, k);
        }
    }
}

START_TEST(merges_lists_and_joins_of_all_texts_are_valid)
{
    for (size_t i = 0; i < VALID; i++)
        for (size_t k = 0; k < VALID; k++) {
            struct gd_json_value values[2];
            struct gd_json_path key;
            struct rig rig;

            rig_open(&rig);
            values[0] = rig_value_of(&rig, valid_texts[i]);
            values[1] = rig_value_of(&rig, valid_texts[k]);
            merge_all(&rig, values, i, k);
            ck_assert(gd_concat_lists(values, 2, &rig.splice));
            expect_valid(&rig, "a list", i, k);
            for (unsigned as = 0; as < 2; as++) {
                struct gd_join join = {.left_key = &key,
                                       .right_key = &key,
                                       .as = gd_span_of(as ? "a" : "q\"\\\x01")};

                key = rig_path(&rig, as ? "id" : "a");
                ck_assert(gd_join_lists(&join, values[0], values[1], &rig.splice));
                expect_valid(&rig, "a join", i, k);
            }
            rig_close(&rig);
        }
}
END_TEST

/* Rules of the bits of `which`: pick, drop and rename of keys. */
static struct gd_projection *compile(struct rig *rig, unsigned which)
{
    enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
    struct gd_json_path paths[KEYS];
    struct gd_rename rename = {.to = GD_SPAN("q\"\\")};
    struct gd_project_rules rules = {.pick = paths, .drop = paths + 2};
    struct gd_err err;

    for (unsigned i = 0; i < KEYS; i++)
        paths[i] = rig_path(rig, keys[i]);
    rename.from = paths[0];
    rules.rename = &rename;
    rules.pick_count = which & 1 ? 2 : 0;
    rules.drop_count = which & 2 ? 3 : 0;
    rules.rename_count = which & 4 ? 1 : 0;
    return gd_projection_new(&rig->arena, &rules, &err);
}

START_TEST(projections_of_all_texts_are_valid)
{
    for (size_t i = 0; i < VALID; i++)
        for (unsigned which = 1; which < 8; which++) {
            struct gd_projection *projection;
            struct rig rig;

            rig_open(&rig);
            projection = compile(&rig, which);
            ck_assert_ptr_nonnull(projection);
            ck_assert(
                gd_project(projection, rig_value_of(&rig, valid_texts[i]), &rig.splice));
            expect_valid(&rig, "a projection", i, which);
            rig_close(&rig);
        }
}
END_TEST

GD_SUITE("compose texts", merges_lists_and_joins_of_all_texts_are_valid,
         projections_of_all_texts_are_valid)
