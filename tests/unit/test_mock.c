#include "suite.h"

#include "mock_client.h"

static const char config[] = "upstreams:\n"
                             "  users:\n"
                             "    mock:\n"
                             "      GET /users/{id}:\n"
                             "        json: {id: \"{id}\", q: \"{query.q=none}\"}\n"
                             "      GET /needs: {json: {q: \"{query.q}\"}}\n"
                             "      POST /users: {status: 201, json: {made: true}}\n"
                             "      PUT /users: {status: 204}\n"
                             "      GET /slow: {json: {slow: true}, delay: 250ms}\n"
                             "      GET /broken: {fail: 100%, json: {}}\n"
                             "      GET /flaky: {fail: 20%, json: {}}\n"
                             "      GET /typed:\n"
                             "        json: 1\n"
                             "        headers: {Content-Type: text/x, X-A: b}\n"
                             "      GET /files/{rest...}: {json: \"{rest}\"}\n"
                             "  other: {mock: {GET /: {json: other}}}\n"
                             "routes:\n"
                             "  GET /: {calls: {a: users/users/1, b: other/}}\n";

/* One request on a connection of its own. */
static void asks(struct fixture *f, const char *request, int status, const char *body)
{
    struct client client;

    client_open(f, &client);
    send_text(&client, request);
    wait_answers(&client, 1);
    answer_is(&client, 0, status, body);
    client_close(&client);
}

START_TEST(a_route_answers_its_json)
{
    struct fixture f;

    setup(&f, config);
    asks(&f, "GET /users/7" HOST, 200, "{\"id\":\"7\",\"q\":\"none\"}");
    asks(&f, "GET /users/%22%7e?q=a+%5C" HOST, 200,
         "{\"id\":\"\\\"~\",\"q\":\"a \\\\\"}");
    asks(&f, "GET /files/a/b" HOST, 200, "\"a/b\"");
    asks(&f, "GET /x/../users/7" HOST, 200, "{\"id\":\"7\",\"q\":\"none\"}");
    asks(&f, "PUT /users HTTP/1.1\r\nHost: mock\r\nContent-Length: 0\r\n\r\n", 204, "");
    teardown(&f);
}
END_TEST

START_TEST(each_mock_has_its_own_listener)
{
    struct fixture f;

    setup(&f, config);
    ck_assert_uint_ne(gd_address_port(&f.addresses[0]), 0);
    f.addresses[0] = f.addresses[1];
    asks(&f, "GET /" HOST, 200, "\"other\"");
    teardown(&f);
}
END_TEST

START_TEST(fields_of_the_file_are_sent_and_win_over_the_default)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "GET /typed" HOST "GET /users/1" HOST);
    wait_answers(&client, 1);
    ck_assert(holds(&client, "Content-Type: text/x\r\nX-A: b\r\n"));
    wait_answers(&client, 2);
    ck_assert(holds(&client, "Content-Type: application/json\r\n"));
    ck_assert(holds(&client, "\r\nDate: "));
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(what_no_route_takes_is_a_problem)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    asks(&f, "GET /nothing" HOST, 404,
         "{\"type\":\"about:blank\",\"title\":\"Not "
         "Found\",\"status\":404,\"detail\":\"the mock has no such "
         "route\"}\n");
    asks(&f, "GET /needs" HOST, 500,
         "{\"type\":\"about:blank\",\"title\":\"Internal Server "
         "Error\",\"status\":500,\"detail\":\"a placeholder "
         "of the mock had no value\"}\n");
    client_open(&f, &client);
    send_text(&client, "DELETE /users" HOST);
    wait_answers(&client, 1);
    answer_is(&client, 0, 405,
              "{\"type\":\"about:blank\",\"title\":\"Method Not "
              "Allowed\",\"status\":405,\"detail\":\"the mock's "
              "route has other methods\"}\n");
    ck_assert(holds(&client, "\r\nAllow: POST, PUT\r\n"));
    ck_assert(holds(&client, "\r\nContent-Type: application/problem+json\r\n"));
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(an_answer_that_grows_too_large_is_a_problem)
{
    enum { TIMES = 1000, REST = 5000 };
    static char huge[TIMES * 7 + 512], request[REST + 64];
    struct fixture f;
    size_t len = (size_t)snprintf(huge, sizeof(huge),
                                  "upstreams: {u: {mock: {'GET /{r...}': {json: \"");

    for (int i = 0; i < TIMES; i++, len += 3)
        memcpy(huge + len, "{r}", 3);
    snprintf(huge + len, sizeof(huge) - len,
             "\"}}}}\n"
             "routes: {GET /: {calls: {a: u/1}}}\n");
    len = (size_t)snprintf(request, sizeof(request), "GET /");
    memset(request + len, 'x', REST);
    snprintf(request + len + REST, sizeof(request) - len - REST, "%s", HOST);
    setup(&f, huge);
    asks(&f, request, 500,
         "{\"type\":\"about:blank\",\"title\":\"Internal Server "
         "Error\",\"status\":500,\"detail\":\"the mock's "
         "answer is too large\"}\n");
    teardown(&f);
}
END_TEST

START_TEST(head_gets_the_length_and_no_body)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    client.head_only = true;
    send_text(&client, "HEAD /users/7" HOST "HEAD /nothing" HOST);
    wait_answers(&client, 2);
    answer_is(&client, 0, 200, "");
    answer_is(&client, 1, 404, "");
    ck_assert(holds(&client, "\r\nContent-Length: 21\r\n"));
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(a_delay_holds_up_its_own_connection_only)
{
    struct fixture f;
    struct client slow, quick;
    uint64_t start_us;

    setup(&f, config);
    client_open(&f, &slow);
    client_open(&f, &quick);
    start_us = gd_loop_now_us(f.loop);
    send_text(&slow, "GET /users/1" HOST "GET /slow" HOST "GET /users/2" HOST);
    wait_answers(&slow, 1);
    send_text(&quick, "GET /users/3" HOST);
    wait_answers(&quick, 1);
    slow.wanted = 2;
    ck_assert(!has_answers(&slow));
    wait_answers(&slow, 3);
    ck_assert_uint_ge(gd_loop_now_us(f.loop) - start_us, 240000);
    answer_is(&slow, 1, 200, "{\"slow\":true}");
    answer_is(&slow, 2, 200, "{\"id\":\"2\",\"q\":\"none\"}");
    client_close(&slow);
    client_close(&quick);
    teardown(&f);
}
END_TEST

START_TEST(the_failing_share_fails)
{
    struct fixture f;
    struct client client;
    struct gd_response_head head;
    unsigned failed = 0;

    setup(&f, config);
    asks(&f, "GET /broken" HOST, 500,
         "{\"type\":\"about:blank\",\"title\":\"Internal Server "
         "Error\",\"status\":500,\"detail\":\"the mock fails "
         "this share of requests\"}\n");
    client_open(&f, &client);
    for (int i = 0; i < 500; i++)
        send_text(&client, "GET /flaky" HOST);
    wait_answers(&client, 500);
    for (unsigned i = 0; i < 500; i++) {
        answer(&client, i, &head);
        failed += head.status == 500;
    }
    ck_assert_uint_ge(failed, 60);
    ck_assert_uint_le(failed, 140);
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(bodies_are_read_and_dropped)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "POST /users HTTP/1.1\r\nHost: m\r\nContent-Length: 5\r\n\r\nGET /"
                       "POST /users HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n"
                       "\r\n3\r\nGET\r\n0\r\nA: b\r\n\r\n"
                       "GET /users/1" HOST);
    wait_answers(&client, 3);
    answer_is(&client, 0, 201, "{\"made\":true}");
    answer_is(&client, 1, 201, "{\"made\":true}");
    answer_is(&client, 2, 200, "{\"id\":\"1\",\"q\":\"none\"}");
    client_close(&client);
    client_open(&f, &client);
    send_text(&client,
              "POST /users HTTP/1.1\r\nHost: m\r\nContent-Length: 200000\r\n\r\n");
    for (int i = 0; i < 20000; i++)
        send_text(&client, "0123456789");
    wait_answers(&client, 1);
    answer_is(&client, 0, 201, "{\"made\":true}");
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(who_expects_100_gets_it_before_the_body)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "POST /users HTTP/1.1\r\nHost: m\r\nContent-Length: 2\r\n"
                       "Expect: 100-continue\r\n\r\n");
    wait_answers(&client, 1);
    answer_is(&client, 0, 100, "");
    ck_assert_uint_eq(client.in.len, strlen("HTTP/1.1 100 Continue\r\n\r\n"));
    send_text(&client, "{}");
    wait_answers(&client, 2);
    answer_is(&client, 1, 201, "{\"made\":true}");
    client_close(&client);
    teardown(&f);
}
END_TEST

GD_SUITE("mock", a_route_answers_its_json, each_mock_has_its_own_listener,
         fields_of_the_file_are_sent_and_win_over_the_default,
         what_no_route_takes_is_a_problem, an_answer_that_grows_too_large_is_a_problem,
         head_gets_the_length_and_no_body,

         a_delay_holds_up_its_own_connection_only, the_failing_share_fails,
         bodies_are_read_and_dropped, who_expects_100_gets_it_before_the_body)
