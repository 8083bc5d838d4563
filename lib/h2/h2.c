#include "h2/inside.h"

#include <assert.h>

#include "base/mem.h"

enum {
    OUT_BYTES = 64 * 1024, /* of frames, which wait to be written; one more may follow */
    READ_BYTES = 32 * 1024,
    READS_PER_TURN = 16, /* as in upstream/reply.c */
};

/* Frames that lead to nothing: so many at once, and so many a second. */
enum { CREDIT_MAX = 10000, CREDIT_FIRST = 2000, CREDIT_PER_S = 1000 };

/* A head that goes on for longer than this has no end. */
enum { FRAMELESS_MAX = 4 * GD_H2_HEAD_BYTES };

/* The end ------------------------------------------------------------------------------
 */

void gd_h2_end(struct gd_h2 *h2, enum gd_failure failure, const char *why)
{
    if (h2->over)
        return;
    h2->over = h2->going = true;
    h2->failure = failure;
    h2->why = why;
    gd_timer_disarm(&h2->watch);
    gd_stream_want_read(h2->config.stream, false);
    gd_stream_want_write(h2->config.stream, false);
    for (struct gd_h2_stream *stream = h2->streams; stream; stream = stream->next) {
        stream->refused |= !stream->sent && !gd_h2_stream_ended(stream);
        gd_h2_stream_fail(stream, failure, why);
    }
    gd_h2_touch(h2);
}

/* The socket failed: TLS has its reasons, anything else is a reset. */
static void end_broken(struct gd_h2 *h2)
{
    const char *trouble = gd_stream_trouble(h2->config.stream);

    gd_h2_end(h2, trouble ? GD_FAIL_TLS : GD_FAIL_RESET,
              trouble ? trouble : "the connection was reset");
}

/* Writing ------------------------------------------------------------------------------
 */

static size_t waiting(const struct gd_h2 *h2)
{
    return h2->out.len - h2->out_at;
}

bool gd_h2_append(struct gd_buf *buf, size_t *at, const void *bytes, size_t len)
{
    if (*at && (buf->len + len > buf->cap || buf->len + len > buf->max)) {
        gd_buf_drop(buf, *at);
        *at = 0;
    }
    return gd_buf_add(buf, bytes, len);
}

void gd_h2_pump(struct gd_h2 *h2)
{
    const uint8_t *bytes;
    ssize_t n;

    while (!h2->over && waiting(h2) < OUT_BYTES) {
        n = nghttp2_session_mem_send(h2->session, &bytes);
        if (n == 0)
            break;
        if (n < 0 || !gd_h2_append(&h2->out, &h2->out_at, bytes, (size_t)n))
            gd_h2_end(h2, GD_FAIL_RESET, "no memory for what is to be sent");
    }
}

static void read_all(struct gd_h2 *h2);

/* Writes what waits. False: the socket takes no more now, or never. */
static bool write_out(struct gd_h2 *h2)
{
    struct iovec iov = {h2->out.data + h2->out_at, waiting(h2)};
    size_t n = 0;

    switch (gd_stream_write(h2->config.stream, &iov, 1, &n)) {
    case GD_IO_OK:
    case GD_IO_AGAIN:
        break;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        read_all(h2); /* the peer may have said why */
        end_broken(h2);
        return false;
    }
    h2->out_at += n;
    if (waiting(h2)) {
        gd_stream_want_write(h2->config.stream, true);
        return false;
    }
    gd_buf_free(&h2->out);
    h2->out_at = 0;
    gd_stream_want_write(h2->config.stream, false);
    return true;
}

/* A GOAWAY was the last word, of one of both. */
static void end_said(struct gd_h2 *h2)
{
    if (!h2->blamed)
        gd_h2_end(h2, GD_FAIL_RESET, "the server went away");
    else
        gd_h2_end(h2, GD_FAIL_PROTOCOL,
                  h2->why ? h2->why : "the server does not keep to HTTP/2");
}

static void flush(struct gd_h2 *h2)
{
    do
        gd_h2_pump(h2);
    while (!h2->over && waiting(h2) && write_out(h2));
    if (!h2->over && !nghttp2_session_want_read(h2->session) &&
        !nghttp2_session_want_write(h2->session) && waiting(h2) == 0)
        end_said(h2);
}

/* News ---------------------------------------------------------------------------------
 */

static void tell_stream(struct gd_h2_stream *stream)
{
    bool readable = stream->readable && !stream->muted;
    bool writable = stream->writable && stream->wants_write;

    gd_h2_forget_news(stream);
    stream->writable = false;
    if (writable)
        stream->on_writable(stream->arg);
    if (!readable || stream->h2 == NULL)
        return;
    stream->readable = false;
    stream->on_readable(stream->arg);
}

static uint32_t first_watch_ms(const struct gd_h2 *h2)
{
    return h2->config.ping_ms < h2->config.answer_ms ? h2->config.ping_ms
                                                     : h2->config.answer_ms;
}

/* Whatever is told may close streams, and the connection. */
static void tell(struct gd_h2 *h2)
{
    while (h2->first_event)
        tell_stream(h2->first_event);
    if (h2->closed || h2->told)
        return;
    if (h2->over) {
        h2->told = true;
        h2->handler->on_over(h2->arg, h2->failure, h2->why);
        return;
    }
    if (!h2->changed || !h2->ready)
        return;
    h2->changed = false;
    if (h2->born_us == 0) {
        h2->born_us = gd_loop_now_us(h2->config.loop);
        gd_timer_arm(&h2->watch, first_watch_ms(h2));
        h2->handler->on_ready(h2->arg);
    } else {
        h2->handler->on_room(h2->arg);
    }
}

static void on_turn(void *arg)
{
    struct gd_h2 *h2 = arg;

    if (!h2->over)
        flush(h2);
    tell(h2);
}

void gd_h2_touch(struct gd_h2 *h2)
{
    if (!gd_work_queued(&h2->work) && !h2->closed)
        gd_loop_defer(h2->config.loop, &h2->work, on_turn, h2);
}

/* Reading ------------------------------------------------------------------------------
 */

/* Whether a frame is of a reply; heads also come for streams that nobody waits for. */
static bool is_of_reply(nghttp2_session *session, const nghttp2_frame_hd *hd)
{
    if (hd->type == NGHTTP2_HEADERS)
        return nghttp2_session_get_stream_user_data(session, hd->stream_id) != NULL;
    return hd->type == NGHTTP2_DATA && hd->length > 0;
}

/* Frames that carry nothing of a request or a reply are not worth much, and a peer can
 * make them for less. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *arg)
{
    struct gd_h2 *h2 = arg;

    h2->began = true;
    if (is_of_reply(session, hd) || --h2->credit >= 0)
        return 0;
    h2->why = "a flood of frames that lead to nothing";
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* What is wrong with a frame of the connection; those of streams end only these. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame,
                            int error, void *arg)
{
    struct gd_h2 *h2 = arg;

    (void)session;
    (void)frame;
    h2->why = nghttp2_strerror(error);
    return 0;
}

static void earn_credit(struct gd_h2 *h2)
{
    uint64_t now_us = gd_loop_now_us(h2->config.loop);
    uint64_t earned = (now_us - h2->credit_us) * CREDIT_PER_S / 1000000;

    if (earned) {
        h2->credit += (int32_t)(earned < CREDIT_FIRST ? earned : CREDIT_FIRST);
        h2->credit_us = now_us;
    }
    if (h2->credit > CREDIT_MAX)
        h2->credit = CREDIT_MAX;
}

static void note_heard(struct gd_h2 *h2)
{
    h2->heard_us = gd_loop_now_us(h2->config.loop);
    if (h2->pinged)
        gd_timer_arm(&h2->watch, h2->config.ping_ms);
    h2->pinged = false;
    h2->changed |= h2->doubted;
    h2->doubted = false;
    earn_credit(h2);
}

/* Gives nghttp2 what came. */
static void take(struct gd_h2 *h2, const char *bytes, size_t len)
{
    ssize_t n;

    note_heard(h2);
    h2->began = false;
    n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes, len);
    h2->frameless = h2->began ? 0 : h2->frameless + len;
    if (n < 0)
        gd_h2_end(h2, GD_FAIL_PROTOCOL, h2->why ? h2->why : nghttp2_strerror((int)n));
    else if (h2->frameless > FRAMELESS_MAX)
        gd_h2_end(h2, GD_FAIL_PROTOCOL, "a head without end");
    gd_h2_touch(h2);
}

static void read_all(struct gd_h2 *h2)
{
    char bytes[READ_BYTES];
    size_t n;

    for (int reads = 0; reads < READS_PER_TURN && !h2->over; reads++) {
        switch (gd_stream_read(h2->config.stream, bytes, sizeof(bytes), &n)) {
        case GD_IO_OK:
            take(h2, bytes, n);
            if (n < sizeof(bytes) && !h2->config.stream->ended)
                return;
            break;
        case GD_IO_AGAIN:
            return;
        case GD_IO_EOF:
            gd_h2_end(h2, GD_FAIL_RESET, "the server closed the connection");
            return;
        case GD_IO_ERROR:
            end_broken(h2);
            return;
        }
    }
}

void gd_h2_readable(struct gd_h2 *h2)
{
    if (!h2->over)
        read_all(h2);
}

void gd_h2_writable(struct gd_h2 *h2)
{
    gd_h2_touch(h2);
}

/* Whether it is still there ------------------------------------------------------------
 */

void gd_h2_ping(struct gd_h2 *h2)
{
    if (h2->pinged || h2->over)
        return;
    h2->pinged = true;
    h2->pinged_us = gd_loop_now_us(h2->config.loop);
    gd_stat_inc(&(*h2->config.stats)[GD_SERVER_PINGS]);
    nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
    gd_timer_arm(&h2->watch, h2->config.answer_ms);
    gd_h2_touch(h2);
}

static void on_watch(void *arg)
{
    struct gd_h2 *h2 = arg;
    uint64_t now_us = gd_loop_now_us(h2->config.loop);

    if (!h2->acked && now_us - h2->born_us >= h2->config.answer_ms * UINT64_C(1000)) {
        gd_h2_end(h2, GD_FAIL_PROTOCOL, "our settings were not confirmed in time");
        return;
    }
    if (h2->pinged) {
        gd_stat_inc(&(*h2->config.stats)[GD_SERVER_PINGS_LOST]);
        gd_h2_end(h2, GD_FAIL_RESET, "the server did not answer a ping in time");
        return;
    }
    if (now_us - h2->heard_us >= (uint64_t)h2->config.ping_ms * 1000)
        gd_h2_ping(h2);
    else
        gd_timer_arm(&h2->watch, h2->acked ? h2->config.ping_ms : first_watch_ms(h2));
}

/* Life ---------------------------------------------------------------------------------
 */

uint32_t gd_h2_limit(const struct gd_h2 *h2)
{
    uint32_t theirs = nghttp2_session_get_remote_settings(
        h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    return theirs < h2->config.streams ? theirs : h2->config.streams;
}

uint32_t gd_h2_room(const struct gd_h2 *h2)
{
    uint32_t limit = gd_h2_limit(h2);

    if (h2->going || h2->doubted || !h2->ready || h2->count >= limit)
        return 0;
    return limit - h2->count;
}

bool gd_h2_is_doubted(const struct gd_h2 *h2)
{
    return h2->doubted;
}

bool gd_h2_is_over(const struct gd_h2 *h2)
{
    return h2->over;
}

bool gd_h2_is_going(const struct gd_h2 *h2)
{
    return h2->going || nghttp2_session_check_request_allowed(h2->session) == 0;
}

static void need(int result)
{
    gd_loop_must(result == 0); /* only for want of memory */
}

static void open_session(struct gd_h2 *h2)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    need(nghttp2_session_callbacks_new(&callbacks));
    gd_h2_reply_callbacks(callbacks);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks,
                                                                 on_invalid_frame);
    need(nghttp2_option_new(&option));
    nghttp2_option_set_no_auto_window_update(option, 1);
    need(nghttp2_session_client_new2(&h2->session, callbacks, h2, option));
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
}

static void say_hello(struct gd_h2 *h2)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GD_H2_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GD_H2_HEAD_BYTES},
    };

    need(nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                 sizeof(settings) / sizeof(settings[0])));
    need(nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                               GD_H2_CONNECTION_WINDOW_BYTES));
}

struct gd_h2 *gd_h2_new(const struct gd_h2_config *config,
                        const struct gd_h2_handler *handler, void *arg)
{
    struct gd_h2 *h2 = gd_alloc(sizeof(*h2));

    h2->config = *config;
    h2->handler = handler;
    h2->arg = arg;
    h2->heard_us = h2->credit_us = gd_loop_now_us(config->loop);
    h2->credit = CREDIT_FIRST;
    gd_buf_init(&h2->out, gd_loop_blocks(config->loop), 2 * OUT_BYTES);
    gd_timer_init(&h2->watch, config->loop, on_watch, h2);
    open_session(h2);
    say_hello(h2);
    gd_h2_touch(h2);
    return h2;
}

static void destroy(void *object)
{
    struct gd_h2 *h2 = object;

    nghttp2_session_del(h2->session);
    gd_buf_free(&h2->out);
    gd_free(h2);
}

void gd_h2_close(struct gd_h2 *h2)
{
    assert(h2->streams == NULL && !h2->closed);
    if (!h2->over) {
        nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR);
        gd_h2_pump(h2);
        if (waiting(h2))
            write_out(h2);
    }
    h2->closed = true;
    gd_work_cancel(&h2->work);
    gd_timer_disarm(&h2->watch);
    gd_loop_bury(h2->config.loop, &h2->grave, destroy, h2);
}
