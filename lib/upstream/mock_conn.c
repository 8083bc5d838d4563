/* A connection to a mock: a serial HTTP/1.1 server.
 *
 *   HEAD ──> BODY ──> DELAY ──> DRIP ──> HEAD …  (DELAY, DRIP only if the answer has one)
 *     └───────┴────────┴─────────┴──> CLOSING ──> LINGER
 *
 * The answer is composed as soon as the head is there, since it borrows from it, and kept
 * back behind `ready` until the body has been read and the delay has passed. Requests
 * that were pipelined are answered one after the other, with one write. */
#include "upstream/mock_parts.h"

#include "base/mem.h"
#include "http/body.h"
#include "net/stream.h"

enum {
    READ_BYTES = 4096,
    IN_MAX = 65536,    /* more than a head may have */
    OUT_HIGH = 262144, /* answers waiting: no further request is taken */
    DRIP_MS = 10,      /* at least, between two pieces */
    OUT_MAX = 2 * OUT_HIGH + GD_MOCK_BODY_MAX + 2 * GD_MOCK_HEAD_MAX,
};

enum state { HEAD, BODY, DELAY, DRIP, CLOSING, LINGER };

/* What a connection waits for; each has its deadline, but for a delay of our own. ANEW:
 * something was done, so that the next wait begins now even if it is the same. */
enum wait {
    WAIT_ANEW,
    WAIT_DELAY,
    WAIT_REQUEST,
    WAIT_HEAD,
    WAIT_BODY,
    WAIT_WRITE,
    WAIT_CLOSE,
};

static const uint32_t wait_ms[] = {
    [WAIT_REQUEST] = 75000, [WAIT_HEAD] = 10000, [WAIT_BODY] = 30000,
    [WAIT_WRITE] = 30000,   [WAIT_CLOSE] = 2000,
};

struct gd_mock_conn {
    struct gd_mock_conn *next, *prev;
    struct gd_mock_server *server;
    struct gd_stream stream;
    struct gd_timer delay; /* to the answer, or to its next piece */
    enum state state;
    enum wait wait;
    uint64_t deadline_us;     /* 0: none */
    bool eof;                 /* the peer sends no more */
    bool keep_alive;          /* after the request at hand */
    struct gd_mock_fate fate; /* of the answer at hand */
    uint64_t drip_us;         /* loop time of its first piece */
    size_t drip_at;           /* bytes of out in front of it */
    struct gd_buf in;
    size_t at; /* bytes of in that are done with */
    struct gd_head_state head_state;
    struct gd_body body;
    struct gd_buf out;
    size_t sent;  /* bytes of out that are written */
    size_t ready; /* bytes of out that may be written */
    struct gd_grave grave;
};

static const struct gd_head_limits limits = {GD_MOCK_LINE_MAX, GD_MOCK_HEAD_MAX,
                                             GD_MOCK_FIELDS_MAX};

/* Life --------------------------------------------------------------------------------
 */

static void conn_destroy(void *arg)
{
    gd_free(arg);
}

static void conn_release(struct gd_mock_conn *conn, bool abort)
{
    struct gd_mocks *mocks = conn->server->mocks;

    gd_stream_close(&conn->stream, abort);
    gd_timer_disarm(&conn->delay);
    gd_buf_free(&conn->in);
    gd_buf_free(&conn->out);
    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        mocks->conns = conn->next;
    mocks->conn_count--;
}

static void conn_close(struct gd_mock_conn *conn, bool abort)
{
    struct gd_loop *loop = conn->server->mocks->loop;

    conn_release(conn, abort);
    gd_loop_bury(loop, &conn->grave, conn_destroy, conn);
}

/* Writing -----------------------------------------------------------------------------
 */

/* Writes what is ready. False when the connection was closed. */
static bool flush(struct gd_mock_conn *conn)
{
    enum gd_io io = GD_IO_OK;

    while (conn->sent < conn->ready && io == GD_IO_OK) {
        struct iovec iov = {conn->out.data + conn->sent, conn->ready - conn->sent};
        size_t n = 0;

        io = gd_stream_write(&conn->stream, &iov, 1, &n);
        conn->sent += n;
        if (io == GD_IO_OK)
            conn->wait = WAIT_ANEW;
    }
    if (io != GD_IO_OK && io != GD_IO_AGAIN) {
        conn_close(conn, false);
        return false;
    }
    gd_stream_want_write(&conn->stream, conn->sent < conn->ready);
    if (conn->sent == conn->out.len) {
        gd_buf_free(&conn->out);
        conn->sent = conn->ready = 0;
    }
    return true;
}

/* Reading -----------------------------------------------------------------------------
 */

/* Lets the answer at hand go out. */
static void release_answer(struct gd_mock_conn *conn)
{
    conn->ready = conn->out.len;
    conn->wait = WAIT_ANEW;
    conn->head_state = (struct gd_head_state){0};
    conn->state = conn->keep_alive ? HEAD : CLOSING;
}

/* Replaces the answer at hand by a refusal and ends the connection. */
static void refuse(struct gd_mock_conn *conn, int status, const char *detail)
{
    conn->out.len = conn->ready;
    if (!gd_mock_refuse(conn->server, status, detail, &conn->out))
        conn->out.len = conn->ready;
    conn->ready = conn->out.len;
    conn->at = conn->in.len;
    conn->state = CLOSING;
}

static void take_head(struct gd_mock_conn *conn, const struct gd_request_head *head)
{
    if (conn->sent > OUT_HIGH) {
        /* A peer that never lets `out` run empty. */
        gd_buf_drop(&conn->out, conn->sent);
        conn->ready -= conn->sent;
        conn->sent = 0;
    }
    conn->at += head->bytes;
    conn->wait = WAIT_ANEW;
    if (head->expect_continue) {
        if (!gd_buf_add_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n")) {
            refuse(conn, 500, "no memory");
            return;
        }
        conn->ready = conn->out.len;
    }
    if (!gd_mock_answer(conn->server, head, &conn->out, &conn->fate)) {
        refuse(conn, 500, "the answer is too large");
        return;
    }
    conn->keep_alive = head->keep_alive && !conn->fate.cut;
    gd_body_init(&conn->body, head->framing, head->content_length);
    conn->state = BODY;
}

/* Whether so much waits to be written that no further request is taken. */
static bool is_full(const struct gd_mock_conn *conn)
{
    return conn->out.len - conn->sent > OUT_HIGH;
}

/* Steps return whether there may be more to do at once. */
static bool step_head(struct gd_mock_conn *conn)
{
    struct gd_span input = {conn->in.data + conn->at, conn->in.len - conn->at};
    struct gd_request_head head;

    if (input.len == 0 || is_full(conn))
        return false;
    switch (gd_request_head_parse(&conn->head_state, input, &limits,
                                  conn->server->mocks->fields, &head)) {
    case GD_PARSE_MORE:
        return false;
    case GD_PARSE_REFUSED:
        refuse(conn, gd_refusal_status(conn->head_state.refusal),
               gd_refusal_text(conn->head_state.refusal));
        return true;
    case GD_PARSE_DONE:
        take_head(conn, &head);
        return true;
    }
    return false;
}

static bool step_body(struct gd_mock_conn *conn)
{
    while (!gd_body_complete(&conn->body)) {
        struct gd_span input = {conn->in.data + conn->at, conn->in.len - conn->at};
        struct gd_span data;
        size_t consumed = 0;
        enum gd_body_result result;

        if (input.len == 0)
            return false;
        result = gd_body_step(&conn->body, input, &consumed, &data);
        conn->at += consumed;
        if (result == GD_BODY_BAD) {
            refuse(conn, 400, "the body is not valid");
            return true;
        }
        if (result == GD_BODY_MORE)
            return false;
    }
    if (conn->fate.delay_ms == 0 && conn->fate.drip_ms == 0 && !conn->fate.reset) {
        release_answer(conn);
        return true;
    }
    conn->state = DELAY;
    gd_timer_arm(&conn->delay, conn->fate.delay_ms);
    return false;
}

static enum wait wait_of(const struct gd_mock_conn *conn)
{
    if (conn->state == LINGER)
        return WAIT_CLOSE;
    if (conn->sent < conn->ready)
        return WAIT_WRITE;
    if (conn->state == DELAY || conn->state == DRIP)
        return WAIT_DELAY;
    if (conn->state == BODY)
        return WAIT_BODY;
    return conn->at < conn->in.len ? WAIT_HEAD : WAIT_REQUEST;
}

/* Sets interest, memory and deadline by what the connection now waits for. */
static void settle(struct gd_mock_conn *conn)
{
    enum wait wait = wait_of(conn);
    bool stuck = conn->eof && wait != WAIT_WRITE && wait != WAIT_DELAY;

    if (stuck) {
        conn_close(conn, false);
        return;
    }
    if (conn->at == conn->in.len) {
        gd_buf_free(&conn->in);
        conn->at = 0;
    }
    gd_stream_want_read(&conn->stream, !conn->eof && conn->in.len - conn->at < IN_MAX);
    if (wait == conn->wait)
        return;
    conn->wait = wait;
    conn->deadline_us = 0;
    if (wait != WAIT_DELAY)
        conn->deadline_us =
            gd_loop_now_us(conn->server->mocks->loop) + wait_ms[wait] * (uint64_t)1000;
}

/* Does all that can be done now. */
static void conn_run(struct gd_mock_conn *conn)
{
    bool full;

    do {
        while (conn->state == HEAD ? step_head(conn)
                                   : conn->state == BODY && step_body(conn))
            ;
        full = is_full(conn);
        if (!flush(conn))
            return;
    } while (full && conn->state == HEAD && !is_full(conn));
    if (conn->state == CLOSING && conn->sent == conn->ready) {
        gd_stream_shutdown(&conn->stream);
        conn->at = conn->in.len;
        conn->state = LINGER;
    }
    settle(conn);
}

/* Events ------------------------------------------------------------------------------
 */

/* Reads once into `in`. */
static enum gd_io read_some(struct gd_mock_conn *conn)
{
    enum gd_io io;
    size_t n = 0;

    if (conn->at) {
        gd_buf_drop(&conn->in, conn->at);
        conn->at = 0;
    }
    if (conn->in.len == IN_MAX)
        return GD_IO_AGAIN;
    if (conn->in.cap == conn->in.len && !gd_buf_reserve(&conn->in, READ_BYTES) &&
        !gd_buf_reserve(&conn->in, 1))
        return GD_IO_ERROR;
    n = conn->in.cap < IN_MAX ? conn->in.cap : IN_MAX;
    io =
        gd_stream_read(&conn->stream, conn->in.data + conn->in.len, n - conn->in.len, &n);
    if (io == GD_IO_OK)
        conn->in.len += n;
    return io;
}

static void on_readable(void *arg)
{
    struct gd_mock_conn *conn = arg;

    switch (read_some(conn)) {
    case GD_IO_AGAIN:
        settle(conn);
        return;
    case GD_IO_ERROR:
        conn_close(conn, false);
        return;
    case GD_IO_EOF:
        conn->eof = true;
        break;
    case GD_IO_OK:
        break;
    }
    if (conn->state == LINGER)
        conn->at = conn->in.len; /* what comes after the last request is dropped */
    conn_run(conn);
}

static void on_writable(void *arg)
{
    conn_run(arg);
}

/* Lets the next piece of the answer go out: its share of the time that has passed. */
static void drip(struct gd_mock_conn *conn)
{
    uint64_t now_us = gd_loop_now_us(conn->server->mocks->loop);
    uint64_t whole_ms = conn->fate.drip_ms, gone_ms;
    size_t len = conn->out.len - conn->drip_at;
    uint64_t step_ms = whole_ms / len > DRIP_MS ? whole_ms / len : DRIP_MS;

    gone_ms = (now_us - conn->drip_us) / 1000;
    if (gone_ms >= whole_ms) {
        release_answer(conn);
        return;
    }
    conn->ready = conn->drip_at + 1 + (size_t)((len - 1) * gone_ms / whole_ms);
    if (step_ms > whole_ms - gone_ms)
        step_ms = whole_ms - gone_ms;
    gd_timer_arm(&conn->delay, (uint32_t)step_ms);
}

static void on_delay(void *arg)
{
    struct gd_mock_conn *conn = arg;

    if (conn->fate.reset) {
        conn_close(conn, true);
        return;
    }
    if (conn->fate.drip_ms == 0) {
        release_answer(conn);
    } else {
        if (conn->state == DELAY) {
            conn->drip_us = gd_loop_now_us(conn->server->mocks->loop);
            conn->drip_at = conn->ready;
            conn->state = DRIP;
        }
        drip(conn);
    }
    conn_run(conn);
}

void gd_mock_conn_open(struct gd_mock_server *server, int fd)
{
    struct gd_mocks *mocks = server->mocks;
    struct gd_mock_conn *conn = gd_alloc(sizeof(*conn));

    conn->server = server;
    gd_stream_init(&conn->stream, mocks->loop, on_readable, on_writable, conn);
    gd_stream_open(&conn->stream, fd, true);
    gd_timer_init(&conn->delay, mocks->loop, on_delay, conn);
    gd_buf_init(&conn->in, gd_loop_blocks(mocks->loop), IN_MAX);
    gd_buf_init(&conn->out, gd_loop_blocks(mocks->loop), OUT_MAX);
    conn->next = mocks->conns;
    if (conn->next)
        conn->next->prev = conn;
    mocks->conns = conn;
    mocks->conn_count++;
    settle(conn);
}

void gd_mock_conns_sweep(struct gd_mocks *mocks, uint64_t now_us)
{
    struct gd_mock_conn *conn, *next;

    for (conn = mocks->conns; conn; conn = next) {
        next = conn->next;
        if (conn->deadline_us && now_us >= conn->deadline_us)
            conn_close(conn, conn->wait == WAIT_WRITE);
    }
}

void gd_mock_conns_free(struct gd_mock_server *server)
{
    struct gd_mock_conn *conn, *next;

    for (conn = server->mocks->conns; conn; conn = next) {
        next = conn->next;
        if (conn->server != server)
            continue;
        conn_release(conn, false);
        conn_destroy(conn);
    }
}
