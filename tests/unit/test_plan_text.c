/* What is wrong with a file as YAML, and the exact words for it. */
#include "plan_text.h"
#include "suite.h"

START_TEST(an_empty_file_is_said_to_be_empty)
{
    PLAN_REFUSE("", "gw.yaml:1:1: the file is empty");
    PLAN_REFUSE("# nothing\n\n", "gw.yaml:1:1: the file is empty");
    PLAN_REFUSE("---\n", "gw.yaml:1:1: the file is empty");
    PLAN_REFUSE("~\n", "gw.yaml:1:1: the file is empty");
}
END_TEST

START_TEST(a_file_that_is_no_map_is_refused)
{
    PLAN_REFUSE("- listen\n", "gw.yaml:1:1: the file must be a map of options (`key: "
                              "value`), found a list");
    PLAN_REFUSE("\nlisten\n", "gw.yaml:2:1: the file must be a map of options (`key: "
                              "value`), found \"listen\"");
}
END_TEST

START_TEST(a_byte_order_mark_is_skipped)
{
    gd_plan_unref(plan_accept("\xef\xbb\xbfworkers: 1\nlisten: 1\n"));
    PLAN_REFUSE("\xef\xbb\xbfworkers: 0\n",
                "gw.yaml:1:10: workers: \"0\" is out of range: allowed is from 1 to 256");
    PLAN_REFUSE("\xef\xbb\xbf", "gw.yaml:1:1: the file is empty");
}
END_TEST

START_TEST(a_tab_as_indentation_is_named)
{
    PLAN_REFUSE("log:\n\tlevel: info\n",
                "gw.yaml:2:1: a tab cannot be used for indentation; use spaces");
    PLAN_REFUSE("log:\n  level: info\n\tx: y\n",
                "gw.yaml:3:1: a tab cannot be used for indentation; use spaces");
}
END_TEST

START_TEST(broken_yaml_is_told_in_words_with_its_place)
{
    PLAN_REFUSE("log: {level: info\n",
                "gw.yaml:2:1: `,` or `}` was expected here; between { and }, a text with "
                "{…} or [ needs quotes");
    PLAN_REFUSE("listen: [8080\nlog: {}\n",
                "gw.yaml:2:4: `,` or `]` was expected here; between [ and ], a text with "
                "{…} or [ needs quotes");
    PLAN_REFUSE("log: level: info\n",
                "gw.yaml:1:11: a `key: value` cannot stand here; check the indentation, "
                "and quote a text that contains \": \"");
    PLAN_REFUSE("log:\n  level: \"info\n",
                "gw.yaml:2:10: the quoted text that starts here is not closed");
    PLAN_REFUSE("log:\n    level: info\n  x: 1\n",
                "gw.yaml:3:3: a key was expected here; check the indentation and the "
                "quotes of the line before");
    PLAN_REFUSE("log:\n  level\nworkers: 1\n",
                "gw.yaml:2:3: log: expected a map of options (`key: value`), found "
                "\"level\"");
    PLAN_REFUSE("log:\n  level: @info\n",
                "gw.yaml:2:10: a text that starts with @ needs quotes");
    PLAN_REFUSE("log:\n  level: \"\\q\"\n",
                "gw.yaml:2:11: unknown escape in a text in double quotes; write \\\\ for "
                "a backslash");
    PLAN_REFUSE("listen: &\n",
                "gw.yaml:1:10: a text that starts with & or * needs quotes");
    PLAN_REFUSE("log: {level: info}\n- x\n",
                "gw.yaml:2:1: a key was expected here; check the indentation and the "
                "quotes of the line before");
    PLAN_REFUSE("routes:\n  /a: x - y\n   - z: 1\n",
                "gw.yaml:3:7: a `key: value` cannot stand here; check the indentation, "
                "and quote a text that contains \": \"");
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_found)
{
    PLAN_REFUSE("log:\n  # \xc3\xa4 \xff\n", "gw.yaml:2:7: the file is not UTF-8 text");
    PLAN_REFUSE("log: \xed\xa0\x80\n", "gw.yaml:1:6: the file is not UTF-8 text");
    plan_refuse_span(
        GD_SPAN("\xff\xfel\0o\0"),
        (const char *const[]){"gw.yaml:1:1: the file is not UTF-8 text", NULL});
}
END_TEST

START_TEST(control_characters_are_found)
{
    PLAN_REFUSE("log:\n  level: a\x01\n",
                "gw.yaml:2:11: a control character cannot stand here");
    plan_refuse_span(GD_SPAN("log: \0\n"),
                     (const char *const[]){
                         "gw.yaml:1:6: a control character cannot stand here", NULL});
    PLAN_REFUSE("log: {level: \"a\\0b\"}\n",
                "gw.yaml:1:14: a NUL character cannot stand in text");
}
END_TEST

START_TEST(a_second_document_is_refused)
{
    PLAN_REFUSE("listen: 8080\n---\nlisten: 8081\n",
                "gw.yaml:2:1: a second document starts here; a file holds one");
}
END_TEST

START_TEST(a_key_that_stands_twice_is_shown_with_both_places)
{
    PLAN_REFUSE("workers: 1\nlog: {}\nworkers: 2\n",
                "gw.yaml:3:1: workers: this key stands twice, first at gw.yaml:1:1");
    PLAN_REFUSE(
        "routes:\n  GET /a:\n    calls: {x: u/a, x: u/b}\n"
        "upstreams: {u: http://h}\n",
        "gw.yaml:3:21: routes.\"GET /a\".calls.x: this key stands twice, first at "
        "gw.yaml:3:13");
}
END_TEST

START_TEST(what_yaml_can_and_a_configuration_cannot_is_refused)
{
    PLAN_REFUSE("log: !!map {level: info}\n",
                "gw.yaml:1:6: tags (tag:yaml.org,2002:map) are not supported");
    PLAN_REFUSE("log: {level: !x info}\n", "gw.yaml:1:14: tags (!x) are not supported");
    PLAN_REFUSE("x: &x {level: info}\nlog:\n  <<: *x\n",
                "gw.yaml:3:3: merge keys (<<) are not supported; use `defaults`, or an "
                "alias for the whole value");
    PLAN_REFUSE("? [a, b]\n: c\n",
                "gw.yaml:1:3: a key must be text, found a list; a text "
                "that starts with [ needs quotes");
    PLAN_REFUSE("{id}: c\n", "gw.yaml:1:1: a key must be text, found a map; a text that "
                             "starts with { needs quotes");
}
END_TEST

START_TEST(aliases_share_what_they_name)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n"
                    "  a: &long {servers: http://h:1, pool: &p {max: 7, idle: 7}}\n"
                    "  b: {servers: &s [http://h:2, http://h:3], pool: *p}\n"
                    "  c: *s\n"
                    "  d: *long\n");

    ck_assert_uint_eq(plan->upstream_count, 4);
    ck_assert_uint_eq(plan->upstreams[1].pool.max, 7);
    ck_assert_uint_eq(plan->upstreams[2].server_count, 2);
    ck_assert_str_eq(plan->upstreams[3].servers[0].name, "h:1");
    ck_assert_uint_eq(plan->server_count, 6);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_mistake_behind_an_anchor_is_said_once)
{
    PLAN_REFUSE("upstreams:\n"
                "  a: {servers: http://h:1, pool: &p {max: x}}\n"
                "  b: {servers: http://h:2, pool: *p}\n",
                "gw.yaml:2:43: upstreams.a.pool.max: expected a whole number from 1 to "
                "65535, found \"x\"");
}
END_TEST

START_TEST(many_mistakes_behind_one_anchor_stay_few_lines)
{
    struct gd_findings findings;
    struct gd_buf text;

    gd_buf_init(&text, NULL, 1 << 20);
    ck_assert(gd_buf_add_text(&text, "defaults: &p {calls: {x: nope/, y: [], z: 3}}\n"
                                     "routes:\n"));
    for (int i = 0; i < 3000; i++)
        ck_assert(gd_buf_addf(&text, "  /r%d: *p\n", i));
    ck_assert_ptr_null(
        gd_plan_load_text("gw.yaml", gd_buf_span(&text), &test_options, &findings));
    ck_assert_uint_eq(findings.count, 4);
    ck_assert_str_eq(findings.lines[1], "gw.yaml:1:26: defaults.calls.x: there is no "
                                        "upstream \"nope\"");
    gd_findings_free(&findings);
    gd_buf_free(&text);
}
END_TEST

START_TEST(aliases_that_name_nothing_or_themselves_are_refused)
{
    PLAN_REFUSE("log: *x\n", "gw.yaml:1:6: there is no anchor &x before this alias");
    PLAN_REFUSE("log: &x {level: *x}\n",
                "gw.yaml:1:17: the alias *x stands inside of what it names");
}
END_TEST

/* Each line names the one before ten times. */
static void make_bomb(struct gd_buf *out, int lines)
{
    ck_assert(gd_buf_add_text(out, "l0: &l0 lol\n"));
    for (int i = 1; i <= lines; i++) {
        ck_assert(gd_buf_addf(out, "l%d: &l%d [", i, i));
        for (int j = 0; j < 10; j++)
            ck_assert(gd_buf_addf(out, "*l%d%s", i - 1, j < 9 ? ", " : "]\n"));
    }
}

START_TEST(an_alias_bomb_is_refused_at_once)
{
    struct gd_buf bomb;

    gd_buf_init(&bomb, NULL, 1 << 20);
    make_bomb(&bomb, 20);
    plan_refuse_span(gd_buf_span(&bomb),
                     (const char *const[]){
                         "gw.yaml:6:45: the configuration has more than 100000 values, "
                         "counting what aliases stand for",
                         NULL});
    gd_buf_free(&bomb);
}
END_TEST

START_TEST(a_bomb_of_text_is_refused)
{
    struct gd_buf bomb;

    gd_buf_init(&bomb, NULL, 2 << 20);
    ck_assert(gd_buf_add_text(&bomb, "a: &a "));
    for (int i = 0; i < 1 << 20; i++)
        ck_assert(gd_buf_add(&bomb, "x", 1));
    ck_assert(gd_buf_add_text(&bomb, "\nb: [*a, *a, *a, *a, *a, *a, *a, *a]\n"));
    plan_refuse_span(gd_buf_span(&bomb),
                     (const char *const[]){
                         "gw.yaml:2:29: the configuration has more than 8 MiB of text, "
                         "counting what aliases stand for",
                         NULL});
    gd_buf_free(&bomb);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    struct gd_buf deep;

    gd_buf_init(&deep, NULL, 1 << 20);
    ck_assert(gd_buf_add_text(&deep, "log: "));
    for (int i = 0; i < 100000; i++)
        ck_assert(gd_buf_add(&deep, "[", 1));
    plan_refuse_span(
        gd_buf_span(&deep),
        (const char *const[]){"gw.yaml:1:69: nested deeper than 64 levels", NULL});
    gd_buf_free(&deep);
    PLAN_REFUSE(
        "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
        "]]]]]]]]]]\n"
        "b: [[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]\n",
        "gw.yaml:2:28: nested deeper than 64 levels");
}
END_TEST

START_TEST(a_file_that_is_too_large_is_refused)
{
    struct gd_buf large;

    gd_buf_init(&large, NULL, 5 << 20);
    ck_assert(gd_buf_add_text(&large, "listen: 1\n"));
    while (large.len <= 4 << 20)
        ck_assert(gd_buf_add_text(&large, "# a comment, and then another comment\n"));
    plan_refuse_span(gd_buf_span(&large),
                     (const char *const[]){"gw.yaml: is larger than 4096 KiB", NULL});
    gd_buf_free(&large);
}
END_TEST

START_TEST(columns_count_characters)
{
    PLAN_REFUSE("upstreams: {\"ä\": http://h}\n",
                "gw.yaml:1:13: upstreams.\"ä\": the name of an upstream has 1 to 64 "
                "letters, digits, _, - and ., and does not start with .");
    PLAN_REFUSE(
        "log: {\"äöü\": 1, level: x}\n",
        "gw.yaml:1:7: log.\"äöü\": unknown key; allowed are level, error, access, slow, "
        "recent",
        "gw.yaml:1:24: log.level: expected error, warn, info or debug, found \"x\"");
}
END_TEST

GD_SUITE("plan text", an_empty_file_is_said_to_be_empty, a_file_that_is_no_map_is_refused,
         a_byte_order_mark_is_skipped, a_tab_as_indentation_is_named,
         broken_yaml_is_told_in_words_with_its_place, bytes_that_are_no_utf8_are_found,
         control_characters_are_found, a_second_document_is_refused,
         a_key_that_stands_twice_is_shown_with_both_places,
         what_yaml_can_and_a_configuration_cannot_is_refused,
         aliases_share_what_they_name, a_mistake_behind_an_anchor_is_said_once,
         many_mistakes_behind_one_anchor_stay_few_lines,
         aliases_that_name_nothing_or_themselves_are_refused,
         an_alias_bomb_is_refused_at_once, a_bomb_of_text_is_refused,
         deep_nesting_is_refused, a_file_that_is_too_large_is_refused,
         columns_count_characters)
