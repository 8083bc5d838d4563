/* The engine as a whole: real sockets, mock upstreams. */
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "gateway.h"

static char answer[65536];

static const char profile[] =
    "upstreams:\n"
    "  users:  {mock: {\"GET /users/{id}\": {json: {id: \"{id}\"}, "
    "delay: 300ms}}}\n"
    "  orders: {mock: {\"GET /by/{id}\": {json: [1, 2], delay: "
    "200ms}}}\n"
    "  tips:   {mock: {GET /tips: {json: [], delay: 100ms}}}\n"
    "routes:\n"
    "  GET /profile/{id}:\n"
    "    calls:\n"
    "      user: users/users/{id}\n"
    "      orders: orders/by/{id}\n"
    "      tips: tips/tips\n";

START_TEST(parts_come_in_the_order_of_the_file_in_the_time_of_the_slowest)
{
    struct gateway *gateway = gateway_start(profile);
    double start = now_ms();

    ck_assert_int_eq(client_ask(gateway, "GET", "/profile/7", answer, sizeof(answer)),
                     200);
    ck_assert_str_eq(client_body(answer),
                     "{\"user\":{\"id\":\"7\"},\"orders\":[1,2],\"tips\":[]}");
    ck_assert(now_ms() - start < 550);
    ck_assert_str_eq(client_field(answer, "Content-Type"), "application/json");
    ck_assert_ptr_null(client_field(answer, "Gather-Parts"));
    ck_assert_uint_eq(strlen(client_field(answer, "X-Request-Id")), 32);
    gateway_end(gateway);
}
END_TEST

START_TEST(a_kept_alive_connection_is_answered_again_and_again)
{
    struct gateway *gateway = gateway_start(profile);
    int fd = gateway_connect(gateway);

    for (int i = 0; i < 3; i++) {
        client_send(fd, "GET /profile/a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_int_eq(client_read(fd, false, answer, sizeof(answer)), 200);
        ck_assert_ptr_nonnull(strstr(answer, "{\"user\":{\"id\":\"a/b\"}"));
    }
    close(fd);
    ck_assert(gateway_counts(
        gateway, &gateway_stats(gateway)->servers[0]->values[GD_SERVER_CONNECTS], 1));
    ck_assert(gateway_counts(
        gateway, &gateway_stats(gateway)->servers[0]->values[GD_SERVER_REUSES], 2));
    gateway_end(gateway);
}
END_TEST

static const char failing[] =
    "upstreams:\n"
    "  good: {mock: {GET /x: {json: 1}, GET /slow: {json: 2, delay: 5s}}}\n"
    "  bad:  {mock: {GET /x: {status: 503}, GET /gone: {status: 404}}}\n"
    "  none: http://127.0.0.1:1\n"
    "routes:\n"
    "  GET /required: {calls: {a: good/slow, b: bad/x}}\n"
    "  GET /gone: {calls: {a: bad/gone}}\n"
    "  GET /dead: {calls: {a: none/x}}\n"
    "  GET /late: {timeout: 80ms, calls: {a: good/slow}}\n"
    "  GET /waits: {timeout: 4s, calls: {a: good/slow}}\n"
    "  GET /partly:\n"
    "    timeout: 90ms\n"
    "    calls:\n"
    "      a: good/x\n"
    "      b: {url: bad/x, optional: true}\n"
    "      c: {url: good/slow, default: [\"later\"]}\n"
    "      d: {url: good/slow, default: 0, timeout: 30ms, hidden: true}\n"
    "      \"e f\": {url: none/x, optional: true}\n";

START_TEST(a_failed_required_call_cancels_the_rest_and_is_told_as_a_problem)
{
    struct gateway *gateway = gateway_start(failing);
    double start = now_ms();

    ck_assert_int_eq(client_ask(gateway, "GET", "/required", answer, sizeof(answer)),
                     502);
    ck_assert(now_ms() - start < 1000);
    ck_assert_str_eq(client_field(answer, "Content-Type"), "application/problem+json");
    ck_assert_ptr_nonnull(strstr(answer, "\"call\":\"b\",\"class\":\"status\""));
    ck_assert_ptr_null(strstr(answer, "127.0.0.1"));
    ck_assert_int_eq(client_ask(gateway, "GET", "/gone", answer, sizeof(answer)), 404);
    ck_assert_int_eq(client_ask(gateway, "GET", "/dead", answer, sizeof(answer)), 502);
    ck_assert_ptr_nonnull(strstr(answer, "\"class\":\"connect\""));
    gateway_end(gateway);
}
END_TEST

START_TEST(the_deadline_of_the_route_holds)
{
    struct gateway *gateway = gateway_start(failing);
    double start = now_ms();

    ck_assert_int_eq(client_ask(gateway, "GET", "/late", answer, sizeof(answer)), 504);
    ck_assert(now_ms() - start < 400);
    ck_assert_ptr_nonnull(strstr(answer, "\"call\":\"a\",\"class\":\"timeout\""));
    gateway_end(gateway);
}
END_TEST

START_TEST(optional_calls_fail_softly_and_the_answer_says_so)
{
    struct gateway *gateway = gateway_start(failing);

    ck_assert_int_eq(client_ask(gateway, "GET", "/partly", answer, sizeof(answer)), 200);
    ck_assert_str_eq(client_body(answer),
                     "{\"a\":1,\"b\":null,\"c\":[\"later\"],\"e f\":null}");
    ck_assert_str_eq(client_field(answer, "Gather-Parts"),
                     "a, b;error=status, c;error=timeout, d;error=timeout, \"e f\";"
                     "error=connect");
    gateway_end(gateway);
}
END_TEST

/* The longest names that are allowed, most of them characters that need an escape. */
START_TEST(an_answer_with_many_failed_calls_names_them_all)
{
    struct gateway *gateway;
    struct gd_buf text;
    const char *parts;

    gd_buf_init(&text, NULL, 1 << 20);
    ck_assert(gd_buf_add_text(&text, "upstreams: {u: {mock: {GET /x: {status: 500}}}}\n"
                                     "routes:\n  GET /x:\n    calls:\n"));
    for (int i = 0; i < 64; i++) {
        ck_assert(gd_buf_addf(&text, "      '%03d", i));
        for (int n = 3; n < 128; n++)
            ck_assert(gd_buf_add_text(&text, "\\"));
        ck_assert(gd_buf_add_text(&text, "': {url: u/x, optional: true}\n"));
    }
    ck_assert(gd_buf_add(&text, "", 1));
    gateway = gateway_start(text.data);
    ck_assert_int_eq(client_ask(gateway, "GET", "/x", answer, sizeof(answer)), 200);
    parts = strstr(answer, "Gather-Parts: ");
    ck_assert_ptr_nonnull(parts);
    for (int i = 0; i < 64; i++)
        ck_assert_ptr_nonnull(parts = strstr(parts + 1, ";error=status"));
    gateway_end(gateway);
    gd_buf_free(&text);
}
END_TEST

START_TEST(methods_and_unknown_paths_are_answered)
{
    struct gateway *gateway = gateway_start(profile);

    ck_assert_int_eq(client_ask(gateway, "GET", "/nothing", answer, sizeof(answer)), 404);
    ck_assert_int_eq(client_ask(gateway, "POST", "/profile/1", answer, sizeof(answer)),
                     405);
    ck_assert_str_eq(client_field(answer, "Allow"), "GET, HEAD, OPTIONS");
    ck_assert_int_eq(client_ask(gateway, "OPTIONS", "/profile/1", answer, sizeof(answer)),
                     204);
    ck_assert_str_eq(client_field(answer, "Allow"), "GET, HEAD, OPTIONS");
    ck_assert_int_eq(client_ask(gateway, "OPTIONS", "*", answer, sizeof(answer)), 204);
    ck_assert_int_eq(client_ask(gateway, "HEAD", "/profile/1", answer, sizeof(answer)),
                     200);
    ck_assert_str_eq(client_field(answer, "Content-Length"), "44");
    ck_assert_str_eq(client_body(answer), "");
    gateway_end(gateway);
}
END_TEST

START_TEST(a_refused_body_counts_as_an_answer_of_its_route)
{
    struct gateway *gateway =
        gateway_start("upstreams: {u: http://127.0.0.1:1}\n"
                      "routes: {POST /x: {max_body: 1KiB, calls: {a: u/x}}}\n");
    struct gd_route_stats *route = gateway_stats(gateway)->routes[0];
    int fd = gateway_connect(gateway);

    client_send(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n");
    ck_assert_int_eq(client_read(fd, false, answer, sizeof(answer)), 413);
    close(fd);
    ck_assert(gateway_counts(gateway, &route->values[GD_ROUTE_STATUS_4XX], 1));
    ck_assert(gateway_counts(gateway, &route->values[GD_ROUTE_CLIENT_GONE], 0));
    gateway_end(gateway);
}
END_TEST

START_TEST(a_client_that_leaves_frees_its_calls)
{
    struct gateway *gateway = gateway_start(failing);
    struct gd_stats *stats = gateway_stats(gateway);
    int fd = gateway_connect(gateway);
    double start;

    client_send(fd, "GET /required HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(client_read(fd, false, answer, sizeof(answer)), 502);
    client_send(fd, "GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(
        gateway_counts(gateway, &stats->upstreams[0]->values[GD_UPSTREAM_IN_FLIGHT], 1));
    start = now_ms();
    close(fd);
    ck_assert(
        gateway_counts(gateway, &stats->upstreams[0]->values[GD_UPSTREAM_IN_FLIGHT], 0));
    ck_assert(now_ms() - start < 1000);
    ck_assert(gateway_counts(gateway, &stats->worker[GD_WORKER_CLIENT_GONE], 1));
    gateway_end(gateway);
}
END_TEST

static int ask_admin(struct gateway *gateway, const char *request)
{
    int fd = gateway_connect_admin(gateway);
    int status;

    client_send(fd, request);
    status = client_read(fd, false, answer, sizeof(answer));
    close(fd);
    return status;
}

START_TEST(the_admin_endpoint_shows_what_happened)
{
    struct gateway *gateway = gateway_start(profile);

    ck_assert_int_eq(client_ask(gateway, "GET", "/profile/1", answer, sizeof(answer)),
                     200);
    ck_assert_int_eq(
        ask_admin(gateway, "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    ck_assert_ptr_nonnull(strstr(answer, "\"route\": \"GET /profile/{id}\""));
    ck_assert_ptr_nonnull(strstr(answer, "\"2xx\": 1"));
    ck_assert_int_eq(
        ask_admin(gateway, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    ck_assert_ptr_nonnull(
        strstr(answer, "gatherd_route_answers_total{route=\"GET /profile/{id}\","
                       "status=\"2xx\"} 1\n"));
    ck_assert_int_eq(
        ask_admin(gateway, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    ck_assert_int_eq(
        ask_admin(gateway, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    ck_assert_int_eq(
        ask_admin(gateway, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"), 404);
    ck_assert_int_eq(ask_admin(gateway, "POST /status HTTP/1.1\r\nHost: localhost\r\n"
                                        "Content-Length: 0\r\n\r\n"),
                     405);
    gateway_end(gateway);
}
END_TEST

START_TEST(operators_are_not_bound_by_the_limits_of_clients)
{
    struct gateway *gateway =
        gateway_start("limits: {header_fields: 1, header_bytes: 256B, connections: 1}\n"
                      "upstreams: {u: {mock: {GET /x: {json: 1}}}}\n"
                      "routes: {GET /x: {calls: {a: u/x}}}\n");
    int other = gateway_connect_admin(gateway);

    ck_assert_int_eq(ask_admin(gateway, "GET /status HTTP/1.1\r\nHost: localhost\r\n"
                                        "User-Agent: Prometheus/3\r\n"
                                        "Accept: text/plain\r\n\r\n"),
                     200);
    close(other);
    gateway_end(gateway);
}
END_TEST

static int ask_with(struct gateway *gateway, const char *path, const char *authorization)
{
    char request[256];

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n%s%s\r\n", path,
             authorization, *authorization ? "\r\n" : "");
    return ask_admin(gateway, request);
}

START_TEST(pages_that_tell_much_need_the_token_that_is_set)
{
    static const char *const wrong[] = {"",
                                        "Authorization: Bearer s3cre",
                                        "Authorization: Bearer s3crets",
                                        "Authorization: Bearer S3cret",
                                        "Authorization: Bearer ",
                                        "Authorization: Bearer",
                                        "Authorization: s3cret",
                                        "Authorization: Basic s3cret",
                                        "X-Authorization: Bearer s3cret"};
    struct gateway *gateway =
        gateway_start("admin: {token: s3cret}\n"
                      "upstreams: {u: {mock: {GET /x: {json: 1}}}}\n"
                      "routes: {GET /x: {calls: {a: u/x}}}\n");

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ck_assert_int_eq(ask_with(gateway, "/status", wrong[i]), 401);
        ck_assert_str_eq(client_field(answer, "WWW-Authenticate"), "Bearer");
        ck_assert_ptr_null(strstr(answer, "s3cret"));
        ck_assert_int_eq(ask_with(gateway, "/metrics", wrong[i]), 401);
    }
    ck_assert_int_eq(ask_with(gateway, "/status", "Authorization: bearer s3cret"), 200);
    ck_assert_ptr_null(strstr(answer, "s3cret"));
    ck_assert_int_eq(ask_with(gateway, "/metrics", "Authorization: Bearer s3cret"), 200);
    ck_assert_int_eq(ask_with(gateway, "/healthz", ""), 200);
    ck_assert_int_eq(ask_with(gateway, "/readyz", ""), 200);
    gateway_end(gateway);
}
END_TEST

GD_SUITE("engine", parts_come_in_the_order_of_the_file_in_the_time_of_the_slowest,
         a_kept_alive_connection_is_answered_again_and_again,
         a_failed_required_call_cancels_the_rest_and_is_told_as_a_problem,
         the_deadline_of_the_route_holds,
         optional_calls_fail_softly_and_the_answer_says_so,
         an_answer_with_many_failed_calls_names_them_all,
         operators_are_not_bound_by_the_limits_of_clients,
         methods_and_unknown_paths_are_answered, a_client_that_leaves_frees_its_calls,
         a_refused_body_counts_as_an_answer_of_its_route,
         the_admin_endpoint_shows_what_happened,
         pages_that_tell_much_need_the_token_that_is_set)
