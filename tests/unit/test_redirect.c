/* Redirects: what the configuration may say, and where clients are sent. */
#include "front/redirect.h"

#include <unistd.h>

#include "gateway.h"
#include "plan_text.h"
#include "suite.h"

static char answer[65536];

static const char routes[] =
    "routes:\n"
    "  /old/{id}: {redirect: \"/new/{id}?page={query.page=1}&tag={query.tag?}\"}\n"
    "  /rest/{path...}: {redirect: \"/{path}\"}\n"
    "  /away/{path...}: {redirect: \"https://example.com:8443/{path}?q={query.q?}\"}\n"
    "  /must: {redirect: \"/x?y={query.y}\"}\n"
    "  /in/{id}: {redirect: \"/x/{query.s}/{id}\"}\n"
    "  /301: {redirect: {to: /x, status: 301}}\n"
    "  /302: {redirect: {to: /x, status: 302}}\n"
    "  /303: {redirect: {to: /x, status: \"303\"}}\n"
    "  /307: {redirect: {to: /x, status: 307}}\n"
    "  /308: {redirect: {to: /x, status: 308}}\n"
    "  GET /only: {redirect: \"http://[::1]/\"}\n"
    "  /named: {redirect: \"${HOST_PATH:-/named/by/variable}\"}\n";

/* Where a request is sent, with status 308; "" with any other status. */
static const char *leads(struct gateway *gateway, const char *target)
{
    if (client_ask(gateway, "GET", target, answer, sizeof(answer)) != 308)
        return "";
    ck_assert_str_eq(client_body(answer), "");
    ck_assert_str_eq(client_field(answer, "Content-Length"), "0");
    ck_assert_ptr_nonnull(client_field(answer, "X-Request-Id"));
    return client_field(answer, "Location");
}

START_TEST(a_redirect_says_where_to_go)
{
    struct gateway *gateway = gateway_start(routes);

    ck_assert_str_eq(leads(gateway, "/old/7"), "/new/7?page=1");
    ck_assert_str_eq(leads(gateway, "/old/a%2Fb?tag=x%26y&page=2"),
                     "/new/a%2Fb?page=2&tag=x%26y");
    ck_assert_str_eq(leads(gateway, "/away/a/b/c?q=1"),
                     "https://example.com:8443/a/b/c?q=1");
    ck_assert_str_eq(leads(gateway, "/only"), "http://[::1]/");
    ck_assert_str_eq(leads(gateway, "/named"), "/named/by/variable");
    gateway_end(gateway);
}
END_TEST

START_TEST(the_query_of_the_request_is_not_kept)
{
    struct gateway *gateway = gateway_start(routes);

    ck_assert_str_eq(leads(gateway, "/rest/a?b=c"), "/a");
    ck_assert_str_eq(leads(gateway, "/308?b=c"), "/x");
    gateway_end(gateway);
}
END_TEST

START_TEST(no_value_leads_to_another_host)
{
    static const char *const cases[][2] = {
        {"/rest//evil.test/x", "/.//evil.test/x"},
        {"/rest///evil.test", "/.///evil.test"},
        {"/rest/%2Fevil.test", "/%2Fevil.test"},
        {"/rest/%5Cevil.test", "/%5Cevil.test"},
        {"/rest/", "/"},
        {"/rest//", "/.//"},
        {"/rest/https://evil.test/", "/https://evil.test/"},
        {"/away//evil.test", "https://example.com:8443//evil.test"},
        {"/away/@evil.test", "https://example.com:8443/@evil.test"},
        {"/old/@evil.test", "/new/@evil.test?page=1"},
        {"/old/1?page=//evil.test", "/new/1?page=%2F%2Fevil.test"},
        {"/old/1?page=%0D%0AX:%20y", "/new/1?page=%0D%0AX%3A%20y"},
        {"/in/7?s=//evil.test", "/x/%2F%2Fevil.test/7"},
    };
    struct gateway *gateway = gateway_start(routes);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_str_eq(leads(gateway, cases[i][0]), cases[i][1]);
    gateway_end(gateway);
}
END_TEST

/* All bytes of a value, escaped, in each place of a target. */
START_TEST(no_byte_of_a_value_leaves_its_place)
{
    struct gateway *gateway = gateway_start(routes);

    for (int c = 0; c < 256; c++) {
        char target[64], wanted[64], escape[4];

        snprintf(escape, sizeof(escape), "%%%02X", (unsigned)c);
        snprintf(target, sizeof(target), "/old/1?page=%s", escape);
        if (c &&
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
                   c))
            snprintf(escape, sizeof(escape), "%c", c);
        snprintf(wanted, sizeof(wanted), "/new/1?page=%s", escape);
        ck_assert_str_eq(leads(gateway, target), wanted);
        snprintf(target, sizeof(target), "/in/7?s=%%%02X", (unsigned)c);
        snprintf(wanted, sizeof(wanted), "/x/%s/7", escape);
        if (c < 0x20 || c == 0x7f || c == '.')
            wanted[0] = '\0'; /* cannot be a segment */
        ck_assert_str_eq(leads(gateway, target), wanted);
    }
    gateway_end(gateway);
}
END_TEST

START_TEST(a_request_without_a_needed_value_is_refused)
{
    struct gateway *gateway = gateway_start(routes);

    ck_assert_int_eq(client_ask(gateway, "GET", "/must", answer, sizeof(answer)), 400);
    ck_assert_str_eq(client_field(answer, "Content-Type"), "application/problem+json");
    ck_assert_ptr_null(client_field(answer, "Location"));
    ck_assert_str_eq(leads(gateway, "/must?y="), "/x?y=");
    ck_assert(gateway_counts(
        gateway, &gateway_stats(gateway)->routes[3]->values[GD_ROUTE_FAIL_UNRESOLVED],
        1));
    ck_assert(gateway_counts(
        gateway, &gateway_stats(gateway)->routes[3]->values[GD_ROUTE_STATUS_4XX], 1));
    ck_assert(gateway_counts(
        gateway, &gateway_stats(gateway)->routes[3]->values[GD_ROUTE_STATUS_3XX], 1));
    gateway_end(gateway);
}
END_TEST

START_TEST(the_status_is_what_the_file_says)
{
    struct gateway *gateway = gateway_start(routes);
    static const int statuses[] = {301, 302, 303, 307, 308};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char target[8];

        snprintf(target, sizeof(target), "/%d", statuses[i]);
        ck_assert_int_eq(client_ask(gateway, "GET", target, answer, sizeof(answer)),
                         statuses[i]);
        ck_assert_str_eq(client_field(answer, "Location"), "/x");
    }
    gateway_end(gateway);
}
END_TEST

START_TEST(every_method_is_redirected_unless_the_pattern_has_one)
{
    static const char *const methods[] = {"GET",    "HEAD",  "POST",    "PUT",
                                          "DELETE", "PATCH", "OPTIONS", "BREW"};
    struct gateway *gateway = gateway_start(routes);

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        ck_assert_int_eq(client_ask(gateway, methods[i], "/308", answer, sizeof(answer)),
                         308);
        ck_assert_str_eq(client_field(answer, "Location"), "/x");
    }
    ck_assert_int_eq(client_ask(gateway, "HEAD", "/only", answer, sizeof(answer)), 308);
    ck_assert_int_eq(client_ask(gateway, "POST", "/only", answer, sizeof(answer)), 405);
    gateway_end(gateway);
}
END_TEST

START_TEST(a_body_is_not_waited_for)
{
    struct gateway *gateway = gateway_start(routes);
    int fd = gateway_connect(gateway);

    client_send(fd, "POST /308 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
    ck_assert_int_eq(client_read(fd, false, answer, sizeof(answer)), 308);
    client_send(fd, "bodyGET /301 HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(client_read(fd, false, answer, sizeof(answer)), 301);
    client_send(fd, "POST /308 HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n");
    ck_assert_int_eq(client_read(fd, false, answer, sizeof(answer)), 308);
    ck_assert_str_eq(client_field(answer, "Connection"), "close");
    close(fd);
    gateway_end(gateway);
}
END_TEST

START_TEST(a_location_is_bounded)
{
    struct gd_plan *plan = plan_accept("routes: {/a: {redirect: /012345678}}\n");
    struct gd_values none = {.param_count = 0};
    struct gd_span location;
    struct gd_buf out;

    gd_buf_init(&out, NULL, 11);
    ck_assert_int_eq(gd_redirect_write(plan->routes[0].redirect, &none, &out, &location),
                     GD_FAIL_TOO_LARGE);
    gd_buf_free(&out);
    gd_buf_init(&out, NULL, 12);
    ck_assert_int_eq(gd_redirect_write(plan->routes[0].redirect, &none, &out, &location),
                     GD_OK);
    ck_assert(gd_span_is(location, "/012345678"));
    gd_buf_free(&out);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(mistakes_in_where_a_redirect_leads_are_found)
{
    PLAN_REFUSE(
        "routes:\n"
        "  /a/{id}: {redirect: \"/b/{ids}\"}\n"
        "  /b: {redirect: \"\"}\n"
        "  /c: {redirect: //other.test/x}\n"
        "  /d: {redirect: \"https://host\"}\n"
        "  /e: {redirect: \"https://h?x\"}\n"
        "  /f: {redirect: \"https://{query.h}/x\"}\n"
        "  /g: {redirect: \"ftp://h/x\"}\n"
        "  /h: {redirect: \"https://u@h/x\"}\n"
        "  /i: {redirect: \"/a\\nb\"}\n"
        "  /j: {redirect: \"{query.to}\"}\n"
        "  /k: {redirect: \"/x#y\"}\n"
        "  /l: {redirect: x/y}\n"
        "  /m: {redirect: \"/\\\\x\"}\n"
        "  /n: {redirect: \"https://h:0/\"}\n"
        "  /o: {redirect: \"https://h\\r\\nX: y/\"}\n"
        "  /p: {redirect: \"/{query.a?}\"}\n",
        "gw.yaml:2:23: routes.\"/a/{id}\".redirect: {ids} is not known here; did you "
        "mean "
        "{id}?",
        "gw.yaml:3:18: routes.\"/b\".redirect: expected /PATH or https://HOST/PATH, "
        "found "
        "\"\"",
        "gw.yaml:4:18: routes.\"/c\".redirect: \"//other.test/x\" would lead to another "
        "host; write https://other.test/x if that is meant",
        "gw.yaml:5:18: routes.\"/d\".redirect: \"https://host\" has no path; the root is "
        "written https://host/",
        "gw.yaml:6:18: routes.\"/e\".redirect: \"https://h?x\" has no path; the root is "
        "written https://h/",
        "gw.yaml:7:18: routes.\"/f\".redirect: a placeholder cannot stand in the host of "
        "a "
        "redirect",
        "gw.yaml:8:18: routes.\"/g\".redirect: expected a URL like https://example.com/, "
        "found \"ftp://h/x\"",
        "gw.yaml:9:18: routes.\"/h\".redirect: a URL here has no user name or password",
        "gw.yaml:10:18: routes.\"/i\".redirect: \"/a?b\" is not a valid path and query; "
        "spaces, quotes and <>\\^`| are written as %XX",
        "gw.yaml:11:18: routes.\"/j\".redirect: expected /PATH or https://HOST/PATH, "
        "found "
        "\"{query.to}\"",
        "gw.yaml:12:18: routes.\"/k\".redirect: a fragment (#...) is never sent; write "
        "%23 "
        "for a literal #",
        "gw.yaml:13:18: routes.\"/l\".redirect: expected /PATH or https://HOST/PATH, "
        "found "
        "\"x/y\"",
        "gw.yaml:14:18: routes.\"/m\".redirect: \"/\\x\" is not a valid path and query; "
        "spaces, quotes and <>\\^`| are written as %XX",
        "gw.yaml:15:18: routes.\"/n\".redirect: ports are 1 to 65535",
        "gw.yaml:16:18: routes.\"/o\".redirect: \"h??X\" is no host name or address",
        "gw.yaml:17:18: routes.\"/p\".redirect: {query.a?}: a segment of a path can't be "
        "absent; give it a default, as in {query.a=none}");
}
END_TEST

START_TEST(what_a_redirect_has_no_use_for_is_refused)
{
    PLAN_REFUSE(
        "upstreams: {u: http://h}\n"
        "routes:\n"
        "  /a: {redirect: /x, pass: u}\n"
        "  /b: {redirect: /x, respond: 1}\n"
        "  /c: {redirect: \"/x?y={body.z}\"}\n"
        "  /d: {redirect: /x, status: 301}\n"
        "  /e: {redirect: /x, merge: flat, parts: query}\n"
        "  /f: {redirect: /x, stream: false, forward: {query: [a]}}\n",
        "gw.yaml:3:22: routes.\"/a\".pass: a route has one of calls, pass, redirect, "
        "files and "
        "respond",
        "gw.yaml:4:8: routes.\"/b\".redirect: a route has one of calls, pass, redirect, "
        "files and respond",
        "gw.yaml:5:18: routes.\"/c\".redirect: a redirect does not wait for the body, so "
        "nothing can be taken from it",
        "gw.yaml:6:22: routes.\"/d\".status: status has no effect on a redirect; remove "
        "it",
        "gw.yaml:7:22: routes.\"/e\".merge: merge has no effect on a redirect; remove it",
        "gw.yaml:7:35: routes.\"/e\".parts: parts has no effect on a redirect; remove it",
        "gw.yaml:8:22: routes.\"/f\".stream: stream has no effect on a redirect; remove "
        "it",
        "gw.yaml:8:37: routes.\"/f\".forward: forward has no effect on a redirect; "
        "remove "
        "it");
}
END_TEST

START_TEST(mistakes_in_the_form_of_a_redirect_are_found)
{
    PLAN_REFUSE(
        "upstreams: {u: http://h}\n"
        "routes:\n"
        "  /a: {redirect: /x, calls: {a: u/}}\n"
        "  /b: {redirect: {status: 308}}\n"
        "  /c: {redirect: {to: /x, status: 300}}\n"
        "  /d: {redirect: {to: /x, code: 301}}\n"
        "  /e: {redirect: [/x]}\n"
        "  /f: {redirect: }\n"
        "  /g: {redirect: /x, timeout: 2s, max_body: 1KiB}\n"
        "  /h: {redirect: {to: [1]}}\n"
        "  /i: {redirct: /x}\n"
        "  /j: {redirect: 7}\n"
        "defaults: {redirect: /x}\n",
        "gw.yaml:3:8: routes.\"/a\".redirect: a route has one of calls, pass, redirect, "
        "files and respond",
        "gw.yaml:4:18: routes.\"/b\".redirect: to is missing",
        "gw.yaml:5:35: routes.\"/c\".redirect.status: expected 301, 302, 303, 307 or "
        "308, "
        "found \"300\"",
        "gw.yaml:6:27: routes.\"/d\".redirect.code: unknown key; allowed are to, status",
        "gw.yaml:7:18: routes.\"/e\".redirect: expected /PATH, https://HOST/PATH, or a "
        "map "
        "with to, found a list",
        "gw.yaml:8:18: routes.\"/f\".redirect: expected a path, a URL, or a map with to "
        "and "
        "status, found nothing",
        "gw.yaml:9:22: routes.\"/g\".timeout: timeout has no effect on a redirect; "
        "remove it",
        "gw.yaml:9:35: routes.\"/g\".max_body: max_body has no effect on a redirect; "
        "remove "
        "it",
        "gw.yaml:10:23: routes.\"/h\".redirect.to: expected text, found a list",
        "gw.yaml:11:7: routes.\"/i\": calls is missing (or pass, redirect, files or "
        "respond)",
        "gw.yaml:11:8: routes.\"/i\".redirct: unknown key; did you mean \"redirect\"?",
        "gw.yaml:12:18: routes.\"/j\".redirect: expected /PATH or https://HOST/PATH, "
        "found "
        "\"7\"",
        "gw.yaml:13:12: defaults.redirect: unknown key; allowed are timeout, max_body, "
        "access_log, merge, status, response_headers, cors, cache_control, etag, "
        "compress, server_timing, forward, stream, parts");
}
END_TEST

GD_SUITE("redirect", a_redirect_says_where_to_go, the_query_of_the_request_is_not_kept,
         no_value_leads_to_another_host, no_byte_of_a_value_leaves_its_place,
         a_request_without_a_needed_value_is_refused, the_status_is_what_the_file_says,
         every_method_is_redirected_unless_the_pattern_has_one, a_body_is_not_waited_for,
         a_location_is_bounded, mistakes_in_where_a_redirect_leads_are_found,
         what_a_redirect_has_no_use_for_is_refused,
         mistakes_in_the_form_of_a_redirect_are_found)
