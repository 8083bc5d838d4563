#include "compose_rig.h"

#include "json/project.h"

enum { RULES_MAX = 8 };

/* Rules as tests write them: `+path` picks, `-path` drops, `path>name` renames; a blank
 * between them. */
static struct gd_projection *compile(struct rig *rig, const char *text,
                                     struct gd_err *err)
{
    struct gd_json_path picks[RULES_MAX], drops[RULES_MAX];
    struct gd_rename renames[RULES_MAX];
    struct gd_project_rules rules = {.pick = picks, .drop = drops, .rename = renames};
    char copy[256], *save = NULL;

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *rule = strtok_r(copy, " ", &save); rule;
         rule = strtok_r(NULL, " ", &save)) {
        char *to = strchr(rule, '>');

        if (to) {
            *to = '\0';
            renames[rules.rename_count++] = (struct gd_rename){
                rig_path(rig, rule), gd_arena_copy(&rig->arena, gd_span_of(to + 1))};
        } else if (*rule == '+') {
            picks[rules.pick_count++] = rig_path(rig, rule + 1);
        } else {
            drops[rules.drop_count++] = rig_path(rig, rule + 1);
        }
    }
    return gd_projection_new(&rig->arena, &rules, err);
}

static void leaves(const char *rules, const char *text, const char *expected)
{
    struct rig rig;
    struct gd_err err = {.text = ""};
    struct gd_projection *projection;

    rig_open(&rig);
    projection = compile(&rig, rules, &err);
    ck_assert_msg(projection != NULL, "%s", err.text);
    ck_assert(gd_project(projection, rig_value(&rig, text), &rig.splice));
    rig_expect(&rig, expected);
    rig_close(&rig);
}

static void refuses(const char *rules, const char *reason)
{
    struct rig rig;
    struct gd_err err = {.text = ""};

    rig_open(&rig);
    ck_assert_msg(compile(&rig, rules, &err) == NULL, "%s", rules);
    ck_assert_str_eq(err.text, reason);
    rig_close(&rig);
}

START_TEST(picked_members_stay_as_they_stand)
{
    leaves("+a", "{\"a\":1,\"b\":2}", "{\"a\":1}");
    leaves("+b", "{\"a\":1,\"b\":2}", "{\"b\":2}");
    leaves("+c +a", "{\"a\":1,\"b\":2,\"c\":[3]}", "{\"a\":1,\"c\":[3]}");
    leaves("+b +c", "{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", "{\"b\":2,\"c\":3}");
    leaves("+a +b", "{ \"a\" : 1.50 ,\n \"b\" :\"\\u0062\" }",
           "{ \"a\" : 1.50 ,\n \"b\" :\"\\u0062\" }");
    leaves("+x", "{ \"a\" : 1 , \"b\" : 2 }", "{  }");
    leaves("+x", "{}", "{}");
}
END_TEST

START_TEST(picks_go_inside)
{
    leaves("+a.b +c", "{\"a\":{\"x\":0,\"b\":1,\"y\":2},\"d\":3,\"c\":{\"e\":4}}",
           "{\"a\":{\"b\":1},\"c\":{\"e\":4}}");
    leaves("+a.b +a.c.d", "{\"a\":{\"c\":{\"d\":1,\"e\":2},\"b\":[]}}",
           "{\"a\":{\"c\":{\"d\":1},\"b\":[]}}");
    leaves("+a +a.b", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}");
    leaves("+a.b +a", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}");
}
END_TEST

START_TEST(rules_go_through_arrays_at_any_depth)
{
    leaves("+o.l",
           "[{\"o\":{\"l\":1,\"m\":2}},[{\"o\":[{\"l\":3,\"x\":4}, [{\"x\":5}]]}]]",
           "[{\"o\":{\"l\":1}},[{\"o\":[{\"l\":3}, [{}]]}]]");
    leaves("-o.l", "[[[{\"o\":[{\"l\":1,\"m\":2}]}]],{\"l\":3}]",
           "[[[{\"o\":[{\"m\":2}]}]],{\"l\":3}]");
    leaves("a>b", "[{\"a\":1},[{\"a\":2}]]", "[{\"b\":1},[{\"b\":2}]]");
    leaves("+a", "[[],[[]],{}]", "[[],[[]],{}]");
}
END_TEST

START_TEST(where_a_pick_goes_into_a_scalar_null_stands)
{
    leaves("+a.b", "{\"a\":5}", "{\"a\":null}");
    leaves("+a.b", "{\"a\":[\"x\", true ,null,{\"b\":1}]}",
           "{\"a\":[null, null ,null,{\"b\":1}]}");
    leaves("+a", "\"text\"", "null");
    leaves("+a", "null", "null");
    leaves("-a.b c.d>e", "{\"a\":5,\"c\":[6]}", "{\"a\":5,\"c\":[6]}");
    leaves("-a", "7", "7");
}
END_TEST

START_TEST(of_a_picked_name_that_stands_twice_the_last_one_is_kept)
{
    leaves("+a +b", "{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}");
    leaves("+a", "{\"a\":1,\"\\u0061\":2,\"x\":0}", "{\"\\u0061\":2}");
    leaves("+a +b +c", "{\"b\":1,\"a\":1,\"c\":1,\"b\":2,\"a\":2,\"b\":3}",
           "{\"c\":1,\"a\":2,\"b\":3}");
}
END_TEST

START_TEST(dropped_members_go_wherever_they_stand)
{
    leaves("-a", "{\"a\":1,\"b\":2}", "{\"b\":2}");
    leaves("-b", "{\"a\":1,\"b\":2}", "{\"a\":1}");
    leaves("-a -b", "{\"a\":1,\"b\":2}", "{}");
    leaves("-a -c", "{ \"a\":1, \"b\":2 , \"c\":3, \"d\":4 }", "{ \"b\":2, \"d\":4 }");
    leaves("-a", "{\"a\":1,\"b\":2,\"\\u0061\":3,\"a\":{}}", "{\"b\":2}");
    leaves("-a.b", "{\"a\":{\"b\":1},\"b\":2}", "{\"a\":{},\"b\":2}");
    leaves("-x", "{ \"a\" : [ ] }", "{ \"a\" : [ ] }");
}
END_TEST

START_TEST(of_what_is_picked_a_part_can_be_dropped)
{
    leaves("+a -a.b", "{\"a\":{\"b\":1,\"c\":2},\"d\":3}", "{\"a\":{\"c\":2}}");
    leaves("+a.b -a.b.c", "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3}}",
           "{\"a\":{\"b\":{\"d\":2}}}");
    leaves("+a -b", "{\"a\":1,\"b\":2}", "{\"a\":1}");
}
END_TEST

START_TEST(renamed_members_stay_in_place)
{
    leaves("b>x", "{\"a\":1,\"b\" : 2,\"c\":3}", "{\"a\":1,\"x\" : 2,\"c\":3}");
    leaves("a.b>c", "{\"a\":{\"b\":1},\"b\":2}", "{\"a\":{\"c\":1},\"b\":2}");
    leaves("a>\"\\", "{\"a\":1}", "{\"\\\"\\\\\":1}");
    leaves("+a a>b -a.c", "{\"x\":0,\"a\":{\"c\":1,\"d\":2}}", "{\"b\":{\"d\":2}}");
    leaves("a>b a.c>d", "{\"a\":{\"c\":1}}", "{\"b\":{\"d\":1}}");
}
END_TEST

START_TEST(a_member_whose_name_another_one_gets_goes)
{
    leaves("a>b", "{\"b\":1,\"a\":2,\"c\":3}", "{\"b\":2,\"c\":3}");
    leaves("a>b", "{\"a\":2,\"c\":3,\"b\":1}", "{\"b\":2,\"c\":3}");
    leaves("+a +b a>b", "{\"c\":0,\"b\":1,\"a\":2}", "{\"b\":2}");
    leaves("a>b", "{\"\\u0062\":1,\"a\":2,\"b\":3}", "{\"b\":2}");
}
END_TEST

START_TEST(names_can_be_swapped)
{
    leaves("a>b b>a", "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}");
    leaves("a>b b>c", "{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":1,\"c\":2}");
    leaves("a>a", "{\"a\":1}", "{\"a\":1}");
}
END_TEST

START_TEST(a_name_is_free_when_nothing_gets_it)
{
    leaves("a>b", "{\"b\":1}", "{\"b\":1}");
    leaves("a>b -a", "{\"a\":1,\"b\":2}", "{\"b\":2}");
    leaves("a>b +b", "{\"a\":1,\"b\":2}", "{\"b\":2}");
}
END_TEST

START_TEST(no_rules_leave_everything)
{
    leaves("", "{\"a\":[1, {}]}", "{\"a\":[1, {}]}");
}
END_TEST

START_TEST(rules_that_contradict_each_other_are_refused)
{
    refuses("a.b>c a.b>c", "a.b is renamed twice");
    refuses("a.b>x a.c>x", "a.c gets a name that another one gets too");
    refuses("+a -a", "a is picked, but all of it is dropped");
    refuses("+a.b -a", "a is picked, but all of it is dropped");
    refuses("+a +a.b.c -a.b.c", "a.b.c is picked, but all of it is dropped");
    refuses("-a[0]", "pick, drop and rename take names only; they go through lists by "
                     "themselves");
}
END_TEST

START_TEST(many_rules_and_names_find_each_other)
{
    struct gd_json_path picks[100];
    struct gd_project_rules rules = {.pick = picks, .pick_count = 100};
    struct gd_buf text, expected;
    struct gd_projection *projection;
    struct rig rig;

    rig_open(&rig);
    gd_buf_init(&text, NULL, 65536);
    gd_buf_init(&expected, NULL, 65536);
    ck_assert(gd_buf_add(&text, "{", 1) && gd_buf_add(&expected, "{", 1));
    for (int i = 0; i < 300; i++) {
        char name[32];

        ck_assert(gd_buf_addf(&text, "%s\"name%d\":%d", i ? "," : "", i, i));
        if (i % 3)
            continue;
        snprintf(name, sizeof(name), "name%d", 297 - i);
        picks[i / 3] = rig_path(&rig, name);
        ck_assert(gd_buf_addf(&expected, "%s\"name%d\":%d", i ? "," : "", i, i));
    }
    ck_assert(gd_buf_add(&text, "}", 1) && gd_buf_add(&expected, "}", 2));
    projection = gd_projection_new(&rig.arena, &rules, NULL);
    ck_assert_ptr_nonnull(projection);
    ck_assert(
        gd_project(projection, rig_value_of(&rig, gd_buf_span(&text)), &rig.splice));
    rig_expect(&rig, expected.data);
    gd_buf_free(&text);
    gd_buf_free(&expected);
    rig_close(&rig);
}
END_TEST

START_TEST(values_nested_as_deep_as_can_be_are_projected)
{
    enum { DEPTH = GD_JSON_DEPTH_MAX - 1 };
    char text[2 * DEPTH + 32], expected[2 * DEPTH + 32];

    memset(text, '[', DEPTH);
    memset(expected, '[', DEPTH);
    snprintf(text + DEPTH, sizeof(text) - DEPTH, "{\"a\":1,\"b\":2}");
    snprintf(expected + DEPTH, sizeof(expected) - DEPTH, "{\"b\":2}");
    memset(text + strlen(text), ']', DEPTH);
    text[DEPTH + 13 + DEPTH] = '\0';
    memset(expected + DEPTH + 7, ']', DEPTH);
    expected[DEPTH + 7 + DEPTH] = '\0';
    leaves("-a", text, expected);
    leaves("+b", text, expected);
}
END_TEST

START_TEST(a_missing_value_is_null)
{
    struct rig rig;
    struct gd_projection *projection;

    rig_open(&rig);
    projection = compile(&rig, "-a", NULL);
    ck_assert(gd_project(projection, (struct gd_json_value){NULL, 0}, &rig.splice));
    rig_expect(&rig, "null");
    rig_close(&rig);
}
END_TEST

START_TEST(an_arena_at_its_bound_is_told)
{
    struct gd_buf text;
    struct gd_projection *projection;
    struct rig rig, small;

    rig_open(&rig);
    rig_open_bounded(&small, 2048);
    gd_buf_init(&text, NULL, 65536);
    ck_assert(gd_buf_add(&text, "[0", 2));
    for (int i = 0; i < 500; i++)
        ck_assert(gd_buf_add_text(&text, ",{\"a\":1,\"b\":2}"));
    ck_assert(gd_buf_add(&text, "]", 1));
    projection = compile(&rig, "+b", NULL);
    ck_assert(
        !gd_project(projection, rig_value_of(&rig, gd_buf_span(&text)), &small.splice));
    rig_close(&small);
    rig_open_bounded(&small, 512);
    ck_assert_ptr_null(gd_projection_new(
        &small.arena, &(struct gd_project_rules){.pick_count = 0}, NULL));
    rig_close(&small);
    gd_buf_free(&text);
    rig_close(&rig);
}
END_TEST

START_TEST(what_was_picked_before_a_name_stands_twice_is_undone)
{
    leaves("+a.b +c",
           "[{\"x\":0,\"a\":{\"b\":1,\"d\":2},\"c\":3},"
           "{\"a\":{\"b\":4,\"d\":0,\"b\":5},\"x\":0,\"c\":6,\"a\":{\"b\":7}},"
           "{\"c\":8,\"a\":{\"d\":0,\"b\":9}}]",
           "[{\"a\":{\"b\":1},\"c\":3},{\"c\":6,\"a\":{\"b\":7}},"
           "{\"c\":8,\"a\":{\"b\":9}}]");
    leaves("+a +b a>c",
           "[{\"x\":0,\"a\":1,\"b\":2},{\"b\":3,\"c\":4,\"a\":5},{\"c\":6,\"x\":0}]",
           "[{\"c\":1,\"b\":2},{\"b\":3,\"c\":5},{}]");
    leaves("+a.b +c a>c",
           "{\"a\":{\"b\":1,\"b\":2},\"y\":0,\"c\":4,\"a\":{\"x\":0,\"b\":3}}",
           "{\"c\":{\"b\":3}}");
}
END_TEST

START_TEST(names_are_told_apart_whatever_their_length)
{
    for (int len = 1; len <= 40; len++)
        for (int at = 0; at < len; at++) {
            char name[48], text[256], rule[64], expected[128];

            memset(name, 'n', sizeof(name));
            name[len] = '\0';
            snprintf(rule, sizeof(rule), "+%s", name);
            snprintf(expected, sizeof(expected), "{\"%s\":1}", name);
            name[at] = 'm';
            snprintf(text, sizeof(text), "{\"%s\":0,\"%s\":1,\"%sn\":2}", name, rule + 1,
                     rule + 1);
            leaves(rule, text, expected);
        }
}
END_TEST

GD_SUITE("project", picked_members_stay_as_they_stand, picks_go_inside,
         rules_go_through_arrays_at_any_depth,
         where_a_pick_goes_into_a_scalar_null_stands,
         of_a_picked_name_that_stands_twice_the_last_one_is_kept,
         dropped_members_go_wherever_they_stand, of_what_is_picked_a_part_can_be_dropped,
         renamed_members_stay_in_place, a_member_whose_name_another_one_gets_goes,
         names_can_be_swapped, a_name_is_free_when_nothing_gets_it,
         no_rules_leave_everything, rules_that_contradict_each_other_are_refused,
         many_rules_and_names_find_each_other,
         what_was_picked_before_a_name_stands_twice_is_undone,
         names_are_told_apart_whatever_their_length,
         values_nested_as_deep_as_can_be_are_projected, a_missing_value_is_null,
         an_arena_at_its_bound_is_told)
