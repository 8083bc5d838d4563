#include "upstream/relay.h"

#include <assert.h>

#include "http/write.h"
#include "upstream/pool.h"
#include "upstream/reply.h"

/* One readable event is answered with a bounded amount of work, see reply.c. */
enum { READS_PER_TURN = 16 };

enum {
    FIRST_READ = 4096, /* room for the first bytes of a reply */
    FRAMING_ROOM = 64, /* around a piece of the request */
};

/* What a read says: go on, nothing more is there now, or: do not touch the relay. */
enum outcome { READ_ON, READ_ENOUGH, READ_OVER };

static bool running(const struct gd_relay *relay)
{
    return relay->state == GD_EXCHANGE_HEAD || relay->state == GD_EXCHANGE_BODY;
}

/* The end ------------------------------------------------------------------------------
 */

/* Lets go of the session. clean: nothing of this relay is left on it. */
static void leave_session(struct gd_relay *relay, bool clean)
{
    struct gd_session *session = relay->session;

    gd_work_cancel(&relay->work);
    gd_buf_free(&relay->out);
    gd_session_detach(session);
    relay->reusable = clean;
    if (!clean)
        session->spoiled = true;
    relay->session = NULL;
}

static void fail(struct gd_relay *relay, enum gd_failure failure, const char *why)
{
    relay->why = why;
    relay->refused = gd_session_refused(relay->session);
    relay->state = GD_EXCHANGE_DONE;
    leave_session(relay, false);
    gd_buf_free(&relay->in);
    relay->handler->on_failed(relay->arg, failure);
}

/* The reply is complete; `extra` bytes came behind it. An answer to half a request leaves
 * the other half in the way. */
static void finish(struct gd_relay *relay, size_t extra)
{
    struct gd_session *session = relay->session;
    bool whole = relay->sent_last && relay->out.len == 0 && !relay->deaf;
    size_t hint = relay->first_bytes;

    session->server->reply_hint = hint < GD_RELAY_BYTES ? hint + 1 : GD_RELAY_BYTES;
    session->outstanding = !whole;
    relay->state = GD_EXCHANGE_DONE;
    leave_session(relay,
                  relay->reusable && whole && extra == 0 && !gd_session_ended(session));
}

/* The reply ----------------------------------------------------------------------------
 */

/* Decodes what the buffer has from `at` where it is: its content moves together. Returns
 * the last step's result; *rest: bytes behind the end. */
static enum gd_body_result decode(struct gd_relay *relay, size_t at,
                                  struct gd_span *piece, size_t *rest)
{
    struct gd_span input = {relay->in.data + at, relay->in.len - at}, data;
    char *start = relay->in.data + at;
    enum gd_body_result result;
    size_t len = 0, used;

    do {
        result = gd_body_step(&relay->decoder, input, &used, &data);
        input.ptr += used;
        input.len -= used;
        if (result == GD_BODY_DATA && start + len != data.ptr)
            memmove(start + len, data.ptr, data.len);
        len += data.len;
    } while (result == GD_BODY_DATA);
    *piece = (struct gd_span){start, len};
    *rest = input.len;
    return result;
}

/* Hands on what is there of the body, and the head with the first of it. */
static enum outcome hand_on(struct gd_relay *relay, const struct gd_response_head *head)
{
    struct gd_span piece;
    size_t rest;
    enum gd_body_result result = decode(relay, head ? head->bytes : 0, &piece, &rest);

    if (gd_session_at_end(relay->session))
        result = GD_BODY_DONE;
    switch (result) {
    case GD_BODY_BAD:
        fail(relay, GD_FAIL_PROTOCOL, "the chunked coding is malformed");
        return READ_OVER;
    case GD_BODY_DONE:
        finish(relay, rest);
        relay->handler->on_reply(relay->arg, head, piece, true);
        return READ_OVER;
    case GD_BODY_MORE:
    case GD_BODY_DATA:
        break;
    }
    if (head == NULL && piece.len == 0) {
        relay->in.len = 0;
        return READ_ON;
    }
    switch (relay->handler->on_reply(relay->arg, head, piece, false)) {
    case GD_RELAY_MORE:
        relay->in.len = 0;
        return READ_ON;
    case GD_RELAY_HOLD:
        relay->held = true;
        break;
    case GD_RELAY_OVER:
        break;
    }
    return READ_OVER;
}

static enum outcome look_at_head(struct gd_relay *relay)
{
    struct gd_field fields[GD_REPLY_FIELDS_MAX];
    struct gd_response_head head;

    switch (gd_reply_final_head(&relay->reader, &relay->in, fields, &head)) {
    case GD_VERDICT_MORE:
        return READ_ON;
    case GD_VERDICT_FAILED:
        fail(relay, relay->reader.failure, relay->reader.why);
        return READ_OVER;
    case GD_VERDICT_COMPLETE:
        break;
    }
    relay->state = GD_EXCHANGE_BODY;
    relay->reusable = head.keep_alive;
    /* HTTP/2 has seen to the length, and tells the end itself. */
    gd_body_init(&relay->decoder, relay->session->h2 ? GD_FRAMING_EOF : head.framing,
                 head.content_length);
    return hand_on(relay, &head);
}

/* Makes room for the next read: of a body as much as is left of it and a byte more, so
 * that one behind its end is seen. */
static bool make_room(struct gd_relay *relay)
{
    struct gd_buf *in = &relay->in;
    size_t want = GD_RELAY_BYTES;

    if (relay->state == GD_EXCHANGE_HEAD) {
        want = in->cap ? 1024 : relay->session->server->reply_hint;
        if (in->cap == 0 && want < FIRST_READ)
            want = FIRST_READ;
    } else if (relay->decoder.framing == GD_FRAMING_LENGTH &&
               relay->decoder.left < GD_RELAY_BYTES) {
        want = (size_t)relay->decoder.left + 1;
    }
    return in->cap - in->len >= want || gd_buf_reserve(in, want);
}

/* The server will send no more. */
static void look_at_end(struct gd_relay *relay)
{
    if (relay->state == GD_EXCHANGE_BODY && relay->decoder.framing == GD_FRAMING_EOF &&
        !relay->session->stream.cut) {
        finish(relay, 0);
        relay->handler->on_reply(relay->arg, NULL, GD_SPAN(""), true);
    } else if (!relay->heard) {
        fail(relay, GD_FAIL_RESET, "closed without an answer");
    } else {
        fail(relay, GD_FAIL_RESET,
             relay->state == GD_EXCHANGE_HEAD ? "closed in the middle of the head"
                                              : "closed in the middle of the body");
    }
}

static void fail_io(struct gd_relay *relay)
{
    const char *why;
    enum gd_failure failure = gd_session_failure(relay->session, &why);

    fail(relay, failure, why);
}

/* One read and what follows from it. */
static enum outcome read_once(struct gd_relay *relay)
{
    struct gd_buf *in = &relay->in;
    size_t room, n;

    if (!make_room(relay)) {
        fail(relay, GD_FAIL_TOO_LARGE, "no memory for the answer");
        return READ_OVER;
    }
    room = in->cap - in->len;
    switch (gd_session_read(relay->session, in->data + in->len, room, &n)) {
    case GD_IO_OK:
        break;
    case GD_IO_AGAIN:
        if (in->len == 0)
            gd_buf_free(in); /* waits without memory */
        return READ_ENOUGH;
    case GD_IO_EOF:
        look_at_end(relay);
        return READ_OVER;
    case GD_IO_ERROR:
        fail_io(relay);
        return READ_OVER;
    }
    in->len += n;
    relay->moved += n;
    if (!relay->heard) {
        relay->first_bytes = n;
        relay->heard_us = gd_loop_now_us(relay->session->server->loop);
    }
    relay->heard = true;
    if ((relay->state == GD_EXCHANGE_HEAD ? look_at_head(relay) : hand_on(relay, NULL)) ==
        READ_OVER)
        return READ_OVER;
    if (n == room || gd_session_ended(relay->session))
        return READ_ON;
    if (in->len == 0)
        gd_buf_free(in);
    return READ_ENOUGH;
}

static void on_readable(void *arg)
{
    struct gd_relay *relay = arg;
    struct gd_session *session = relay->session;
    int reads = 0;

    if (relay->held) {
        gd_session_want_read(session, false);
        return;
    }
    /* What is there before the request, or in the very turn it was written, is no answer
     * to it. */
    if (relay->started_us == 0 ||
        gd_session_is_strange(session, relay->started_us,
                              gd_loop_now_us(session->server->loop))) {
        if (gd_session_is_quiet(session))
            return;
        fail(relay, GD_FAIL_RESET, "closed or unasked bytes while idle");
        return;
    }
    while (read_once(relay) == READ_ON && ++reads < READS_PER_TURN)
        ;
}

void gd_relay_resume(struct gd_relay *relay)
{
    assert(relay->held && running(relay));
    relay->held = false;
    gd_buf_free(&relay->in);
    gd_session_want_read(relay->session, true);
}

/* The request --------------------------------------------------------------------------
 */

/* When part of the request was written, the server may have answered that part before it
 * closed; and one that was not content with the handshake may have said why. */
static void on_broken(void *arg)
{
    struct gd_relay *relay = arg;
    bool heard_of = relay->moved > 0 || gd_session_is_new_tls(relay->session);
    enum outcome outcome = heard_of ? READ_ON : READ_ENOUGH;

    if (relay->state == GD_EXCHANGE_BODY)
        return; /* the reply goes on as long as it does */
    while (outcome == READ_ON)
        outcome = read_once(relay);
    if (outcome == READ_ENOUGH && relay->state == GD_EXCHANGE_HEAD)
        fail(relay, GD_FAIL_RESET, "the connection broke while the request was written");
}

static void go_deaf(struct gd_relay *relay)
{
    relay->deaf = true;
    gd_buf_free(&relay->out);
    relay->out_at = 0;
    gd_session_want_write(relay->session, false);
    gd_work_cancel(&relay->work);
    gd_loop_defer(relay->session->server->loop, &relay->work, on_broken, relay);
}

/* Keeps what is left of the vector, whose first entry is what was kept before. */
static bool keep(struct gd_relay *relay, const struct iovec *iov, int count, size_t n)
{
    struct gd_buf *out = &relay->out;
    size_t first = n < iov[0].iov_len ? n : iov[0].iov_len;
    bool ok = true;

    relay->out_at += first;
    n -= first;
    if (relay->out_at == out->len)
        relay->out_at = out->len = 0;
    for (int i = 1; i < count && ok; i++) {
        size_t skip = n < iov[i].iov_len ? n : iov[i].iov_len;

        n -= skip;
        ok = gd_buf_add(out, (char *)iov[i].iov_base + skip, iov[i].iov_len - skip);
    }
    return ok;
}

/* Writes the vector; out is its first entry. */
static void write_all(struct gd_relay *relay, struct iovec *iov, int count)
{
    struct gd_session *session = relay->session;
    size_t n = 0, total = gd_iov_bytes(iov, count);

    gd_work_cancel(&relay->work);
    if (relay->started_us == 0)
        relay->started_us = gd_loop_now_us(session->server->loop);
    session->outstanding = true;
    switch (gd_session_write(session, iov, count, &n)) {
    case GD_IO_OK:
    case GD_IO_AGAIN:
        break;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        go_deaf(relay);
        return;
    }
    relay->moved += n;
    if (n == total) {
        gd_buf_free(&relay->out);
        relay->out_at = 0;
    } else if (!keep(relay, iov, count, n)) {
        go_deaf(relay);
        return;
    }
    gd_session_want_write(session, n < total);
    if (n == total && relay->sent_last)
        gd_session_finish(session);
}

static struct iovec pending(const struct gd_relay *relay)
{
    return (struct iovec){relay->out.data + relay->out_at,
                          relay->out.len - relay->out_at};
}

static void on_writable(void *arg)
{
    struct gd_relay *relay = arg;
    struct iovec iov = pending(relay);

    write_all(relay, &iov, 1);
    if (relay->out.len == 0 && !relay->deaf && !relay->sent_last)
        relay->handler->on_taken(relay->arg);
}

static void on_first_write(void *arg)
{
    struct gd_relay *relay = arg;
    struct iovec iov = pending(relay);

    write_all(relay, &iov, 1);
}

bool gd_relay_send(struct gd_relay *relay, struct gd_span piece, bool last)
{
    char line[GD_CHUNK_LINE_ROOM];
    struct gd_span around[2];
    struct iovec iov[4] = {pending(relay)};
    int count = 1;

    assert(running(relay) && !relay->sent_last && piece.len <= GD_RELAY_BYTES);
    relay->sent_last = last;
    if (relay->deaf)
        return false;
    around[0] = relay->chunked ? gd_write_chunk_line(line, piece.len) : GD_SPAN("");
    around[1] = relay->chunked ? gd_chunk_end(piece.len, last) : GD_SPAN("");
    iov[count++] = (struct iovec){(char *)around[0].ptr, around[0].len};
    iov[count++] = (struct iovec){(char *)piece.ptr, piece.len};
    iov[count++] = (struct iovec){(char *)around[1].ptr, around[1].len};
    write_all(relay, iov, count);
    return relay->out.len == 0 && !relay->deaf;
}

/* Life ---------------------------------------------------------------------------------
 */

static void on_spoiled(void *arg)
{
    fail(arg, GD_FAIL_RESET, "closed or unasked bytes while idle");
}

void gd_relay_start(struct gd_relay *relay, struct gd_session *session,
                    enum gd_method method, struct gd_buf *head, enum gd_framing body,
                    const struct gd_relay_handler *handler, void *arg)
{
    struct gd_loop *loop = session->server->loop;

    assert(!running(relay) && relay->in.data == NULL && head->len > 0);
    *relay = (struct gd_relay){.handler = handler,
                               .arg = arg,
                               .session = session,
                               .reader = {.method = method},
                               .chunked = body == GD_FRAMING_CHUNKED && !session->h2,
                               .sent_last = body == GD_FRAMING_NONE,
                               .state = GD_EXCHANGE_HEAD};
    gd_buf_move(&relay->out, head);
    relay->out.max = relay->out.len + GD_RELAY_BYTES + FRAMING_ROOM;
    gd_buf_init(&relay->in, gd_loop_blocks(loop), GD_RELAY_BYTES + 1);
    gd_session_attach(session, on_readable, on_writable, relay);
    if (session->spoiled)
        gd_loop_defer(loop, &relay->work, on_spoiled, relay);
    else if (body == GD_FRAMING_NONE)
        on_first_write(relay);
    else
        gd_loop_defer(loop, &relay->work, on_first_write, relay);
}

void gd_relay_cancel(struct gd_relay *relay)
{
    if (!running(relay))
        return;
    relay->state = GD_EXCHANGE_NONE;
    leave_session(relay, false);
}

void gd_relay_free(struct gd_relay *relay)
{
    gd_relay_cancel(relay);
    gd_buf_free(&relay->in);
    gd_buf_free(&relay->out);
    relay->state = GD_EXCHANGE_NONE;
}
