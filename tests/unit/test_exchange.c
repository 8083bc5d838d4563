#include <fcntl.h>

#include "call_rig.h"

/* Sessions that are no longer what they seem --------------------------------------- */

static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

START_TEST(two_answers_to_one_request_end_the_session)
{
    static const char twice[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig.upstream.max_response = 10 << 20;
    rig_start(&rig);
    answer_with(&rig, twice);
    for (int i = 0; i < 3; i++) {
        /* the reader's buffer fits the first answer: the second is seen all the same */
        ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
        check_body(&call, "hello");
        ck_assert(!call.exchange.reusable);
        call_end(&call);
        ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    }
    /* the second one later: evicted while idle */
    rig.peers[0].first = sizeof(hello) - 1;
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
    ck_assert(call.exchange.reusable);
    call_end(&call);
    rig_run(&rig, 5);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_EVICTIONS), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(an_end_right_behind_the_answer_is_seen)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, hello);
    rig.peers[0].end = PEER_FIN;
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
    check_body(&call, "hello");
    ck_assert(!call.exchange.reusable);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

START_TEST(bytes_right_behind_a_large_answer_are_seen)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig.upstream.max_response = 10 << 20;
    rig_start(&rig);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(big_answer(&rig, &call, 200000, BY_LENGTH, "!"), GD_OK);
        ck_assert_uint_eq(call.exchange.body.len, 200000);
        ck_assert(!call.exchange.reusable);
        call_end(&call);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_stale_session_fails_unheard_so_that_it_can_be_tried_again)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, hello);
    for (int i = 0; i < 2; i++) {
        struct peer_conn *conn = &rig.peers[0].conns[i];

        ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
        call_end(&call);
        peer_conn_close(conn, i == 1); /* the loop has not seen it yet */
        ck_assert_int_eq(holder_ask(&rig, &call.holder, false), GD_LEASE_READY);
        call_start(&rig, &call, GD_METHOD_GET, 0);
        call_wait(&rig, &call);
        ck_assert_int_eq(call.failure, GD_FAIL_RESET);
        ck_assert(call.holder.lease.reused);
        ck_assert(!call.exchange.heard);
        call_end(&call);
    }
    rig_close(&rig);
}
END_TEST

struct race {
    struct rig *rig;
    struct call *call;
    struct event event;
    int fds[2];
};

static void on_race(evutil_socket_t fd, short what, void *arg)
{
    struct race *race = arg;

    event_del(&race->event);
    if (holder_ask(race->rig, &race->call->holder, false) == GD_LEASE_READY)
        call_start(race->rig, race->call, GD_METHOD_GET, 0);
}

START_TEST(bytes_that_came_before_the_request_are_no_answer_to_it)
{
    struct call call = {0};
    struct rig rig;
    struct race race = {.rig = &rig, .call = &call};

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, hello);
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
    call_end(&call);
    rig_run(&rig, 5);
    call.done = 0;
    ck_assert_int_eq(pipe2(race.fds, O_NONBLOCK), 0);
    event_assign(&race.event, gd_loop_base(rig.loop), race.fds[0], EV_READ | EV_PERSIST,
                 on_race, &race);
    event_add(&race.event, NULL);
    /* both are ready in the same turn, the caller first */
    ck_assert_int_eq(write(race.fds[1], "x", 1), 1);
    peer_conn_send(&rig.peers[0].conns[0],
                   GD_SPAN("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
    call_wait(&rig, &call);
    ck_assert_int_eq(call.failure, GD_FAIL_RESET);
    ck_assert(call.holder.lease.reused && !call.exchange.heard);
    call_end(&call);
    close(race.fds[0]);
    close(race.fds[1]);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_that_ends_between_lease_and_start_fails_at_once)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, hello);
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
    call_end(&call);
    ck_assert_int_eq(holder_ask(&rig, &call.holder, false), GD_LEASE_READY);
    peer_conn_close(&rig.peers[0].conns[0], false);
    rig_run(&rig, 5);
    call_start(&rig, &call, GD_METHOD_GET, 0);
    call_wait(&rig, &call);
    ck_assert_int_eq(call.failure, GD_FAIL_RESET);
    ck_assert(!call.exchange.heard);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

/* Requests ------------------------------------------------------------------------- */

enum { LARGE = 8 << 20 };

START_TEST(a_large_request_is_written_as_the_peer_takes_it)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, hello);
    for (int i = 0; i < 2; i++) {
        holder_get(&rig, &call.holder);
        call_start(&rig, &call, GD_METHOD_POST, LARGE);
        ck_assert_ptr_nonnull(call.exchange.request.data);
        call_wait(&rig, &call);
        ck_assert_int_eq(call.failure, GD_OK);
        ck_assert(call.exchange.reusable);
        call_end(&call);
    }
    ck_assert_uint_gt(rig.peers[0].bytes, 2 * LARGE);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(an_answer_before_the_request_is_written_counts_but_ends_the_session)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    rig.peers[0].unread = true;
    rig.peers[0].mute = true;
    answer_with(&rig, hello);
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_POST, LARGE);
    rig_run(&rig, 5);
    peer_conn_send(&rig.peers[0].conns[0], GD_SPAN(hello));
    call_wait(&rig, &call);
    ck_assert_int_eq(call.failure, GD_OK);
    check_body(&call, "hello");
    ck_assert(!call.exchange.reusable);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

START_TEST(an_answer_sent_before_the_connection_broke_is_read)
{
    static const char refusal[] =
        "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n"
        "Content-Length: 2\r\n\r\nno";
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    rig.peers[0].unread = true;
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_POST, LARGE);
    rig_run(&rig, 5);
    peer_conn_send(&rig.peers[0].conns[0], GD_SPAN(refusal));
    peer_conn_close(&rig.peers[0].conns[0], false);
    call_wait(&rig, &call);
    ck_assert_int_eq(call.failure, GD_OK);
    ck_assert_int_eq(call.exchange.status, 413);
    check_body(&call, "no");
    call_end(&call);
    rig_close(&rig);
}
END_TEST

START_TEST(a_connection_that_breaks_in_the_request_is_a_reset)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    rig.peers[0].unread = true;
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_POST, LARGE);
    rig_run(&rig, 5);
    peer_conn_close(&rig.peers[0].conns[0], true);
    call_wait(&rig, &call);
    ck_assert_int_eq(call.failure, GD_FAIL_RESET);
    ck_assert(!call.exchange.heard);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

START_TEST(a_waiting_exchange_holds_no_memory)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    rig.peers[0].mute = true;
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_GET, 0);
    rig_run(&rig, 5);
    ck_assert_ptr_null(call.exchange.reply.data);
    ck_assert_ptr_null(call.exchange.request.data);
    gd_exchange_cancel(&call.exchange);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

/* Cancelling ----------------------------------------------------------------------- */

static void cancel_and_check(struct rig *rig, struct call *call)
{
    gd_exchange_cancel(&call->exchange);
    gd_exchange_cancel(&call->exchange);
    call_end(call);
    ck_assert_uint_eq(rig_stat(rig, GD_SERVER_SESSIONS_IDLE), 0);
    rig_run(rig, 5);
    ck_assert_int_eq(call->done, 0);
}

START_TEST(a_cancelled_exchange_is_silent_and_the_peer_sees_it)
{
    struct call call = {0};
    struct peer *peer;
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    peer = &rig.peers[0];
    gd_exchange_cancel(&call.exchange);

    /* while waiting */
    peer->mute = true;
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_GET, 0);
    rig_run(&rig, 5);
    cancel_and_check(&rig, &call);
    ck_assert(peer->conns[0].gone && peer->conns[0].reset);

    /* in the head, and in the body */
    for (size_t sent = 10; sent < sizeof(hello); sent += 30) {
        struct peer_conn *conn;

        holder_get(&rig, &call.holder);
        call_start(&rig, &call, GD_METHOD_GET, 0);
        rig_run(&rig, 5);
        conn = &peer->conns[peer->count - 1];
        peer_conn_send(conn, (struct gd_span){hello, sent});
        rig_run(&rig, 5);
        ck_assert(call.exchange.heard);
        cancel_and_check(&rig, &call);
        ck_assert(conn->gone && conn->reset);
    }

    /* right after the start, and in the middle of the request */
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_GET, 0);
    cancel_and_check(&rig, &call);
    peer->unread = true;
    holder_get(&rig, &call.holder);
    call_start(&rig, &call, GD_METHOD_POST, LARGE);
    rig_run(&rig, 5);
    cancel_and_check(&rig, &call);
    rig_close(&rig);
}
END_TEST

START_TEST(cancelling_a_failure_that_is_about_to_be_told_silences_it)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    holder_get(&rig, &call.holder);
    rig_run(&rig, 5);
    peer_conn_close(&rig.peers[0].conns[0], true);
    rig_run(&rig, 5);
    call_start(&rig, &call, GD_METHOD_GET, 0);
    cancel_and_check(&rig, &call);
    rig_close(&rig);
}
END_TEST

/* The steady path ------------------------------------------------------------------ */

START_TEST(a_pooled_call_asks_the_heap_for_nothing)
{
    struct call call = {0};
    struct rig rig;
    struct gd_blocks *blocks;
    size_t cached;

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, hello);
    blocks = gd_loop_blocks(rig.loop);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
        call_end(&call);
        if (i == 0)
            cached = blocks->cached[0] + blocks->cached[1] + blocks->cached[2];
    }
    /* all that was taken came back, and no more was needed than for the first */
    ck_assert_uint_eq(blocks->cached[0] + blocks->cached[1] + blocks->cached[2], cached);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_REUSES), 49);
    ck_assert_uint_eq(rig.peers[0].requests, 50);
    rig_close(&rig);
}
END_TEST

GD_SUITE("exchange", two_answers_to_one_request_end_the_session,
         an_end_right_behind_the_answer_is_seen,
         bytes_right_behind_a_large_answer_are_seen,
         a_stale_session_fails_unheard_so_that_it_can_be_tried_again,
         bytes_that_came_before_the_request_are_no_answer_to_it,
         a_session_that_ends_between_lease_and_start_fails_at_once,
         a_large_request_is_written_as_the_peer_takes_it,
         an_answer_before_the_request_is_written_counts_but_ends_the_session,
         an_answer_sent_before_the_connection_broke_is_read,
         a_connection_that_breaks_in_the_request_is_a_reset,
         a_waiting_exchange_holds_no_memory,
         a_cancelled_exchange_is_silent_and_the_peer_sees_it,
         cancelling_a_failure_that_is_about_to_be_told_silences_it,
         a_pooled_call_asks_the_heap_for_nothing)
