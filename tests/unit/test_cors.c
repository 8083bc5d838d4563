#include "plan_text.h"
#include "suite.h"

/* Who may read answers in a browser: what the file says, and which origins match. */

#define CORS(text) "routes: {/: {respond: 1, cors: " text "}}\n"

static const struct gd_plan_cors *cors_of(const struct gd_plan *plan)
{
    return plan->routes[0].finish.cors;
}

START_TEST(origins_match_as_they_are_written_or_below_a_wildcard)
{
    static const struct {
        const char *origin;
        bool allowed;
    } cases[] = {
        {"https://a.example", true},
        {"http://localhost:3000", true},
        {"https://x.wild.example", true},
        {"https://x.y.wild.example", true},
        {"https://x-1_y.wild.example", true},
        {"https://wild.example", false},
        {"https://.wild.example", false},
        {"https://xwild.example", false},
        {"http://x.wild.example", false},
        {"https://x.wild.example:444", false},
        {"https://x.wild.example.evil", false},
        {"https://evil/.wild.example", false},
        {"https://evil?.wild.example", false},
        {"https://evil#.wild.example", false},
        {"https://evil@x.wild.example", false},
        {"https://evil:1.wild.example", false},
        {"https://a.example/", false},
        {"https://a.example.evil", false},
        {"a.example", false},
        {"null", false},
        {"", false},
    };
    struct gd_plan *plan =
        plan_accept(CORS("{origins: [\"https://a.example\", \"https://*.wild.example\", "
                         "\"http://localhost:3000\"]}"));

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(gd_cors_allows(cors_of(plan), gd_span_of(cases[i].origin)) ==
                          cases[i].allowed,
                      "%s", cases[i].origin);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(what_is_not_said_is_usual)
{
    struct gd_plan *plan = plan_accept(CORS("{origins: \"*\"}"));
    const struct gd_plan_cors *cors = cors_of(plan);

    ck_assert(cors->any && !cors->credentials && cors->max_age_s == 600);
    ck_assert(cors->methods.len == 0 && cors->headers.len == 0);
    ck_assert(gd_span_is(cors->expose, "Gather-Parts, Retry-After, X-Request-Id"));
    gd_plan_unref(plan);
    plan = plan_accept(CORS("{origins: \"https://[2001:db8::1]:8443\", methods: [GET, "
                            "PUT], headers: X-A, expose: \"*\", max_age: 0s}"));
    cors = cors_of(plan);
    ck_assert(!cors->any && cors->origin_count == 1 && cors->max_age_s == 0);
    ck_assert(gd_span_is(cors->methods, "GET, PUT"));
    ck_assert(gd_span_is(cors->headers, "X-A") && gd_span_is(cors->expose, "*"));
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_route_has_the_cors_of_defaults_or_its_own_or_none)
{
    struct gd_plan *plan = plan_accept(
        "defaults: {cors: {origins: \"*\"}}\nroutes:\n  /a: {respond: 1}\n  /b: "
        "{respond: 1, cors: off}\n  /c: {respond: 1, cors: {origins: []}}\n");

    ck_assert_ptr_nonnull(plan->unrouted.cors);
    ck_assert_ptr_eq(plan->routes[0].finish.cors, plan->unrouted.cors);
    ck_assert_ptr_null(plan->routes[1].finish.cors);
    ck_assert(!gd_cors_allows(plan->routes[2].finish.cors, GD_SPAN("https://a")));
    gd_plan_unref(plan);
}
END_TEST

START_TEST(mistakes_are_found)
{
    PLAN_REFUSE(CORS("{origins: \"*\", credentials: true}"),
                "gw.yaml:1:42: routes.\"/\".cors.origins: \"*\" cannot go with "
                "credentials: true; name the origins");
    PLAN_REFUSE(CORS("{origins: [\"*\"]}"),
                "gw.yaml:1:43: routes.\"/\".cors.origins[0]: \"*\" stands alone, without "
                "a list, for all origins");
    PLAN_REFUSE(CORS("{origins: https://a.example/}"),
                "gw.yaml:1:42: routes.\"/\".cors.origins: an origin has no path, not "
                "even a slash at its end");
    PLAN_REFUSE(
        CORS("{origins: https://A.example}"),
        "gw.yaml:1:42: routes.\"/\".cors.origins: browsers write origins in lower case");
    PLAN_REFUSE(CORS("{origins: \"https://a.example:443\"}"),
                "gw.yaml:1:42: routes.\"/\".cors.origins: browsers leave the port out "
                "where it is the usual one");
    PLAN_REFUSE(CORS("{origins: \"*\", methods: [\"G T\"]}"),
                "gw.yaml:1:57: routes.\"/\".cors.methods[0]: expected a method like GET, "
                "found \"G T\"");
    PLAN_REFUSE(CORS("{origins: \"https://a\", credentials: true, expose: \"*\"}"),
                "gw.yaml:1:82: routes.\"/\".cors.expose: with credentials: true fields "
                "are named one by one");
    PLAN_REFUSE(CORS("on"), "gw.yaml:1:32: routes.\"/\".cors: expected off, or a map of "
                            "options (`key: value`), found \"on\"");
    PLAN_REFUSE(CORS("{}"), "gw.yaml:1:32: routes.\"/\".cors: origins is missing");
}
END_TEST

START_TEST(fields_of_every_answer_are_lines)
{
    struct gd_plan *plan =
        plan_accept("defaults: {response_headers: {X-A: \"1\", X-B: \"2\", "
                    "Cache-Control: no-cache}}\nroutes:\n  /{id}: {respond: 1, "
                    "response_headers: {x-b: \"3\", X-Id: \"{id}\", ETag: '\"x\"'}}\n");
    const struct gd_plan_route *route = &plan->routes[0];

    ck_assert(gd_span_is(plan->unrouted.lines, "X-A: 1\r\nX-B: 2\r\n"));
    ck_assert(gd_span_is(route->finish.lines, "X-A: 1\r\nx-b: 3\r\n"));
    ck_assert_uint_eq(route->field_count, 5);
    ck_assert_uint_eq(route->own_fields, 3);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(options_without_effect_are_told)
{
    PLAN_REFUSE(
        "upstreams: {u: \"http://a\"}\n"
        "defaults: {etag: on, compress: on}\n"
        "routes:\n"
        "  /a: {pass: u}\n"
        "  /b: {pass: u, etag: on}\n"
        "  /c: {pass: u, compress: on}\n"
        "  /d: {redirect: /x, compress: {level: 1}}\n"
        "  /e: {respond: 1, cache_control: a, response_headers: {cache-control: "
        "b}}\n"
        "  /f: {respond: 1, response_headers: {etag: b}}\n"
        "  /g: {respond: 1, cache_control: \"\"}\n"
        "  /h: {respond: 1, compress: {codings: zstd, types: [text], level: 0}}\n",
        "gw.yaml:5:17: routes.\"/b\".etag: has no effect here: only answers that "
        "are made of calls or of respond get one",
        "gw.yaml:6:17: routes.\"/c\".compress: has no effect here: answers of "
        "calls, of respond and files are compressed",
        "gw.yaml:7:22: routes.\"/d\".compress: has no effect here: answers of "
        "calls, of respond and files are compressed",
        "gw.yaml:8:35: routes.\"/e\".cache_control: response_headers have a "
        "Cache-Control already; remove one",
        "gw.yaml:9:20: routes.\"/f\".response_headers: response_headers have an "
        "ETag, and etag: on makes one",
        "gw.yaml:10:35: routes.\"/g\".cache_control: expected directives like "
        "\"public, max-age=60\", found \"\"",
        "gw.yaml:11:40: routes.\"/h\".compress.codings: expected br or gzip, found "
        "\"zstd\"",
        "gw.yaml:11:54: routes.\"/h\".compress.types[0]: expected a type like "
        "application/json or text/*, found \"text\"",
        "gw.yaml:11:68: routes.\"/h\".compress.level: \"0\" is out of range: allowed is "
        "from 1 to 9");
}
END_TEST

START_TEST(nothing_of_the_body_can_be_in_a_field_of_what_streams)
{
    PLAN_REFUSE("upstreams: {u: \"http://a\"}\nroutes: {/: {pass: u, response_headers: "
                "{X: \"{body.x}\"}}}\n",
                "gw.yaml:2:23: routes.\"/\".response_headers: this route does not wait "
                "for the body, so nothing can be taken from it");
}
END_TEST

GD_SUITE("cors", origins_match_as_they_are_written_or_below_a_wildcard,
         what_is_not_said_is_usual, options_without_effect_are_told,
         a_route_has_the_cors_of_defaults_or_its_own_or_none, mistakes_are_found,
         fields_of_every_answer_are_lines,
         nothing_of_the_body_can_be_in_a_field_of_what_streams)
