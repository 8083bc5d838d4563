#include "compose_rig.h"

static void refuses(const char *text, const char *reason)
{
    struct gd_json_path path;
    struct gd_arena arena;
    struct gd_err err = {.text = ""};

    gd_arena_init(&arena, NULL, 1024, 65536);
    ck_assert_msg(!gd_json_path_parse(&arena, gd_span_of(text), &path, &err), "%s", text);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s: %s", text, err.text);
    gd_arena_free(&arena);
}

START_TEST(names_indexes_and_all_are_steps)
{
    struct rig rig;
    struct gd_json_path path;

    rig_open(&rig);
    path = rig_path(&rig, ".user.tags[12][\"odd \\\"key\\\\\"][*].caf\xc3\xa9$-@_1");
    ck_assert_uint_eq(path.count, 6);
    ck_assert(path.many);
    ck_assert(gd_span_is(path.steps[0].name, "user"));
    ck_assert(gd_span_is(path.steps[1].name, "tags"));
    ck_assert_int_eq(path.steps[2].kind, GD_STEP_INDEX);
    ck_assert_uint_eq(path.steps[2].index, 12);
    ck_assert(gd_span_is(path.steps[3].name, "odd \"key\\"));
    ck_assert_int_eq(path.steps[4].kind, GD_STEP_ALL);
    ck_assert(gd_span_is(path.steps[5].name, "caf\xc3\xa9$-@_1"));
    path = rig_path(&rig, "a");
    ck_assert_uint_eq(path.count, 1);
    ck_assert(!path.many);
    path = rig_path(&rig, "[\"\"]");
    ck_assert_uint_eq(path.steps[0].name.len, 0);
    path = rig_path(&rig, "");
    ck_assert_uint_eq(path.count, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_no_path_is_refused_with_a_sentence)
{
    refuses(".", "ends where a name is expected");
    refuses("a.", "ends where a name is expected");
    refuses("a..b", "no name before \".b\"");
    refuses("a.[0]", "no name before \"[0]\"");
    refuses("a b", "has \" \" where a . or [ is expected");
    refuses("a[0]b", "has \"b\" where a . or [ is expected");
    refuses(" a", "no name before \" a\"");
    refuses("a[", "not closed");
    refuses("a[\"x", "not closed");
    refuses("a[\"x]", "not closed");
    refuses("a[]", "has []");
    refuses("a[-1]", "has [-1]");
    refuses("a[x]", "has [x]");
    refuses("a[1.5]", "has [1.5]");
    refuses("a[4294967296]", "has [4294967296]");
    refuses("a[\"x\"y]", "has [\"x\"y]");
    refuses("a[\"\\n\"]", "has \\n");
    refuses("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.1.2.3.4.5.6.7",
            "more than 32 steps");
}
END_TEST

START_TEST(paths_without_memory_are_refused)
{
    struct gd_json_path path;
    struct gd_arena arena;
    struct gd_err err;

    gd_arena_init(&arena, NULL, 1024, 100);
    ck_assert(!gd_json_path_parse(&arena, GD_SPAN("a.b"), &path, &err));
    ck_assert(!gd_json_path_parse(&arena, GD_SPAN("[\"a\"]"), &path, &err));
    ck_assert(!gd_json_path_parse(&arena, GD_SPAN("[0]"), &path, &err));
    gd_arena_free(&arena);
}
END_TEST

START_TEST(a_path_in_front_of_other_text_is_measured)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"", 0},          {".login", 6},
        {"[0].x", 5},     {".login}", 6},
        {".a.b == 1", 4}, {".", 0},
        {".a.", 2},       {".a. b", 2},
        {"login", 0},     {"[\"a]\"].b}", 8},
        {"[\"a", 0},      {".a[\"\\\"\"]", 8},
        {".a[", 2},       {".a[*].b[12],", 11},
        {".a[b[0]", 2},   {"[\"a\\", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(gd_json_path_length(gd_span_of(cases[i].text)) == cases[i].len,
                      "%s", cases[i].text);
}
END_TEST

static void finds(const char *path_text, const char *text, const char *expected)
{
    struct rig rig;
    struct gd_json_path path;
    struct gd_json_value found;

    rig_open(&rig);
    path = rig_path(&rig, path_text);
    found = gd_json_path_find(&path, rig_value(&rig, text));
    if (expected == NULL)
        ck_assert_ptr_null(found.tape);
    else
        ck_assert_msg(found.tape &&
                          gd_span_is(gd_tape_text(found.tape, found.node), expected),
                      "%s of %s", path_text, text);
    rig_close(&rig);
}

START_TEST(the_value_at_a_path_is_found)
{
    finds("", "[1]", "[1]");
    finds("a", "{\"a\":1}", "1");
    finds("a.b[1].c", "{\"a\":{\"b\":[0,{\"c\":[2]}]}}", "[2]");
    finds("[\"a\\\\b\"]", "{\"a\\\\b\":null}", "null");
    finds("a", "{\"a\":1,\"\\u0061\":2}", "2");
    finds("[*].a", "[1,{\"b\":1},{\"a\":3},{\"a\":4}]", "3");
}
END_TEST

START_TEST(a_path_that_leads_nowhere_finds_nothing)
{
    finds("a", "{\"b\":1}", NULL);
    finds("a", "[1]", NULL);
    finds("a", "7", NULL);
    finds("a.b", "{\"a\":\"b\"}", NULL);
    finds("[0]", "[]", NULL);
    finds("[2]", "[0,1]", NULL);
    finds("[0]", "{\"0\":1}", NULL);
    finds("[*]", "{\"a\":1}", NULL);
    finds("[4294967295]", "[1]", NULL);
}
END_TEST

START_TEST(no_value_has_nothing_inside)
{
    struct rig rig;
    struct gd_json_path path;

    rig_open(&rig);
    path = rig_path(&rig, "");
    ck_assert_ptr_null(gd_json_path_find(&path, (struct gd_json_value){NULL, 0}).tape);
    rig_close(&rig);
}
END_TEST

struct seen {
    char text[64];
    unsigned most, count;
};

static bool on_value(void *arg, struct gd_json_value value)
{
    struct seen *seen = arg;

    strncat(seen->text, " ", 2);
    strncat(seen->text, gd_tape_text(value.tape, value.node).ptr, 1);
    return ++seen->count < seen->most;
}

START_TEST(all_values_are_visited_in_order_until_enough)
{
    struct rig rig;
    struct gd_json_path path;
    struct gd_json_value value;
    struct seen seen = {.most = 100};

    rig_open(&rig);
    path = rig_path(&rig, "[*].a[*]");
    value = rig_value(&rig, "[{\"a\":[1,2]},{\"a\":3},{},[4],{\"a\":[]},{\"a\":[5,6]}]");
    ck_assert(gd_json_path_each(&path, value, on_value, &seen));
    ck_assert_str_eq(seen.text, " 1 2 5 6");
    seen = (struct seen){.most = 3};
    ck_assert(!gd_json_path_each(&path, value, on_value, &seen));
    ck_assert_str_eq(seen.text, " 1 2 5");
    rig_close(&rig);
}
END_TEST

GD_SUITE("path", names_indexes_and_all_are_steps,
         what_is_no_path_is_refused_with_a_sentence, paths_without_memory_are_refused,
         a_path_in_front_of_other_text_is_measured, the_value_at_a_path_is_found,
         a_path_that_leads_nowhere_finds_nothing, no_value_has_nothing_inside,
         all_values_are_visited_in_order_until_enough)
