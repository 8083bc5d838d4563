#include "suite.h"

#include <sys/resource.h>
#include <unistd.h>

#include "mock_client.h"

static const char config[] = "upstreams:\n"
                             "  users:\n"
                             "    mock:\n"
                             "      GET /users/{id}: {json: {id: \"{id}\"}}\n"
                             "      POST /users: {status: 201, json: {made: true}}\n"
                             "      GET /slow: {json: {slow: true}, delay: 60ms}\n"
                             "      GET /later: {json: 1, delay: 1h}\n"
                             "      GET /large/{rest...}:\n"
                             "        json: [\"{rest}{rest}{rest}{rest}{rest}{rest}\"]\n"
                             "routes:\n"
                             "  GET /: {calls: {a: users/users/1}}\n";

/* Sends text and expects one answer with the status, then the end. */
static void ends_with(struct fixture *f, const char *text, int status)
{
    struct client client;
    struct gd_response_head head;

    client_open(f, &client);
    send_text(&client, text);
    ck_assert(gd_loop_run_until(f->loop, has_ended, &client, 5000));
    answer(&client, 0, &head);
    ck_assert_uint_eq(client.starts[1], client.in.len);
    ck_assert_int_eq(head.status, status);
    ck_assert(!head.keep_alive);
    client_close(&client);
}

START_TEST(pipelined_requests_are_answered_in_order)
{
    enum { REQUESTS = 2000 };
    struct fixture f;
    struct client client;
    char text[64];

    setup(&f, config);
    client_open(&f, &client);
    /* During the delay more comes in than the mock reads ahead. */
    send_text(&client, "GET /slow" HOST);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(text, sizeof(text), "GET /users/%d" HOST, i);
        send_text(&client, text);
    }
    wait_answers(&client, REQUESTS + 1);
    for (int i = 0; i < REQUESTS; i += 37) {
        snprintf(text, sizeof(text), "{\"id\":\"%d\"}", i);
        answer_is(&client, (unsigned)i + 1, 200, text);
    }
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(a_peer_that_has_sent_all_still_gets_its_answer)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "GET /slow" HOST);
    gd_loop_run_until(f.loop, never, NULL, 20);
    gd_stream_shutdown(&client.stream);
    wait_answers(&client, 1);
    answer_is(&client, 0, 200, "{\"slow\":true}");
    ck_assert(gd_loop_run_until(f.loop, has_ended, &client, 5000));
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(the_connection_ends_when_the_peer_wants_it)
{
    struct fixture f;

    setup(&f, config);
    ends_with(&f, "GET /users/1 HTTP/1.0\r\n\r\n", 200);
    ends_with(&f,
              "GET /users/1 HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n"
              "GET /users/2" HOST,
              200);
    teardown(&f);
}
END_TEST

START_TEST(an_old_peer_that_asks_keeps_its_connection)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    for (unsigned i = 1; i <= 2; i++) {
        send_text(&client, "GET /users/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        wait_answers(&client, i);
        ck_assert(!client.eof);
    }
    ck_assert(holds(&client, "\r\nConnection: keep-alive\r\n"));
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(a_request_that_drips_in_is_answered)
{
    const char *text = "POST /users HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n"
                       "\r\n2;x=y\r\n{}\r\n0\r\n\r\n";
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    for (; *text; text++) {
        ck_assert_uint_eq(client.in.len, 0);
        ck_assert(gd_buf_add(&client.out, text, 1));
        gd_stream_want_write(&client.stream, true);
        gd_loop_run_until(f.loop, never, NULL, 1);
    }
    wait_answers(&client, 1);
    answer_is(&client, 0, 201, "{\"made\":true}");
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(what_is_not_http_is_refused_and_ends_the_connection)
{
    struct fixture f;

    setup(&f, config);
    ends_with(&f, "\x16\x03\x01 hello\r\n\r\n", 400);
    ends_with(&f, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" HOST, 400);
    ends_with(&f, "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505);
    ends_with(&f,
              "POST /users HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\nxyz"
              "GET /users/1" HOST,
              400);
    teardown(&f);
}
END_TEST

START_TEST(a_peer_that_reads_late_loses_nothing)
{
    enum { REQUESTS = 400 };
    struct fixture f;
    struct client client;
    char text[7000];
    int len = snprintf(text, sizeof(text), "GET /large/");

    setup(&f, config);
    memset(text + len, 'x', 6000);
    snprintf(text + len + 6000, sizeof(text) - (size_t)len - 6000, "%s", HOST);
    client_open(&f, &client);
    gd_stream_want_read(&client.stream, false);
    for (int i = 0; i < REQUESTS; i++)
        send_text(&client, text);
    gd_loop_run_until(f.loop, never, NULL, 100);
    gd_stream_want_read(&client.stream, true);
    wait_answers(&client, REQUESTS);
    ck_assert_uint_gt(client.in.len, REQUESTS * 36000);
    client_close(&client);
    teardown(&f);
}
END_TEST

/* Runs the loop until the mocks have as many connections. */
static void wait_connections(struct fixture *f, unsigned count)
{
    for (int i = 0; i < 5000 && f->mocks->conn_count != count; i++)
        gd_loop_run_until(f->loop, never, NULL, 1);
    ck_assert_uint_eq(f->mocks->conn_count, count);
}

/* Whether a connection that has sent text is closed after `ms`, and not before. */
static void is_cut_after(struct fixture *f, const char *text, uint64_t ms)
{
    uint64_t before_us = gd_loop_now_us(f->loop);
    struct client client;

    client_open(f, &client);
    if (*text)
        send_text(&client, text);
    wait_connections(f, 1);
    gd_loop_run_until(f->loop, never, NULL, 20);
    gd_mock_conns_sweep(f->mocks, before_us + ms * 1000 - 1);
    ck_assert_uint_eq(f->mocks->conn_count, 1);
    gd_mock_conns_sweep(f->mocks, gd_loop_now_us(f->loop) + ms * 1000);
    ck_assert_uint_eq(f->mocks->conn_count, 0);
    ck_assert(gd_loop_run_until(f->loop, has_ended, &client, 5000));
    client_close(&client);
}

START_TEST(every_wait_for_the_peer_has_a_deadline)
{
    struct fixture f;

    setup(&f, config);
    is_cut_after(&f, "", 75000);
    is_cut_after(&f, "GET /users/1" HOST, 75000);
    is_cut_after(&f, "GET /users/1 HTTP/1.1\r\n", 10000);
    is_cut_after(&f, "POST /users HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\nabc",
                 30000);
    is_cut_after(&f, "nonsense\r\n\r\n", 2000);
    teardown(&f);
}
END_TEST

START_TEST(a_peer_that_never_reads_is_cut)
{
    struct fixture f;
    struct client client;
    char text[7000];
    int len = snprintf(text, sizeof(text), "GET /large/");

    setup(&f, config);
    memset(text + len, 'x', 6000);
    snprintf(text + len + 6000, sizeof(text) - (size_t)len - 6000, "%s", HOST);
    client_open(&f, &client);
    gd_stream_want_read(&client.stream, false);
    for (int i = 0; i < 400; i++)
        send_text(&client, text);
    gd_loop_run_until(f.loop, never, NULL, 300);
    ck_assert_uint_eq(f.mocks->conn_count, 1);
    gd_mock_conns_sweep(f.mocks, gd_loop_now_us(f.loop) + 30000 * (uint64_t)1000);
    ck_assert_uint_eq(f.mocks->conn_count, 0);
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(deadlines_are_looked_at_while_there_are_connections)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    ck_assert(!gd_timer_armed(&f.mocks->sweep));
    client_open(&f, &client);
    send_text(&client, "nonsense\r\n\r\n");
    wait_connections(&f, 1);
    ck_assert(gd_timer_armed(&f.mocks->sweep));
    for (int i = 0; i < 200 && f.mocks->conn_count; i++)
        gd_loop_run_until(f.loop, never, NULL, 50);
    ck_assert_uint_eq(f.mocks->conn_count, 0);
    ck_assert(!gd_timer_armed(&f.mocks->sweep));
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(a_delay_is_no_wait_for_the_peer)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "GET /later" HOST);
    wait_connections(&f, 1);
    gd_loop_run_until(f.loop, never, NULL, 20);
    gd_mock_conns_sweep(f.mocks, gd_loop_now_us(f.loop) + 3000000 * (uint64_t)1000);
    ck_assert_uint_eq(f.mocks->conn_count, 1);
    client_close(&client);
    teardown(&f);
}
END_TEST

static int free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

/* Valgrind accepts a connection and drops it when there is no descriptor left. */
static bool is_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "valgrind");
}

START_TEST(a_connection_waits_while_there_are_no_descriptors)
{
    struct fixture f;
    struct client client;
    struct rlimit before, few;

    if (is_valgrind())
        return;
    setup(&f, config);
    client_open(&f, &client);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = (rlim_t)free_descriptor();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    send_text(&client, "GET /users/1" HOST);
    gd_loop_run_until(f.loop, never, NULL, 50);
    ck_assert_uint_eq(f.mocks->conn_count, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    wait_answers(&client, 1);
    answer_is(&client, 0, 200, "{\"id\":\"1\"}");
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(closing_the_mocks_closes_connections_in_any_state)
{
    static const char *const texts[] = {
        "",
        "GET /later" HOST,
        "GET /users/1" HOST,
        "GET",
        "nonsense\r\n\r\n",
        "POST /users HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\nabc"};
    enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
    int before = free_descriptor();
    struct client clients[COUNT];
    struct fixture f;

    setup(&f, config);
    for (int i = 0; i < COUNT; i++) {
        client_open(&f, &clients[i]);
        if (*texts[i])
            send_text(&clients[i], texts[i]);
    }
    wait_connections(&f, COUNT);
    gd_loop_run_until(f.loop, never, NULL, 20);
    gd_mocks_free(f.mocks);
    f.mocks = NULL;
    for (int i = 0; i < COUNT; i++) {
        ck_assert(gd_loop_run_until(f.loop, has_ended, &clients[i], 5000));
        client_close(&clients[i]);
    }
    teardown(&f);
    ck_assert_int_eq(free_descriptor(), before);
}
END_TEST

START_TEST(peers_that_leave_in_any_state_are_forgotten)
{
    static const char *const texts[] = {
        "",
        "GET /slow" HOST,
        "GET /users/1" HOST,
        "GET",
        "nonsense\r\n\r\n",
        "POST /users HTTP/1.1\r\nHost: m\r\nContent-Length: 9\r\n\r\nabc"};
    struct fixture f;

    setup(&f, config);
    for (int i = 0; i < 100; i++) {
        const char *text = texts[i % 6];
        struct client client;

        client_open(&f, &client);
        if (*text)
            send_text(&client, text);
        gd_loop_run_until(f.loop, never, NULL, 1);
        gd_stream_close(&client.stream, i % 2);
        client_close(&client);
    }
    wait_connections(&f, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_header_of_the_connection_cannot_be_set)
{
    struct fixture f;
    struct gd_plan_header header = {GD_SPAN("transfer-encoding"), GD_SPAN("chunked")};
    struct gd_plan_mock_route *route;
    struct gd_err err;

    setup(&f, config);
    gd_mocks_free(f.mocks);
    route = &f.plan->upstreams[0].mock->routes[0];
    route->headers = &header;
    route->header_count = 1;
    f.mocks = gd_mocks_new(f.loop, f.plan, f.addresses, &err);
    ck_assert_ptr_null(f.mocks);
    ck_assert_str_eq(err.text, "a mock can't set transfer-encoding: it belongs to the "
                               "connection");
    header.name = GD_SPAN("a b");
    f.mocks = gd_mocks_new(f.loop, f.plan, f.addresses, &err);
    ck_assert_ptr_null(f.mocks);
    ck_assert_str_eq(err.text, "the status or a header of a mock's answer is not valid");
    teardown(&f);
}
END_TEST

GD_SUITE("mock_conn", pipelined_requests_are_answered_in_order,
         a_peer_that_has_sent_all_still_gets_its_answer,
         the_connection_ends_when_the_peer_wants_it,
         an_old_peer_that_asks_keeps_its_connection, a_request_that_drips_in_is_answered,
         what_is_not_http_is_refused_and_ends_the_connection,
         a_peer_that_reads_late_loses_nothing, every_wait_for_the_peer_has_a_deadline,
         deadlines_are_looked_at_while_there_are_connections,
         a_peer_that_never_reads_is_cut, a_delay_is_no_wait_for_the_peer,
         a_connection_waits_while_there_are_no_descriptors,
         closing_the_mocks_closes_connections_in_any_state,
         peers_that_leave_in_any_state_are_forgotten,
         a_header_of_the_connection_cannot_be_set)
