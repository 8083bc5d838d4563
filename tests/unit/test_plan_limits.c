/* Odd values and bounds of a configuration. */
#include "plan/mock.h"
#include "plan_text.h"
#include "suite.h"

#define UP "upstreams:\n  u: http://h\n"

static void refuse(struct gd_buf *text, const char *line)
{
    plan_refuse_span(gd_buf_span(text), (const char *const[]){line, NULL});
    gd_buf_free(text);
}

START_TEST(lists_are_bounded)
{
    struct gd_buf text;

    gd_buf_init(&text, NULL, 1 << 20);
    ck_assert(gd_buf_add_text(&text, "upstreams: {u: {servers: http://h, headers: {"));
    for (int i = 0; i < 65; i++)
        ck_assert(gd_buf_addf(&text, "H%d: v, ", i));
    ck_assert(gd_buf_add_text(&text, "}}}\n"));
    refuse(&text, "gw.yaml:1:45: upstreams.u.headers: there can be 64 headers, found 65");

    ck_assert(gd_buf_add_text(&text, "upstreams: {u: ["));
    for (int i = 0; i < 1001; i++)
        ck_assert(gd_buf_addf(&text, "http://h%d, ", i));
    ck_assert(gd_buf_add_text(&text, "]}\n"));
    refuse(&text, "gw.yaml:1:16: upstreams.u: an upstream has at most 1000 servers");

    ck_assert(gd_buf_add_text(&text, "listen: ["));
    for (int i = 1; i < 66; i++)
        ck_assert(gd_buf_addf(&text, "%d, ", i));
    ck_assert(gd_buf_add_text(&text, "]\n"));
    refuse(&text, "gw.yaml:1:9: listen: expected 1 to 64 addresses, found 65");
}
END_TEST

static void add_many(struct gd_buf *out, const char *what, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert(gd_buf_add_text(out, what));
}

START_TEST(texts_are_bounded)
{
    struct gd_buf text;

    gd_buf_init(&text, NULL, 1 << 20);
    ck_assert(gd_buf_add_text(&text, "listen: unix:/"));
    add_many(&text, "x", 107);
    refuse(&text, "gw.yaml:1:9: listen: the path of a unix socket has at most 107 bytes");

    ck_assert(gd_buf_add_text(&text, "admin: {token: "));
    add_many(&text, "x", 1025);
    ck_assert(gd_buf_add_text(&text, "}\n"));
    refuse(&text, "gw.yaml:1:16: admin.token: a token has 1 to 1024 characters");

    ck_assert(gd_buf_add_text(&text, "upstreams: {u: {servers: http://h, headers: {A: "));
    add_many(&text, "x", 8193);
    ck_assert(gd_buf_add_text(&text, "}}}\n"));
    refuse(&text, "gw.yaml:1:49: upstreams.u.headers.A: a header value has at most 8192 "
                  "bytes");

    ck_assert(gd_buf_add_text(&text, "workers: \""));
    add_many(&text, "${HOST}", 40000);
    ck_assert(gd_buf_add_text(&text, "\"\n"));
    refuse(&text, "gw.yaml:1:229387: workers: the value is longer than 262144 bytes");
}
END_TEST

START_TEST(long_texts_are_shortened_in_messages)
{
    struct gd_buf text, line;

    gd_buf_init(&text, NULL, 1 << 20);
    gd_buf_init(&line, NULL, 1 << 20);
    ck_assert(gd_buf_add_text(&text, "workers: \"x"));
    add_many(&text, "ä", 500);
    ck_assert(gd_buf_add_text(&text, "\"\n"));
    ck_assert(gd_buf_add_text(&line,
                              "gw.yaml:1:10: workers: expected a whole number from "
                              "1 to 256, or auto, found \"x"));
    add_many(&line, "ä", 59);
    ck_assert(
        gd_buf_add(&line, "…\"; remove the quotes", sizeof("…\"; remove the quotes")));
    refuse(&text, line.data);
    gd_buf_free(&line);
}
END_TEST

START_TEST(a_message_is_one_line)
{
    PLAN_REFUSE("log: {level: \"a\\nb\\x1b\"}\n",
                "gw.yaml:1:14: log.level: expected error, warn, info or debug, found "
                "\"a?b?\"");
    PLAN_REFUSE("\"a\\nb\": 1\n",
                "gw.yaml:1:1: \"a?b\": unknown key; allowed are include, listen, admin, "
                "workers, limits, trusted_proxies, trusted_header, log, drain, "
                "mock_seed, resolver, "
                "upstreams, defaults, "
                "routes");
}
END_TEST

START_TEST(missing_servers_are_said_beside_other_mistakes)
{
    PLAN_REFUSE(
        "upstreams:\n  u: {timeut: 1s}\n  v: {servers: {url: http://h}, mock: 1}\n"
        "  w: {servers: }\n",
        "gw.yaml:2:6: upstreams.u: servers (or dns, srv, mock) is missing",
        "gw.yaml:2:7: upstreams.u.timeut: unknown key; did you mean \"timeout\"?",
        "gw.yaml:3:39: upstreams.v.mock: expected a map (`name: …`), found \"1\"",
        "gw.yaml:4:16: upstreams.w.servers: expected a URL like "
        "http://10.0.0.5:8001, or a list of these, found nothing");
}
END_TEST

START_TEST(numbers_that_json_cannot_write_are_refused)
{
    static const char *const odd[] = {".nan", "-.INF", "0o7", "0b1",  "0x1F", ".5",
                                      "5.",   "+5",    "1_0", "-010", "1.e3"};
    static const char *const text[] = {"1.2.3", "2024-01-01", "1e",  "0xZ", "-",
                                       "+",     ".x",         "12h", "a1",  "1:30"};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char config[200], line[256];

        snprintf(config, sizeof(config),
                 UP "routes: {/: {calls: {c: {url: u/, default: [%s]}}}}\n", odd[i]);
        snprintf(
            line, sizeof(line),
            "gw.yaml:3:45: routes.\"/\".calls.c.default[0]: \"%s\" is no JSON number; "
            "quote it, or write it as a plain decimal",
            odd[i]);
        PLAN_REFUSE(config, line);
    }
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        char config[200], json[64];
        struct gd_plan *plan;

        snprintf(config, sizeof(config),
                 UP "routes: {/: {calls: {c: {url: u/, default: %s}}}}\n", text[i]);
        snprintf(json, sizeof(json), "\"%s\"", text[i]);
        plan = plan_accept(config);
        ck_assert(gd_span_is(plan->routes[0].calls[0].fallback, json));
        gd_plan_unref(plan);
    }
}
END_TEST

START_TEST(shares_may_have_a_fraction)
{
    static const char *const wrong[] = {"20",  "101%", "1.%",
                                        "-1%", "5 %",  "0.00000000001%"};
    struct gd_plan *plan =
        plan_accept("upstreams: {u: {mock: {/: {status: 200, fail: 0.5%}, /b: {status: "
                    "200, fail: 100%}}}}\n");

    ck_assert_double_eq_tol(plan->upstreams[0].mock->routes[0].fail_share, 0.005, 1e-9);
    ck_assert_double_eq(plan->upstreams[0].mock->routes[1].fail_share, 1);
    gd_plan_unref(plan);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char config[128], line[200];

        snprintf(config, sizeof(config),
                 "upstreams: {u: {mock: {/: {status: 200, fail: %s}}}}\n", wrong[i]);
        snprintf(line, sizeof(line),
                 "gw.yaml:1:47: upstreams.u.mock.\"/\".fail: expected a percentage like "
                 "20%%, found \"%s\"%s",
                 wrong[i], i ? "" : "; the unit is missing");
        PLAN_REFUSE(config, line);
    }
}
END_TEST

START_TEST(braces_that_are_doubled_are_no_placeholders)
{
    struct gd_plan *plan =
        plan_accept(UP "routes: {/: {calls: {c: \"u/?q=%7B{{c}}\"}}}\n");

    gd_plan_unref(plan);
    PLAN_REFUSE(
        UP "routes:\n  GET /{c}:\n    calls: {c: \"u/{c.x}\", d: \"http://h:0/\"}\n"
           "  GET : {calls: {x: u/}}\n",
        "gw.yaml:5:19: routes.\"GET /{c}\".calls.c: {c.x} could be the path parameter "
        "or the call of that name; rename one",
        "gw.yaml:5:30: routes.\"GET /{c}\".calls.d: ports are 1 to 65535",
        "gw.yaml:6:3: routes.GET: \"GET\" has no path; a route is [METHOD ][HOST]/PATH, "
        "as in GET /users/{id}");
}
END_TEST

GD_SUITE("plan limits", lists_are_bounded, texts_are_bounded,
         long_texts_are_shortened_in_messages, a_message_is_one_line,
         missing_servers_are_said_beside_other_mistakes,
         numbers_that_json_cannot_write_are_refused, shares_may_have_a_fraction,
         braces_that_are_doubled_are_no_placeholders)
