#include "compose_rig.h"

#include "json/merge.h"

static void joins(const char *left, const char *right, const char *expected)
{
    struct rig rig;
    struct gd_json_path left_key, right_key;
    struct gd_join join = {
        .left_key = &left_key, .right_key = &right_key, .as = GD_SPAN("by")};

    rig_open(&rig);
    left_key = rig_path(&rig, "user.id");
    right_key = rig_path(&rig, "id");
    ck_assert(
        gd_join_lists(&join, rig_value(&rig, left), rig_value(&rig, right), &rig.splice));
    rig_expect(&rig, expected);
    rig_close(&rig);
}

START_TEST(elements_get_what_has_their_key)
{
    joins("[{\"user\":{\"id\":\"a\"}},{\"user\":{\"id\":\"b\"},\"n\":1}]",
          "[{\"id\":\"b\",\"x\":[2]},{\"id\":\"a\"}]",
          "[{\"user\":{\"id\":\"a\"},\"by\":{\"id\":\"a\"}},"
          "{\"user\":{\"id\":\"b\"},\"n\":1,\"by\":{\"id\":\"b\",\"x\":[2]}}]");
}
END_TEST

START_TEST(keys_are_compared_as_text)
{
    joins("[{\"user\":{\"id\":7}},{\"user\":{\"id\":\"8\"}}]",
          "[{\"id\":\"7\"},{\"id\":8}]",
          "[{\"user\":{\"id\":7},\"by\":{\"id\":\"7\"}},"
          "{\"user\":{\"id\":\"8\"},\"by\":{\"id\":8}}]");
    joins("[{\"user\":{\"id\":7}}]", "[{\"id\":7.0}]",
          "[{\"user\":{\"id\":7},\"by\":null}]");
    joins("[{\"user\":{\"id\":\"a\\u0062\"}}]", "[{\"id\":\"\\u0061b\"}]",
          "[{\"user\":{\"id\":\"a\\u0062\"},\"by\":{\"id\":\"\\u0061b\"}}]");
    joins("[{\"user\":{\"id\":\"\"}}]", "[{\"id\":\"\"}]",
          "[{\"user\":{\"id\":\"\"},\"by\":{\"id\":\"\"}}]");
}
END_TEST

START_TEST(of_several_with_the_key_the_first_one_counts)
{
    joins("[{\"user\":{\"id\":1}}]", "[{\"id\":1,\"n\":1},{\"id\":\"1\",\"n\":2}]",
          "[{\"user\":{\"id\":1},\"by\":{\"id\":1,\"n\":1}}]");
}
END_TEST

START_TEST(a_key_that_nobody_has_gives_null)
{
    joins("[{\"user\":{\"id\":1}}]", "[{\"id\":2},{\"id\":null},5,{\"id\":[1]}]",
          "[{\"user\":{\"id\":1},\"by\":null}]");
    joins("[{\"user\":{\"id\":1}}]", "null", "[{\"user\":{\"id\":1},\"by\":null}]");
    joins("[{\"user\":{\"id\":1}}]", "[]", "[{\"user\":{\"id\":1},\"by\":null}]");
}
END_TEST

START_TEST(elements_without_a_key_stay_as_they_are)
{
    joins("[1, {\"by\":2} ,{\"user\":{\"id\":true}},[{\"user\":{\"id\":1}}],null]",
          "[{\"id\":true},{\"id\":1}]",
          "[1, {\"by\":2} ,{\"user\":{\"id\":true}},[{\"user\":{\"id\":1}}],null]");
}
END_TEST

START_TEST(a_member_of_that_name_goes)
{
    joins("[{\"by\":0,\"user\":{\"id\":1},\"\\u0062y\":2,\"z\":3 }]", "[{\"id\":1}]",
          "[{\"user\":{\"id\":1},\"z\":3,\"by\":{\"id\":1} }]");
    joins("[{\"user\":{\"id\":1},\"by\":0}]", "[]",
          "[{\"user\":{\"id\":1},\"by\":null}]");
}
END_TEST

START_TEST(what_is_no_list_is_left_alone)
{
    joins("{\"user\":{\"id\":1}}", "[{\"id\":1}]", "{\"user\":{\"id\":1}}");
    joins("null", "[]", "null");
    joins("[]", "[{\"id\":1}]", "[]");
}
END_TEST

START_TEST(the_key_may_be_the_name_that_goes)
{
    struct rig rig;
    struct gd_json_path key;
    struct gd_join join = {.left_key = &key, .right_key = &key, .as = GD_SPAN("id")};

    rig_open(&rig);
    key = rig_path(&rig, "id");
    ck_assert(gd_join_lists(&join, rig_value(&rig, "[{\"id\":1}]"),
                            rig_value(&rig, "[{\"id\":1,\"a\":2}]"), &rig.splice));
    rig_expect(&rig, "[{\"id\":{\"id\":1,\"a\":2}}]");
    rig_close(&rig);
}
END_TEST

START_TEST(keys_can_be_given)
{
    struct rig rig;
    struct gd_json_path left_key;
    struct gd_json_value keys[3], list, none = {NULL, GD_NODE_NONE};
    struct gd_join join = {
        .left_key = &left_key, .right_keys = keys, .as = GD_SPAN("a\"s")};

    rig_open(&rig);
    left_key = rig_path(&rig, "k");
    keys[0] = rig_value(&rig, "\"x\"");
    keys[1] = none;
    keys[2] = rig_value(&rig, "3");
    list = rig_value(&rig, "[{\"k\":\"3\"},{\"k\":\"x\"}]");
    ck_assert(gd_join_lists(&join, list, rig_value(&rig, "[10,20,[30]]"), &rig.splice));
    rig_expect(&rig, "[{\"k\":\"3\",\"a\\\"s\":[30]},{\"k\":\"x\",\"a\\\"s\":10}]");
    ck_assert(gd_join_lists(&join, none, list, &rig.splice));
    rig_expect(&rig, "null");
    rig_close(&rig);
}
END_TEST

START_TEST(an_arena_at_its_bound_is_told)
{
    struct rig rig, small;
    struct gd_json_path key;
    struct gd_join join = {.left_key = &key, .right_key = &key, .as = GD_SPAN("as")};
    struct gd_json_value list;
    struct gd_buf text;

    rig_open(&rig);
    key = rig_path(&rig, "id");
    gd_buf_init(&text, NULL, 65536);
    for (int i = 0; i < 100; i++)
        ck_assert(gd_buf_addf(&text, "%c{\"id\":\"\\u0061%d\"}", i ? ',' : '[', i));
    ck_assert(gd_buf_add(&text, "]", 1));
    list = rig_value_of(&rig, gd_buf_span(&text));
    for (size_t max = 0; max <= 12000; max += 2000) {
        rig_open_bounded(&small, max);
        ck_assert(!gd_join_lists(&join, list, list, &small.splice));
        rig_close(&small);
    }
    gd_buf_free(&text);
    rig_close(&rig);
}
END_TEST

GD_SUITE("join", elements_get_what_has_their_key, keys_are_compared_as_text,
         of_several_with_the_key_the_first_one_counts, a_key_that_nobody_has_gives_null,
         elements_without_a_key_stay_as_they_are, a_member_of_that_name_goes,
         what_is_no_list_is_left_alone, the_key_may_be_the_name_that_goes,
         keys_can_be_given, an_arena_at_its_bound_is_told)
