#include "suite.h"

#include <stdio.h>

#include "plan/template.h"

enum { OUT_MAX = 65536 };

static struct gd_span param_names[] = {{"id", 2}, {"rest", 4}};
static const struct gd_names names = {
    .params = param_names, .param_count = 2, .tail = true};

typedef struct gd_template *compile_fn(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *known, struct gd_err *err);

static struct gd_arena arena;
static struct gd_buf out;
static struct gd_err err;

static struct gd_template *compile(compile_fn *fn, const char *text)
{
    struct gd_template *tpl = fn(&arena, gd_span_of(text), &names, &err);

    ck_assert_msg(tpl != NULL, "%s: %s", text, err.text);
    return tpl;
}

static void setup(void)
{
    gd_arena_init(&arena, NULL, 4096, 16 << 20);
    gd_buf_init(&out, NULL, OUT_MAX);
}

static void teardown(void)
{
    gd_buf_free(&out);
    gd_arena_free(&arena);
}

/* Expands with the parameters and query; the text is in `out`. */
static enum gd_failure expand(compile_fn *fn, const char *text, const char *id,
                              const char *rest, const char *query)
{
    struct gd_span params[] = {gd_span_of(id), gd_span_of(rest)};
    struct gd_facts facts = {.query = query ? gd_span_of(query) : GD_SPAN_NONE};
    struct gd_values values = {.params = params, .param_count = 2, .facts = &facts};

    out.len = 0;
    return gd_template_expand(compile(fn, text), &values, &out);
}

static void gives(compile_fn *fn, const char *text, const char *query, const char *want)
{
    ck_assert_int_eq(expand(fn, text, "7", "a/b", query), GD_OK);
    ck_assert_msg(gd_span_is(gd_buf_span(&out), want), "%s with %s gives %.*s, not %s",
                  text, query ? query : "none", GD_SPAN_ARG(gd_buf_span(&out)), want);
}

static void target_gives(const char *text, const char *query, const char *want)
{
    gives(gd_template_target, text, query, want);
}

static void is_unresolved(const char *text, const char *id, const char *query)
{
    ck_assert_msg(expand(gd_template_target, text, id, "", query) == GD_FAIL_UNRESOLVED,
                  "%s with %s: %.*s", text, query, GD_SPAN_ARG(gd_buf_span(&out)));
    ck_assert_uint_eq(out.len, 0);
}

static void refuses(compile_fn *fn, const char *text, const char *why)
{
    ck_assert_msg(fn(&arena, gd_span_of(text), &names, &err) == NULL,
                  "\"%s\" was accepted", text);
    ck_assert_str_eq(err.text, why);
}

START_TEST(parameters_stand_where_they_are_named)
{
    setup();
    target_gives("/users/{id}", NULL, "/users/7");
    target_gives("/{id}/x/{id}?a={id}", NULL, "/7/x/7?a=7");
    target_gives("/v{id}.json", NULL, "/v7.json");
    target_gives("/f/{rest}?p={rest}", NULL, "/f/a/b?p=a%2Fb");
    target_gives("/a?", NULL, "/a?");
    target_gives("/a?b&&c=", NULL, "/a?b&&c=");
    target_gives("/{{x}}?{{={id}", NULL, "/%7Bx%7D?%7B=7");
    target_gives("/stra\xc3\x9f"
                 "e/{id}",
                 NULL, "/stra%C3%9Fe/7");
    teardown();
}
END_TEST

START_TEST(a_text_without_placeholders_is_told_to_be_literal)
{
    setup();
    ck_assert(
        gd_span_is(gd_template_literal(compile(gd_template_target, "/a?b=1")), "/a?b=1"));
    ck_assert(gd_span_is(gd_template_literal(compile(gd_template_json, "{\"a\": []}")),
                         "{\"a\": []}"));
    ck_assert_ptr_null(gd_template_literal(compile(gd_template_target, "/{id}")).ptr);
    teardown();
}
END_TEST

START_TEST(an_absent_optional_value_takes_its_whole_pair_along)
{
    const char *two = "/x?a={query.a?}&b={query.b?}";

    setup();
    target_gives(two, NULL, "/x");
    target_gives(two, "a=1", "/x?a=1");
    target_gives(two, "b=2", "/x?b=2");
    target_gives(two, "b=2&a=1", "/x?a=1&b=2");
    target_gives("/x?a={query.a?}&b=1&c={query.c?}", NULL, "/x?b=1");
    target_gives("/x?a={query.a?}&b=1&c={query.c?}", "a=5&c=6", "/x?a=5&b=1&c=6");
    target_gives("/x?z=0&a={query.a?}&b=1", NULL, "/x?z=0&b=1");
    target_gives("/x?a={query.a?}-{query.b?}&c=1", "a=1", "/x?c=1");
    target_gives("/x?a={query.a?}-{query.b?}&c=1", "a=1&b=2", "/x?a=1-2&c=1");
    target_gives("/x?a={query.a?}", "a=", "/x?a=");
    target_gives("/{query.p=q}?a={query.a?}", NULL, "/q");
    teardown();
}
END_TEST

START_TEST(a_default_stands_in_for_an_absent_value)
{
    setup();
    target_gives("/x?n={query.n=10}", NULL, "/x?n=10");
    target_gives("/x?n={query.n=10}", "n=3", "/x?n=3");
    target_gives("/x?n={query.n=}", NULL, "/x?n=");
    target_gives("/x?n={query.n=a b&c?d}", NULL, "/x?n=a%20b%26c%3Fd");
    target_gives("/{query.n=a/b}", NULL, "/a%2Fb");
    gives(gd_template_json, "{\"a\":\"{query.n=it's \\u00e9}\"}", NULL,
          "{\"a\":\"it's \\u00e9\"}");
    ck_assert_int_eq(expand(gd_template_target, "/f/{rest=index.html}", "7", "", NULL),
                     GD_OK);
    ck_assert(gd_span_is(gd_buf_span(&out), "/f/index.html"));
    ck_assert_int_eq(expand(gd_template_target, "/f/{rest}", "7", "", NULL), GD_OK);
    ck_assert(gd_span_is(gd_buf_span(&out), "/f/"));
    teardown();
}
END_TEST

START_TEST(a_value_that_is_missing_or_cannot_stand_there_is_unresolved)
{
    setup();
    is_unresolved("/x?a={query.a}", "7", NULL);
    is_unresolved("/x?a={query.a}", "7", "b=1");
    is_unresolved("/{query.a}", "7", "a=");
    is_unresolved("/{query.a}", "7", "a=.");
    is_unresolved("/{query.a}/b", "7", "a=..");
    is_unresolved("/{query.a}?b=1", "7", "a=%2e%2E");
    is_unresolved("/.{query.a}", "7", "a=");
    is_unresolved("/.{query.a}", "7", "a=.");
    is_unresolved("/{query.a}.", "7", "a=.");
    is_unresolved("/{query.a}{query.b}", "7", "a=.&b=.");
    is_unresolved("/{query.a}{query.b}/", "7", "a=&b=");
    is_unresolved("/a{query.a}", "7", "a=%00");
    is_unresolved("/a{query.a}", "7", "a=x%0Ay");
    is_unresolved("/a{query.a}", "7", "a=%7f");
    is_unresolved("/{id}", "", NULL);
    is_unresolved("/{id}", "..", NULL);
    target_gives("/{query.a}", "a=...", "/...");
    target_gives("/v{query.a}", "a=", "/v");
    target_gives("/v{query.a}", "a=..", "/v..");
    teardown();
}
END_TEST

START_TEST(a_parameter_the_request_does_not_have_is_unresolved)
{
    struct gd_facts facts = {.query = GD_SPAN_NONE};
    struct gd_values none = {.facts = &facts};

    setup();
    ck_assert_int_eq(
        gd_template_expand(compile(gd_template_target, "/{id}"), &none, &out),
        GD_FAIL_UNRESOLVED);
    teardown();
}
END_TEST

START_TEST(an_expansion_past_the_bound_leaves_the_buffer_as_it_was)
{
    static const char *const texts[] = {
        "/aaaaaaaaaaaaaaaa",          "/{id}{id}{id}{id}{id}",   "/a?aa={query.q}",
        "/a?aa={query.n=aaaaaaaaaa}", "/aaaaaaaaa?a={query.q?}", NULL};
    struct gd_span params[] = {GD_SPAN("1234"), GD_SPAN("")};
    struct gd_facts facts = {.query = GD_SPAN("q=a%20b%20c%20d%20e")};
    struct gd_values values = {.params = params, .param_count = 2, .facts = &facts};

    setup();
    gd_buf_free(&out);
    gd_buf_init(&out, NULL, 14);
    ck_assert(gd_buf_add(&out, "GET ", 4));
    for (const char *const *text = texts; *text; text++) {
        struct gd_template *tpl = compile(gd_template_target, *text);

        ck_assert_int_eq(gd_template_expand(tpl, &values, &out), GD_FAIL_TOO_LARGE);
        ck_assert(gd_span_is(gd_buf_span(&out), "GET "));
    }
    ck_assert_int_eq(
        gd_template_expand(compile(gd_template_json, "[\"{query.q}{query.q}\"]"), &values,
                           &out),
        GD_FAIL_TOO_LARGE);
    ck_assert_uint_eq(out.len, 4);
    teardown();
}
END_TEST

START_TEST(values_in_json_are_decoded_and_escaped)
{
    char query[4096] = "q=";
    size_t len = 2;

    setup();
    gives(gd_template_json, "{\"{id}\": [\"{rest}\", {\"a\": \"\\\"{query.q}\"}]}",
          "q=a%22+%5C", "{\"7\": [\"a/b\", {\"a\": \"\\\"a\\\" \\\\\"}]}");
    gives(gd_template_json, "[\"{{id}} {query.x?}\"]", NULL, "[\"{id} \"]");
    /* Longer than what is decoded on the stack. */
    while (len < 3002) {
        memcpy(query + len, "%22", 3);
        len += 3;
    }
    ck_assert_int_eq(expand(gd_template_json, "[\"{query.q}\"]", "", "", query), GD_OK);
    ck_assert_uint_eq(out.len, 4 + 2000);
    teardown();
}
END_TEST

START_TEST(a_name_that_is_not_known_is_refused_with_what_was_meant)
{
    setup();
    refuses(gd_template_target, "/{ids}", "{ids} is not known here; did you mean {id}?");
    refuses(gd_template_target, "/{ret?}",
            "{ret?} is not known here; did you mean {rest}?");
    refuses(gd_template_target, "/x?a={qeury.a=1}",
            "{qeury.a=1} is not known here; did you mean {query.a}?");
    refuses(gd_template_target, "/{zebra}",
            "{zebra} is not known here; what can be used are path parameters of the "
            "route and query.NAME");
    refuses(gd_template_json, "[\"{user.login}\"]",
            "{user.login} is not known here; what can be used are path parameters of the "
            "route and query.NAME");
    refuses(gd_template_target, "/{query.}",
            "\"{query.}\" is not a placeholder; it is written {name}, {name?} or "
            "{name=default}, and a literal brace {{ or }}");
    teardown();
}
END_TEST

START_TEST(what_is_no_placeholder_is_refused)
{
    const char *form = "is not a placeholder; it is written {name}, {name?} or "
                       "{name=default}, and a literal brace {{ or }}";
    char text[256];
    static const char *const wrong[] = {"{}", "{?}", "{=a}", "{a b}", "{id?x}", NULL};

    setup();
    for (const char *const *hole = wrong; *hole; hole++) {
        char target[64];

        snprintf(target, sizeof(target), "/%s", *hole);
        snprintf(text, sizeof(text), "\"%s\" %s", *hole, form);
        refuses(gd_template_target, target, text);
    }
    refuses(gd_template_target, "/a}",
            "there is a } without {; a literal one is written }}");
    refuses(gd_template_target, "/{id",
            "\"{id\": the brace isn't closed; a literal one is written {{");
    refuses(gd_template_json, "[\"{query.a=\", \"}\"]",
            "{query.a=\", \"}: a default in JSON can't have quotes");
    teardown();
}
END_TEST

START_TEST(a_target_has_to_be_a_valid_path_and_query)
{
    const char *invalid = "is not a valid path and query; spaces, quotes and <>\\^`| are "
                          "written as %XX";
    static const char *const wrong[] = {"/a b", "/a\"",  "/%4",      "/%{id}", "/%4{id}",
                                        "/a|b", "/a\nb", "/a?b=%zz", NULL};
    char text[256];

    setup();
    for (const char *const *target = wrong; *target; target++) {
        snprintf(text, sizeof(text), "\"%s\" %s", *target, invalid);
        refuses(gd_template_target, *target, text);
    }
    refuses(gd_template_target, "", "a path starts with /");
    refuses(gd_template_target, "a/b", "a path starts with /");
    refuses(gd_template_target, "/a#b",
            "a fragment (#...) is never sent; write %23 for a literal #");
    refuses(gd_template_target, "/a/../b",
            "the path has a dot segment; write it without");
    refuses(gd_template_target, "/a/%2e%2E",
            "the path has a dot segment; write it without");
    refuses(gd_template_target, "/./{id}",
            "the path has a dot segment; write it without");
    teardown();
}
END_TEST

START_TEST(what_cannot_stand_in_a_path_is_refused)
{
    setup();
    refuses(gd_template_target, "/{query.a?}",
            "{query.a?}: a segment of a path can't be absent; give it a default, as in "
            "{query.a=none}");
    refuses(gd_template_target, "/{query.a=..}",
            "{query.a=..}: the default can't be a segment of a path");
    refuses(gd_template_target, "/{query.a=}",
            "{query.a=}: the default can't be a segment of a path");
    refuses(gd_template_target, "/{query.a=a\tb}",
            "{query.a=a\tb}: the default can't be a segment of a path");
    refuses(gd_template_target, "/{rest=.}",
            "{rest=.}: the default can't be a segment of a path");
    refuses(gd_template_target, "/x{rest}",
            "{rest} is the rest of a path, so in a path it has to stand between slashes");
    refuses(gd_template_target, "/{rest}.json",
            "{rest} is the rest of a path, so in a path it has to stand between slashes");
    refuses(gd_template_target, "/{id}{rest}",
            "{rest} is the rest of a path, so in a path it has to stand between slashes");
    teardown();
}
END_TEST

START_TEST(a_text_or_an_arena_that_is_too_large_is_an_error)
{
    struct gd_template *tpl = NULL;
    struct gd_arena small;
    char text[5000] = "/";

    setup();
    memset(text + 1, 'a', sizeof(text) - 2);
    text[sizeof(text) - 1] = '\0';
    refuses(gd_template_target, text, "the text is too long");
    for (size_t left = 0; tpl == NULL && left < 1000; left += 16) {
        gd_arena_init(&small, NULL, 2048, 2048);
        ck_assert_ptr_nonnull(gd_arena_raw(&small, 2020 - left));
        tpl = gd_template_target(&small, GD_SPAN("/a/{id}/{query.abc=x}?b={query.d?}"),
                                 &names, &err);
        if (tpl == NULL)
            ck_assert_str_eq(err.text, "the text is too long");
        gd_arena_free(&small);
    }
    ck_assert(tpl != NULL);
    teardown();
}
END_TEST

START_TEST(a_plus_is_a_space_in_a_query_only)
{
    setup();
    ck_assert_int_eq(expand(gd_template_target, "/x?k={id}", "a+b", "", NULL), GD_OK);
    ck_assert(gd_span_is(gd_buf_span(&out), "/x?k=a%2Bb"));
    target_gives("/x?k={query.q}", "q=a+b", "/x?k=a%20b");
    target_gives("/x/{query.q}", "q=a+b", "/x/a%20b");
    teardown();
}
END_TEST

START_TEST(broken_escapes_stand_for_themselves)
{
    setup();
    target_gives("/x?k={query.q}", "q=%", "/x?k=%25");
    target_gives("/x?k={query.q}", "q=%4", "/x?k=%254");
    target_gives("/x?k={query.q}", "q=%zz%1", "/x?k=%25zz%251");
    teardown();
}
END_TEST

/* Shows with the parameter 7, of which nothing else is known but query and fields. */
static struct gd_template_gaps show(compile_fn *fn, const char *text, const char *query,
                                    const char *want)
{
    static struct gd_field items[] = {
        {GD_FIELD_OTHER, {"X-A", 3}, {"a/b", 3}},
        {GD_FIELD_AUTHORIZATION, {"Authorization", 13}, {"Bearer x", 8}},
        {GD_FIELD_COOKIE, {"Cookie", 6}, {"sid=1", 5}}};
    static const struct gd_span calls[] = {{"user", 4}};
    struct gd_names known = {.params = param_names,
                             .param_count = 2,
                             .calls = calls,
                             .call_count = 1,
                             .tail = true,
                             .request = true,
                             .item = true};
    struct gd_fields fields = {items, 3};
    struct gd_span params[] = {GD_SPAN("7"), GD_SPAN("a/b")};
    struct gd_facts facts = {.query = gd_span_of(query), .fields = &fields};
    struct gd_values values = {.params = params, .param_count = 2, .facts = &facts};
    struct gd_template_gaps gaps;
    struct gd_template *tpl = fn(&arena, gd_span_of(text), &known, &err);

    ck_assert_msg(tpl != NULL, "%s: %s", text, err.text);
    out.len = 0;
    ck_assert(gd_template_show(tpl, &values, &out, &gaps));
    ck_assert_msg(gd_span_is(gd_buf_span(&out), want), "%s is shown as %.*s, not %s",
                  text, GD_SPAN_ARG(gd_buf_span(&out)), want);
    return gaps;
}

START_TEST(what_is_known_is_shown_as_it_would_be_sent)
{
    struct gd_template_gaps gaps;

    setup();
    gaps =
        show(gd_template_target, "/x/{id}/{rest}/{header.x-a}?k={query.q}&l={query.z?}",
             "q=a+b", "/x/7/a/b/a%2Fb?k=a%20b");
    ck_assert(!gaps.open && gaps.missing.ptr == NULL);
    show(gd_template_header, "{header.x-a} {query.q=none}", "", "a/b none");
    show(gd_template_string, "say \"{query.q}\"", "q=%22", "say \\\"\\\"\\\"");
    teardown();
}
END_TEST

START_TEST(what_is_known_later_is_shown_as_it_was_written)
{
    struct gd_template_gaps gaps;

    setup();
    gaps = show(gd_template_target, "/x/{user.name}/{item}?k={body.a[0]?}&l={query.q?}",
                "", "/x/{user.name}/{item}?k={body.a[0]?}");
    ck_assert(gaps.open && gaps.missing.ptr == NULL);
    gaps = show(gd_template_header, "{request.id} {request.host=h} {user:status}", "",
                "{request.id} {request.host=h} {user:status}");
    ck_assert(gaps.open && gaps.missing.ptr == NULL);
    teardown();
}
END_TEST

START_TEST(a_placeholder_without_a_value_is_told)
{
    struct gd_template_gaps gaps;

    setup();
    gaps = show(gd_template_target, "/x/{query.q}/y", "", "/x/{query.q}/y");
    ck_assert(gd_span_is(gaps.missing, "{query.q}") && !gaps.open);
    gaps = show(gd_template_target, "/{id}/{query.q}", "q=..", "/7/..");
    ck_assert(gd_span_is(gaps.missing, "{query.q}"));
    gaps = show(gd_template_header, "a {query.q}", "q=%0D%0Ax", "a {query.q}");
    ck_assert(gd_span_is(gaps.missing, "{query.q}"));
    teardown();
}
END_TEST

START_TEST(secrets_of_the_request_are_not_shown)
{
    setup();
    show(gd_template_target, "/x?a={header.authorization}&b={cookie.sid}&c={query.token}",
         "token=abc", "/x?a=***&b=***&c=***");
    show(gd_template_target, "/x?b={cookie.none?}&c={query.token?}", "", "/x");
    teardown();
}
END_TEST

GD_SUITE("template", parameters_stand_where_they_are_named,
         a_text_without_placeholders_is_told_to_be_literal,
         an_absent_optional_value_takes_its_whole_pair_along,
         a_default_stands_in_for_an_absent_value,
         a_value_that_is_missing_or_cannot_stand_there_is_unresolved,
         a_parameter_the_request_does_not_have_is_unresolved,
         an_expansion_past_the_bound_leaves_the_buffer_as_it_was,
         values_in_json_are_decoded_and_escaped,
         a_name_that_is_not_known_is_refused_with_what_was_meant,
         what_is_no_placeholder_is_refused, a_target_has_to_be_a_valid_path_and_query,
         what_cannot_stand_in_a_path_is_refused,
         a_text_or_an_arena_that_is_too_large_is_an_error,
         a_plus_is_a_space_in_a_query_only, broken_escapes_stand_for_themselves,
         what_is_known_is_shown_as_it_would_be_sent,
         what_is_known_later_is_shown_as_it_was_written,
         a_placeholder_without_a_value_is_told, secrets_of_the_request_are_not_shown)
