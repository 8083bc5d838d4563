#include "front/flow.h"

/* Of the input that is decoded for one piece. */
enum { PIECE_MAX = 64 * 1024 };

static const char too_large[] = "the request body is too large";

static bool takes_body(const struct gd_conn *conn)
{
    return (conn->state == GD_CONN_WAIT || conn->state == GD_CONN_WRITE) && conn->flow &&
           conn->flow->wanted && !conn->flow->paused;
}

static void note_progress(struct gd_conn *conn)
{
    conn->flow->progress_us = gd_loop_now_us(conn->front->loop);
    conn->flow->slow_bytes = 0;
}

/* The body cannot go on. A client that has got its answer's head already can only be
 * told by breaking that off. */
static void fail(struct gd_conn *conn, enum gd_stat_worker counter, int status,
                 const char *detail)
{
    if (!conn->answered) {
        gd_guard_refuse(conn, counter, status, detail);
        return;
    }
    gd_front_count(conn->front, counter, 1);
    gd_conn_close(conn, true);
}

/* The timer is armed for the whole time, and what it is early is waited out in parts. */
static void on_body_timer(void *arg)
{
    struct gd_conn *conn = arg;
    struct gd_front *front = conn->front;
    uint32_t ms = front->limits->body_timeout_ms;

    if (!takes_body(conn))
        return;
    if (gd_loop_now_us(front->loop) - conn->flow->progress_us < (uint64_t)ms * 1000)
        gd_timer_arm(&conn->flow->timer, ms / 8 + 1);
    else
        fail(conn, GD_WORKER_TIMEOUT_BODY, 408, "the request body has stopped coming");
}

/* Waits for more of the body. */
static void await_more(struct gd_conn *conn)
{
    struct gd_flow *flow = conn->flow;

    if (!gd_timer_armed(&flow->timer))
        gd_timer_arm(&flow->timer, conn->front->limits->body_timeout_ms);
    if (!flow->expects)
        return;
    flow->expects = false;
    if (!conn->answered)
        gd_reply_100(conn);
}

void gd_flow_end_body(struct gd_conn *conn)
{
    if (conn->flow == NULL || !conn->flow->wanted)
        return;
    conn->flow->wanted = false;
    gd_timer_disarm(&conn->flow->timer);
}

void gd_flow_begin(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_request *request = conn->request;
    const struct gd_request_head *head = &request->head;
    struct gd_flow *flow = gd_flow_of(conn);

    if (flow == NULL) {
        gd_guard_refuse(conn, GD_WORKER_REJECTED_HEADERS, 431,
                        "the request header is too large");
        return;
    }
    flow->room = request->max_body;
    if (head->framing == GD_FRAMING_LENGTH && head->content_length > request->max_body) {
        gd_guard_refuse(conn, GD_WORKER_REJECTED_BODY, 413, too_large);
        return;
    }
    flow->wanted = head->framing != GD_FRAMING_NONE;
    flow->expects = head->expect_continue && conn->window.len == 0;
    note_progress(conn);
    gd_timer_init(&flow->timer, front->loop, on_body_timer, conn);
    conn->state = GD_CONN_WAIT;
    conn->told = true;
    front->handler.on_request(front->arg, request);
}

/* Decodes one run of the input where it is: its content moves together. */
static enum gd_body_result decode(struct gd_conn *conn, struct gd_span *piece)
{
    size_t most = conn->window.len < PIECE_MAX ? conn->window.len : PIECE_MAX;
    struct gd_span input = {conn->window.ptr, most}, data;
    char *start = (char *)conn->window.ptr;
    enum gd_body_result result;
    size_t len = 0, used;

    do {
        result = gd_body_step(&conn->body, input, &used, &data);
        input.ptr += used;
        input.len -= used;
        if (result == GD_BODY_DATA && start + len != data.ptr)
            memmove(start + len, data.ptr, data.len);
        len += data.len;
    } while (result == GD_BODY_DATA);
    conn->window.len -= most - input.len;
    conn->window.ptr = input.ptr;
    *piece = (struct gd_span){start, len};
    return result;
}

static void deliver(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_flow *flow = conn->flow;
    struct gd_span piece;
    enum gd_body_result result = decode(conn, &piece);
    bool last = result == GD_BODY_DONE;

    if (piece.len > flow->room) {
        fail(conn, GD_WORKER_REJECTED_BODY, 413, too_large);
        return;
    }
    if (result == GD_BODY_BAD) {
        fail(conn, GD_WORKER_REJECTED_MALFORMED, 400,
             "the chunked request body is malformed");
        return;
    }
    flow->room -= piece.len;
    flow->slow_bytes += piece.len;
    if (flow->slow_bytes >= front->limits->body_least)
        note_progress(conn);
    flow->expects = false;
    if (last)
        gd_flow_end_body(conn);
    if (piece.len > 0 || last)
        front->handler.on_body(front->arg, conn->request, piece, last);
}

bool gd_flow_take_body(struct gd_conn *conn)
{
    while (takes_body(conn) && (conn->window.len > 0 || gd_body_complete(&conn->body)))
        deliver(conn);
    if (takes_body(conn))
        await_more(conn);
    return conn->state != GD_CONN_WAIT && conn->state != GD_CONN_WRITE;
}

void gd_request_pause_body(struct gd_request *request, bool pause)
{
    struct gd_conn *conn = request->conn;
    struct gd_flow *flow = conn->flow;

    if (flow == NULL || !flow->wanted || flow->paused == pause)
        return;
    flow->paused = pause;
    if (pause) {
        if (!conn->pumping) /* else it is done at the end of that */
            gd_stream_want_read(&conn->stream, false);
        return;
    }
    note_progress(conn);
    gd_conn_go_on_later(conn);
}
