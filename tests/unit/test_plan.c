/* What a configuration becomes. */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "plan/mock.h"
#include "plan/route.h"
#include "plan/template.h"
#include "plan_text.h"
#include "suite.h"

static void span_is(struct gd_span span, const char *text)
{
    ck_assert_msg(gd_span_is(span, text), "found \"%.*s\" for \"%s\"", GD_SPAN_ARG(span),
                  text);
}

START_TEST(a_small_file_gathers)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n"
                    "  users:  http://10.0.0.5:8001\n"
                    "  orders: [http://10.0.0.6:8002, http://10.0.0.7]\n"
                    "\n"
                    "routes:\n"
                    "  GET /profile/{id}:\n"
                    "    calls:\n"
                    "      user:   users/users/{id}\n"
                    "      orders: orders/by-user/{id}?limit=10\n");
    const struct gd_plan_route *route = &plan->routes[0];
    const struct gd_plan_call *call = &route->calls[1];

    ck_assert_uint_eq(plan->upstream_count, 2);
    ck_assert_uint_eq(plan->server_count, 3);
    ck_assert_uint_eq(plan->upstreams[1].servers[1].index, 2);
    ck_assert_str_eq(plan->upstreams[1].servers[1].name, "10.0.0.7:80");
    span_is(plan->upstreams[1].servers[1].host_line, "Host: 10.0.0.7\r\n");
    span_is(plan->upstreams[1].servers[0].host_line, "Host: 10.0.0.6:8002\r\n");
    ck_assert_uint_eq(plan->route_count, 1);
    ck_assert_str_eq(route->pattern, "GET /profile/{id}");
    ck_assert_int_eq(route->method, GD_METHOD_GET);
    ck_assert_uint_eq(route->param_count, 1);
    span_is(route->param_names[0], "id");
    ck_assert_uint_eq(route->call_count, 2);
    ck_assert_uint_eq(route->required, 3);
    ck_assert_str_eq(call->name, "orders");
    ck_assert_uint_eq(call->index, 1);
    span_is(call->key, "\"orders\":");
    ck_assert_ptr_eq(call->upstream, &plan->upstreams[1]);
    ck_assert_int_eq(call->method, GD_METHOD_GET);
    span_is(call->header_lines,
            "User-Agent: gatherd/" GD_VERSION "\r\nAccept: application/json\r\n");
    span_is(call->fallback, "null");
    ck_assert(!call->optional && !call->hidden);
    ck_assert_uint_eq(call->needs, 0);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(what_is_not_given_has_its_default)
{
    struct gd_plan *plan =
        plan_accept("upstreams: {u: http://h}\nroutes: {/: {calls: {x: u/}}}\n");
    const struct gd_plan_limits *limits = &plan->limits;
    const struct gd_plan_upstream *u = &plan->upstreams[0];

    ck_assert_uint_eq(plan->listen_count, 1);
    ck_assert_str_eq(plan->listens[0].address.text, "http://[::]:8080");
    ck_assert_str_eq(plan->listens[0].address.host, "::");
    ck_assert_uint_eq(plan->listens[0].address.port, 8080);
    ck_assert(plan->admin_on);
    ck_assert_str_eq(plan->admin.text, "http://127.0.0.1:9901");
    ck_assert_ptr_null(plan->admin_token);
    ck_assert_uint_eq(plan->workers, 0);
    ck_assert_uint_eq(plan->drain_timeout_ms, 30000);
    ck_assert_int_eq(plan->log.levels[GD_LOG_AREA_DAEMON], GD_LOG_INFO);
    ck_assert_uint_eq(limits->request_line, 8192);
    ck_assert_uint_eq(limits->header_bytes, 32768);
    ck_assert_uint_eq(limits->header_fields, 100);
    ck_assert_uint_eq(limits->header_timeout_ms, 10000);
    ck_assert_uint_eq(limits->body_timeout_ms, 30000);
    ck_assert_uint_eq(limits->idle_timeout_ms, 75000);
    ck_assert_uint_eq(limits->write_timeout_ms, 30000);
    ck_assert_uint_eq(limits->requests_per_connection, 10000);
    ck_assert_uint_eq(limits->connections, 16384);
    ck_assert_uint_eq(limits->json_depth, 128);
    ck_assert_uint_eq(limits->request_memory, 32 << 20);
    ck_assert_uint_eq(limits->body, 1 << 20);
    ck_assert_int_eq(u->balance, GD_BALANCE_LEAST_PENDING);
    ck_assert_uint_eq(u->timeout_ms, 2000);
    ck_assert_uint_eq(u->connect_timeout_ms, 500);
    ck_assert_uint_eq(u->max_response, 10 << 20);
    ck_assert_uint_eq(u->pool.max, 128);
    ck_assert_uint_eq(u->pool.idle, 32);
    ck_assert_uint_eq(u->pool.queue, 256);
    ck_assert_uint_eq(u->pool.max_requests, 10000);
    ck_assert_uint_eq(u->pool.idle_timeout_ms, 60000);
    ck_assert_uint_eq(u->pool.max_age_ms, 600000);
    ck_assert_uint_eq(u->servers[0].weight, 1);
    ck_assert_ptr_null(u->mock);
    ck_assert_uint_eq(plan->routes[0].timeout_ms, 2000);
    ck_assert_uint_eq(plan->routes[0].max_body, 1 << 20);
    ck_assert_int_eq(plan->routes[0].method, GD_METHOD_OTHER);
    ck_assert_uint_eq(plan->routes[0].method_text.len, 0);
    ck_assert_uint_eq(plan->routes[0].calls[0].timeout_ms, 0);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(every_option_of_the_process_reaches_the_plan)
{
    struct gd_plan *plan = plan_accept(
        "listen: [9000, \"http://[::1]:9001\", http://localhost, unix:/run/g.sock, 0, "
        "0, systemd:web, {url: unix:/run/h, mode: 0660, owner: 7, group: root, backlog: "
        "9, proxy_protocol: on}]\n"
        "trusted_proxies: unix\n"
        "admin: {url: http://0.0.0.0:9902, token: \"${SECRET}\"}\n"
        "workers: 3\n"
        "limits: {request_line: 1KiB, header_bytes: 2KB, header_fields: 7, body: 5KiB,\n"
        "  header_timeout: 1s, body_timeout: 2s, idle_timeout: 3m, write_timeout: 4h,\n"
        "  requests_per_connection: 5, connections: 6, json_depth: 8, request_memory: "
        "1MB}\n"
        "log: {level: debug}\n"
        "drain: {timeout: 250ms}\n");

    ck_assert_uint_eq(plan->listen_count, 8);
    ck_assert_int_eq(plan->listens[6].address.kind, GD_ADDRESS_SYSTEMD);
    ck_assert_str_eq(plan->listens[6].address.path, "web");
    ck_assert_uint_eq(plan->listens[6].backlog, 4096);
    ck_assert_uint_eq(plan->listens[6].owner, GD_ID_UNCHANGED);
    ck_assert(!plan->listens[6].proxy_protocol);
    ck_assert_uint_eq(plan->listens[7].mode, 0660);
    ck_assert_uint_eq(plan->listens[7].owner, 7);
    ck_assert_uint_eq(plan->listens[7].group, 0);
    ck_assert_uint_eq(plan->listens[7].backlog, 9);
    ck_assert(plan->listens[7].proxy_protocol);
    ck_assert_str_eq(plan->listens[1].address.host, "::1");
    ck_assert_str_eq(plan->listens[1].address.text, "http://[::1]:9001");
    ck_assert_uint_eq(plan->listens[2].address.port, 80);
    ck_assert_int_eq(plan->listens[3].address.kind, GD_ADDRESS_UNIX);
    ck_assert_str_eq(plan->listens[3].address.path, "/run/g.sock");
    ck_assert_str_eq(plan->admin.text, "http://0.0.0.0:9902");
    ck_assert_str_eq(plan->admin_token, "s3cret");
    ck_assert_uint_eq(plan->workers, 3);
    ck_assert_uint_eq(plan->limits.header_bytes, 2000);
    ck_assert_uint_eq(plan->limits.idle_timeout_ms, 180000);
    ck_assert_uint_eq(plan->limits.write_timeout_ms, 14400000);
    ck_assert_uint_eq(plan->limits.request_memory, 1000000);
    ck_assert_uint_eq(plan->limits.body, 5120);
    ck_assert_int_eq(plan->log.levels[GD_LOG_AREA_DAEMON], GD_LOG_DEBUG);
    ck_assert_uint_eq(plan->drain_timeout_ms, 250);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(every_option_of_an_upstream_reaches_the_plan)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n"
                    "  u:\n"
                    "    servers: [http://a:1, {url: \"http://[::1]:2\", weight: 3}]\n"
                    "    balance: round_robin\n"
                    "    timeout: 1s\n"
                    "    connect_timeout: 2s\n"
                    "    pool: {max: 1, idle: 0, idle_timeout: 2s, max_age: 3s, "
                    "max_requests: 4, queue: 0}\n"
                    "    headers: {accept: text/json, X-Key: \"${SECRET}\", X-V: "
                    "\"v{version}{{}}\"}\n"
                    "    max_response: 1KiB\n");
    const struct gd_plan_upstream *u = &plan->upstreams[0];

    ck_assert_str_eq(u->servers[1].name, "[::1]:2");
    ck_assert_str_eq(u->servers[1].address.host, "::1");
    span_is(u->servers[1].host_line, "Host: [::1]:2\r\n");
    ck_assert_uint_eq(u->servers[1].weight, 3);
    ck_assert_int_eq(u->balance, GD_BALANCE_ROUND_ROBIN);
    ck_assert_uint_eq(u->pool.queue, 0);
    ck_assert_uint_eq(u->pool.max_age_ms, 3000);
    ck_assert_uint_eq(u->max_response, 1024);
    span_is(u->header_lines,
            "User-Agent: gatherd/" GD_VERSION
            "\r\naccept: text/json\r\nX-Key: s3cret\r\nX-V: v" GD_VERSION "{}\r\n");
    gd_plan_unref(plan);
}
END_TEST

START_TEST(every_option_of_a_route_reaches_the_plan)
{
    struct gd_plan *plan = plan_accept(
        "upstreams: {u: {servers: http://h, headers: {accept: text/json, X-Key: k}}}\n"
        "defaults: {timeout: 700ms, max_body: 0}\n"
        "routes:\n"
        "  POST /a: {calls: {x: u/, \"odd \\\"key\\\"\": POST u/p}}\n"
        "  GET h.example/b:\n"
        "    timeout: 800ms\n"
        "    max_body: 2MiB\n"
        "    calls:\n"
        "      y:\n"
        "        url: u/?q={query.q?}\n"
        "        method: DELETE\n"
        "        timeout: 5ms\n"
        "        headers: {X-key: mine, X-New: 1}\n"
        "        default: {a: [1, -2.50, 1e3, true, null, ~, no, 1.2.3, \"3\", ü], \"b "
        "c\": }\n"
        "        hidden: true\n"
        "      z: {url: u/z, optional: on}\n");
    const struct gd_plan_route *a = &plan->routes[0], *b = &plan->routes[1];

    ck_assert_uint_eq(a->timeout_ms, 700);
    ck_assert_uint_eq(a->max_body, 0);
    ck_assert_int_eq(a->calls[1].method, GD_METHOD_POST);
    span_is(a->calls[1].key, "\"odd \\\"key\\\"\":");
    ck_assert_uint_eq(b->timeout_ms, 800);
    ck_assert_uint_eq(b->max_body, 2 << 20);
    ck_assert_uint_eq(b->required, 0);
    ck_assert_int_eq(b->calls[0].method, GD_METHOD_DELETE);
    ck_assert_uint_eq(b->calls[0].timeout_ms, 5);
    ck_assert(b->calls[0].optional && b->calls[0].hidden);
    ck_assert(b->calls[1].optional && !b->calls[1].hidden);
    span_is(b->calls[0].fallback, "{\"a\":[1,-2.50,1e3,true,null,null,\"no\",\"1.2.3\","
                                  "\"3\",\"ü\"],\"b c\":null}");
    span_is(b->calls[0].header_lines,
            "User-Agent: gatherd/" GD_VERSION
            "\r\naccept: text/json\r\nX-key: mine\r\nX-New: 1\r\n");
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_literal_host_gets_an_upstream_of_its_own)
{
    struct gd_plan *plan = plan_accept(
        "routes:\n"
        "  /a: {calls: {x: \"http://api.example/x\", y: \"POST http://api.example/y\"}}\n"
        "  /b: {calls: {x: \"http://[::1]:81/?a=b\", y: \"http://api.example/z\"}}\n");

    ck_assert_uint_eq(plan->upstream_count, 2);
    ck_assert_str_eq(plan->upstreams[0].name, "api.example");
    ck_assert_str_eq(plan->upstreams[1].name, "[::1]:81");
    ck_assert_uint_eq(plan->upstreams[1].servers[0].index, 1);
    ck_assert_uint_eq(plan->upstreams[1].pool.max, 128);
    ck_assert_ptr_eq(plan->routes[1].calls[1].upstream, &plan->upstreams[0]);
    ck_assert_int_eq(plan->routes[0].calls[1].method, GD_METHOD_POST);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_mock_has_answers_instead_of_servers)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n"
                    "  users:\n"
                    "    mock:\n"
                    "      GET /users/{id}: {json: {id: \"{id}\", n: 1}, "
                    "delay: 20ms, headers: {X-A: b}}\n"
                    "      GET /broken: {status: 503}\n"
                    "      GET /flaky: {fail: 20%, json: {}}\n");
    const struct gd_plan_mock *mock = plan->upstreams[0].mock;
    struct gd_span id = GD_SPAN("7");
    struct gd_facts facts = {.query = GD_SPAN_NONE};
    struct gd_values values = {.params = &id, .param_count = 1, .facts = &facts};
    struct gd_match match;
    struct gd_buf body;

    gd_buf_init(&body, NULL, 1024);
    ck_assert_ptr_nonnull(mock);
    ck_assert_uint_eq(mock->route_count, 3);
    ck_assert_uint_eq(mock->routes[0].delay.low_ms, 20);
    ck_assert_uint_eq(mock->routes[0].delay.high_ms, 20);
    ck_assert_int_eq(mock->routes[0].status, 200);
    ck_assert_uint_eq(mock->routes[0].header_count, 1);
    span_is(mock->routes[0].headers[0].name, "X-A");
    ck_assert_int_eq(mock->routes[1].status, 503);
    ck_assert_ptr_null(mock->routes[1].body);
    ck_assert_double_eq(mock->routes[2].fail_share, 0.2);
    ck_assert_int_eq(gd_router_match(mock->router, GD_METHOD_GET, GD_SPAN("GET"),
                                     GD_SPAN("h"), GD_SPAN("/users/7"), &match),
                     GD_MATCH_FOUND);
    ck_assert_uint_eq(match.index, 0);
    ck_assert_int_eq(gd_template_expand(mock->routes[0].body, &values, &body), GD_OK);
    span_is(gd_buf_span(&body), "{\"id\":\"7\",\"n\":1}");
    ck_assert_uint_eq(plan->upstreams[0].server_count, 1);
    ck_assert_uint_eq(plan->upstreams[0].servers[0].address.port, 0);
    span_is(plan->upstreams[0].servers[0].host_line, "Host: users\r\n");
    gd_buf_free(&body);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(admin_can_be_off_or_local)
{
    static const char *const local[] = {
        "admin: http://localhost:1\n", "admin: http://127.1.2.3\n",
        "admin: \"http://[::1]:2\"\n", "admin: unix:/run/a\n",
        "admin: {token: x}\n",         "admin: {}\n"};
    struct gd_plan *plan = plan_accept("admin: off\n");

    ck_assert(!plan->admin_on);
    gd_plan_unref(plan);
    for (size_t i = 0; i < 6; i++) {
        plan = plan_accept(local[i]);
        ck_assert(plan->admin_on);
        gd_plan_unref(plan);
    }
}
END_TEST

START_TEST(addresses_that_the_system_would_refuse_are_told_by_check)
{
    PLAN_REFUSE("listen: [8080, \"http://127.0.0.1:8080\", \"http://0.0.0.0:8080\"]\n",
                "gw.yaml:1:16: listen[1]: http://127.0.0.1:8080 and http://[::]:8080 "
                "overlap; one of them needs another port",
                "gw.yaml:1:41: listen[2]: http://0.0.0.0:8080 and http://[::]:8080 "
                "overlap; one of them needs another port");
    PLAN_REFUSE(
        "listen: [\"http://[::1]:1\", \"http://[0::1]:1\", \"http://x:2\", "
        "\"http://X:2\"]\n",
        "gw.yaml:1:28: listen[1]: http://[0::1]:1 and http://[::1]:1 overlap; one "
        "of them needs another port",
        "gw.yaml:1:61: listen[3]: http://X:2 and http://x:2 overlap; one of them "
        "needs another port");
    PLAN_REFUSE(
        "listen: 9901\n",
        "gw.yaml:1:9: listen: clients connect to http://[::]:9901 and operators to "
        "http://127.0.0.1:9901; one of them needs another address");
    PLAN_REFUSE(
        "admin: http://127.0.0.1:8080\n",
        "gw.yaml:1:8: admin: clients connect to http://[::]:8080 and operators to "
        "http://127.0.0.1:8080; one of them needs another address");
    PLAN_REFUSE(
        "listen: unix:/run/a\nadmin: {url: unix:/run/a}\n",
        "gw.yaml:2:14: admin.url: clients connect to unix:/run/a and operators to "
        "unix:/run/a; one of them needs another address");
}
END_TEST

START_TEST(addresses_side_by_side_are_accepted)
{
    gd_plan_unref(plan_accept("listen: [\"http://127.0.0.1:1\", \"http://127.0.0.2:1\", "
                              "\"http://[::1]:1\", \"http://x:1\", unix:/run/a, 0, 0]\n"
                              "admin: unix:/run/b\n"));
    gd_plan_unref(plan_accept("listen: [\"http://0.0.0.0:1\", \"http://[::1]:1\"]\n"));
}
END_TEST

START_TEST(routes_are_found_by_their_index)
{
    struct gd_plan *plan = plan_accept("upstreams: {u: http://h}\n"
                                       "routes:\n"
                                       "  GET /a/{x}: {calls: {c: u/}}\n"
                                       "  GET /a/b: {calls: {c: u/}}\n");
    struct gd_match match;

    ck_assert_int_eq(gd_router_match(plan->router, GD_METHOD_GET, GD_SPAN("GET"),
                                     GD_SPAN("h"), GD_SPAN("/a/b"), &match),
                     GD_MATCH_FOUND);
    ck_assert_uint_eq(match.index, 1);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(variables_stand_for_values)
{
    struct gd_plan *plan = plan_accept(
        "listen: ${PORT}\n"
        "workers: \"${NONE:-2}\"\n"
        "upstreams:\n"
        "  a: http://${HOST}:${PORT}\n"
        "  b: http://${EMPTY:-local}\n"
        "  c: {servers: http://h, headers: {X-A: \"$${{HOST}} $5 ${EMPTY}.\"}}\n");

    ck_assert_uint_eq(plan->listens[0].address.port, 8081);
    ck_assert_uint_eq(plan->workers, 2);
    ck_assert_str_eq(plan->upstreams[0].servers[0].name, "10.1.2.3:8081");
    ck_assert_str_eq(plan->upstreams[1].servers[0].name, "local:80");
    span_is(plan->upstreams[2].header_lines,
            "User-Agent: gatherd/" GD_VERSION
            "\r\nAccept: application/json\r\nX-A: ${HOST} $5 .\r\n");
    gd_plan_unref(plan);
    PLAN_REFUSE("upstreams:\n  a: http://h:${PROT}\n  b: \"ü${X}\"\nworkers: ${SECRET}\n"
                "log: {level: \"${SECRET}\"}\n",
                "gw.yaml:2:15: upstreams.a: the environment variable PROT is not set; "
                "${PROT:-default} would give it a default",
                "gw.yaml:3:8: upstreams.b: the environment variable X is not set; "
                "${X:-default} would give it a default",
                "gw.yaml:4:10: workers: expected a whole number from 1 to 256, or auto, "
                "found the value of \"${SECRET}\"",
                "gw.yaml:5:14: log.level: expected error, warn, info or debug, found the "
                "value of \"${SECRET}\"");
    PLAN_REFUSE("workers: ${\nlisten: ${a b}\nadmin: ${file:x}\ndrain: ${}\n",
                "gw.yaml:1:10: workers: ${ without a closing }; a literal ${ is written "
                "$${",
                "gw.yaml:2:9: listen: ${a b} is none of ${NAME}, ${NAME:-default} and "
                "${file:/path}; a literal ${ is written $${",
                "gw.yaml:3:8: admin: ${file:…} needs an absolute path, like "
                "${file:/run/secrets/x}",
                "gw.yaml:4:8: drain: ${} is none of ${NAME}, ${NAME:-default} and "
                "${file:/path}; a literal ${ is written $${");
}
END_TEST

GD_SUITE("plan", a_small_file_gathers, what_is_not_given_has_its_default,
         every_option_of_the_process_reaches_the_plan,
         every_option_of_an_upstream_reaches_the_plan,
         every_option_of_a_route_reaches_the_plan,
         a_literal_host_gets_an_upstream_of_its_own,
         a_mock_has_answers_instead_of_servers, admin_can_be_off_or_local,
         addresses_that_the_system_would_refuse_are_told_by_check,
         addresses_side_by_side_are_accepted, routes_are_found_by_their_index,
         variables_stand_for_values)
