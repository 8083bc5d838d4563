#include "h2/inside.h"

#include "http/write.h"

/* Replies: from frames to the text of HTTP/1.1 that a stream is read as. nghttp2 checks
 * what RFC 9113 8 says of messages; names, values and sizes are checked here as well. */

static struct gd_h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* Refuses the rest of a head; the connection goes on. */
static int refuse(struct gd_h2_stream *stream, enum gd_failure failure, const char *why)
{
    if (!stream->failure)
        gd_h2_stream_reset(stream, failure, why);
    return 0;
}

/* Heads -------------------------------------------------------------------------------
 */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                            void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, frame->hd.stream_id);

    (void)arg;
    if (stream == NULL || frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    stream->head_bytes = 0;
    stream->fields = 0;
    stream->status = 0;
    return 0;
}

static bool is_interim(const struct gd_h2_stream *stream)
{
    return stream->status < 200;
}

/* A status has three digits: nghttp2 has seen to that. */
static int take_status(struct gd_h2_stream *stream, const uint8_t *digits)
{
    size_t before = stream->in.len;

    stream->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (is_interim(stream))
        return 0;
    if (!gd_write_status_line(&stream->in, stream->status))
        return refuse(stream, GD_FAIL_PROTOCOL, "the status is not valid");
    stream->head += stream->in.len - before;
    return 0;
}

static int take_field(struct gd_h2_stream *stream, struct gd_span name,
                      struct gd_span value)
{
    size_t before = stream->in.len;

    if (!gd_write_field(&stream->in, name, value))
        return refuse(stream, GD_FAIL_PROTOCOL, "a field of the head is not valid");
    stream->head += stream->in.len - before;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, frame->hd.stream_id);
    size_t max = stream && stream->final ? GD_H2_TRAILERS_BYTES : GD_H2_HEAD_BYTES - 64;

    (void)flags;
    (void)arg;
    if (stream == NULL || stream->failure)
        return 0;
    stream->head_bytes += name_len + value_len + 4;
    if (stream->head_bytes > max || ++stream->fields > GD_H2_FIELDS)
        return refuse(stream, stream->final ? GD_FAIL_PROTOCOL : GD_FAIL_TOO_LARGE,
                      stream->final ? "the trailers are too large"
                                    : "the head is too large");
    if (stream->final)
        return 0; /* trailers are dropped */
    if (name_len && name[0] == ':')
        return take_status(stream, value);
    if (is_interim(stream))
        return 0;
    return take_field(stream, (struct gd_span){(const char *)name, name_len},
                      (struct gd_span){(const char *)value, value_len});
}

/* nghttp2 would leave the field out and go on. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             nghttp2_rcbuf *name, nghttp2_rcbuf *value, uint8_t flags,
                             void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, frame->hd.stream_id);

    (void)name;
    (void)value;
    (void)flags;
    (void)arg;
    if (stream)
        refuse(stream, GD_FAIL_PROTOCOL, "a field of the head is not valid");
    return 0;
}

/* An interim head is told without its fields. */
static int end_interim(struct gd_h2_stream *stream)
{
    size_t before = stream->in.len;

    if (++stream->interims > GD_H2_INTERIM_HEADS)
        return refuse(stream, GD_FAIL_PROTOCOL, "too many interim answers");
    if (!gd_write_status_line(&stream->in, stream->status) || !gd_write_end(&stream->in))
        return refuse(stream, GD_FAIL_TOO_LARGE, "no memory for the answer");
    stream->head += stream->in.len - before;
    gd_h2_note_readable(stream);
    return 0;
}

static int end_head(struct gd_h2_stream *stream)
{
    if (stream->final)
        return 0;
    if (is_interim(stream))
        return end_interim(stream);
    if (!gd_write_end(&stream->in))
        return refuse(stream, GD_FAIL_TOO_LARGE, "no memory for the answer");
    stream->head += 2;
    stream->final = true;
    gd_h2_note_readable(stream);
    return 0;
}

/* Bodies and ends ----------------------------------------------------------------------
 */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                   const uint8_t *bytes, size_t len, void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, id);

    (void)flags;
    (void)arg;
    /* A stream that is not read stops itself, and none of the others. */
    nghttp2_session_consume_connection(session, len);
    if (stream == NULL || stream->failure)
        return 0;
    if (!gd_h2_append(&stream->in, &stream->in_at, bytes, len))
        return refuse(stream, GD_FAIL_TOO_LARGE, "no memory for the answer");
    gd_h2_note_readable(stream);
    return 0;
}

static void note_end(struct gd_h2_stream *stream)
{
    if (stream->failure)
        return;
    stream->ended = true;
    gd_h2_note_readable(stream);
}

static void take_settings(struct gd_h2 *h2, const nghttp2_frame *frame)
{
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
        h2->acked = true;
    else
        h2->changed = h2->ready = true;
    gd_h2_touch(h2);
}

static void take_goaway(struct gd_h2 *h2)
{
    if (!h2->going)
        gd_stat_inc(&(*h2->config.stats)[GD_SERVER_GOAWAYS]);
    h2->going = h2->changed = true;
    gd_h2_touch(h2);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, frame->hd.stream_id);
    bool last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        take_settings(arg, frame);
        break;
    case NGHTTP2_GOAWAY:
        take_goaway(arg);
        break;
    case NGHTTP2_RST_STREAM:
        if (stream)
            stream->reset = true;
        break;
    case NGHTTP2_HEADERS:
        if (stream && stream->failure == GD_OK)
            end_head(stream);
        if (stream && last)
            note_end(stream);
        break;
    case NGHTTP2_DATA:
        if (stream && last)
            note_end(stream);
        break;
    default:
        break;
    }
    return 0;
}

/* What the peer's reset says. */
static void take_reset(struct gd_h2_stream *stream, uint32_t code)
{
    gd_stat_inc(&(*stream->h2->config.stats)[GD_SERVER_STREAM_RESETS]);
    if (code == NGHTTP2_HTTP_1_1_REQUIRED) {
        gd_h2_stream_fail(stream, GD_FAIL_PROTOCOL, "the server wants HTTP/1.1");
        return;
    }
    stream->refused = code == NGHTTP2_REFUSED_STREAM;
    gd_h2_stream_fail(stream, GD_FAIL_RESET, "the server reset the stream");
}

/* The stream has ended, one way or another. */
static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, id);

    (void)arg;
    if (stream == NULL)
        return 0;
    stream->closed = true;
    if (gd_h2_stream_ended(stream))
        return 0;
    if (stream->reset) {
        take_reset(stream, code);
    } else if (code == NGHTTP2_REFUSED_STREAM || !stream->sent) {
        stream->refused = true;
        gd_h2_stream_fail(stream, GD_FAIL_RESET,
                          "the server went away before it looked at the request");
    } else {
        gd_h2_stream_fail(stream, GD_FAIL_PROTOCOL, "the answer is not valid HTTP/2");
    }
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct gd_h2_stream *stream = stream_of(session, frame->hd.stream_id);
    struct gd_h2 *h2 = arg;

    if (stream && frame->hd.type == NGHTTP2_HEADERS)
        stream->sent = true;
    /* Each of these may well be answered by a few frames that lead to nothing more. */
    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)
        h2->credit += 4;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        h2->going = h2->changed = true;
        h2->blamed = frame->goaway.error_code != NGHTTP2_NO_ERROR;
    }
    return 0;
}

void gd_h2_reply_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks,
                                                              on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
}
