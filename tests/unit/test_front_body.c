/*
 * The front with request bodies in pieces.
 */
#include "front_flow.h"

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void check_body(struct flow *flow, const char *text)
{
    ck_assert_uint_eq(flow->ends, 1);
    ck_assert_uint_eq(flow->body_len, strlen(text));
    ck_assert_int_eq(memcmp(flow->body, text, flow->body_len), 0);
}

static void answer_ok(struct flow *flow)
{
    open_answer(flow, 200, 2);
    ck_assert(write_piece(flow, "ok", true));
}

START_TEST(a_body_comes_in_pieces_however_it_is_cut)
{
    static const char *const texts[] = {
        POST "Content-Length: 11\r\n\r\nhello world",
        POST "Transfer-Encoding: chunked\r\n\r\n"
             "5;x=y\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-T: 1\r\n\r\n",
    };
    struct flow flow;

    flow_init(&flow);
    rig_start(&flow.rig);
    for (size_t i = 0; i < 2; i++)
        for (size_t cut = 1; cut <= strlen(texts[i]); cut++) {
            struct client client;

            client_open(&client, &flow.rig);
            ck_assert(client_send(&client, texts[i], cut));
            rig_run(&flow.rig, 1);
            ck_assert(client_say(&client, texts[i] + cut));
            await_request(&flow);
            for (int turn = 0; turn < 100 && flow.ends == 0; turn++)
                rig_run(&flow.rig, 1);
            check_body(&flow, "hello world");
            ck_assert_uint_le(flow.pieces, 3);
            answer_ok(&flow);
            client_wait(&client, 1);
            ck_assert_str_eq(client.verdict, "200");
            client_close(&client);
        }
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_empty_body_has_one_end_and_no_body_has_none)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 0\r\n\r\n");
    check_body(&flow, "");
    ck_assert_uint_eq(flow.pieces, 1);
    answer_ok(&flow);
    ck_assert(client_say(&client, GET));
    await_request(&flow);
    ck_assert_uint_eq(flow.pieces, 0);
    answer_ok(&flow);
    client_wait(&client, 2);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_paused_body_waits_and_so_does_100_continue)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    flow.rig.limits.body_timeout_ms = 40; /* does not run meanwhile */
    flow.paused_at_first = true;
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    rig_run(&flow.rig, 100);
    client_read(&client);
    ck_assert_uint_eq(client.len, 0);
    gd_request_pause_body(flow.request, false);
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "HTTP/1.1 100 Continue\r\n\r\n"));
    gd_request_pause_body(flow.request, true);
    ck_assert(client_say(&client, "abc"));
    rig_run(&flow.rig, 100);
    ck_assert_uint_eq(flow.pieces, 0);
    gd_request_pause_body(flow.request, false);
    rig_run(&flow.rig, 10);
    check_body(&flow, "abc");
    answer_ok(&flow);
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "100 200");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(bodies_that_are_refused_end_the_request)
{
    static const struct {
        const char *text;
        int status;
        enum gd_stat_worker counter;
        unsigned requests;
    } cases[] = {
        {POST "Content-Length: 1001\r\n\r\n", 413, GD_WORKER_REJECTED_BODY, 0},
        {POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413, GD_WORKER_REJECTED_BODY,
         1},
        {POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab", 400,
         GD_WORKER_REJECTED_MALFORMED, 1},
        {POST "Content-Length: 5\r\n\r\nab", 408, GD_WORKER_TIMEOUT_BODY, 1},
    };

    for (size_t i = 0; i < 4; i++) {
        char more[1001], verdict[32];
        struct flow flow;
        struct client client;

        memset(more, 'x', sizeof(more));
        flow_init(&flow);
        flow.rig.limits.body_timeout_ms = 50;
        rig_start(&flow.rig);
        client_open(&client, &flow.rig);
        ck_assert(client_say(&client, cases[i].text));
        if (i == 1)
            ck_assert(client_send(&client, more, sizeof(more)));
        client_wait(&client, 1);
        snprintf(verdict, sizeof(verdict), "%d cl", cases[i].status);
        client_wait_closed(&client);
        ck_assert_str_eq(client.verdict, verdict);
        ck_assert_uint_eq(flow.rig.stats[cases[i].counter], 1);
        ck_assert_uint_eq(flow.rig.requests, cases[i].requests);
        ck_assert_uint_eq(flow.rig.gone, 1);
        ck_assert_int_eq(flow.rig.refused, cases[i].status);
        client_close(&client);
        rig_stop(&flow.rig);
    }
}
END_TEST

START_TEST(a_body_that_fails_behind_an_open_answer_breaks_it_off)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "x", false));
    get_all(&flow, &client);
    ck_assert(client_say(&client, "1\r\nb\r\n"));
    rig_run(&flow.rig, 10);
    ck_assert_uint_eq(flow.body_len, 2); /* both directions at once */
    ck_assert(client_say(&client, "zz"));
    get_all(&flow, &client);
    ck_assert(client.reset);
    ck_assert_uint_eq(flow.rig.gone, 1);
    ck_assert_uint_eq(flow.rig.releases, 1);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_slow_body_that_goes_on_is_not_late)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    flow.rig.limits.body_timeout_ms = 200;
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 10\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        rig_run(&flow.rig, 40);
        ck_assert(client_say(&client, "x"));
    }
    rig_run(&flow.rig, 5);
    check_body(&flow, "xxxxxxxxxx");
    answer_ok(&flow);
    client_wait(&client, 1);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_answer_before_the_end_of_a_small_body_keeps_the_connection)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    flow.paused_at_first = true;
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 10\r\n\r\nabc");
    answer_ok(&flow);
    ck_assert(client_say(&client, "defghij" GET));
    await_request(&flow);
    ck_assert_uint_eq(flow.pieces, 0);
    answer_ok(&flow);
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "200 200");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_client_that_leaves_in_the_middle_of_its_body_is_gone)
{
    struct flow flow;

    for (int abort = 0; abort < 2; abort++) {
        struct client client;

        flow_init(&flow);
        rig_start(&flow.rig);
        begin(&flow, &client, POST "Content-Length: 10\r\n\r\nabc");
        if (abort)
            client_abort(&client);
        else
            client_close(&client);
        ck_assert(gd_loop_run_until(flow.rig.loop, is_gone, &flow, 1000));
        ck_assert_int_eq(flow.rig.refused, 0);
        ck_assert_uint_eq(flow.ends, 0);
        rig_stop(&flow.rig);
    }
}
END_TEST

GD_SUITE("front body", a_body_comes_in_pieces_however_it_is_cut,
         an_empty_body_has_one_end_and_no_body_has_none,
         a_paused_body_waits_and_so_does_100_continue,
         bodies_that_are_refused_end_the_request,
         a_body_that_fails_behind_an_open_answer_breaks_it_off,
         a_slow_body_that_goes_on_is_not_late,
         an_answer_before_the_end_of_a_small_body_keeps_the_connection,
         a_client_that_leaves_in_the_middle_of_its_body_is_gone)
