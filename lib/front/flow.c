#include "front/flow.h"

#include <assert.h>
#include <errno.h>

/* Around the pieces: the head, the line of a chunk, its end. */
enum { VECTOR = GD_WRITE_PIECES_MAX + 3 };

struct gd_flow *gd_flow_of(struct gd_conn *conn)
{
    if (conn->flow == NULL)
        conn->flow = gd_arena_alloc(&conn->arena, sizeof(*conn->flow));
    return conn->flow;
}

static enum gd_framing framing_of(const struct gd_conn *conn,
                                  const struct gd_answer *answer)
{
    if (gd_reply_is_bare(answer->status))
        return GD_FRAMING_NONE;
    if (answer->body_bytes != GD_LENGTH_UNKNOWN)
        return GD_FRAMING_LENGTH;
    if (conn->head_only)
        return GD_FRAMING_NONE;
    return conn->minor == 0 ? GD_FRAMING_EOF : GD_FRAMING_CHUNKED;
}

bool gd_request_open(struct gd_request *request, const struct gd_answer *answer,
                     void (*on_writable)(void *arg), void *arg)
{
    struct gd_conn *conn = request->conn;
    struct gd_flow *flow = gd_flow_of(conn);
    enum gd_framing framing = framing_of(conn, answer);

    assert(conn->request == request && !conn->answered);
    if (flow == NULL)
        return false;
    gd_reply_decide(conn, answer->close || framing == GD_FRAMING_EOF);
    if (!gd_reply_head(conn, answer, framing, request->id)) {
        gd_buf_free(&conn->out);
        return false;
    }
    conn->answered = conn->streaming = true;
    conn->release = answer->release;
    conn->release_arg = answer->release_arg;
    flow->on_writable = on_writable;
    flow->arg = arg;
    flow->framing = framing;
    flow->left = answer->body_bytes;
    if (conn->head_only) /* the length of what is left out */
        flow->framing = GD_FRAMING_NONE;
    return true;
}

static void add(struct iovec *out, int *n, struct gd_span bytes)
{
    if (bytes.len)
        out[(*n)++] = (struct iovec){(char *)bytes.ptr, bytes.len};
}

/* Puts what is to be written together; returns the count. */
static int frame(struct gd_conn *conn, struct iovec *out, const struct iovec *iov,
                 int count, bool last)
{
    struct gd_flow *flow = conn->flow;
    size_t bytes = gd_iov_bytes(iov, count);
    int n = 0;

    add(out, &n, gd_buf_span(&conn->out));
    if (flow->framing == GD_FRAMING_NONE)
        return n;
    if (flow->framing == GD_FRAMING_LENGTH) {
        assert(bytes <= flow->left && (!last || bytes == flow->left));
        flow->left -= bytes;
    }
    if (flow->framing == GD_FRAMING_CHUNKED)
        add(out, &n, gd_write_chunk_line(flow->chunk, bytes));
    if (bytes) {
        memcpy(out + n, iov, (size_t)count * sizeof(*iov));
        n += count;
    }
    if (flow->framing == GD_FRAMING_CHUNKED)
        add(out, &n, gd_chunk_end(bytes, last));
    return n;
}

/* Nothing more comes of the handler. */
static void close_flow(struct gd_conn *conn)
{
    conn->streaming = false;
    gd_flow_end_body(conn);
    gd_front_count(conn->front, GD_WORKER_IN_FLIGHT, -1);
}

/* The client has said all it had to say: the next piece has to come soon. */
static void await_piece(struct gd_conn *conn)
{
    if (conn->eof)
        gd_conn_leaving(conn, GD_FRONT_HALF_CLOSED_MS);
}

/* Not all file systems can do it. */
static bool is_about_file(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOVERFLOW;
}

bool gd_request_write(struct gd_request *request, const struct iovec *iov, int count,
                      bool last)
{
    struct gd_conn *conn = request->conn;
    struct iovec all[VECTOR];
    size_t n = 0, want;
    bool done;

    assert(conn->request == request && conn->streaming);
    assert(conn->state != GD_CONN_WRITE && count <= GD_WRITE_PIECES_MAX);
    count = frame(conn, all, iov, count, last);
    want = gd_iov_bytes(all, count);
    if (last) {
        close_flow(conn);
        conn->state = GD_CONN_WRITE;
    }
    /* After an error the socket is writable for ever: the next attempt, from the loop,
     * ends the connection, so that nobody is told inside this call. */
    done = want == 0 ||
           (gd_stream_write(&conn->stream, all, count, &n) == GD_IO_OK && n == want);
    conn->ending.sent += n;
    if (done) {
        gd_buf_free(&conn->out);
        if (last)
            gd_conn_answered(conn);
        else
            await_piece(conn);
        return true;
    }
    gd_reply_later(conn, all, count, n);
    return false;
}

bool gd_request_takes_files(const struct gd_request *request)
{
    const struct gd_conn *conn = request->conn;

    return conn->stream.tls == NULL && conn->flow->framing == GD_FRAMING_LENGTH;
}

enum gd_io gd_request_send_file(struct gd_request *request, int file, off_t *at,
                                size_t bytes)
{
    static const struct iovec nothing[1];
    struct gd_conn *conn = request->conn;
    size_t n = 0;
    enum gd_io io = gd_stream_send_file(&conn->stream, file, at, bytes, &n);

    assert(conn->streaming && conn->state != GD_CONN_WRITE && n <= conn->flow->left);
    if (io == GD_IO_OK) {
        conn->flow->left -= n;
        conn->ending.sent += n;
        await_piece(conn);
    }
    if (io != GD_IO_AGAIN && (io != GD_IO_ERROR || is_about_file(errno)))
        return io;
    /* A socket with an error is writable for ever: the loop ends the connection. */
    gd_reply_later(conn, nothing, 1, 0);
    return GD_IO_AGAIN;
}

void gd_flow_written(struct gd_conn *conn)
{
    struct gd_flow *flow = conn->flow;

    gd_blocks_put(conn->front->blocks, conn->iov, conn->iov_cap);
    conn->iov = NULL;
    gd_buf_free(&conn->out);
    conn->state = GD_CONN_WAIT;
    await_piece(conn);
    flow->on_writable(flow->arg);
}

void gd_request_abort(struct gd_request *request)
{
    struct gd_conn *conn = request->conn;

    assert(conn->request == request && conn->streaming);
    close_flow(conn);
    conn->ending.how = GD_END_ABORTED;
    gd_conn_close(conn, true);
}
