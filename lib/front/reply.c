#include "front/conn.h"

#include <assert.h>

#include "front/flow.h"
#include "http/problem.h"

enum {
    HEAD_MAX = 64 * 1024, /* of an answer */
    HEAD_USUAL = 512,
    PIECES_ON_STACK = 64,
    PROBLEM_FIELDS_MAX = 4,
};

/* Heads ------------------------------------------------------------------------------ */

/* Framing is the front's business alone. */
static bool is_own_field(const struct gd_answer *answer, struct gd_span name)
{
    switch ((int)gd_field_id_of(name)) {
    case GD_FIELD_CONNECTION:
    case GD_FIELD_CONTENT_LENGTH:
    case GD_FIELD_KEEP_ALIVE:
    case GD_FIELD_TRAILER:
    case GD_FIELD_TRANSFER_ENCODING:
    case GD_FIELD_UPGRADE:
        return true;
    case GD_FIELD_CONTENT_TYPE:
        return answer->content_type.len > 0;
    default:
        return gd_span_ieq(name, GD_SPAN("X-Request-Id"));
    }
}

static bool has_date(const struct gd_answer *answer)
{
    for (unsigned i = 0; i < answer->header_count; i++)
        if (gd_field_id_of(answer->headers[i].name) == GD_FIELD_DATE)
            return true;
    return false;
}

static bool write_fields(struct gd_buf *out, const struct gd_answer *answer)
{
    for (unsigned i = 0; i < answer->header_count; i++) {
        const struct gd_plan_header *header = &answer->headers[i];

        if (!is_own_field(answer, header->name) &&
            !gd_write_field(out, header->name, header->value))
            return false;
    }
    return true;
}

static bool write_lines(struct gd_conn *conn)
{
    return conn->request == NULL || gd_buf_add_span(&conn->out, conn->request->lines);
}

static bool write_connection(struct gd_conn *conn)
{
    if (!conn->keep)
        return gd_buf_add_span(&conn->out, GD_SPAN("Connection: close\r\n"));
    if (conn->minor == 0)
        return gd_buf_add_span(&conn->out, GD_SPAN("Connection: keep-alive\r\n"));
    return true;
}

static bool write_framing(struct gd_buf *out, enum gd_framing framing, size_t bytes)
{
    if (framing == GD_FRAMING_CHUNKED)
        return gd_buf_add_span(out, GD_SPAN("Transfer-Encoding: chunked\r\n"));
    return framing != GD_FRAMING_LENGTH ||
           (gd_buf_add_span(out, GD_SPAN("Content-Length: ")) &&
            gd_buf_add_u64(out, bytes) && gd_buf_add_span(out, GD_SPAN("\r\n")));
}

/* Sanitizer builds are test builds: there each head that leaves passes the strict parser,
 * as a client's would. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define CHECK_HEADS
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define CHECK_HEADS
#endif

#ifdef CHECK_HEADS
static void check_head(const struct gd_buf *out, bool head_only, enum gd_framing framing)
{
    static const struct gd_head_limits limits = {8192, HEAD_MAX, 256};
    static _Thread_local struct gd_field fields[256];
    struct gd_head_state state = {0};
    struct gd_response_head head;

    assert(gd_response_head_parse(&state, gd_buf_span(out), &limits,
                                  head_only ? GD_METHOD_HEAD : GD_METHOD_GET, fields,
                                  &head) == GD_PARSE_DONE);
    assert(head.bytes == out->len &&
           (head.framing != GD_FRAMING_EOF || framing == GD_FRAMING_EOF));
}
#else
static void check_head(const struct gd_buf *out, bool head_only, enum gd_framing framing)
{
    (void)out;
    (void)head_only;
    (void)framing;
}
#endif

bool gd_reply_head(struct gd_conn *conn, const struct gd_answer *answer,
                   enum gd_framing framing, struct gd_span id)
{
    struct gd_front *front = conn->front;
    struct gd_buf *out = &conn->out;
    struct gd_span type = answer->content_type;
    bool ok;

    conn->ending.status = (uint16_t)answer->status;
    gd_buf_free(out);
    gd_buf_init(out, front->blocks, HEAD_MAX);
    ok =
        answer->status >= 200 && gd_buf_reserve(out, HEAD_USUAL) &&
        gd_write_status_line(out, answer->status) &&
        (has_date(answer) ||
         gd_buf_add_span(out, gd_date_line(&front->date, gd_loop_wall_s(front->loop)))) &&
        (type.len == 0 || gd_write_field(out, GD_SPAN("Content-Type"), type)) &&
        write_framing(out, framing, answer->body_bytes) &&
        gd_write_field(out, GD_SPAN("X-Request-Id"), id) && write_connection(conn) &&
        write_fields(out, answer) && write_lines(conn) && gd_write_end(out);
    if (ok)
        check_head(out, conn->head_only, framing);
    return ok;
}

static enum gd_framing framing_of(const struct gd_answer *answer)
{
    return gd_reply_is_bare(answer->status) ? GD_FRAMING_NONE : GD_FRAMING_LENGTH;
}

/* Writing ---------------------------------------------------------------------------- */

void gd_reply_later(struct gd_conn *conn, const struct iovec *iov, int count,
                    size_t written)
{
    size_t want = (size_t)count * sizeof(*iov);

    conn->iov = gd_blocks_get(conn->front->blocks, want, &conn->iov_cap);
    /* The bounded vector of a stream has no failure that could be told in its write. */
    gd_loop_must(conn->iov != NULL || !conn->streaming);
    if (conn->iov == NULL) {
        gd_conn_close(conn, true);
        return;
    }
    memcpy(conn->iov, iov, want);
    conn->iov_left = count;
    conn->iov_at = gd_iov_advance(conn->iov, &conn->iov_left, written);
    gd_conn_enter(conn, GD_CONN_WRITE);
    gd_stream_want_write(&conn->stream, true);
}

static void write_now(struct gd_conn *conn, const struct iovec *iov, int count)
{
    size_t n = 0;

    conn->state = GD_CONN_WRITE;
    switch (gd_stream_write(&conn->stream, iov, count, &n)) {
    case GD_IO_OK:
        conn->ending.sent += n;
        if (n == gd_iov_bytes(iov, count)) {
            gd_conn_answered(conn);
            return;
        }
        break;
    case GD_IO_AGAIN:
        break;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        conn->ending.how = GD_END_GONE;
        gd_conn_close(conn, true);
        return;
    }
    gd_reply_later(conn, iov, count, n);
}

void gd_reply_continue(struct gd_conn *conn)
{
    size_t n = 0;

    switch (gd_stream_write(&conn->stream, conn->iov_at, conn->iov_left, &n)) {
    case GD_IO_OK:
        conn->written += n;
        conn->ending.sent += n;
        conn->iov_at = gd_iov_advance(conn->iov_at, &conn->iov_left, n);
        if (conn->iov_left > 0)
            return;
        gd_stream_want_write(&conn->stream, false);
        if (conn->streaming)
            gd_flow_written(conn);
        else
            gd_conn_answered(conn);
        return;
    case GD_IO_AGAIN:
        return;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        conn->ending.how = GD_END_GONE;
        gd_conn_close(conn, true);
    }
}

void gd_reply_100(struct gd_conn *conn)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec iov = {text, sizeof(text) - 1};
    size_t n = 0;

    if (conn->minor == 0)
        return;
    switch (gd_stream_write(&conn->stream, &iov, 1, &n)) {
    case GD_IO_AGAIN: /* the client will send its body without; but a record of TLS that
                         was begun has to be ended */
        if (conn->stream.tls)
            break;
        return;
    case GD_IO_OK:
        if (n == iov.iov_len)
            return;
        break;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        break;
    }
    gd_conn_close(conn, true);
}

/* Problems --------------------------------------------------------------------------- */

/* Head and body go out as one piece, so nothing is borrowed from the caller. */
static void send_problem(struct gd_conn *conn, int status, const char *detail,
                         struct gd_span extra, const struct gd_plan_header *headers,
                         unsigned header_count, struct gd_span id)
{
    struct gd_plan_header all[PROBLEM_FIELDS_MAX + 1];
    struct gd_answer answer = {.status = status,
                               .content_type = GD_SPAN("application/problem+json"),
                               .headers = all,
                               .header_count = header_count};
    struct gd_buf body;
    bool ok;

    assert(header_count <= PROBLEM_FIELDS_MAX);
    if (header_count)
        memcpy(all, headers, header_count * sizeof(*all));
    if (conn->request && conn->request->no_store)
        all[answer.header_count++] =
            (struct gd_plan_header){GD_SPAN("Cache-Control"), GD_SPAN("no-store")};
    gd_buf_init(&body, conn->front->blocks, HEAD_MAX / 2);
    ok = gd_problem_write(&body, status, detail, extra);
    answer.body_bytes = body.len;
    ok = ok && gd_reply_head(conn, &answer, GD_FRAMING_LENGTH, id) &&
         (conn->head_only || gd_buf_add_span(&conn->out, gd_buf_span(&body)));
    gd_buf_free(&body);
    if (ok)
        write_now(conn, &(struct iovec){conn->out.data, conn->out.len}, 1);
    else if (extra.len || header_count)
        send_problem(conn, 500, "the answer could not be written", GD_SPAN_NONE, NULL, 0,
                     id);
    else
        gd_conn_close(conn, true); /* no memory for a kilobyte */
}

void gd_reply_problem(struct gd_conn *conn, int status, const char *detail,
                      struct gd_span id)
{
    static const struct gd_plan_header later = {{"Retry-After", 11}, {"1", 1}};

    send_problem(conn, status, detail, GD_SPAN_NONE, &later, status == 503, id);
}

/* Answers ---------------------------------------------------------------------------- */

void gd_reply_decide(struct gd_conn *conn, bool close)
{
    const struct gd_front *front = conn->front;
    const struct gd_request *request = conn->request;
    bool complete = gd_body_complete(&conn->body);
    bool saves = request->head.framing == GD_FRAMING_LENGTH &&
                 request->head.content_length <= GD_FRONT_DISCARD_BYTES &&
                 !request->head.expect_continue;
    uint32_t most = front->limits->requests_per_connection;

    conn->keep = request->head.keep_alive && !close && !front->leaving &&
                 conn->listener->listener && /* or its address is no longer ours */

                 (complete || saves) && (most == 0 || conn->requests < most);
    conn->linger = !conn->keep && (request->head.keep_alive || !complete);
    if (most && conn->requests == most)
        gd_front_count(conn->front, GD_WORKER_USED_UP, 1);
}

/* Claims the request for its one answer; false when it had one already or is gone. */
static bool claim(struct gd_request *request)
{
    struct gd_conn *conn = request->conn;

    if (conn->request != request || conn->answered)
        return false;
    conn->answered = true;
    gd_flow_end_body(conn);
    gd_front_count(conn->front, GD_WORKER_IN_FLIGHT, -1);
    return true;
}

static void send_pieces(struct gd_conn *conn, const struct gd_answer *answer)
{
    struct iovec few[PIECES_ON_STACK], *iov = few;
    int count = 1;
    size_t cap = 0;

    if (answer->body_count >= PIECES_ON_STACK)
        iov = gd_blocks_get(conn->front->blocks,
                            ((size_t)answer->body_count + 1) * sizeof(*iov), &cap);
    if (iov == NULL) {
        gd_conn_close(conn, true);
        return;
    }
    iov[0] = (struct iovec){conn->out.data, conn->out.len};
    if (!conn->head_only && !gd_reply_is_bare(answer->status))
        while (count <= answer->body_count) {
            iov[count] = answer->body[count - 1];
            count++;
        }
    write_now(conn, iov, count);
    if (iov != few)
        gd_blocks_put(conn->front->blocks, iov, cap);
}

void gd_request_answer(struct gd_request *request, const struct gd_answer *answer)
{
    struct gd_conn *conn = request->conn;

    if (!claim(request)) {
        if (answer->release)
            answer->release(answer->release_arg);
        return;
    }
    assert(gd_iov_bytes(answer->body, answer->body_count) == answer->body_bytes);
    conn->release = answer->release;
    conn->release_arg = answer->release_arg;
    gd_reply_decide(conn, answer->close);
    if (!gd_reply_head(conn, answer, framing_of(answer), request->id)) {
        gd_reply_problem(conn, 500, "the answer could not be written", request->id);
        return;
    }
    send_pieces(conn, answer);
}

void gd_request_problem(struct gd_request *request, int status, const char *detail,
                        struct gd_span extra, const struct gd_plan_header *headers,
                        unsigned header_count)
{
    struct gd_conn *conn = request->conn;

    if (!claim(request))
        return;
    gd_reply_decide(conn, false);
    send_problem(conn, status, detail, extra, headers, header_count, request->id);
}
