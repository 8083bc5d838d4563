#include "suite.h"

#include <stdio.h>

#include "plan/route.h"

static struct gd_pattern pattern(struct gd_arena *arena, const char *text)
{
    struct gd_pattern out;
    struct gd_err err;

    ck_assert_msg(gd_pattern_parse(gd_span_of(text), arena, &out, &err), "%s: %s", text,
                  err.text);
    return out;
}

static void refuses(const char *text, const char *why)
{
    struct gd_arena arena;
    struct gd_pattern out;
    struct gd_err err;

    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    ck_assert_msg(!gd_pattern_parse(gd_span_of(text), &arena, &out, &err),
                  "\"%s\" was accepted", text);
    ck_assert_str_eq(err.text, why);
    gd_arena_free(&arena);
}

START_TEST(a_pattern_is_taken_apart)
{
    struct gd_arena arena;
    struct gd_pattern p;

    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    p = pattern(&arena, "GET Api.Example.COM/users/{id}/files/{rest...}");
    ck_assert_int_eq(p.method, GD_METHOD_GET);
    ck_assert(gd_span_is(p.host, "api.example.com"));
    ck_assert(gd_span_is(p.path, "/users/{id}/files/{rest...}"));
    ck_assert_uint_eq(p.param_count, 2);
    ck_assert(gd_span_is(p.params[0], "id"));
    ck_assert(gd_span_is(p.params[1], "rest"));
    ck_assert(p.tail);
    p = pattern(&arena, "/");
    ck_assert_uint_eq(p.method_text.len, 0);
    ck_assert_uint_eq(p.host.len, 0);
    ck_assert(!p.tail);
    p = pattern(&arena, "PROPFIND [::1]/a");
    ck_assert_int_eq(p.method, GD_METHOD_OTHER);
    ck_assert(gd_span_is(p.method_text, "PROPFIND"));
    ck_assert(gd_span_is(p.host, "[::1]"));
    gd_arena_free(&arena);
}
END_TEST

START_TEST(literals_are_brought_to_canonical_form)
{
    struct gd_arena arena;

    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    ck_assert(gd_span_is(pattern(&arena, "/a%62/%7Ex").path, "/ab/~x"));
    ck_assert(gd_span_is(pattern(&arena, "/a%2fb").path, "/a%2Fb"));
    ck_assert(gd_span_is(pattern(&arena, "/stra\xc3\x9f"
                                         "e")
                             .path,
                         "/stra%C3%9Fe"));
    ck_assert(gd_span_is(pattern(&arena, "//a//").path, "//a//"));
    gd_arena_free(&arena);
}
END_TEST

START_TEST(every_mistake_in_a_pattern_has_a_sentence)
{
    refuses("", "\"\" has no path; a route is [METHOD ][HOST]/PATH, as in "
                "GET /users/{id}");
    refuses("GET", "\"GET\" has no path; a route is [METHOD ][HOST]/PATH, as in "
                   "GET /users/{id}");
    refuses("get /a", "methods are written in capitals: GET, not get");
    refuses("G@T /a", "\"G@T\" is not a method");
    refuses("GTE /a", "\"GTE\" is not a method; did you mean \"GET\"?");
    refuses("* /a", "a route for all methods has none in front of its path");
    refuses("any /a", "a route for all methods has none in front of its path");
    refuses("CONNECT /a", "CONNECT can't be routed");
    refuses("http://h/a", "a route has no scheme; write [METHOD ][HOST]/PATH, as in "
                          "GET api.example.com/users/{id}");
    refuses("*.example.com/", "the host *.example.com is a wildcard; a route's host is "
                              "one name");
    refuses("{h}/a", "the host {h} is a wildcard; a route's host is one name");
    refuses("h:80/a", "the host h:80 has a port; routes look at the name only");
    refuses("[::1]:80/a", "the host [::1]:80 has a port; routes look at the name only");
    refuses("h@x/a", "\"h@x\" is not a host name");
    refuses("/a?b=1", "a route is a path only; a query (?...) is not part of it");
    refuses("/a#b", "a route is a path only; a fragment (#...) is not part of it");
    refuses("/a b", "there is a space in the path; write it as %20");
    refuses("/a/../b", "\"..\" can't be a segment of a path; other characters are "
                       "written as %XX");
    refuses("/a/%2e/b", "\"%2e\" can't be a segment of a path: requests never have dot "
                        "segments when they are routed");
    refuses("/a%0ab", "\"a%0ab\" can't be a segment of a path; other characters are "
                      "written as %XX");
    refuses("/a%4", "\"a%4\" can't be a segment of a path; other characters are written "
                    "as %XX");
    refuses("/a\"b", "\"a\"b\" can't be a segment of a path; other characters are "
                     "written as %XX");
}
END_TEST

START_TEST(methods_of_other_protocols_are_no_mistake)
{
    static const char *const methods[] = {
        "PURGE", "PROPFIND", "PROPPATCH", "MKCOL",  "COPY",  "MOVE",   "LOCK",  "UNLOCK",
        "LINK",  "UNLINK",   "BIND",      "REPORT", "MERGE", "SEARCH", "QUERY", "UPDATE"};
    struct gd_arena arena;
    char text[32];

    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        snprintf(text, sizeof(text), "%s /a", methods[i]);
        ck_assert(gd_span_is(pattern(&arena, text).method_text, methods[i]));
    }
    gd_arena_free(&arena);
}
END_TEST

START_TEST(every_mistake_in_a_placeholder_has_a_sentence)
{
    const char *whole = "a placeholder has to be a whole segment, as in /users/{id}";
    const char *name = "is not a placeholder: a name is made of letters, digits, _ and "
                       "-, and starts with a letter or _";
    char text[512];

    snprintf(text, sizeof(text), "\"x{id}\": %s", whole);
    refuses("/x{id}", text);
    snprintf(text, sizeof(text), "\"{id\": %s", whole);
    refuses("/{id", text);
    snprintf(text, sizeof(text), "\"id}\": %s", whole);
    refuses("/id}", text);
    snprintf(text, sizeof(text), "\"{}\" %s", name);
    refuses("/{}", text);
    snprintf(text, sizeof(text), "\"{...}\" %s", name);
    refuses("/{...}", text);
    snprintf(text, sizeof(text), "\"{1a}\" %s", name);
    refuses("/{1a}", text);
    snprintf(text, sizeof(text), "\"{a.b}\" %s", name);
    refuses("/{a.b}", text);
    snprintf(text, sizeof(text), "\"{a}{b}\" %s", name);
    refuses("/{a}{b}", text);
    refuses("/{a}/{a}", "the placeholder {a} is there twice");
    refuses("/{a...}/b", "{a...} takes the rest of the path, so it has to be last");
    refuses("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}",
            "a route has at most 16 placeholders");
}
END_TEST

START_TEST(a_pattern_has_at_most_64_segments)
{
    char text[200] = "";
    struct gd_arena arena;

    for (int i = 0; i < 64; i++)
        snprintf(text + 2 * i, sizeof(text) - 2 * (size_t)i, "/x");
    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    ck_assert(gd_span_is(pattern(&arena, text).path, text));
    gd_arena_free(&arena);
    snprintf(text + 128, sizeof(text) - 128, "/x");
    refuses(text, "a route has at most 64 segments");
}
END_TEST

START_TEST(a_pattern_that_is_too_long_is_refused)
{
    static char text[5000];

    memset(text, 'a', sizeof(text) - 1);
    text[0] = '/';
    refuses(text, "a route of more than 4096 characters is not accepted");
}
END_TEST

START_TEST(a_full_arena_is_an_error)
{
    struct gd_span text = GD_SPAN("LINK example.com/some/{name}/and/{rest...}");
    struct gd_pattern out;
    struct gd_arena arena;
    struct gd_err err;
    unsigned failed = 0;
    bool ok = false;

    for (size_t left = 0; !ok && left < 1000; left += 16) {
        gd_arena_init(&arena, NULL, 1024, 1024);
        ck_assert_ptr_nonnull(gd_arena_raw(&arena, 1000 - left));
        err.text[0] = '\0';
        ok = gd_pattern_parse(text, &arena, &out, &err);
        gd_arena_free(&arena);
        if (ok)
            break;
        ck_assert_str_eq(err.text, "there are too many routes for the memory of a "
                                   "configuration");
        failed++;
    }
    ck_assert(ok);
    ck_assert_uint_ge(failed, 4);
}
END_TEST

GD_SUITE("pattern", a_pattern_is_taken_apart, literals_are_brought_to_canonical_form,
         every_mistake_in_a_pattern_has_a_sentence,
         methods_of_other_protocols_are_no_mistake,
         every_mistake_in_a_placeholder_has_a_sentence, a_pattern_has_at_most_64_segments,
         a_pattern_that_is_too_long_is_refused, a_full_arena_is_an_error)
