#include "compose_rig.h"

#include "json/merge.h"

static struct gd_merge how(bool deep, enum gd_conflict conflict)
{
    return (struct gd_merge){.deep = deep, .conflict = conflict};
}

/* texts: NULL stands for no value, and ends the list when it is the last of four. */
static void merges(struct gd_merge merge, const char *const texts[4],
                   const char *expected, unsigned collisions)
{
    struct gd_json_value values[4];
    struct rig rig;

    rig_open(&rig);
    for (int i = 0; i < 4; i++)
        values[i] = texts[i] ? rig_value(&rig, texts[i])
                             : (struct gd_json_value){NULL, GD_NODE_NONE};
    ck_assert_int_eq(gd_merge_objects(&merge, values, 4, &rig.splice), GD_MERGE_OK);
    ck_assert_uint_eq(merge.collisions, collisions);
    rig_expect(&rig, expected);
    rig_close(&rig);
}

#define TEXTS(...) ((const char *const[4]){__VA_ARGS__})

START_TEST(members_stand_in_the_order_they_appear_in)
{
    merges(how(false, GD_CONFLICT_LAST),
           TEXTS("{\"b\": 1, \"a\":2}", "{}", "{\"c\":[3]}", "{\"d\" : {} }"),
           "{\"b\": 1, \"a\":2,\"c\":[3],\"d\" : {}}", 0);
    merges(how(true, GD_CONFLICT_ERROR), TEXTS("{}", "{}"), "{}", 0);
}
END_TEST

START_TEST(null_and_what_is_not_there_count_as_empty)
{
    merges(how(false, GD_CONFLICT_ERROR), TEXTS("null", NULL, "{\"a\":null}", "null"),
           "{\"a\":null}", 0);
    merges(how(false, GD_CONFLICT_ERROR), TEXTS(NULL), "{}", 0);
}
END_TEST

START_TEST(the_last_value_counts_where_the_first_one_stood)
{
    merges(how(false, GD_CONFLICT_LAST),
           TEXTS("{\"a\":1,\"b\":2}", "{\"c\":3,\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}"),
           "{\"a\":{\"y\":2},\"b\":2,\"c\":3}", 1);
}
END_TEST

START_TEST(the_first_value_counts)
{
    merges(how(false, GD_CONFLICT_FIRST),
           TEXTS("{\"a\":1}", "{\"a\":2,\"b\":3}", "{\"b\":4}"), "{\"a\":1,\"b\":3}", 2);
}
END_TEST

START_TEST(names_are_compared_decoded)
{
    merges(how(false, GD_CONFLICT_LAST), TEXTS("{\"\\u0061\\n\":1}", "{\"a\\u000a\":2}"),
           "{\"\\u0061\\n\":2}", 1);
    merges(how(false, GD_CONFLICT_LAST), TEXTS("{\"\":1}", "{\"\":2}"), "{\"\":2}", 1);
}
END_TEST

START_TEST(a_name_that_stands_twice_in_one_object_is_no_collision)
{
    merges(how(false, GD_CONFLICT_ERROR), TEXTS("{\"a\":1,\"a\":2}", "{\"b\":3,\"b\":4}"),
           "{\"a\":2,\"b\":4}", 0);
    merges(how(false, GD_CONFLICT_FIRST), TEXTS("{\"a\":1,\"a\":2}", "{\"a\":3,\"a\":4}"),
           "{\"a\":2}", 1);
    merges(how(false, GD_CONFLICT_CONCAT),
           TEXTS("{\"a\":1,\"a\":2}", "{\"a\":3,\"a\":4}"), "{\"a\":[2,4]}", 1);
    merges(how(true, GD_CONFLICT_LAST),
           TEXTS("{\"a\":{\"x\":1},\"a\":5}", "{\"a\":{\"y\":2}}"), "{\"a\":{\"y\":2}}",
           1);
}
END_TEST

START_TEST(objects_are_merged_inside_whatever_the_policy)
{
    for (int conflict = GD_CONFLICT_LAST; conflict <= GD_CONFLICT_CONCAT; conflict++)
        merges(how(true, (enum gd_conflict)conflict),
               TEXTS("{\"a\":{\"b\":{\"x\":1}}}", "{\"a\":{\"b\":{\"y\":2}}}",
                     "{\"a\":{\"b\":{\"z\":3},\"c\":4}}"),
               "{\"a\":{\"b\":{\"x\":1,\"y\":2,\"z\":3},\"c\":4}}", 0);
}
END_TEST

START_TEST(collisions_inside_count_and_the_first_is_told)
{
    struct gd_merge merge = how(true, GD_CONFLICT_LAST);
    struct gd_json_value values[2];
    struct rig rig;

    rig_open(&rig);
    values[0] = rig_value(&rig, "{\"a\":{\"b\\u0063\":1,\"d\":2},\"e\":3}");
    values[1] = rig_value(&rig, "{\"e\":4,\"a\":{\"d\":5,\"bc\":6}}");
    ck_assert_int_eq(gd_merge_objects(&merge, values, 2, &rig.splice), GD_MERGE_OK);
    ck_assert_uint_eq(merge.collisions, 3);
    ck_assert(gd_span_is(merge.clashed, "\"b\\u0063\""));
    rig_expect(&rig, "{\"a\":{\"b\\u0063\":6,\"d\":5},\"e\":4}");
    rig_close(&rig);
}
END_TEST

START_TEST(an_object_and_another_value_are_a_conflict_in_a_deep_merge)
{
    static const char *const texts[4] = {"{\"a\":{\"x\":1}}", "{\"a\":5}",
                                         "{\"a\":{\"y\":2}}"};

    merges(how(true, GD_CONFLICT_LAST), texts, "{\"a\":{\"y\":2}}", 1);
    merges(how(true, GD_CONFLICT_FIRST), texts, "{\"a\":{\"x\":1,\"y\":2}}", 1);
    merges(how(true, GD_CONFLICT_CONCAT), texts, "{\"a\":[{\"x\":1},5,{\"y\":2}]}", 1);
}
END_TEST

START_TEST(values_that_meet_become_one_list)
{
    merges(how(false, GD_CONFLICT_CONCAT),
           TEXTS("{\"a\":[1, 2],\"b\":null}", "{\"a\":3,\"b\":[]}",
                 "{\"a\":[],\"b\":[null]}", "{\"a\":[[4]]}"),
           "{\"a\":[1, 2,3,[4]],\"b\":[null,null]}", 2);
    merges(how(true, GD_CONFLICT_CONCAT),
           TEXTS("{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2}}", "{\"a\":[3]}"),
           "{\"a\":[{\"x\":[1,2]},3]}", 2);
}
END_TEST

START_TEST(a_conflict_can_be_an_error)
{
    struct gd_merge merge = how(true, GD_CONFLICT_ERROR);
    struct gd_json_value values[2];
    struct rig rig;

    rig_open(&rig);
    values[0] = rig_value(&rig, "{\"a\":{\"b\":1}}");
    values[1] = rig_value(&rig, "{\"a\":{\"b\":1}}");
    ck_assert_int_eq(gd_merge_objects(&merge, values, 2, &rig.splice), GD_MERGE_CONFLICT);
    ck_assert_uint_eq(merge.collisions, 1);
    ck_assert(gd_span_is(merge.clashed, "\"b\""));
    rig_close(&rig);
}
END_TEST

/* {"a":{"a":…{"x":1}}} */
static struct gd_span nested(char *text, char name)
{
    size_t len = 0;

    for (int i = 0; i < GD_JSON_DEPTH_MAX - 1; i++, len += 5)
        memcpy(text + len, "{\"a\":", 5);
    memcpy(text + len, "{\"x\":1}", 7);
    text[len + 2] = name;
    memset(text + len + 7, '}', GD_JSON_DEPTH_MAX - 1);
    return (struct gd_span){text, len + 7 + GD_JSON_DEPTH_MAX - 1};
}

START_TEST(objects_nested_as_deep_as_can_be_are_merged)
{
    static char left[8 * GD_JSON_DEPTH_MAX], right[8 * GD_JSON_DEPTH_MAX];
    struct gd_merge merge = how(true, GD_CONFLICT_ERROR);
    struct gd_json_value values[2];
    struct gd_span got;
    struct rig rig;

    rig_open_bounded(&rig, 4 << 20);
    values[0] = rig_value_of(&rig, nested(left, 'x'));
    values[1] = rig_value_of(&rig, nested(right, 'y'));
    ck_assert_int_eq(gd_merge_objects(&merge, values, 2, &rig.splice), GD_MERGE_OK);
    got = gd_splice_flat(&rig.splice);
    ck_assert_ptr_nonnull(memmem(got.ptr, got.len, "{\"x\":1,\"y\":1}", 13));
    ck_assert_uint_eq(got.len, values[0].tape->text.len + 6);
    rig_close(&rig);
}
END_TEST

START_TEST(thousands_of_names_are_merged)
{
    struct gd_merge merge = how(false, GD_CONFLICT_LAST);
    struct gd_json_value values[2];
    struct gd_span got;
    struct gd_buf text;
    struct rig rig;

    rig_open_bounded(&rig, 16 << 20);
    gd_buf_init(&text, NULL, 1 << 20);
    for (int i = 0; i < 20000; i++)
        ck_assert(gd_buf_addf(&text, "%s\"n%d\":%d", i ? "," : "{", i, i));
    ck_assert(gd_buf_add(&text, "}", 1));
    values[0] = values[1] = rig_value_of(&rig, gd_buf_span(&text));
    ck_assert_int_eq(gd_merge_objects(&merge, values, 2, &rig.splice), GD_MERGE_OK);
    ck_assert_uint_eq(merge.collisions, 20000);
    got = gd_splice_flat(&rig.splice);
    ck_assert(gd_span_eq(got, gd_buf_span(&text)));
    gd_buf_free(&text);
    rig_close(&rig);
}
END_TEST

START_TEST(an_arena_at_its_bound_is_told)
{
    struct gd_json_value values[3];
    struct rig rig, small;

    rig_open(&rig);
    values[0] = rig_value(&rig, "{\"\\u0061\":{\"b\":1,\"c\":2},\"d\":1,\"e\":2}");
    values[1] = rig_value(&rig, "{\"a\":{\"b\":[1],\"c\":3},\"d\":3,\"f\":4}");
    for (size_t max = 0; max < 3; max++) {
        struct gd_merge merge = how(true, GD_CONFLICT_CONCAT);

        rig_open_bounded(&small, max * 256);
        small.arena.step = 64;
        ck_assert_int_eq(gd_merge_objects(&merge, values, 2, &small.splice),
                         GD_MERGE_NO_MEMORY);
        rig_close(&small);
    }
    rig_close(&rig);
}
END_TEST

static void concats(const char *const texts[4], const char *expected)
{
    struct gd_json_value values[4];
    struct rig rig;

    rig_open(&rig);
    for (int i = 0; i < 4; i++)
        values[i] = texts[i] ? rig_value(&rig, texts[i])
                             : (struct gd_json_value){NULL, GD_NODE_NONE};
    ck_assert(gd_concat_lists(values, 4, &rig.splice));
    rig_expect(&rig, expected);
    rig_close(&rig);
}

START_TEST(lists_are_joined_end_to_end)
{
    concats(TEXTS("[1, 2]", "[ ]", "[[3],{\"a\":4} ]", "[5]"), "[1, 2,[3],{\"a\":4},5]");
    concats(TEXTS("null", NULL, "[null]", "{\"a\":1}"), "[null,{\"a\":1}]");
    concats(TEXTS("7", "\"x\"", "false"), "[7,\"x\",false]");
    concats(TEXTS(NULL), "[]");
}
END_TEST

GD_SUITE("merge", members_stand_in_the_order_they_appear_in,
         null_and_what_is_not_there_count_as_empty,
         the_last_value_counts_where_the_first_one_stood, the_first_value_counts,
         names_are_compared_decoded,
         a_name_that_stands_twice_in_one_object_is_no_collision,
         objects_are_merged_inside_whatever_the_policy,
         collisions_inside_count_and_the_first_is_told,
         an_object_and_another_value_are_a_conflict_in_a_deep_merge,
         values_that_meet_become_one_list, a_conflict_can_be_an_error,
         objects_nested_as_deep_as_can_be_are_merged, thousands_of_names_are_merged,
         an_arena_at_its_bound_is_told, lists_are_joined_end_to_end)
