#include "suite.h"

#include <openssl/err.h>
#include <signal.h>
#include <string.h>

#include "tls_pair.h"

START_TEST(one_read_takes_all_records_that_are_there)
{
    struct pair pair;
    size_t n = 0;

    FOR_EACH_VERSION(&pair)
    {
        for (int i = 0; i < 3; i++)
            server_write(pair.server, "hello", 5);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 100, &n), GD_IO_OK);
        ck_assert_uint_eq(n, 15);
        ck_assert_mem_eq(pair.bytes, "hellohellohello", 15);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 100, &n), GD_IO_AGAIN);
    }
}
END_TEST

START_TEST(what_was_taken_off_the_socket_wakes_the_reader_until_it_is_read)
{
    static const char sent[9000];
    struct pair pair;

    FOR_EACH_VERSION(&pair)
    {
        pair.room = 1000;
        gd_stream_want_read(&pair.stream, true);
        server_write(pair.server, sent, sizeof(sent));
        for (int i = 0; i < 20; i++)
            turn(&pair);
        ck_assert_uint_eq(pair.read, sizeof(sent));
        ck_assert_int_le(pair.wakes, 12);
        turn(&pair);
        ck_assert_int_le(pair.wakes, 12); /* and not for nothing */
    }
}
END_TEST

START_TEST(who_reads_again_is_woken_for_what_was_left)
{
    static const char sent[5000];
    struct pair pair;
    size_t n;

    FOR_EACH_VERSION(&pair)
    {
        server_write(pair.server, sent, sizeof(sent));
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_OK);
        turn(&pair);
        ck_assert_int_eq(pair.wakes, 0);
        gd_stream_want_read(&pair.stream, true);
        ck_assert_int_eq(pair.wakes, 0); /* not inside the call */
        turn(&pair);
        ck_assert_uint_eq(pair.read, sizeof(sent) - 10);
    }
}
END_TEST

START_TEST(messages_of_tls_itself_are_quiet)
{
    struct pair pair;
    size_t n;

    pair_open(&pair, TLS1_3_VERSION);
    ck_assert(gd_stream_is_quiet(&pair.stream)); /* tickets */
    ck_assert_int_eq(SSL_key_update(pair.server, SSL_KEY_UPDATE_REQUESTED), 1);
    ck_assert_int_eq(SSL_do_handshake(pair.server), 1);
    ck_assert(gd_stream_is_quiet(&pair.stream));
    server_write(pair.server, "x", 1);
    ck_assert(!gd_stream_is_quiet(&pair.stream));
    ck_assert(!gd_stream_is_quiet(&pair.stream)); /* looking takes nothing away */
    ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_OK);
    ck_assert(gd_stream_is_quiet(&pair.stream));
    SSL_shutdown(pair.server);
    ck_assert(!gd_stream_is_quiet(&pair.stream));
    ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_EOF);
    pair_close(&pair);
}
END_TEST

START_TEST(the_end_is_whole_only_with_its_message)
{
    struct pair pair;
    size_t n;

    FOR_EACH_VERSION(&pair)
    {
        server_write(pair.server, "last", 4);
        SSL_shutdown(pair.server);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_OK);
        ck_assert(pair.stream.ended);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_EOF);
        ck_assert(!pair.stream.cut);
        pair_disconnect(&pair);
        pair_connect(&pair);
        server_write(pair.server, "last", 4);
        ck_assert_int_eq(shutdown(SSL_get_fd(pair.server), SHUT_WR), 0);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_OK);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_EOF);
        ck_assert(pair.stream.cut);
        ck_assert_ptr_null(gd_stream_trouble(&pair.stream));
    }
}
END_TEST

/* How the server sees the end of the connection: an SSL_ERROR_… */
static int end_seen(struct pair *pair, bool abort)
{
    char byte;
    int rc, end;

    gd_stream_close(&pair->stream, abort);
    signal(SIGPIPE, SIG_IGN); /* the server complains to who has gone */
    rc = SSL_read(pair->server, &byte, 1);
    end = SSL_get_error(pair->server, rc);
    ERR_clear_error();
    signal(SIGPIPE, SIG_DFL);
    return end;
}

START_TEST(a_close_in_order_says_so_and_a_reset_does_not)
{
    struct pair pair;

    FOR_EACH_VERSION(&pair)
    {
        ck_assert_int_eq(end_seen(&pair, false), SSL_ERROR_ZERO_RETURN);
        server_close(pair.server);
        pair_connect(&pair);
        ck_assert_int_ne(end_seen(&pair, true), SSL_ERROR_ZERO_RETURN);
    }
}
END_TEST

START_TEST(head_and_content_leave_as_one_record)
{
    char text[] = "head content";
    struct iovec pieces[4] = {{text, 0}, {text, 5}, {text, 0}, {text + 5, 7}};
    struct pair pair;
    char got[64];
    size_t n = 0;

    FOR_EACH_VERSION(&pair)
    {
        ck_assert_int_eq(gd_stream_write(&pair.stream, pieces, 4, &n), GD_IO_OK);
        ck_assert_uint_eq(n, 12);
        ck_assert_uint_eq(server_read(pair.server, got, sizeof(got)), 12);
        ck_assert_mem_eq(got, "head content", 12);
        ck_assert_int_eq(gd_stream_write(&pair.stream, pieces, 1, &n), GD_IO_OK);
        ck_assert_uint_eq(n, 0);
    }
}
END_TEST

static enum gd_io write_one(struct pair *pair)
{
    char byte = 'x';
    size_t n;

    return gd_stream_write(&pair->stream, &(struct iovec){&byte, 1}, 1, &n);
}

/* Writes all of three pieces, the server reading now and then; what the socket did not
 * take is offered again from wherever the caller has it. */
static void write_all(struct pair *pair, char *sent, char *got)
{
    struct iovec pieces[3] = {{sent, 100}, {sent + 100, 40000}, {sent + 40100, 0}};
    struct iovec *rest = pieces;
    size_t arrived = 0, n;
    int count = 3, full = 0;

    pieces[2].iov_len = LARGE - 40100;
    while (count > 0 || arrived < LARGE) {
        enum gd_io io =
            count ? gd_stream_write(&pair->stream, rest, count, &n) : GD_IO_AGAIN;

        ck_assert(io == GD_IO_OK || io == GD_IO_AGAIN);
        if (io == GD_IO_OK)
            rest = gd_iov_advance(rest, &count, n);
        else if (count)
            full++;
        arrived += server_read(pair->server, got + arrived, 50000);
    }
    ck_assert_int_gt(full, 0);
}

START_TEST(what_the_socket_does_not_take_at_once_arrives_whole)
{
    char *sent = malloc(LARGE), *got = calloc(2, LARGE);
    struct pair pair;

    for (size_t i = 0; i < LARGE; i++)
        sent[i] = (char)(i * 7 + i / 251);
    FOR_EACH_VERSION(&pair)
    {
        write_all(&pair, sent, got);
        ck_assert_mem_eq(got, sent, LARGE);
        memset(got, 0, LARGE);
    }
    free(got);
    free(sent);
}
END_TEST

START_TEST(a_key_update_in_the_middle_of_a_blocked_write_does_no_harm)
{
    char *sent = calloc(2, LARGE), *got = calloc(2, LARGE);
    struct iovec piece = {sent, LARGE};
    struct pair pair;
    size_t total = 0, arrived = 0, n;

    pair_open(&pair, TLS1_3_VERSION);
    gd_stream_want_read(&pair.stream, true);
    while (gd_stream_write(&pair.stream, &piece, 1, &n) == GD_IO_OK) {
        total += n;
        piece = (struct iovec){sent + total, LARGE - total};
    }
    gd_stream_want_write(&pair.stream, true);
    ck_assert_int_eq(SSL_key_update(pair.server, SSL_KEY_UPDATE_REQUESTED), 1);
    ck_assert_int_eq(SSL_do_handshake(pair.server), 1);
    server_write(pair.server, "answer", 6);
    turn(&pair);
    ck_assert_uint_eq(pair.read, 6);
    while (arrived < LARGE) {
        if (total < LARGE && gd_stream_write(&pair.stream, &piece, 1, &n) == GD_IO_OK) {
            total += n;
            piece = (struct iovec){sent + total, LARGE - total};
        }
        arrived += server_read(pair.server, got, LARGE);
    }
    ck_assert_uint_eq(arrived, LARGE);
    pair_close(&pair);
    free(got);
    free(sent);
}
END_TEST

START_TEST(renegotiation_is_refused_and_the_connection_goes_on)
{
    struct pair pair;

    pair_open(&pair, TLS1_2_VERSION);
    ck_assert_int_eq(SSL_renegotiate(pair.server), 1);
    SSL_do_handshake(pair.server);
    ck_assert(gd_stream_is_quiet(&pair.stream));
    server_read(pair.server, pair.bytes, 1); /* hears that it is refused */
    ck_assert_int_eq(SSL_session_reused(pair.server), 0);
    ck_assert_ptr_null(gd_stream_trouble(&pair.stream));
    ck_assert_int_eq(write_one(&pair), GD_IO_OK);
    pair_close(&pair);
}
END_TEST

START_TEST(a_write_to_who_has_gone_is_an_error_and_no_signal)
{
    struct pair pair;

    FOR_EACH_VERSION(&pair)
    {
        close(SSL_get_fd(pair.server));
        ck_assert_int_eq(write_one(&pair), GD_IO_ERROR);
        SSL_set_fd(pair.server, open("/dev/null", O_RDWR | O_CLOEXEC));
    }
}
END_TEST

START_TEST(damage_is_a_trouble_with_a_name)
{
    struct pair pair;
    size_t n;

    FOR_EACH_VERSION(&pair)
    {
        const char record[] = "\x17\x03\x03\x00\x20"
                              "00000000000000000000000000000000";

        ck_assert_int_gt(write(SSL_get_fd(pair.server), record, sizeof(record) - 1), 0);
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_ERROR);
        ck_assert_ptr_nonnull(gd_stream_trouble(&pair.stream));
        ck_assert_int_eq(gd_stream_read(&pair.stream, pair.bytes, 10, &n), GD_IO_ERROR);
        ck_assert_int_eq(write_one(&pair), GD_IO_ERROR);
    }
}
END_TEST

START_TEST(a_session_is_resumed_until_a_handshake_fails)
{
    struct pair pair;

    FOR_EACH_VERSION(&pair)
    {
        ck_assert(!gd_stream_resumed(&pair.stream));
        ck_assert(gd_stream_is_quiet(&pair.stream));
        for (int i = 0; i < 4; i++) {
            gd_stream_close(&pair.stream, i % 2);
            server_close(pair.server);
            pair_connect(&pair);
            ck_assert(gd_stream_resumed(&pair.stream));
            ck_assert(SSL_session_reused(pair.server));
        }
        pair_disconnect(&pair);
        gd_stream_open(&pair.stream, server_open(&pair.server, pair.context), true);
        gd_stream_start_tls(&pair.stream, pair.peer);
        shutdown(SSL_get_fd(pair.server), SHUT_RDWR);
        ck_assert_int_eq(gd_stream_handshake(&pair.stream), GD_IO_ERROR);
        ck_assert_ptr_nonnull(gd_stream_trouble(&pair.stream));
        pair_disconnect(&pair);
        pair_connect(&pair);
        ck_assert(!gd_stream_resumed(&pair.stream));
    }
}
END_TEST

START_TEST(peers_know_nothing_of_each_others_sessions)
{
    struct gd_tls_peer *first, *second;
    struct pair pair;

    FOR_EACH_VERSION(&pair)
    {
        ck_assert(gd_stream_is_quiet(&pair.stream));
        pair_disconnect(&pair);
        first = pair.peer;
        second = gd_tls_peer_new(&pair.plan, "server.test");
        pair.peer = second;
        pair_connect(&pair);
        ck_assert(!gd_stream_resumed(&pair.stream));
        pair_disconnect(&pair);
        pair.peer = first;
        pair_connect(&pair);
        ck_assert(gd_stream_resumed(&pair.stream));
        gd_tls_peer_free(second);
    }
}
END_TEST

START_TEST(another_name_is_refused)
{
    static const char *const names[] = {"other.test",    "erver.test",
                                        "a.server.test", "127.0.0.1",
                                        "::1",           "server.test.evil.test"};
    struct gd_tls_peer *own;
    struct pair pair;

    pair_open(&pair, TLS1_3_VERSION);
    own = pair.peer;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        pair_disconnect(&pair);
        pair.peer = gd_tls_peer_new(&pair.plan, names[i]);
        pair_connect(&pair);
        ck_assert_int_eq(pair.shaken, GD_IO_ERROR);
        ck_assert_str_eq(gd_stream_trouble(&pair.stream),
                         "its certificate is for another host");
        pair_disconnect(&pair);
        gd_tls_peer_free(pair.peer);
        pair.peer = gd_tls_peer_new(&pair.plan, "SERVER.test.");
        pair_connect(&pair);
        ck_assert_int_eq(pair.shaken, GD_IO_OK);
        pair_disconnect(&pair);
        gd_tls_peer_free(pair.peer);
        pair.peer = own;
        pair_connect(&pair);
    }
    pair_close(&pair);
}
END_TEST

GD_SUITE("tls", one_read_takes_all_records_that_are_there,
         what_was_taken_off_the_socket_wakes_the_reader_until_it_is_read,
         who_reads_again_is_woken_for_what_was_left, messages_of_tls_itself_are_quiet,
         the_end_is_whole_only_with_its_message,
         a_close_in_order_says_so_and_a_reset_does_not,
         head_and_content_leave_as_one_record,
         what_the_socket_does_not_take_at_once_arrives_whole,
         a_key_update_in_the_middle_of_a_blocked_write_does_no_harm,
         renegotiation_is_refused_and_the_connection_goes_on,
         a_write_to_who_has_gone_is_an_error_and_no_signal,
         damage_is_a_trouble_with_a_name, a_session_is_resumed_until_a_handshake_fails,
         peers_know_nothing_of_each_others_sessions, another_name_is_refused)
