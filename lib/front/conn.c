#include "front/conn.h"

#include <netinet/in.h>

#include "base/mem.h"
#include "front/crowd.h"
#include "front/flow.h"

size_t gd_conn_pending(const struct gd_conn *conn)
{
    return conn->pumping ? conn->window.len : conn->input.len - conn->input_at;
}

/* Ending ----------------------------------------------------------------------------- */

void gd_conn_abandon(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;

    if (conn->request == NULL || (conn->answered && !conn->streaming))
        return;
    conn->answered = true;
    conn->streaming = false;
    gd_flow_end_body(conn);
    gd_front_count(front, GD_WORKER_IN_FLIGHT, -1);
    if (conn->told && front->handler.on_gone)
        front->handler.on_gone(front->arg, conn->request);
}

void gd_conn_forget(struct gd_conn *conn)
{
    void (*release)(void *) = conn->release;

    conn->release = NULL;
    gd_flow_end_body(conn);
    if (release)
        release(conn->release_arg);
    gd_ending_tell(conn);
    conn->request = NULL;
    conn->flow = NULL;
    gd_arena_free(&conn->arena);
    gd_buf_free(&conn->body_bytes);
    gd_buf_free(&conn->out);
    gd_blocks_put(conn->front->blocks, conn->iov, conn->iov_cap);
    conn->iov = NULL;
    conn->iov_left = 0;
    gd_shell_end(conn);
}

static void drop_input(struct gd_conn *conn)
{
    conn->window.len = 0;
    if (conn->pumping)
        return; /* the window may lie in the input; feed and pump_input tidy up */
    gd_buf_free(&conn->input);
    conn->input_at = 0;
}

static void unlink_conn(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;

    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        front->conns = conn->next;
    front->conn_count--;
    gd_front_count(front, GD_WORKER_CONNECTIONS_OPEN, -1);
}

void gd_conn_close(struct gd_conn *conn, bool abort)
{
    struct gd_front *front = conn->front;

    if (conn->state == GD_CONN_CLOSED)
        return;
    gd_opening_left(conn);
    gd_crowd_left(conn);
    conn->state = GD_CONN_CLOSED;
    gd_timer_disarm(&conn->timer);
    gd_work_cancel(&conn->again);
    gd_stream_close(&conn->stream, abort);
    gd_conn_abandon(conn);
    gd_conn_forget(conn);
    gd_shell_close(conn);
    conn->window.len = 0;
    gd_buf_free(&conn->input);
    conn->input_at = 0;
    unlink_conn(conn);
    gd_loop_bury(front->loop, &conn->grave, gd_free, conn);
    gd_front_conn_left(conn->listener);
}

static void client_gone(struct gd_conn *conn)
{
    if (conn->request && (!conn->answered || conn->streaming))
        gd_front_count(conn->front, GD_WORKER_CLIENT_GONE, 1);
    conn->ending.how = GD_END_GONE;
    gd_conn_close(conn, false);
}

/* States ----------------------------------------------------------------------------- */

/* A busy connection is idle between any two requests; its timer is armed anew only after
 * an eighth of the time, and what it is early then is waited out by on_idle_deadline. */
static void arm_idle(struct gd_conn *conn)
{
    uint32_t ms = conn->front->limits->idle_timeout_ms;
    uint64_t now_us = gd_loop_now_us(conn->front->loop);

    conn->idle_since_us = now_us;
    if (conn->idle_timer && now_us - conn->armed_us < (uint64_t)ms * 1000 / 8)
        return;
    conn->idle_timer = true;
    conn->armed_us = now_us;
    gd_timer_arm(&conn->timer, ms);
}

void gd_conn_enter(struct gd_conn *conn, enum gd_conn_state state)
{
    const struct gd_plan_limits *limits = conn->front->limits;
    bool first = conn->requests == 0;

    conn->state = state;
    if (state == GD_CONN_IDLE)
        gd_crowd_idle(conn);
    if (state == GD_CONN_IDLE && !first) {
        arm_idle(conn);
        return;
    }
    conn->idle_timer = false;
    switch (state) {
    case GD_CONN_IDLE:
        gd_timer_arm(&conn->timer, limits->header_timeout_ms);
        break;
    case GD_CONN_HEAD:
        conn->ending.head_us = gd_loop_now_us(conn->front->loop);
        if (!first) /* for the first one the time runs since the connection is open */
            gd_timer_arm(&conn->timer, limits->header_timeout_ms);
        break;
    case GD_CONN_BODY:
        gd_timer_arm(&conn->timer, limits->body_timeout_ms);
        break;
    case GD_CONN_WRITE:
        conn->written = 0;
        conn->unread = gd_stream_unread(&conn->stream);
        gd_timer_arm(&conn->timer, limits->write_timeout_ms);
        break;
    case GD_CONN_DISCARD:
        conn->dropped = 0;
        gd_timer_arm(&conn->timer, limits->body_timeout_ms);
        break;
    case GD_CONN_LINGER:
        conn->dropped = 0;
        gd_timer_arm(&conn->timer, GD_FRONT_LINGER_MS);
        break;
    case GD_CONN_OPENING: /* its deadline is armed by opening.c */
    case GD_CONN_WAIT:    /* the handler's deadlines */
    case GD_CONN_CLOSED:
        break;
    }
}

static void end_politely(struct gd_conn *conn)
{
    bool waits = conn->linger || gd_conn_pending(conn);

    if (conn->eof || !waits) {
        gd_conn_close(conn, false);
        return;
    }
    /* A close with bytes unread would reset the connection and could take the answer
     * away from the client before it has read it. */
    drop_input(conn);
    gd_stream_shutdown(&conn->stream);
    gd_conn_enter(conn, GD_CONN_LINGER);
    gd_stream_want_read(&conn->stream, true);
}

/* What every change of input or state ends in: a connection of which nothing more can
 * come, or is taken, is closed, and reading stops while too much waits behind a request.
 */
static void settle(struct gd_conn *conn)
{
    bool busy = conn->state == GD_CONN_WAIT || conn->state == GD_CONN_WRITE ||
                gd_work_queued(&conn->again);

    if (conn->state == GD_CONN_CLOSED)
        return;
    if (conn->eof && (!busy || gd_flow_starves(conn))) {
        client_gone(conn);
        return;
    }
    if (conn->front->draining && !busy &&
        (conn->state == GD_CONN_IDLE || conn->state == GD_CONN_DISCARD)) {
        conn->linger = true;
        end_politely(conn);
        return;
    }
    gd_stream_want_read(&conn->stream,
                        !conn->eof && !gd_flow_paused(conn) &&
                            !(busy && gd_conn_pending(conn) > GD_FRONT_PENDING_BYTES));
}

void gd_conn_answered(struct gd_conn *conn)
{
    bool complete = gd_body_complete(&conn->body);

    gd_conn_forget(conn);
    if (!conn->keep) {
        end_politely(conn);
        return;
    }
    gd_conn_enter(conn, complete ? GD_CONN_IDLE : GD_CONN_DISCARD);
    if (conn->pumping)
        return;
    if (gd_conn_pending(conn))
        gd_conn_go_on_later(conn);
    settle(conn);
}

/* Input ------------------------------------------------------------------------------ */

static void pump_input(struct gd_conn *conn)
{
    struct gd_buf *input = &conn->input;

    conn->window.ptr = input->data + conn->input_at;
    conn->window.len = input->len - conn->input_at;
    conn->pumping = true;
    gd_guard_pump(conn);
    conn->pumping = false;
    if (conn->state == GD_CONN_CLOSED)
        return;
    conn->input_at = input->len - conn->window.len;
    if (conn->input_at == input->len)
        drop_input(conn);
    settle(conn);
}

static void on_again(void *arg)
{
    struct gd_conn *conn = arg;

    pump_input(conn);
}

void gd_conn_go_on_later(struct gd_conn *conn)
{
    if (!gd_work_queued(&conn->again))
        gd_loop_defer(conn->front->loop, &conn->again, on_again, conn);
}

static bool keep_bytes(struct gd_conn *conn, struct gd_span bytes)
{
    if (conn->input_at) {
        gd_buf_drop(&conn->input, conn->input_at);
        conn->input_at = 0;
    }
    if (gd_buf_add_span(&conn->input, bytes))
        return true;
    client_gone(conn); /* no memory */
    return false;
}

/* Takes bytes that were read: straight to the guard when none wait before them. */
static void feed(struct gd_conn *conn, struct gd_span bytes)
{
    if (gd_conn_pending(conn)) {
        if (keep_bytes(conn, bytes) && !gd_work_queued(&conn->again))
            pump_input(conn);
        return;
    }
    conn->window = bytes;
    conn->pumping = true;
    gd_guard_pump(conn);
    conn->pumping = false;
    if (conn->state != GD_CONN_CLOSED && conn->window.len &&
        !keep_bytes(conn, conn->window))
        return;
    settle(conn);
}

void gd_conn_leaving(struct gd_conn *conn, uint32_t ms)
{
    conn->leaving = true;
    conn->idle_timer = false;
    gd_timer_arm(&conn->timer, ms);
}

static void on_eof(struct gd_conn *conn, bool with_request)
{
    conn->eof = true;
    /* The rule is in front.h. */
    if (conn->state == GD_CONN_WAIT)
        gd_conn_leaving(conn, with_request || conn->streaming ? GD_FRONT_HALF_CLOSED_MS
                                                              : GD_FRONT_GRACE_MS);
    settle(conn);
}

static void read_once(struct gd_conn *conn, bool with_request)
{
    struct gd_front *front = conn->front;
    size_t n = 0;

    switch (gd_stream_read(&conn->stream, front->scratch, GD_FRONT_READ_BYTES, &n)) {
    case GD_IO_AGAIN:
        break;
    case GD_IO_EOF:
        on_eof(conn, with_request);
        break;
    case GD_IO_ERROR:
        client_gone(conn);
        break;
    case GD_IO_OK:
        if (conn->state != GD_CONN_LINGER) {
            feed(conn, (struct gd_span){front->scratch, n});
            break;
        }
        conn->dropped += n;
        if (conn->dropped > GD_FRONT_LINGER_BYTES)
            gd_conn_close(conn, false);
        break;
    }
}

static void on_readable(void *arg)
{
    struct gd_conn *conn = arg;
    bool waited = conn->state == GD_CONN_WAIT;

    if (conn->state == GD_CONN_OPENING) {
        gd_opening_step(conn);
        return;
    }
    read_once(conn, false);
    /* A client that sends one request and its FIN at once is worth a second look; on a
     * connection in steady use this costs nothing. */
    if (!waited && conn->state == GD_CONN_WAIT && conn->requests == 1 && !conn->eof &&
        conn->stream.reading)
        read_once(conn, true);
}

static void on_writable(void *arg)
{
    struct gd_conn *conn = arg;

    if (conn->state == GD_CONN_OPENING)
        gd_opening_step(conn);
    else
        gd_reply_continue(conn);
}

bool gd_conn_close_idle(struct gd_conn *conn)
{
    if (conn->state == GD_CONN_IDLE && !gd_work_queued(&conn->again))
        read_once(conn, false);
    if (conn->state == GD_CONN_IDLE && !gd_work_queued(&conn->again))
        gd_conn_close(conn, false);
    return conn->state == GD_CONN_CLOSED;
}

void gd_conn_drain(struct gd_conn *conn)
{
    if (!gd_conn_close_idle(conn) && conn->state != GD_CONN_OPENING)
        settle(conn);
}

/* Deadlines -------------------------------------------------------------------------- */

static void on_idle_deadline(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    uint64_t idle_us = gd_loop_now_us(front->loop) - conn->idle_since_us;
    uint32_t ms = front->limits->idle_timeout_ms;

    if (gd_work_queued(&conn->again) ||
        (conn->requests > 0 && idle_us < (uint64_t)ms * 1000)) {
        gd_timer_arm(&conn->timer, ms / 8 + 1);
        return;
    }
    gd_front_count(front, GD_WORKER_TIMEOUT_IDLE, 1);
    gd_conn_close(conn, false);
}

/* The system may hold megabytes for a slow client, and takes more only when a good part
 * of them has left. So it is what the client has taken that counts. */
static void on_write_deadline(struct gd_conn *conn)
{
    size_t unread = gd_stream_unread(&conn->stream);

    if (conn->written + conn->unread >= unread + GD_FRONT_WRITE_MIN_BYTES) {
        gd_conn_enter(conn, GD_CONN_WRITE);
        return;
    }
    gd_front_count(conn->front, GD_WORKER_TIMEOUT_WRITE, 1);
    conn->ending.how = GD_END_STALLED;
    gd_conn_close(conn, true);
}

static void on_timer(void *arg)
{
    struct gd_conn *conn = arg;
    conn->idle_timer = false;
    switch (conn->state) {
    case GD_CONN_OPENING:
        gd_opening_deadline(conn);
        break;
    case GD_CONN_IDLE:
        on_idle_deadline(conn);
        break;
    case GD_CONN_HEAD:
        gd_guard_refuse(conn, GD_WORKER_TIMEOUT_HEADER, 408,
                        "the request header was not complete in time");
        break;
    case GD_CONN_BODY:
        gd_guard_refuse(conn, GD_WORKER_TIMEOUT_BODY, 408,
                        "the request body was not complete in time");
        break;
    case GD_CONN_WAIT:
        if (conn->leaving)
            client_gone(conn);
        break;
    case GD_CONN_WRITE:
        on_write_deadline(conn);
        break;
    case GD_CONN_DISCARD:
        gd_front_count(conn->front, GD_WORKER_TIMEOUT_BODY, 1);
        gd_conn_close(conn, false);
        break;
    case GD_CONN_LINGER:
        gd_conn_close(conn, false);
        break;
    case GD_CONN_CLOSED:
        break;
    }
}

/* Beginning -------------------------------------------------------------------------- */

static socklen_t address_size(const struct sockaddr *sa)
{
    switch (sa->sa_family) {
    case AF_INET:
        return sizeof(struct sockaddr_in);
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    default: /* a client's UNIX socket has no name */
        return sizeof(sa->sa_family);
    }
}

struct gd_conn *gd_conn_open(struct gd_listener *listener, struct evhtp_connection *shell,
                             int fd, const struct sockaddr *sa)
{
    struct gd_front *front = listener->front;
    struct gd_conn *conn = gd_alloc(sizeof(*conn));

    conn->front = front;
    conn->listener = listener;
    conn->shell = shell;
    conn->refused = front->to_refuse;
    conn->on_credit = front->to_credit;
    conn->client.len = address_size(sa);
    memcpy(&conn->client.sa, sa, conn->client.len);
    gd_conn_name_peer(conn);
    gd_buf_init(&conn->input, front->blocks, 0);
    gd_conn_renew(conn);
    gd_timer_init(&conn->timer, front->loop, on_timer, conn);
    gd_stream_init(&conn->stream, front->loop, on_readable, on_writable, conn);
    gd_stream_open(&conn->stream, fd, false);
    gd_stream_want_read(&conn->stream, true);
    conn->next = front->conns;
    if (conn->next)
        conn->next->prev = conn;
    front->conns = conn;
    front->conn_count++;
    front->refusing += conn->refused;
    front->credit += conn->on_credit;
    front->high_count += front->fd_most && fd >= front->fd_most;
    listener->conn_count++;
    gd_front_count(front, GD_WORKER_CONNECTIONS, 1);
    gd_front_count(front, GD_WORKER_CONNECTIONS_OPEN, 1);
    gd_opening_begin(conn);
    return conn;
}
