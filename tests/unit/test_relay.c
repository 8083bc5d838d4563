/*
 * Relays: requests and replies in pieces, and every way a peer can spoil them.
 */
#include "pool_rig.h"
#include "upstream/relay.h"

struct passage {
    struct rig *rig;
    struct holder holder;
    struct gd_relay relay;
    enum gd_relay_say say;
    int status;
    struct gd_buf body;
    unsigned pieces, ends, failures, taken;
    enum gd_failure failure;
};

static enum gd_relay_say on_reply(void *arg, const struct gd_response_head *head,
                                  struct gd_span piece, bool last)
{
    struct passage *passage = arg;

    ck_assert((head != NULL) == (passage->pieces == 0));
    ck_assert_uint_eq(passage->ends + passage->failures, 0);
    ck_assert_uint_le(piece.len, GD_RELAY_BYTES);
    if (head)
        passage->status = head->status;
    ck_assert(gd_buf_add_span(&passage->body, piece));
    passage->pieces++;
    passage->ends += last;
    return passage->say;
}

static void on_failed(void *arg, enum gd_failure failure)
{
    struct passage *passage = arg;

    ck_assert_uint_eq(passage->ends + passage->failures, 0);
    ck_assert_ptr_nonnull(passage->relay.why);
    ck_assert(!passage->relay.reusable);
    passage->failures++;
    passage->failure = failure;
}

static void on_taken(void *arg)
{
    ((struct passage *)arg)->taken++;
}

static const struct gd_relay_handler handler = {on_reply, on_failed, on_taken};

static void start(struct rig *rig, struct passage *passage, enum gd_method method,
                  enum gd_framing body)
{
    struct gd_buf head;

    gd_buf_init(&head, gd_loop_blocks(rig->loop), 4096);
    ck_assert(
        gd_buf_addf(&head, "%s / HTTP/1.1\r\nHost: x\r\n%s\r\n", gd_method_text(method),
                    body == GD_FRAMING_CHUNKED ? "Transfer-Encoding: chunked\r\n" : ""));
    gd_buf_free(&passage->body);
    gd_buf_init(&passage->body, NULL, SIZE_MAX / 2);
    passage->rig = rig;
    passage->status = 0;
    passage->pieces = passage->ends = passage->failures = passage->taken = 0;
    passage->failure = GD_OK;
    holder_get(rig, &passage->holder);
    gd_relay_start(&passage->relay, passage->holder.lease.session, method, &head, body,
                   &handler, passage);
    ck_assert_ptr_null(head.data);
}

static bool is_over(void *arg)
{
    struct passage *passage = arg;

    return passage->ends + passage->failures > 0;
}

static void finish(struct passage *passage)
{
    gd_lease_end(&passage->holder.lease, passage->relay.reusable);
    gd_relay_free(&passage->relay);
}

/* A whole one, without a request body; the session is back in the pool, or closed. */
static enum gd_failure run(struct rig *rig, struct passage *passage,
                           enum gd_method method)
{
    start(rig, passage, method, GD_FRAMING_NONE);
    ck_assert(gd_loop_run_until(rig->loop, is_over, passage, 5000));
    finish(passage);
    return passage->failure;
}

static void set_up(struct rig *rig, struct passage *passage)
{
    *passage = (struct passage){.say = GD_RELAY_MORE};
    rig_open(rig, 1);
    rig_start(rig);
}

static void tear_down(struct rig *rig, struct passage *passage)
{
    gd_buf_free(&passage->body);
    rig_close(rig);
}

static void answer_with(struct rig *rig, const char *text)
{
    rig->peers[0].answer = gd_span_of(text);
}

#define ck_assert_content(passage, text)                                                 \
    ck_assert_msg(gd_span_is(gd_buf_span(&(passage)->body), text), "body is \"%.*s\"",   \
                  GD_SPAN_ARG(gd_buf_span(&(passage)->body)))

/* Each a reply with "hello world". */
static const char *const replies[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;x\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
    "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"
    "hello world",
    "HTTP/1.0 200 OK\r\n\r\nhello world",
};

enum { REPLIES = 4, BY_END = 3 };

/* Replies -------------------------------------------------------------------------- */

START_TEST(a_reply_is_the_same_however_it_is_cut)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    for (size_t i = 0; i < REPLIES; i++) {
        answer_with(&rig, replies[i]);
        rig.peers[0].end = i == BY_END ? PEER_FIN : PEER_KEEP;
        for (size_t cut = 0; cut <= strlen(replies[i]); cut++) {
            rig.peers[0].first = cut;
            rig.peers[0].piece = cut == 0; /* byte by byte */
            ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_OK);
            ck_assert_int_eq(passage.status, 200);
            ck_assert_content(&passage, "hello world");
            ck_assert_uint_eq(passage.ends, 1);
            ck_assert(passage.relay.reusable == (i != BY_END));
        }
    }
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(a_reply_that_ends_early_is_never_complete)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    for (size_t i = 0; i < BY_END; i++)
        for (size_t cut = 0; cut < strlen(replies[i]); cut++)
            for (int reset = 0; reset < 2; reset++) {
                rig.peers[0].answer = (struct gd_span){replies[i], cut};
                rig.peers[0].end = reset ? PEER_RESET : PEER_FIN;
                ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_FAIL_RESET);
                ck_assert_uint_eq(passage.ends, 0);
                ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
            }
    rig.peers[0].answer = gd_span_of(replies[BY_END]);
    rig.peers[0].end = PEER_RESET;
    rig.peers[0].piece = 1;
    ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_FAIL_RESET);
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(what_is_no_http_is_refused)
{
    static const struct {
        const char *text;
        enum gd_failure failure;
    } cases[] = {
        {"SSH-2.0-OpenSSH\r\n\r\n", GD_FAIL_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
         GD_FAIL_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         GD_FAIL_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", GD_FAIL_PROTOCOL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
         GD_FAIL_PROTOCOL},
        {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", GD_FAIL_PROTOCOL},
        {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", GD_FAIL_PROTOCOL},
    };
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer_with(&rig, cases[i].text);
        ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), cases[i].failure);
        ck_assert_uint_eq(passage.ends, 0);
    }
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(heads_have_bounds)
{
    static char large[64 * 1024];
    static char many[20 * 32];
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    memset(large, 'x', sizeof(large));
    memcpy(large, "HTTP/1.1 200 OK\r\nX: ", 20);
    rig.peers[0].answer = (struct gd_span){large, sizeof(large)};
    ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_FAIL_TOO_LARGE);
    for (size_t i = 0; i < 20; i++)
        memcpy(many + i * 25, "HTTP/1.1 103 Early day\r\n\r\n", 26);
    rig.peers[0].answer = (struct gd_span){many, 20 * 25};
    ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_FAIL_PROTOCOL);
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(bytes_behind_the_reply_end_the_session)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    answer_with(&rig, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_OK);
        ck_assert_content(&passage, "hello");
        ck_assert(!passage.relay.reusable);
        ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    }
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(replies_without_body_are_complete_with_their_head)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    answer_with(&rig, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    ck_assert_int_eq(run(&rig, &passage, GD_METHOD_HEAD), GD_OK);
    answer_with(&rig, "HTTP/1.1 204 No\r\n\r\n");
    ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_OK);
    answer_with(&rig, "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n");
    ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_OK);
    ck_assert_uint_eq(passage.body.len, 0);
    ck_assert(passage.relay.reusable);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_REUSES), 2);
    tear_down(&rig, &passage);
}
END_TEST

enum { BIG = 4 << 20 };

static const char *big_reply(size_t *len)
{
    static char big[BIG + 64];
    int at = snprintf(big, 64, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BIG);

    memset(big + at, 'b', BIG);
    *len = (size_t)at + BIG;
    return big;
}

START_TEST(a_held_piece_stops_the_reading_until_it_is_taken)
{
    struct passage passage;
    struct rig rig;
    unsigned pieces = 0;

    set_up(&rig, &passage);
    rig.peers[0].answer.ptr = big_reply(&rig.peers[0].answer.len);
    rig.peers[0].piece = 65536;
    passage.say = GD_RELAY_HOLD;
    start(&rig, &passage, GD_METHOD_GET, GD_FRAMING_NONE);
    for (int i = 0; i < 10; i++) {
        for (int turn = 0; turn < 2000 && passage.pieces == pieces; turn++)
            rig_run(&rig, 1);
        rig_run(&rig, 5); /* nothing more comes */
        ck_assert_uint_eq(passage.pieces, ++pieces);
        ck_assert_uint_le(passage.relay.in.cap, GD_RELAY_BYTES + 1);
        gd_relay_resume(&passage.relay);
        ck_assert_ptr_null(passage.relay.in.data);
    }
    gd_relay_cancel(&passage.relay);
    ck_assert_uint_eq(passage.ends + passage.failures, 0);
    finish(&passage);
    tear_down(&rig, &passage);
}
END_TEST

/* Requests ------------------------------------------------------------------------- */

static void hear(struct peer_conn *conn)
{
    conn->answer = GD_SPAN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

START_TEST(a_request_goes_out_in_chunks_with_its_head_first)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    /* the peer answers a blank line: of the head, and of the end of the chunks */
    rig.peers[0].mute = true;
    start(&rig, &passage, GD_METHOD_POST, GD_FRAMING_CHUNKED);
    ck_assert(gd_relay_send(&passage.relay, GD_SPAN("hello"), false));
    rig_run(&rig, 5);
    rig.peers[0].mute = false;
    rig.peers[0].on_request = hear;
    ck_assert(gd_relay_send(&passage.relay, GD_SPAN("x"), true));
    ck_assert(gd_loop_run_until(rig.loop, is_over, &passage, 5000));
    ck_assert_content(&passage, "ok");
    ck_assert(passage.relay.reusable);
    ck_assert_uint_eq(rig.peers[0].bytes,
                      strlen("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n"));
    finish(&passage);
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(what_the_server_does_not_take_is_kept_and_holds_the_sender_back)
{
    static char piece[GD_RELAY_BYTES];
    struct passage passage;
    struct rig rig;
    unsigned sent = 0;

    set_up(&rig, &passage);
    rig.peers[0].unread = true;
    start(&rig, &passage, GD_METHOD_PUT, GD_FRAMING_LENGTH);
    while (gd_relay_send(&passage.relay, (struct gd_span){piece, sizeof(piece)}, false)) {
        ck_assert_uint_lt(++sent, 1000);
        rig_run(&rig, 1);
    }
    ck_assert_uint_le(passage.relay.out.cap, 2 * GD_RELAY_BYTES);
    rig_run(&rig, 20);
    ck_assert_uint_eq(passage.taken, 0);
    gd_stream_want_read(&rig.peers[0].conns[0].stream, true);
    for (int i = 0; i < 1000 && passage.taken == 0; i++)
        rig_run(&rig, 1);
    ck_assert_uint_eq(passage.taken, 1);
    ck_assert_ptr_null(passage.relay.out.data);
    gd_relay_cancel(&passage.relay);
    finish(&passage);
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(a_reply_before_the_end_of_the_request_counts_but_ends_the_session)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    answer_with(&rig, "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
    start(&rig, &passage, GD_METHOD_PUT, GD_FRAMING_LENGTH);
    ck_assert(gd_relay_send(&passage.relay, GD_SPAN("x"), false));
    ck_assert(gd_loop_run_until(rig.loop, is_over, &passage, 5000));
    ck_assert_int_eq(passage.status, 403);
    ck_assert_content(&passage, "no");
    ck_assert(!passage.relay.reusable);
    finish(&passage);
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(a_reply_sent_before_the_connection_broke_is_read)
{
    static char piece[GD_RELAY_BYTES];
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    answer_with(&rig, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    rig.peers[0].end = PEER_FIN;
    start(&rig, &passage, GD_METHOD_PUT, GD_FRAMING_LENGTH);
    while (!is_over(&passage)) {
        if (gd_relay_send(&passage.relay, (struct gd_span){piece, 10}, false))
            rig_run(&rig, 1);
        else
            ck_assert(gd_loop_run_until(rig.loop, is_over, &passage, 5000));
    }
    ck_assert_int_eq(passage.failure, GD_OK);
    ck_assert_int_eq(passage.status, 413);
    finish(&passage);
    tear_down(&rig, &passage);
}
END_TEST

/* Sessions ------------------------------------------------------------------------- */

START_TEST(a_stale_session_fails_unheard_so_that_it_can_be_tried_again)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    answer_with(&rig, replies[0]);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_OK);
        peer_conn_close(&rig.peers[0].conns[i], i == 1); /* not seen by the loop yet */
        ck_assert_int_eq(run(&rig, &passage, GD_METHOD_GET), GD_FAIL_RESET);
        ck_assert(passage.holder.lease.reused);
        ck_assert(!passage.relay.heard);
    }
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(a_cancelled_relay_is_silent_and_the_peer_sees_it)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    rig.peers[0].mute = true;
    for (unsigned i = 0; i < 2; i++) {
        start(&rig, &passage, GD_METHOD_GET, i ? GD_FRAMING_LENGTH : GD_FRAMING_NONE);
        if (i == 0)
            rig_run(&rig, 5);
        gd_relay_cancel(&passage.relay);
        gd_relay_cancel(&passage.relay);
        ck_assert(!passage.relay.reusable);
        finish(&passage);
        rig_run(&rig, 10);
        ck_assert_uint_eq(passage.pieces + passage.failures, 0);
        ck_assert(rig.peers[0].conns[i].gone);
    }
    ck_assert(rig.peers[0].conns[0].reset);
    tear_down(&rig, &passage);
}
END_TEST

START_TEST(a_relay_that_waits_holds_no_buffer)
{
    struct passage passage;
    struct rig rig;

    set_up(&rig, &passage);
    answer_with(&rig, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    start(&rig, &passage, GD_METHOD_GET, GD_FRAMING_NONE);
    rig_run(&rig, 10);
    ck_assert_content(&passage, "some");
    ck_assert_ptr_null(passage.relay.in.data);
    ck_assert_ptr_null(passage.relay.out.data);
    gd_relay_cancel(&passage.relay);
    finish(&passage);
    tear_down(&rig, &passage);
}
END_TEST

GD_SUITE("relay", a_reply_is_the_same_however_it_is_cut,
         a_reply_that_ends_early_is_never_complete, what_is_no_http_is_refused,
         heads_have_bounds, bytes_behind_the_reply_end_the_session,
         replies_without_body_are_complete_with_their_head,
         a_held_piece_stops_the_reading_until_it_is_taken,
         a_request_goes_out_in_chunks_with_its_head_first,
         what_the_server_does_not_take_is_kept_and_holds_the_sender_back,
         a_reply_before_the_end_of_the_request_counts_but_ends_the_session,
         a_reply_sent_before_the_connection_broke_is_read,
         a_stale_session_fails_unheard_so_that_it_can_be_tried_again,
         a_cancelled_relay_is_silent_and_the_peer_sees_it,
         a_relay_that_waits_holds_no_buffer)
