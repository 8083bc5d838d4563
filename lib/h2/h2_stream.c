#include "h2/inside.h"

#include <assert.h>

/* News --------------------------------------------------------------------------------
 */

static void list(struct gd_h2_stream *stream)
{
    struct gd_h2 *h2 = stream->h2;

    gd_h2_touch(h2);
    if (stream->listed)
        return;
    stream->listed = true;
    stream->next_event = NULL;
    stream->prev_event = h2->last_event;
    if (h2->last_event)
        h2->last_event->next_event = stream;
    else
        h2->first_event = stream;
    h2->last_event = stream;
}

void gd_h2_note_readable(struct gd_h2_stream *stream)
{
    stream->readable = true;
    if (!stream->muted)
        list(stream);
}

void gd_h2_note_writable(struct gd_h2_stream *stream)
{
    stream->writable = true;
    list(stream);
}

void gd_h2_forget_news(struct gd_h2_stream *stream)
{
    struct gd_h2 *h2 = stream->h2;

    if (!stream->listed)
        return;
    stream->listed = false;
    if (stream->prev_event)
        stream->prev_event->next_event = stream->next_event;
    else
        h2->first_event = stream->next_event;
    if (stream->next_event)
        stream->next_event->prev_event = stream->prev_event;
    else
        h2->last_event = stream->prev_event;
}

void gd_h2_stream_fail(struct gd_h2_stream *stream, enum gd_failure failure,
                       const char *why)
{
    if (gd_h2_stream_ended(stream))
        return;
    stream->failure = failure;
    stream->why = why;
    gd_h2_note_readable(stream);
}

void gd_h2_stream_reset(struct gd_h2_stream *stream, enum gd_failure failure,
                        const char *why)
{
    gd_h2_stream_fail(stream, failure, why);
    nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                              failure == GD_FAIL_PROTOCOL ? NGHTTP2_PROTOCOL_ERROR
                                                          : NGHTTP2_CANCEL);
}

/* Life ---------------------------------------------------------------------------------
 */

void gd_h2_stream_open(struct gd_h2_stream *stream, struct gd_h2 *h2,
                       void (*on_readable)(void *arg), void (*on_writable)(void *arg),
                       void *arg)
{
    assert(stream->h2 == NULL && !h2->closed);
    *stream = (struct gd_h2_stream){.h2 = h2,
                                    .next = h2->streams,
                                    .on_readable = on_readable,
                                    .on_writable = on_writable,
                                    .arg = arg};
    if (h2->streams)
        h2->streams->prev = stream;
    h2->streams = stream;
    h2->count++;
    gd_buf_init(&stream->in, gd_loop_blocks(h2->config.loop),
                GD_H2_HEAD_BYTES + GD_H2_WINDOW_BYTES + 1024);
}

/* Nothing was heard of the connection since this request was sent, which is a while ago:
 * the next requests shall not wait as long to learn that it is dead. */
static void doubt(struct gd_h2_stream *stream)
{
    struct gd_h2 *h2 = stream->h2;
    uint64_t now_us = gd_loop_now_us(h2->config.loop);

    if (!stream->sent || h2->heard_us >= stream->sent_us || h2->doubted ||
        now_us - stream->sent_us < (uint64_t)h2->config.doubt_ms * 1000)
        return;
    h2->doubted = h2->changed = true;
    gd_h2_ping(h2);
}

void gd_h2_stream_close(struct gd_h2_stream *stream)
{
    struct gd_h2 *h2 = stream->h2;

    if (h2 == NULL)
        return;
    if (!gd_h2_stream_ended(stream))
        doubt(stream);
    gd_h2_forget_news(stream);
    if (stream->submitted && !stream->closed && !h2->over) {
        nghttp2_session_set_stream_user_data(h2->session, stream->id, NULL);
        nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                  NGHTTP2_CANCEL);
        gd_h2_touch(h2);
    }
    if (stream->prev)
        stream->prev->next = stream->next;
    else
        h2->streams = stream->next;
    if (stream->next)
        stream->next->prev = stream->prev;
    h2->count--;
    gd_buf_free(&stream->in);
    stream->h2 = NULL;
}

/* The request --------------------------------------------------------------------------
 */

/* Copies what there is of the body into a frame. */
static size_t fill(struct gd_h2_stream *stream, uint8_t *into, size_t room)
{
    size_t total = 0;

    while (stream->source_count > 0 && total < room) {
        const struct iovec *piece = stream->source;
        size_t n = piece->iov_len - stream->source_at;

        if (n > room - total)
            n = room - total;
        if (n)
            memcpy(into + total, (char *)piece->iov_base + stream->source_at, n);
        total += n;
        stream->source_at += n;
        if (stream->source_at == piece->iov_len) {
            stream->source++;
            stream->source_count--;
            stream->source_at = 0;
        }
    }
    return total;
}

/* nghttp2 can send so much of the body now. */
static ssize_t on_send_body(nghttp2_session *session, int32_t id, uint8_t *into,
                            size_t room, uint32_t *flags, nghttp2_data_source *source,
                            void *arg)
{
    struct gd_h2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    size_t n;

    (void)source;
    (void)arg;
    if (stream == NULL)
        return NGHTTP2_ERR_DEFERRED; /* its reset is under way */
    n = fill(stream, into, room);
    stream->left -= n < stream->left ? n : stream->left;
    if (stream->sized ? stream->left == 0 : stream->complete && n == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)n;
    }
    if (n)
        return (ssize_t)n;
    stream->blocked = true;
    if (stream->wants_write)
        gd_h2_note_writable(stream);
    return NGHTTP2_ERR_DEFERRED;
}

static void submit(struct gd_h2_stream *stream, struct gd_span head)
{
    const nghttp2_data_provider provider = {.read_callback = on_send_body};
    struct gd_h2 *h2 = stream->h2;
    struct gd_h2_request request;
    int32_t id;

    stream->sent_us = gd_loop_now_us(h2->config.loop);
    if (!gd_h2_request_read(&request, head, h2->config.https)) {
        gd_h2_stream_fail(stream, GD_FAIL_TOO_LARGE, "too many fields to be sent");
        return;
    }
    stream->sized = request.sized;
    stream->left = request.length;
    id = h2->going || h2->over
             ? NGHTTP2_ERR_START_STREAM_NOT_ALLOWED
             : nghttp2_submit_request(
                   h2->session, NULL, request.fields, request.count,
                   request.chunked || request.length ? &provider : NULL, stream);
    if (id < 0) {
        stream->refused = true;
        gd_h2_stream_fail(stream, GD_FAIL_RESET, "the server takes no more requests");
        return;
    }
    stream->id = id;
    stream->submitted = true;
    gd_h2_touch(h2);
}

static void go_on_sending(struct gd_h2_stream *stream)
{
    if (stream->blocked)
        nghttp2_session_resume_data(stream->h2->session, stream->id);
    stream->blocked = false;
    gd_h2_touch(stream->h2);
}

enum gd_io gd_h2_stream_write(struct gd_h2_stream *stream, const struct iovec *iov,
                              int count, size_t *n)
{
    struct gd_h2 *h2 = stream->h2;
    size_t total = gd_iov_bytes(iov, count), left = 0;

    *n = 0;
    if (stream->id == 0 && !stream->failure) {
        submit(stream, (struct gd_span){iov->iov_base, iov->iov_len});
        *n = iov->iov_len;
        total -= iov->iov_len;
        iov++;
        count--;
    }
    if (stream->failure || stream->closed)
        return *n ? GD_IO_OK : GD_IO_AGAIN;
    if (total) {
        stream->source = iov;
        stream->source_count = count;
        stream->source_at = 0;
        go_on_sending(stream);
        gd_h2_pump(h2);
        left = gd_iov_bytes(stream->source, stream->source_count) - stream->source_at;
        stream->source_count = 0;
        *n += total - left;
    }
    return *n ? GD_IO_OK : GD_IO_AGAIN;
}

void gd_h2_stream_finish(struct gd_h2_stream *stream)
{
    if (stream->failure || stream->closed)
        return;
    stream->complete = true;
    go_on_sending(stream);
}

void gd_h2_stream_want_write(struct gd_h2_stream *stream, bool want)
{
    stream->wants_write = want;
    if (want && stream->blocked)
        go_on_sending(stream);
}

/* The reply ----------------------------------------------------------------------------
 */

void gd_h2_stream_want_read(struct gd_h2_stream *stream, bool want)
{
    stream->muted = !want;
    if (want && (stream->in.len || gd_h2_stream_ended(stream)))
        gd_h2_note_readable(stream);
}

/* What was read makes room for as much to come. */
static void make_way(struct gd_h2_stream *stream, size_t n)
{
    size_t head = n < stream->head ? n : stream->head;

    stream->head -= head;
    if (n == head || gd_h2_stream_ended(stream) || stream->h2->over)
        return;
    nghttp2_session_consume_stream(stream->h2->session, stream->id, n - head);
    gd_h2_touch(stream->h2);
}

enum gd_io gd_h2_stream_read(struct gd_h2_stream *stream, char *into, size_t room,
                             size_t *n)
{
    struct gd_buf *in = &stream->in;
    size_t there = in->len - stream->in_at;

    if (there == 0) {
        if (stream->failure)
            return GD_IO_ERROR;
        return stream->ended ? GD_IO_EOF : GD_IO_AGAIN;
    }
    *n = there < room ? there : room;
    memcpy(into, in->data + stream->in_at, *n);
    stream->in_at += *n;
    if (stream->in_at == in->len) {
        gd_buf_free(in);
        stream->in_at = 0;
    }
    make_way(stream, *n);
    return GD_IO_OK;
}
