#include "suite.h"

#include <stdio.h>

#include "gather/explain.h"
#include "plan/load.h"
#include "plan/secret.h"

static struct gd_plan *plan_of(const char *routes)
{
    struct gd_findings findings = {0};
    struct gd_plan *plan;
    char text[65536];

    snprintf(text, sizeof(text), "upstreams: {up: http://10.0.0.1:1}\nroutes:\n%s",
             routes);
    plan = gd_plan_load_text("x.yaml", gd_span_of(text), NULL, &findings);
    ck_assert_msg(plan != NULL, "%s", findings.count ? findings.lines[0] : "no plan");
    return plan;
}

static json_t *explain(const struct gd_plan *plan, const char *method, const char *target,
                       const char *host)
{
    struct gd_fields fields = {NULL, 0};
    struct gd_explain_request request = {
        .method = gd_span_of(method),
        .target = gd_span_of(target),
        .host = host ? gd_span_of(host) : GD_SPAN_NONE,
        .fields = &fields,
    };
    struct gd_err err;
    json_t *document = gd_explain(plan, &request, &err);

    ck_assert_msg(document != NULL, "%s", err.text);
    return document;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* The routes of one test: each path fits, the first of a request wins. */
static const char ranked[] = "  GET /a/b: {respond: 1}\n"
                             "  GET /a/{x}: {respond: 2}\n"
                             "  POST /a/b: {respond: 3}\n"
                             "  /a/b: {respond: 4}\n"
                             "  GET /a/{x...}: {respond: 5}\n"
                             "  GET h.example/a/{x}: {respond: 6}\n"
                             "  HEAD /a/b: {respond: 7}\n"
                             "  GET /b/a: {respond: 8}\n";

/* Whether each other route has lost by what is said: `/path=word`, in the file's order.
 */
static void loses(const char *method, const char *host, const char *winner,
                  const char *want)
{
    struct gd_plan *plan = plan_of(ranked);
    json_t *document = explain(plan, method, "/a/b", host), *other;
    char found[1024] = "";
    size_t i;

    json_array_foreach(json_object_get(document, "others"), i, other)
    {
        size_t len = strlen(found);

        snprintf(found + len, sizeof(found) - len, "%s%s=%s", len ? ", " : "",
                 text_of(other, "route"), text_of(other, "lost_by"));
    }
    ck_assert_str_eq(text_of(document, "route"), winner);
    ck_assert_str_eq(found, want);
    json_decref(document);
    gd_plan_unref(plan);
}

START_TEST(other_routes_that_fit_are_told_with_why_they_lost)
{
    loses("GET", NULL, "GET /a/b",
          "GET /a/{x}=path, POST /a/b=method, /a/b=any_method, GET /a/{x...}=path, "
          "GET h.example/a/{x}=host, HEAD /a/b=method");
    loses("GET", "H.example:80", "GET h.example/a/{x}",
          "GET /a/b=no_host, GET /a/{x}=no_host, POST /a/b=method, /a/b=no_host, "
          "GET /a/{x...}=no_host, HEAD /a/b=method");
    loses("HEAD", NULL, "HEAD /a/b",
          "GET /a/b=any_method, GET /a/{x}=path, POST /a/b=method, /a/b=any_method, "
          "GET /a/{x...}=path, GET h.example/a/{x}=host");
    loses("PURGE", NULL, "/a/b",
          "GET /a/b=method, GET /a/{x}=method, POST /a/b=method, GET /a/{x...}=method, "
          "GET h.example/a/{x}=host, HEAD /a/b=method");
}
END_TEST

START_TEST(a_list_of_many_routes_is_cut_and_the_rest_is_counted)
{
    char routes[8192] = "";
    struct gd_plan *plan;
    json_t *document;

    for (unsigned i = 0; i < 100; i++) {
        size_t len = strlen(routes);

        snprintf(routes + len, sizeof(routes) - len,
                 "  GET h%u.example/a: {respond: 1}\n", i);
    }
    plan = plan_of(routes);
    document = explain(plan, "GET", "/a", NULL);
    ck_assert_str_eq(text_of(document, "result"), "not_found");
    ck_assert_uint_eq(json_array_size(json_object_get(document, "others")), 20);
    ck_assert_int_eq(json_integer_value(json_object_get(document, "others_left_out")),
                     80);
    json_decref(document);
    gd_plan_unref(plan);
}
END_TEST

/* The nearest routes of a path, each with a comma behind. */
static void is_near(const char *target, const char *want)
{
    struct gd_plan *plan = plan_of("  GET /profile/{id}: {respond: 1}\n"
                                   "  GET /profile/{id}/orders: {respond: 1}\n"
                                   "  POST /search: {respond: 1}\n"
                                   "  GET /static/{file...}: {respond: 1}\n"
                                   "  GET /{any}/{thing}/{more}/{else}: {respond: 1}\n");
    json_t *document = explain(plan, "GET", target, NULL), *route;
    char found[1024] = "";
    size_t i;

    json_array_foreach(json_object_get(document, "nearest"), i, route)
    {
        size_t len = strlen(found);

        snprintf(found + len, sizeof(found) - len, "%s,", json_string_value(route));
    }
    ck_assert_str_eq(found, want);
    json_decref(document);
    gd_plan_unref(plan);
}

START_TEST(the_nearest_routes_are_a_hint_where_none_fits)
{
    is_near("/profil/7", "GET /profile/{id},GET /profile/{id}/orders,");
    is_near("/profile/7/order", "GET /profile/{id}/orders,GET /profile/{id},");
    is_near("/seerch", "POST /search,");
    is_near("/static", "GET /static/{file...},");
    is_near("/nothing/like/it", "");
}
END_TEST

START_TEST(any_bytes_of_a_request_give_a_document_that_is_valid_json)
{
    struct gd_plan *plan =
        plan_of("  /x/{id}:\n"
                "    calls:\n"
                "      a: {url: up/a, headers: {X-B: '{header.x-a}'},\n"
                "          forward: {headers: [X-A], query: [q]}}\n");
    struct gd_field item = {GD_FIELD_OTHER, GD_SPAN("X-A"), GD_SPAN("a\xFF\xC3 \t\xE4")};
    struct gd_fields fields = {&item, 1};
    struct gd_explain_request request = {
        .method = GD_SPAN("GET"), .target = GD_SPAN("/x/%FF%00"), .fields = &fields};
    struct gd_err err;
    json_t *document;
    struct gd_buf text;
    char *dump;

    ck_assert_ptr_null(gd_explain(plan, &request, &err));
    request.target = GD_SPAN("/x/%FF%C3?q=%FF&%FF=1&=&&a%00=%");
    ck_assert_ptr_null(gd_explain(plan, &request, &err));
    request.target = GD_SPAN("/x/%FF%C3?q=%FF&%FF=1&=&&a%00=%25");
    document = gd_explain(plan, &request, &err);
    ck_assert_ptr_nonnull(document);
    dump = json_dumps(document, 0);
    ck_assert_ptr_nonnull(dump);
    ck_assert_ptr_nonnull(strstr(dump, "http://10.0.0.1:1/a?q=%FF"));
    ck_assert_ptr_nonnull(strstr(dump, "\"name\": \"X-B\", \"value\": \"a?? "));
    free(dump);
    gd_buf_init(&text, NULL, 65536);
    ck_assert(gd_explain_text(document, &text));
    gd_buf_free(&text);
    gd_buf_init(&text, NULL, 100);
    ck_assert(!gd_explain_text(document, &text));
    gd_buf_free(&text);
    json_decref(document);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(of_many_parameters_some_are_told_and_the_rest_is_counted)
{
    struct gd_plan *plan = plan_of("  /x: {calls: {a: up/a}}\n");
    char target[8192] = "/x?";
    json_t *document, *query;

    for (unsigned i = 0; i < 1000; i++) {
        size_t len = strlen(target);

        snprintf(target + len, sizeof(target) - len, "n%u&", i);
    }
    document = explain(plan, "GET", target, NULL);
    query = json_object_get(
        json_object_get(json_array_get(json_object_get(document, "calls"), 0),
                        "passed_on"),
        "query");
    ck_assert_uint_eq(json_array_size(json_object_get(query, "dropped")), 50);
    ck_assert_int_eq(json_integer_value(json_object_get(query, "left_out")), 950);
    json_decref(document);
    gd_plan_unref(plan);
}
END_TEST

/* Which of call, try and route ends a call first. */
static void ends_first(const char *call, const char *route, const char *want)
{
    struct gd_plan *plan;
    json_t *document, *timeouts;
    char text[512];

    snprintf(text, sizeof(text), "  /x: {timeout: %s, calls: {a: {url: up/a%s}}}\n",
             route, call);
    plan = plan_of(text);
    document = explain(plan, "GET", "/x", NULL);
    timeouts = json_object_get(json_array_get(json_object_get(document, "calls"), 0),
                               "timeouts");
    ck_assert_str_eq(text_of(timeouts, "first"), want);
    json_decref(document);
    gd_plan_unref(plan);
}

START_TEST(the_deadline_that_comes_first_is_named)
{
    ends_first("", "1s", "route");
    ends_first("", "2s", "route");
    ends_first("", "3s", "try");
    ends_first(", timeout: 500ms", "1s", "call");
    ends_first(", timeout: 1500ms", "1s", "route");
    ends_first(", timeout: 2500ms", "3s", "try");
}
END_TEST

START_TEST(names_that_speak_of_secrets_are_known)
{
    static const char *const secret[] = {"Authorization", "Proxy-Authorization",
                                         "Cookie",        "Set-Cookie",
                                         "X-Api-Key",     "api_key",
                                         "ACCESS_TOKEN",  "client-secret",
                                         "X-Auth",        "password",
                                         "x-jwt"};
    static const char *const open[] = {"",           "Accept", "X-Author",
                                       "User-Agent", "id",     "key"};

    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
        ck_assert_msg(gd_secret_name(gd_span_of(secret[i])), "%s", secret[i]);
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        ck_assert_msg(!gd_secret_name(gd_span_of(open[i])), "%s", open[i]);
}
END_TEST

static void is_masked(const char *target, const char *want)
{
    struct gd_buf out;

    gd_buf_init(&out, NULL, 1024);
    ck_assert(gd_secret_add_target(&out, gd_span_of(target)));
    ck_assert_msg(gd_span_is(gd_buf_span(&out), want), "%s gives %.*s", target,
                  GD_SPAN_ARG(gd_buf_span(&out)));
    gd_buf_free(&out);
}

START_TEST(parameters_that_speak_of_secrets_are_masked)
{
    is_masked("/token=1", "/token=1");
    is_masked("/a?", "/a?");
    is_masked("/a?token", "/a?token");
    is_masked("/a?token=", "/a?token=***");
    is_masked("/a?x=1&token=abc&y=2", "/a?x=1&token=***&y=2");
    is_masked("/a?token={user.token}&api_key=b&", "/a?token={user.token}&api_key=***&");
}
END_TEST

GD_SUITE("explain", other_routes_that_fit_are_told_with_why_they_lost,
         a_list_of_many_routes_is_cut_and_the_rest_is_counted,
         the_nearest_routes_are_a_hint_where_none_fits,
         any_bytes_of_a_request_give_a_document_that_is_valid_json,
         of_many_parameters_some_are_told_and_the_rest_is_counted,
         the_deadline_that_comes_first_is_named, names_that_speak_of_secrets_are_known,
         parameters_that_speak_of_secrets_are_masked)
