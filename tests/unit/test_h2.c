/*
 * A connection of HTTP/2 and its streams, without a pool, against a server by nghttp2.
 */
#include "h2_rig.h"

START_TEST(a_request_is_asked_in_the_terms_of_http_2_and_its_reply_read_in_those_of_1_1)
{
    struct rig rig;
    struct client client;

    rig_open(&rig, 0, 65535);
    open_client(&rig, &client);
    write_text(&client,
               "PUT /a?b=c HTTP/1.1\r\nHost: h:80\r\nX-Up: Yes\r\nConnection: close\r\n"
               "Keep-Alive: 1\r\nTE: gzip\r\nUpgrade: x\r\nProxy-Connection: y\r\n"
               "Authorization: secret\r\nCookie: a=b\r\nContent-Length: 4\r\n\r\n",
               "body", 4);
    run(&rig, 5);
    ck_assert_str_eq(rig.server.requests[0].fields,
                     ":method: PUT\n:path: /a?b=c\n:scheme: http\n:authority: h:80\n"
                     "x-up: Yes\nauthorization: secret!\ncookie: a=b!\n"
                     "content-length: 4\n");
    ck_assert_uint_eq(rig.server.requests[0].body, 4);
    ck_assert(rig.server.requests[0].ended);
    h2_reply(&rig.server, 1, "200", "hello", 5);
    finish(&rig, &client);
    ck_assert(client.complete);
    ck_assert(
        gd_span_is(gd_buf_span(&client.reply), "HTTP/1.1 200 OK\r\nx-a: b\r\n\r\nhello"));
    close_client(&client);
    run(&rig, 5);
    ck_assert(!rig.server.requests[0].reset);
    rig_close(&rig);
}
END_TEST

START_TEST(a_reply_without_a_body_ends_with_its_head)
{
    struct rig rig;
    struct client client;

    rig_open(&rig, 0, 65535);
    open_client(&rig, &client);
    write_text(&client, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", NULL, 0);
    run(&rig, 5);
    h2_reply(&rig.server, 1, "204", NULL, 0);
    finish(&rig, &client);
    ck_assert(gd_span_is(gd_buf_span(&client.reply),
                         "HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n"));
    close_client(&client);
    rig_close(&rig);
}
END_TEST

START_TEST(a_body_waits_for_the_window_of_the_server)
{
    static char body[100000];
    const char *head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
    struct rig rig;
    struct client client;
    size_t sent;

    rig_open(&rig, 0, 30000);
    rig.server.manual = true;
    open_client(&rig, &client);
    sent = write_text(&client, head, body, sizeof(body)) - strlen(head);
    ck_assert_uint_eq(sent, 30000);
    gd_h2_stream_want_write(&client.stream, true);
    run(&rig, 10);
    ck_assert_uint_eq(client.writable, 0);
    ck_assert_uint_eq(rig.server.requests[0].body, 30000);
    while (sent < sizeof(body)) {
        unsigned before = client.writable;
        struct iovec rest = {body + sent, sizeof(body) - sent};
        size_t n;

        nghttp2_session_consume(rig.server.session, 1, 30000);
        h2_flush(&rig.server);
        run(&rig, 10);
        ck_assert_uint_gt(client.writable, before);
        ck_assert_int_eq(gd_h2_stream_write(&client.stream, &rest, 1, &n), GD_IO_OK);
        sent += n;
        run(&rig, 5);
    }
    gd_h2_stream_want_write(&client.stream, false);
    run(&rig, 10);
    ck_assert_uint_eq(rig.server.requests[0].body, sizeof(body));
    ck_assert(rig.server.requests[0].ended);
    close_client(&client);
    rig_close(&rig);
}
END_TEST

START_TEST(a_body_without_a_length_ends_when_it_is_finished)
{
    struct rig rig;
    struct client client;
    struct iovec more = {(char *)"world", 5};
    size_t n;

    rig_open(&rig, 0, 65535);
    open_client(&rig, &client);
    write_text(&client,
               "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
               "hello", 5);
    run(&rig, 5);
    ck_assert_uint_eq(rig.server.requests[0].body, 5);
    ck_assert(!rig.server.requests[0].ended);
    gd_h2_stream_write(&client.stream, &more, 1, &n);
    gd_h2_stream_finish(&client.stream);
    run(&rig, 5);
    ck_assert_uint_eq(rig.server.requests[0].body, 10);
    ck_assert(rig.server.requests[0].ended);
    close_client(&client);
    rig_close(&rig);
}
END_TEST

START_TEST(a_stream_that_is_not_read_holds_a_window_and_no_other_stream)
{
    static char body[LARGE];
    struct rig rig;
    struct client lazy, other;

    rig_open(&rig, 0, 65535);
    get(&rig, &lazy);
    lazy.lazy = true;
    run(&rig, 5);
    h2_reply(&rig.server, 1, "200", body, sizeof(body));
    run(&rig, 20);
    ck_assert_uint_le(lazy.stream.in.len, GD_H2_WINDOW_BYTES + 1024);
    ck_assert_uint_ge(lazy.stream.in.len, GD_H2_WINDOW_BYTES);
    get(&rig, &other);
    run(&rig, 5);
    h2_reply(&rig.server, 3, "200", body, 200000);
    finish(&rig, &other);
    ck_assert(other.complete);
    while (!lazy.complete) {
        ck_assert(!lazy.failed);
        read_some(&lazy, 50000);
        ck_assert_uint_le(lazy.stream.in.len - lazy.stream.in_at,
                          GD_H2_WINDOW_BYTES + 1024);
        run(&rig, 1);
    }
    ck_assert_uint_gt(lazy.reply.len, LARGE);
    close_client(&lazy);
    close_client(&other);
    rig_close(&rig);
}
END_TEST

START_TEST(a_muted_stream_is_told_when_it_listens_again)
{
    struct rig rig;
    struct client client;

    rig_open(&rig, 0, 65535);
    get(&rig, &client);
    gd_h2_stream_want_read(&client.stream, false);
    run(&rig, 5);
    h2_reply(&rig.server, 1, "200", "hello", 5);
    run(&rig, 10);
    ck_assert_uint_eq(client.reply.len, 0);
    gd_h2_stream_want_read(&client.stream, true);
    ck_assert_uint_eq(client.reply.len, 0);
    finish(&rig, &client);
    ck_assert(client.complete);
    close_client(&client);
    rig_close(&rig);
}
END_TEST

START_TEST(closing_a_stream_cancels_it_and_nothing_else)
{
    struct rig rig;
    struct client first, second, unsent;

    rig_open(&rig, 0, 65535);
    get(&rig, &first);
    get(&rig, &second);
    run(&rig, 5);
    close_client(&first);
    gd_h2_stream_close(&first.stream);
    get(&rig, &unsent);
    close_client(&unsent); /* before a byte of it has left */
    run(&rig, 5);
    ck_assert(rig.server.requests[0].reset);
    ck_assert_uint_eq(rig.server.requests[0].code, NGHTTP2_CANCEL);
    ck_assert_uint_eq(rig.server.count, 2);
    h2_reply(&rig.server, 3, "200", "x", 1);
    finish(&rig, &second);
    ck_assert(second.complete);
    close_client(&second);
    rig_close(&rig);
}
END_TEST

START_TEST(a_goaway_refuses_what_was_not_looked_at)
{
    struct rig rig;
    struct client looked_at, refused, late;

    rig_open(&rig, 0, 65535);
    get(&rig, &looked_at);
    get(&rig, &refused);
    run(&rig, 5);
    nghttp2_submit_goaway(rig.server.session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_NO_ERROR,
                          NULL, 0);
    h2_flush(&rig.server);
    finish(&rig, &refused);
    ck_assert(refused.failed && refused.stream.refused);
    ck_assert_int_eq(refused.stream.failure, GD_FAIL_RESET);
    ck_assert(gd_h2_is_going(rig.h2));
    ck_assert_uint_eq(gd_h2_room(rig.h2), 0);
    ck_assert_uint_ge(rig.rooms, 1);
    ck_assert_uint_eq(rig.values[GD_SERVER_GOAWAYS], 1);
    get(&rig, &late); /* a lease that was granted before */
    finish(&rig, &late);
    ck_assert(late.failed && late.stream.refused);
    h2_reply(&rig.server, 1, "200", "x", 1);
    finish(&rig, &looked_at);
    ck_assert(looked_at.complete);
    close_client(&looked_at);
    close_client(&refused);
    close_client(&late);
    rig_close(&rig);
}
END_TEST

START_TEST(a_reset_is_one_and_a_refusal_another)
{
    static const struct {
        uint32_t code;
        enum gd_failure failure;
        bool refused;
    } cases[] = {{NGHTTP2_INTERNAL_ERROR, GD_FAIL_RESET, false},
                 {NGHTTP2_REFUSED_STREAM, GD_FAIL_RESET, true},
                 {NGHTTP2_HTTP_1_1_REQUIRED, GD_FAIL_PROTOCOL, false}};
    struct client client;
    struct rig rig;

    rig_open(&rig, 0, 65535);
    for (int i = 0; i < 3; i++) {
        get(&rig, &client);
        run(&rig, 5);
        nghttp2_submit_rst_stream(rig.server.session, NGHTTP2_FLAG_NONE, 2 * i + 1,
                                  cases[i].code);
        h2_flush(&rig.server);
        finish(&rig, &client);
        ck_assert(client.failed);
        ck_assert_int_eq(client.stream.failure, cases[i].failure);
        ck_assert_int_eq(client.stream.refused, cases[i].refused);
        close_client(&client);
    }
    ck_assert_uint_eq(rig.values[GD_SERVER_STREAM_RESETS], 3);
    ck_assert(!gd_h2_is_going(rig.h2));
    rig_close(&rig);
}
END_TEST

START_TEST(the_room_is_what_both_sides_allow)
{
    const nghttp2_settings_entry more = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000};
    struct client clients[2];
    struct rig rig;

    rig_open(&rig, 2, 65535);
    ck_assert_uint_eq(gd_h2_room(rig.h2), 2);
    get(&rig, &clients[0]);
    get(&rig, &clients[1]);
    ck_assert_uint_eq(gd_h2_room(rig.h2), 0);
    nghttp2_submit_settings(rig.server.session, NGHTTP2_FLAG_NONE, &more, 1);
    h2_flush(&rig.server);
    run(&rig, 5);
    ck_assert_uint_eq(rig.rooms, 1);
    ck_assert_uint_eq(gd_h2_limit(rig.h2), 100);
    ck_assert_uint_eq(gd_h2_room(rig.h2), 98);
    close_client(&clients[0]);
    close_client(&clients[1]);
    ck_assert_uint_eq(gd_h2_room(rig.h2), 100);
    rig_close(&rig);
}
END_TEST

START_TEST(the_end_of_the_connection_is_told_to_each_stream_once_and_then_to_the_owner)
{
    struct client clients[CLIENTS];
    struct rig rig;

    rig_open(&rig, 0, 65535);
    for (int i = 0; i < CLIENTS; i++)
        get(&rig, &clients[i]);
    run(&rig, 5);
    h2_reply(&rig.server, 1, "200", "x",
             1); /* complete before the end: still an answer */
    gd_stream_shutdown(&rig.server.stream);
    ck_assert(gd_loop_run_until(rig.loop, is_over, &rig, 5000));
    ck_assert_int_eq(rig.failure, GD_FAIL_RESET);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert(i ? clients[i].failed : clients[i].complete);
        ck_assert(!clients[i].stream.refused); /* it may have looked at them */
        close_client(&clients[i]);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_stream_given_up_on_a_silent_connection_leaves_it_in_doubt)
{
    struct client client;
    struct rig rig;

    rig_open(&rig, 0, 65535);
    run(&rig, 5);
    get(&rig, &client);
    gd_stream_want_read(&rig.server.stream, false); /* it is as good as dead */
    run(&rig, 60);
    ck_assert_uint_gt(gd_h2_room(rig.h2), 0);
    close_client(&client);
    ck_assert_uint_eq(gd_h2_room(rig.h2), 0);
    run(&rig, 5);
    ck_assert_uint_eq(rig.values[GD_SERVER_PINGS], 1);
    gd_stream_want_read(&rig.server.stream, true); /* it was only slow */
    run(&rig, 20);
    ck_assert_uint_eq(rig.server.pings, 1);
    ck_assert_uint_gt(gd_h2_room(rig.h2), 0);
    ck_assert_uint_eq(rig.over, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(one_given_up_soon_leaves_none)
{
    struct client client;
    struct rig rig;

    rig_open(&rig, 0, 65535);
    run(&rig, 5);
    get(&rig, &client);
    gd_stream_want_read(&rig.server.stream, false);
    run(&rig, 1);
    close_client(&client);
    ck_assert_uint_gt(gd_h2_room(rig.h2), 0);
    ck_assert_uint_eq(rig.values[GD_SERVER_PINGS], 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_server_that_does_not_read_bounds_what_waits_to_be_written)
{
    static char body[LARGE];
    const char *head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n";
    struct client clients[CLIENTS];
    size_t taken = 0;
    struct rig rig;

    rig_open(&rig, 0, LARGE);
    nghttp2_session_set_local_window_size(rig.server.session, NGHTTP2_FLAG_NONE, 0,
                                          64 * LARGE);
    h2_flush(&rig.server);
    run(&rig, 5);
    gd_stream_want_read(&rig.server.stream, false);
    for (int i = 0; i < CLIENTS; i++) {
        open_client(&rig, &clients[i]);
        taken += write_text(&clients[i], head, body, sizeof(body));
        run(&rig, 2);
    }
    ck_assert_uint_lt(taken, LARGE); /* the socket's buffers, and our own */
    for (int i = 0; i < CLIENTS; i++)
        close_client(&clients[i]);
    rig_close(&rig);
}
END_TEST

START_TEST(more_fields_than_can_be_sent_are_refused)
{
    struct client client;
    struct gd_buf head;
    struct rig rig;

    rig_open(&rig, 0, 65535);
    gd_buf_init(&head, NULL, 65536);
    ck_assert(gd_buf_add_text(&head, "GET / HTTP/1.1\r\nHost: h\r\n"));
    for (int i = 0; i < 300; i++)
        ck_assert(gd_buf_add_text(&head, "X-A: b\r\n"));
    ck_assert(gd_buf_add(&head, "\r\n", 3));
    open_client(&rig, &client);
    write_text(&client, head.data, NULL, 0);
    finish(&rig, &client);
    ck_assert(client.failed);
    ck_assert_int_eq(client.stream.failure, GD_FAIL_TOO_LARGE);
    gd_buf_free(&head);
    close_client(&client);
    rig_close(&rig);
}
END_TEST

GD_SUITE("h2",
         a_request_is_asked_in_the_terms_of_http_2_and_its_reply_read_in_those_of_1_1,
         a_reply_without_a_body_ends_with_its_head,
         a_body_waits_for_the_window_of_the_server,
         a_body_without_a_length_ends_when_it_is_finished,
         a_stream_that_is_not_read_holds_a_window_and_no_other_stream,
         a_muted_stream_is_told_when_it_listens_again,
         closing_a_stream_cancels_it_and_nothing_else,
         a_goaway_refuses_what_was_not_looked_at, a_reset_is_one_and_a_refusal_another,
         the_room_is_what_both_sides_allow,
         the_end_of_the_connection_is_told_to_each_stream_once_and_then_to_the_owner,
         a_stream_given_up_on_a_silent_connection_leaves_it_in_doubt,
         one_given_up_soon_leaves_none,
         a_server_that_does_not_read_bounds_what_waits_to_be_written,
         more_fields_than_can_be_sent_are_refused)
