/*
 * The front with answers in pieces.
 */
#include "front_flow.h"

enum { BIG = 16 << 20 };

START_TEST(pieces_of_unknown_length_are_chunks_and_the_connection_goes_on)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    for (unsigned i = 1; i <= 2; i++) {
        open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
        get_all(&flow, &client);
        if (i == 1)
            ck_assert_uint_eq(client.len, 0); /* the head waits for the first piece */
        ck_assert(write_piece(&flow, "hello", false));
        ck_assert(write_piece(&flow, "", false));
        ck_assert(write_piece(&flow, " wonderful world", false));
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_IN_FLIGHT], 1);
        ck_assert(write_piece(&flow, "!", true));
        ck_assert_uint_eq(flow.rig.releases, i);
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_IN_FLIGHT], 0);
        get_all(&flow, &client);
        ck_assert(has(&client, "\r\nTransfer-Encoding: chunked\r\n"));
        ck_assert(!has(&client, "Content-Length"));
        ck_assert(ends_with(&client, "\r\n\r\n5\r\nhello\r\n10\r\n wonderful world\r\n"
                                     "1\r\n!\r\n0\r\n\r\n"));
        if (i == 1) {
            ck_assert(client_say(&client, GET));
            await_request(&flow);
        }
    }
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(the_head_can_be_sent_alone_and_so_can_the_end)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "", false));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "\r\n\r\n"));
    ck_assert(write_piece(&flow, "x", false));
    ck_assert(write_piece(&flow, "", true));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "\r\n\r\n1\r\nx\r\n0\r\n\r\n"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_known_length_is_told)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, 5);
    ck_assert(write_piece(&flow, "he", false));
    ck_assert(write_piece(&flow, "llo", true));
    client_wait(&client, 1);
    ck_assert_body(&client, "hello");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(answers_without_body_leave_the_pieces_out)
{
    static const struct {
        const char *method;
        int status;
        size_t length;
        const char *field;
    } cases[] = {{"HEAD", 200, 5, "Content-Length: 5\r\n"},
                 {"HEAD", 200, GD_LENGTH_UNKNOWN, NULL},
                 {"GET", 204, GD_LENGTH_UNKNOWN, NULL},
                 {"GET", 304, GD_LENGTH_UNKNOWN, NULL}};
    struct flow flow;

    flow_init(&flow);
    rig_start(&flow.rig);
    for (size_t i = 0; i < 4; i++) {
        struct client client;
        char text[64];

        snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].method);
        begin(&flow, &client, text);
        open_answer(&flow, cases[i].status, cases[i].length);
        ck_assert(write_piece(&flow, "he", false));
        ck_assert(write_piece(&flow, "llo", true));
        get_all(&flow, &client);
        ck_assert(ends_with(&client, "\r\n\r\n"));
        ck_assert(!has(&client, "hello") && !has(&client, "chunked"));
        ck_assert(has(&client, "Content-Length") == (cases[i].field != NULL));
        if (cases[i].field)
            ck_assert(has(&client, cases[i].field));
        ck_assert(!client.eof);
        client_close(&client);
    }
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_old_client_gets_the_end_of_the_connection)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "hello", false));
    ck_assert(write_piece(&flow, " world", true));
    get_all(&flow, &client);
    ck_assert(client.eof && !client.reset);
    ck_assert(has(&client, "Connection: close\r\n"));
    ck_assert(ends_with(&client, "\r\n\r\nhello world"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_piece_the_socket_does_not_take_stays_borrowed_until_it_does)
{
    static char big[BIG];
    struct flow flow;
    struct client client;
    struct iovec iov = {big, BIG};

    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i % 251);
    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, 2 * (size_t)BIG);
    for (unsigned i = 1; i <= 2; i++) {
        flow.held = true;
        ck_assert(!gd_request_write(flow.request, &iov, 1, i == 2));
        rig_run(&flow.rig, 20);
        ck_assert(flow.held);
        for (int turn = 0; turn < 1000 && client.len < i * (size_t)BIG; turn++) {
            client_read(&client);
            rig_run(&flow.rig, 1);
        }
        ck_assert_uint_eq(flow.writable, 1); /* none for the last piece */
    }
    flow.rig.answers++;
    client_wait(&client, 1);
    ck_assert_uint_eq(client.last_body.len, 2 * (size_t)BIG);
    ck_assert_int_eq(memcmp(client.last_body.ptr, big, BIG), 0);
    ck_assert_int_eq(memcmp(client.last_body.ptr + BIG, big, BIG), 0);
    ck_assert_uint_eq(flow.rig.releases, 1);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_answer_that_breaks_off_is_a_reset)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "half", false));
    get_all(&flow, &client);
    gd_request_abort(flow.request);
    flow.rig.answers++;
    ck_assert_uint_eq(flow.rig.releases, 1);
    get_all(&flow, &client);
    ck_assert(client.reset);
    ck_assert_uint_eq(flow.rig.gone, 0);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_client_that_leaves_in_the_middle_is_gone_once)
{
    struct flow flow;

    for (int abort = 0; abort < 2; abort++) {
        struct client client;

        flow_init(&flow);
        rig_start(&flow.rig);
        begin(&flow, &client, GET);
        open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
        ck_assert(write_piece(&flow, "half", false));
        get_all(&flow, &client);
        if (abort)
            client_abort(&client);
        else
            client_close(&client);
        ck_assert(gd_loop_run_until(flow.rig.loop, is_gone, &flow, 1000));
        ck_assert_uint_eq(flow.rig.gone, 1);
        ck_assert_uint_eq(flow.rig.releases, 1);
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_CLIENT_GONE], 1);
        rig_stop(&flow.rig);
    }
}
END_TEST

START_TEST(a_client_that_has_said_all_still_gets_pieces_that_come_soon)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "1", false));
    shutdown(client.fd, SHUT_WR);
    rig_run(&flow.rig, 5);
    ck_assert(write_piece(&flow, "2", true));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "1\r\n1\r\n1\r\n2\r\n0\r\n\r\n"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(each_piece_gives_a_client_that_has_said_all_more_time)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "1", false));
    shutdown(client.fd, SHUT_WR);
    /* Together much more than the 75 ms that each of them has. */
    for (unsigned i = 0; i < 12; i++) {
        rig_run(&flow.rig, 15);
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_CLIENT_GONE], 0);
        ck_assert(write_piece(&flow, "2", false));
    }
    ck_assert(write_piece(&flow, "3", true));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "1\r\n2\r\n1\r\n3\r\n0\r\n\r\n"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_reader_that_takes_nothing_is_reset)
{
    static char big[BIG];
    struct flow flow;
    struct client client;
    struct iovec iov = {big, BIG};

    flow_init(&flow);
    flow.rig.limits.write_timeout_ms = 50;
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    flow.held = true;
    ck_assert(!gd_request_write(flow.request, &iov, 1, false));
    ck_assert(gd_loop_run_until(flow.rig.loop, is_gone, &flow, 2000));
    ck_assert_uint_eq(flow.rig.stats[GD_WORKER_TIMEOUT_WRITE], 1);
    ck_assert_uint_eq(flow.rig.releases, 1);
    ck_assert_uint_eq(flow.writable, 0);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

static void on_drained(void *arg)
{
    ((struct flow *)arg)->rig.drained = true;
}

START_TEST(draining_waits_for_an_open_answer)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, 10);
    ck_assert(write_piece(&flow, "hello", false));
    gd_front_drain(flow.rig.front, on_drained, &flow);
    rig_run(&flow.rig, 20);
    ck_assert(!flow.rig.drained);
    ck_assert(write_piece(&flow, "world", true));
    client_wait(&client, 1);
    ck_assert_body(&client, "helloworld");
    client_close(&client);
    rig_run(&flow.rig, 20);
    ck_assert(flow.rig.drained);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_head_that_cannot_be_written_leaves_the_request_to_be_answered)
{
    struct gd_plan_header bad = {GD_SPAN("X-Bad"), GD_SPAN("a\r\nb: c")};
    struct gd_answer answer = {.status = 200, .headers = &bad, .header_count = 1};
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    ck_assert(!gd_request_open(flow.request, &answer, on_writable, &flow));
    gd_request_problem(flow.request, 502, "no", GD_SPAN(""), NULL, 0);
    flow.rig.answers++;
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "502");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

GD_SUITE("front stream", pieces_of_unknown_length_are_chunks_and_the_connection_goes_on,
         the_head_can_be_sent_alone_and_so_can_the_end, a_known_length_is_told,
         answers_without_body_leave_the_pieces_out,
         an_old_client_gets_the_end_of_the_connection,
         a_piece_the_socket_does_not_take_stays_borrowed_until_it_does,
         an_answer_that_breaks_off_is_a_reset,
         a_client_that_leaves_in_the_middle_is_gone_once,
         a_client_that_has_said_all_still_gets_pieces_that_come_soon,
         each_piece_gives_a_client_that_has_said_all_more_time,
         a_reader_that_takes_nothing_is_reset, draining_waits_for_an_open_answer,
         a_head_that_cannot_be_written_leaves_the_request_to_be_answered)
