/* What is wrong with options, and the exact words for it. */
#include "plan_text.h"
#include "suite.h"

#define UP "upstreams:\n  users: http://10.0.0.5:8001\n"

START_TEST(an_unknown_key_is_named_with_what_was_meant)
{
    PLAN_REFUSE("admn: off\n", "gw.yaml:1:1: admn: unknown key; did you mean \"admin\"?");
    PLAN_REFUSE("tls: on\n",
                "gw.yaml:1:1: tls: unknown key; allowed are include, listen, admin, "
                "workers, limits, trusted_proxies, trusted_header, log, drain, "
                "mock_seed, resolver, "
                "upstreams, defaults, "
                "routes");
    PLAN_REFUSE(UP "routes:\n  GET /:\n    timout: 2s\n    calls: {x: users/}\n",
                "gw.yaml:5:5: routes.\"GET /\".timout: unknown key; did you mean "
                "\"timeout\"?");
    PLAN_REFUSE(
        "defaults: {calls: {}}\n",
        "gw.yaml:1:12: defaults.calls: unknown key; allowed are timeout, max_body, "
        "access_log, merge, status, response_headers, cors, cache_control, etag, "
        "compress, server_timing, forward, stream, parts");
}
END_TEST

START_TEST(options_of_later_versions_are_unknown)
{
    PLAN_REFUSE("redis: {}\n",
                "gw.yaml:1:1: redis: unknown key; allowed are include, "
                "listen, admin, workers, limits, trusted_proxies, trusted_header, log, "
                "drain, mock_seed, resolver, upstreams, defaults, routes");
}
END_TEST

START_TEST(a_boolean_is_true_false_on_or_off)
{
    PLAN_REFUSE(UP "routes:\n  GET /:\n    calls:\n"
                   "      a: {url: users/, optional: yes}\n"
                   "      b: {url: users/, optional: No}\n"
                   "      c: {url: users/, optional: 1}\n"
                   "      d: {url: users/, optional: \"true\"}\n"
                   "      e: {url: users/, optional: True}\n"
                   "      f: {url: users/, optional: }\n"
                   "      g: {url: users/, optional: on, hidden: off}\n",
                "gw.yaml:6:34: routes.\"GET /\".calls.a.optional: expected true or false "
                "(or on, off), found \"yes\"; YAML versions disagree on yes and no, so "
                "they are not accepted",
                "gw.yaml:7:34: routes.\"GET /\".calls.b.optional: expected true or false "
                "(or on, off), found \"No\"; YAML versions disagree on yes and no, so "
                "they are not accepted",
                "gw.yaml:8:34: routes.\"GET /\".calls.c.optional: expected true or false "
                "(or on, off), found \"1\"",
                "gw.yaml:9:34: routes.\"GET /\".calls.d.optional: expected true or false "
                "(or on, off), found \"true\"; remove the quotes",
                "gw.yaml:10:34: routes.\"GET /\".calls.e.optional: expected true or "
                "false (or on, off), found \"True\"",
                "gw.yaml:11:34: routes.\"GET /\".calls.f.optional: expected true or "
                "false (or on, off), found nothing");
}
END_TEST

START_TEST(a_number_is_plain_decimal_digits)
{
    PLAN_REFUSE("workers: 010\n",
                "gw.yaml:1:10: workers: expected a whole number from 1 to "
                "256, or auto, found \"010\"; write plain decimal digits");
    PLAN_REFUSE("workers: 0x10\n",
                "gw.yaml:1:10: workers: expected a whole number from 1 to 256, or auto, "
                "found \"0x10\"; write plain decimal digits");
    PLAN_REFUSE(
        "limits: {connections: 1_000, header_fields: 1e3, json_depth: 3.5}\n",
        "gw.yaml:1:23: limits.connections: expected a whole number from 1 to "
        "1000000, found \"1_000\"; write plain decimal digits",
        "gw.yaml:1:45: limits.header_fields: expected a whole number from 1 to "
        "1000, found \"1e3\"; write plain decimal digits",
        "gw.yaml:1:62: limits.json_depth: expected a whole number from 1 to 1024, "
        "found \"3.5\"; write plain decimal digits");
    PLAN_REFUSE("workers: \"4\"\n",
                "gw.yaml:1:10: workers: expected a whole number from 1 "
                "to 256, or auto, found \"4\"; remove the quotes");
    PLAN_REFUSE("workers: -1\n",
                "gw.yaml:1:10: workers: expected a whole number from 1 to "
                "256, or auto, found \"-1\"");
    PLAN_REFUSE("workers: [4]\n",
                "gw.yaml:1:10: workers: expected a whole number from 1 to "
                "256, or auto, found a list");
}
END_TEST

START_TEST(what_is_out_of_range_is_told_the_range)
{
    PLAN_REFUSE("workers: 0\n",
                "gw.yaml:1:10: workers: \"0\" is out of range: allowed is from 1 to 256");
    PLAN_REFUSE(
        "limits:\n  header_timeout: 25h\n  request_line: 2GiB\n  body: 2GiB\n"
        "  idle_timeout: 0s\n",
        "gw.yaml:2:19: limits.header_timeout: \"25h\" is out of range: allowed is "
        "from 1ms to 24h",
        "gw.yaml:3:17: limits.request_line: \"2GiB\" is out of range: allowed is "
        "from 64B to 1MiB",
        "gw.yaml:4:9: limits.body: \"2GiB\" is out of range: allowed is from 0B "
        "to 1GiB",
        "gw.yaml:5:17: limits.idle_timeout: \"0s\" is out of range: allowed is "
        "from 1ms to 24h");
}
END_TEST

START_TEST(a_duration_has_a_unit)
{
    PLAN_REFUSE("drain: {timeout: 30}\n",
                "gw.yaml:1:18: drain.timeout: expected a duration like 250ms, 2s, 5m or "
                "1h, found \"30\"; the unit is missing");
    PLAN_REFUSE("drain: {timeout: 2 sec}\n",
                "gw.yaml:1:18: drain.timeout: expected a duration like 250ms, 2s, 5m or "
                "1h, found \"2 sec\"");
    PLAN_REFUSE("drain: {timeout: 1.5s}\n",
                "gw.yaml:1:18: drain.timeout: expected a duration like 250ms, 2s, 5m or "
                "1h, found \"1.5s\"");
    PLAN_REFUSE("drain: {timeout: 1h30m}\n",
                "gw.yaml:1:18: drain.timeout: expected a duration like 250ms, 2s, 5m or "
                "1h, found \"1h30m\"");
    PLAN_REFUSE("drain: {timeout: 99999999999999999999s}\n",
                "gw.yaml:1:18: drain.timeout: expected a duration like 250ms, 2s, 5m or "
                "1h, found \"99999999999999999999s\"");
}
END_TEST

START_TEST(a_size_has_a_unit)
{
    PLAN_REFUSE("limits: {body: 1048576, request_line: 8 KiB, header_bytes: 32kb}\n",
                "gw.yaml:1:16: limits.body: expected a size like 64KiB, 10MiB or 1MB, "
                "found \"1048576\"; the unit is missing",
                "gw.yaml:1:39: limits.request_line: expected a size like 64KiB, 10MiB or "
                "1MB, found \"8 KiB\"",
                "gw.yaml:1:60: limits.header_bytes: expected a size like 64KiB, 10MiB or "
                "1MB, found \"32kb\"");
}
END_TEST

START_TEST(a_wrong_word_or_kind_is_told_what_is_wanted)
{
    PLAN_REFUSE("log: {level: verbose}\n",
                "gw.yaml:1:14: log.level: expected error, warn, info or debug, found "
                "\"verbose\"");
    PLAN_REFUSE("log: info\n", "gw.yaml:1:6: log: expected a map of options (`key: "
                               "value`), found \"info\"");
    PLAN_REFUSE("upstreams: [http://a]\n",
                "gw.yaml:1:12: upstreams: expected a map (`name: …`), found a list");
    PLAN_REFUSE("routes:\n",
                "gw.yaml:1:8: routes: expected a map (`name: …`), found nothing");
    PLAN_REFUSE("listen:\n", "gw.yaml:1:8: listen: expected a port, a URL, unix:/PATH, "
                             "systemd:NAME, or a list of these, found nothing");
}
END_TEST

START_TEST(names_of_calls_are_bounded)
{
    char text[512], line[512], name[130];

    memset(name, 'x', sizeof(name));
    name[129] = '\0';
    snprintf(text, sizeof(text),
             "upstreams: {u: http://h}\nroutes: {GET /: {calls: {%s: u/}}}\n", name);
    snprintf(
        line, sizeof(line),
        "gw.yaml:2:26: routes.\"GET /\".calls.%.120s: the name of a call has at most 128 "
        "bytes",
        name);
    PLAN_REFUSE(text, line);
    name[128] = '\0';
    snprintf(text, sizeof(text),
             "upstreams: {u: http://h}\nroutes: {GET /: {calls: {%s: u/}}}\n", name);
    gd_plan_unref(plan_accept(text));
}
END_TEST

START_TEST(mistakes_in_upstreams_are_found)
{
    PLAN_REFUSE(
        "upstreams:\n  a: {}\n  b:\n  c: http://h/x\n  d: []\n  e: ftp://h\n"
        "  f: [http://h, http://h:80]\n  g: {servers: [{weight: 2}]}\n"
        "  h: {servers: [{url: http://h, weight: 0}, []]}\n"
        "  i j: http://h\n  k: {servers: http://h, balance: random}\n"
        "  l: h:80\n  m: http://h:0\n  n: {servers: http://h, mock: {GET /: "
        "{status: 204}}}\n"
        "  o: {servers: http://h, pool: {max: 4, idle: 5}}\n"
        "  p: {servers: http://h, pool: {max: 4, min: 5}}\n"
        "  q: {servers: http://h, pool: {idle: 4, min: 5}}\n",
        "gw.yaml:2:6: upstreams.a: servers (or dns, srv, mock) is missing",
        "gw.yaml:3:5: upstreams.b: expected a URL, a list of URLs or a map of "
        "options, found nothing",
        "gw.yaml:4:6: upstreams.c: the URL of a server has no path and no query",
        "gw.yaml:5:6: upstreams.d: expected at least one server",
        "gw.yaml:6:6: upstreams.e: expected a URL like http://10.0.0.5:8001, found "
        "\"ftp://h\"",
        "gw.yaml:7:17: upstreams.f[1]: the server h:80 stands twice; give it a "
        "weight instead",
        "gw.yaml:8:17: upstreams.g.servers[0]: url is missing",
        "gw.yaml:9:41: upstreams.h.servers[0].weight: \"0\" is out of range: "
        "allowed is from 1 to 1000",
        "gw.yaml:9:45: upstreams.h.servers[1]: expected a URL like "
        "http://10.0.0.5:8001, found a list",
        "gw.yaml:10:3: upstreams.\"i j\": the name of an upstream has 1 to 64 "
        "letters, digits, _, - and ., and does not start with .",
        "gw.yaml:11:35: upstreams.k.balance: expected round_robin, "
        "least_pending, random_two or hash({…}), found \"random\"",
        "gw.yaml:12:6: upstreams.l: expected a URL like http://10.0.0.5:8001, "
        "found \"h:80\"",
        "gw.yaml:13:6: upstreams.m: ports are 1 to 65535",
        "gw.yaml:14:26: upstreams.n.mock: an upstream has either servers or "
        "mock, not both",
        "gw.yaml:15:47: upstreams.o.pool.idle: idle is more than max, which is 4",
        "gw.yaml:16:46: upstreams.p.pool.min: min is more than max, which is 4",
        "gw.yaml:17:39: upstreams.q.pool.idle: idle is less than min, which is 5");
}
END_TEST

START_TEST(headers_cannot_break_messages)
{
    PLAN_REFUSE(
        "upstreams:\n  u:\n    servers: http://h\n    headers:\n"
        "      Host: x\n      content-length: 1\n      a b: x\n"
        "      X-A: \"a\\nb\"\n      X-B: \"{user}\"\n      X-C: [1]\n"
        "      X-D: 1\n      x-d: 2\n      X-E:\n",
        "gw.yaml:5:7: upstreams.u.headers.Host: Host is set by gatherd and cannot "
        "be given",
        "gw.yaml:6:7: upstreams.u.headers.content-length: Content-Length is set by "
        "gatherd and cannot be given",
        "gw.yaml:7:7: upstreams.u.headers.\"a b\": a header name has letters, "
        "digits and !#$%&'*+-.^_`|~ only",
        "gw.yaml:8:12: upstreams.u.headers.X-A: a header value cannot have line "
        "breaks or other control characters",
        "gw.yaml:9:13: upstreams.u.headers.X-B: {version} is the only placeholder "
        "here; literal braces are written {{ and }}",
        "gw.yaml:10:12: upstreams.u.headers.X-C: expected text, found a list",
        "gw.yaml:12:7: upstreams.u.headers.x-d: the same header as \"X-D\": case "
        "does not count",
        "gw.yaml:13:11: upstreams.u.headers.X-E: expected text, found nothing");
}
END_TEST

START_TEST(mistakes_in_mocks_are_found)
{
    PLAN_REFUSE(
        "upstreams:\n  u:\n    mock:\n"
        "      GET /a: {}\n"
        "      GET /b/{id}: {json: {id: \"{ids}\"}}\n"
        "      GET /c: {status: 99}\n"
        "      GET /d: {status: 204, json: 1}\n"
        "      GET /e/{x}: {json: 1}\n"
        "      GET /e/{y}: {json: 1}\n"
        "      GET /f: {json: 1, fail: 20}\n"
        "      GET /g: {json: [010, .inf, 0x1F, 1_000, +1]}\n"
        "      GET h: {json: 1}\n"
        "      GET /i: 1\n",
        "gw.yaml:4:15: upstreams.u.mock.\"GET /a\": json (or status) is missing",
        "gw.yaml:5:32: upstreams.u.mock.\"GET /b/{id}\".json.id: {ids} is not known "
        "here; did you mean {id}?",
        "gw.yaml:6:24: upstreams.u.mock.\"GET /c\".status: \"99\" is out of range: "
        "allowed is from 200 to 599",
        "gw.yaml:7:35: upstreams.u.mock.\"GET /d\".json: an answer with status 204 "
        "has no body",
        "gw.yaml:9:7: upstreams.u.mock.\"GET /e/{y}\": matches the same requests "
        "as \"GET /e/{x}\" at gw.yaml:8:7",
        "gw.yaml:10:31: upstreams.u.mock.\"GET /f\".fail: expected a percentage "
        "like 20%, found \"20\"; the unit is missing",
        "gw.yaml:11:23: upstreams.u.mock.\"GET /g\".json[0]: \"010\" is no JSON "
        "number; quote it, or write it as a plain decimal",
        "gw.yaml:11:28: upstreams.u.mock.\"GET /g\".json[1]: \".inf\" is no JSON "
        "number; quote it, or write it as a plain decimal",
        "gw.yaml:11:34: upstreams.u.mock.\"GET /g\".json[2]: \"0x1F\" is no JSON "
        "number; quote it, or write it as a plain decimal",
        "gw.yaml:11:40: upstreams.u.mock.\"GET /g\".json[3]: \"1_000\" is no JSON "
        "number; quote it, or write it as a plain decimal",
        "gw.yaml:11:47: upstreams.u.mock.\"GET /g\".json[4]: \"+1\" is no JSON "
        "number; quote it, or write it as a plain decimal",
        "gw.yaml:12:7: upstreams.u.mock.\"GET h\": \"GET h\" has no path; a route is "
        "[METHOD ][HOST]/PATH, as in GET /users/{id}",
        "gw.yaml:13:15: upstreams.u.mock.\"GET /i\": expected a map with json or "
        "status, found \"1\"");
    PLAN_REFUSE("upstreams: {u: {mock: {}}}\n",
                "gw.yaml:1:23: upstreams.u.mock: expected at least one answer");
}
END_TEST

START_TEST(an_unknown_upstream_is_named_with_what_was_meant)
{
    PLAN_REFUSE(UP "routes:\n  GET /profile/{id}:\n    calls:\n      user: usres/x\n"
                   "      other: nothing/x\n      hole: \"{id}/x\"\n",
                "gw.yaml:6:13: routes.\"GET /profile/{id}\".calls.user: there is no "
                "upstream \"usres\"; did you mean \"users\"?",
                "gw.yaml:7:14: routes.\"GET /profile/{id}\".calls.other: there is no "
                "upstream \"nothing\"",
                "gw.yaml:8:13: routes.\"GET /profile/{id}\".calls.hole: a placeholder "
                "cannot stand in the name of an upstream");
}
END_TEST

START_TEST(mistakes_in_calls_are_found)
{
    PLAN_REFUSE(
        UP "routes:\n  GET /p/{id}:\n    calls:\n"
           "      a: users\n      b: get users/x\n      c: CONNECT users/\n"
           "      d: {method: GET}\n      e: /x\n      f: [users/]\n"
           "      g: ftp://h/x\n      h: http://h\n      i: users/{ids}\n"
           "      j: {url: users/, default: 010}\n"
           "      k: {url: users/, default: 1, optional: false}\n"
           "      \"\": users/\n      l: users?x\n      m:\n"
           "      n: {url: POST users/}\n",
        "gw.yaml:6:10: routes.\"GET /p/{id}\".calls.a: \"users\" has no path; the "
        "root is written users/",
        "gw.yaml:7:10: routes.\"GET /p/{id}\".calls.b: \"get\" is no method of a "
        "call; did you mean \"GET\"?",
        "gw.yaml:8:10: routes.\"GET /p/{id}\".calls.c: \"CONNECT\" is no method of "
        "a call; allowed are GET, POST, PUT, DELETE, PATCH and OPTIONS",
        "gw.yaml:9:10: routes.\"GET /p/{id}\".calls.d: url is missing",
        "gw.yaml:10:10: routes.\"GET /p/{id}\".calls.e: expected UPSTREAM/PATH, "
        "found \"/x\"",
        "gw.yaml:11:10: routes.\"GET /p/{id}\".calls.f: expected UPSTREAM/PATH or a "
        "map with url, found a list",
        "gw.yaml:12:10: routes.\"GET /p/{id}\".calls.g: expected a URL like "
        "http://10.0.0.5:8001, found \"ftp://h/x\"",
        "gw.yaml:13:10: routes.\"GET /p/{id}\".calls.h: \"http://h\" has no path; "
        "the root is written http://h/",
        "gw.yaml:14:16: routes.\"GET /p/{id}\".calls.i: {ids} is not known here; did you "
        "mean {id}?",
        "gw.yaml:15:33: routes.\"GET /p/{id}\".calls.j.default: \"010\" is no JSON "
        "number; quote it, or write it as a plain decimal",
        "gw.yaml:16:46: routes.\"GET /p/{id}\".calls.k.optional: a call with a "
        "default is optional",
        "gw.yaml:17:7: routes.\"GET /p/{id}\".calls.\"\": a call needs a name",
        "gw.yaml:18:10: routes.\"GET /p/{id}\".calls.l: expected UPSTREAM/PATH, "
        "found \"users?x\"",
        "gw.yaml:19:9: routes.\"GET /p/{id}\".calls.m: expected UPSTREAM/PATH or a "
        "map with url, found nothing",
        "gw.yaml:20:16: routes.\"GET /p/{id}\".calls.n.url: a url has no method in "
        "front; write method: POST beside it");
}
END_TEST

START_TEST(a_name_that_could_be_two_things_is_refused)
{
    PLAN_REFUSE(UP "routes:\n  GET /p/{id}:\n    calls:\n      user: users/{id}\n"
                   "      repos: users/x/{user.login}/repos\n"
                   "      id: users/{id}\n",
                "gw.yaml:6:19: routes.\"GET /p/{id}\".calls.user: {id} could be the path "
                "parameter or the call of that name; rename one",
                "gw.yaml:8:17: routes.\"GET /p/{id}\".calls.id: {id} could be the path "
                "parameter or the call of that name; rename one");
}
END_TEST

START_TEST(a_literal_host_is_not_a_declared_upstream)
{
    PLAN_REFUSE("upstreams: {api.local: http://10.0.0.1}\n"
                "routes: {GET /: {calls: {x: \"http://api.local/\", y: http://o:81/}}, "
                "GET /b: {calls: {x: \"o:81/\"}}}\n",
                "gw.yaml:2:29: routes.\"GET /\".calls.x: the file declares an upstream "
                "\"api.local\": write api.local/… for it, or give it another name",
                "gw.yaml:2:89: routes.\"GET /b\".calls.x: there is no upstream \"o:81\"");
}
END_TEST

START_TEST(mistakes_in_routes_are_found)
{
    PLAN_REFUSE(
        UP "routes:\n"
           "  GET /a: {}\n"
           "  GET /b: {calls: {}}\n"
           "  GET /c: users/x\n"
           "  GET /d/{x}: {calls: {u: users/}}\n"
           "  GET /d/{y}: {calls: {u: users/}}\n"
           "  GET /e: {timeout: 2, calls: {u: users/}}\n",
        "gw.yaml:4:11: routes.\"GET /a\": calls is missing (or pass, redirect, files "
        "or respond)",
        "gw.yaml:5:19: routes.\"GET /b\".calls: a route has 1 to 64 calls, found 0",
        "gw.yaml:6:11: routes.\"GET /c\": expected a map with calls, pass or redirect, "
        "found \"users/x\"",
        "gw.yaml:8:3: routes.\"GET /d/{y}\": matches the same requests as \"GET "
        "/d/{x}\" at gw.yaml:7:3",
        "gw.yaml:9:21: routes.\"GET /e\".timeout: expected a duration like 250ms, "
        "2s, 5m or 1h, found \"2\"; the unit is missing");
}
END_TEST

START_TEST(a_route_has_at_most_64_calls)
{
    struct gd_buf text;

    gd_buf_init(&text, NULL, 1 << 16);
    ck_assert(gd_buf_add_text(&text, UP "routes:\n  GET /:\n    calls:\n"));
    for (int i = 0; i < 65; i++)
        ck_assert(gd_buf_addf(&text, "      c%d: users/%d\n", i, i));
    plan_refuse_span(gd_buf_span(&text),
                     (const char *const[]){"gw.yaml:6:7: routes.\"GET /\".calls: a route "
                                           "has 1 to 64 calls, found 65",
                                           NULL});
    gd_buf_free(&text);
}
END_TEST

START_TEST(a_hundred_lines_are_said_at_most)
{
    struct gd_findings findings;
    struct gd_buf text;

    gd_buf_init(&text, NULL, 1 << 16);
    ck_assert(gd_buf_add_text(&text, "upstreams:\n"));
    for (int i = 0; i < 250; i++)
        ck_assert(gd_buf_addf(&text, "  u%d: x\n", i));
    ck_assert_ptr_null(
        gd_plan_load_text("gw.yaml", gd_buf_span(&text), &test_options, &findings));
    ck_assert_uint_eq(findings.count, 100);
    ck_assert_str_eq(findings.lines[98],
                     "gw.yaml:100:8: upstreams.u98: expected a URL like "
                     "http://10.0.0.5:8001, found \"x\"");
    ck_assert_str_eq(findings.lines[99], "and 151 more errors that are not shown");
    gd_findings_free(&findings);
    gd_buf_free(&text);
}
END_TEST

GD_SUITE("plan errors", an_unknown_key_is_named_with_what_was_meant,
         options_of_later_versions_are_unknown, a_boolean_is_true_false_on_or_off,
         a_number_is_plain_decimal_digits, what_is_out_of_range_is_told_the_range,
         a_duration_has_a_unit, a_size_has_a_unit,
         a_wrong_word_or_kind_is_told_what_is_wanted, names_of_calls_are_bounded,
         mistakes_in_upstreams_are_found, headers_cannot_break_messages,
         mistakes_in_mocks_are_found, an_unknown_upstream_is_named_with_what_was_meant,
         mistakes_in_calls_are_found, a_name_that_could_be_two_things_is_refused,
         a_literal_host_is_not_a_declared_upstream, mistakes_in_routes_are_found,
         a_route_has_at_most_64_calls, a_hundred_lines_are_said_at_most)
