/*
 * Whole exchanges over a socket pair: the first byte chooses method and bound, the second
 * how the answer is cut into pieces, the rest is the answer. What it means must not
 * depend on how it arrives, no bound may be passed, and the exchange ends exactly once. A
 * relay, which streams, must take the same answer for the same reply.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "upstream/exchange.h"
#include "upstream/pool.h"
#include "upstream/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 65536 }; /* what a socket takes at once */

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition))                                                                \
            abort();                                                                     \
    } while (0)

struct run {
    struct gd_server server;
    struct gd_session session;
    struct gd_exchange exchange;
    struct gd_relay relay;
    struct gd_buf relayed; /* its body */
    int status;            /* its head's */
    int peer, done;
    enum gd_failure failure;
};

static void on_readable(void *arg)
{
    struct run *run = arg;

    if (run->session.on_readable)
        run->session.on_readable(run->session.arg);
    else
        gd_stream_want_read(&run->session.stream, false);
}

static void on_writable(void *arg)
{
    struct run *run = arg;

    run->session.on_writable(run->session.arg);
}

static void on_done(void *arg, enum gd_failure failure)
{
    struct run *run = arg;

    run->done++;
    run->failure = failure;
}

static bool is_done(void *arg)
{
    return ((struct run *)arg)->done > 0;
}

static enum gd_relay_say on_reply(void *arg, const struct gd_response_head *head,
                                  struct gd_span piece, bool last)
{
    struct run *run = arg;

    CHECK(run->done == 0 && (head != NULL) == (run->status == 0));
    if (head)
        run->status = head->status;
    CHECK(piece.len <= GD_RELAY_BYTES && gd_buf_add_span(&run->relayed, piece));
    run->done += last;
    return GD_RELAY_MORE;
}

static const struct gd_relay_handler relay_handler = {on_reply, on_done, NULL};

/* max 0: a relay instead of an exchange. */
static void start(struct run *run, struct gd_loop *loop, enum gd_method method,
                  size_t max)
{
    struct gd_buf request;
    int fds[2];

    *run = (struct run){.server = {.loop = loop}};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    run->peer = fds[0];
    run->session.server = &run->server;
    run->session.state = GD_SESSION_LEASED;
    gd_stream_init(&run->session.stream, loop, on_readable, on_writable, run);
    gd_stream_open(&run->session.stream, fds[1], true);
    gd_stream_want_read(&run->session.stream, true);
    gd_buf_init(&request, NULL, 64);
    CHECK(gd_buf_add_text(&request, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    gd_buf_init(&run->relayed, NULL, ANSWER_MAX);
    if (max == 0)
        gd_relay_start(&run->relay, &run->session, method, &request, GD_FRAMING_NONE,
                       &relay_handler, run);
    else
        gd_exchange_start(&run->exchange, &run->session, method, &request, max, on_done,
                          run);
    CHECK(run->done == 0);
}

/* Sends the answer in pieces, a turn of the loop for each, and then the end. */
static void play(struct run *run, struct gd_span answer, size_t piece)
{
    for (size_t at = 0; at < answer.len && !run->done; at += piece) {
        size_t n = answer.len - at < piece ? answer.len - at : piece;

        if (send(run->peer, answer.ptr + at, n, MSG_NOSIGNAL) < 0)
            break;
        gd_loop_run_until(run->server.loop, is_done, run, 0);
    }
    shutdown(run->peer, SHUT_WR);
    CHECK(gd_loop_run_until(run->server.loop, is_done, run, 5000));
    CHECK(run->done == 1);
}

static void check_result(const struct run *run, size_t max)
{
    const struct gd_exchange *exchange = &run->exchange;

    if (run->failure != GD_OK) {
        CHECK(exchange->why && !exchange->reusable && exchange->body.ptr == NULL);
        CHECK(run->failure == GD_FAIL_RESET || run->failure == GD_FAIL_PROTOCOL ||
              run->failure == GD_FAIL_TOO_LARGE);
        return;
    }
    CHECK(exchange->status >= 200 && exchange->status <= 999);
    CHECK(exchange->body.len <= max && exchange->body.ptr != NULL);
    CHECK(exchange->body.ptr + exchange->body.len <=
          exchange->reply.data + exchange->reply.cap);
    CHECK(exchange->head_bytes >= 16 && exchange->heard);
}

/* Whether the relay says what the exchange says. Where the failure is one of the body,
 * the relay may have handed on a part of it before. */
static void check_relay(const struct run *run, const struct run *whole)
{
    const struct gd_exchange *exchange = &whole->exchange;

    if (whole->failure == GD_FAIL_TOO_LARGE)
        return; /* only calls bound their bodies */
    CHECK(run->failure == whole->failure);
    if (run->failure == GD_OK)
        CHECK(run->status == exchange->status &&
              gd_span_eq(gd_buf_span(&run->relayed), exchange->body));
}

static void end(struct run *run)
{
    gd_exchange_free(&run->exchange);
    gd_relay_free(&run->relay);
    gd_buf_free(&run->relayed);
    gd_stream_close(&run->session.stream, false);
    close(run->peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gd_loop *loop;
    static struct run whole, split, relayed;
    struct gd_span answer = {(const char *)data + 2, size - 2};
    enum gd_method method;
    size_t max;

    if (size < 2 || answer.len > ANSWER_MAX)
        return 0;
    if (loop == NULL)
        loop = gd_loop_new(NULL);
    method = data[0] & 1 ? GD_METHOD_HEAD : GD_METHOD_GET;
    max = data[0] & 2 ? 64 : ANSWER_MAX;
    start(&whole, loop, method, max);
    play(&whole, answer, ANSWER_MAX);
    start(&split, loop, method, max);
    play(&split, answer, data[1] ? data[1] : 1);
    start(&relayed, loop, method, 0);
    play(&relayed, answer, data[1] ? data[1] : 1);
    check_result(&whole, max);
    check_relay(&relayed, &whole);
    check_result(&split, max);
    CHECK(whole.failure == split.failure);
    if (whole.failure == GD_OK)
        CHECK(whole.exchange.status == split.exchange.status &&
              gd_span_eq(whole.exchange.body, split.exchange.body));
    end(&relayed);
    end(&whole);
    end(&split);
    return 0;
}
