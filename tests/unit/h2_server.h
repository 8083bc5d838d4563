#ifndef GD_TESTS_H2_SERVER_H
#define GD_TESTS_H2_SERVER_H
/**
 * A scripted HTTP/2 server by nghttp2, on one end of a socket pair and the test's loop.
 * It records what it is asked; what it says, and when it reads, is the test's choice.
 */
#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "net/stream.h"
#include "suite.h"

enum { H2_REQUESTS = 64, H2_FIELDS_TEXT = 4096 };

struct h2_request {
    int32_t id;
    char fields[H2_FIELDS_TEXT]; /* `name: value` lines; those never indexed end in `!` */
    size_t body;                 /* bytes */
    bool ended, reset;
    uint32_t code;     /* of the reset */
    const char *reply; /* what is left of the body that is sent */
    size_t reply_len;
};

struct h2_server {
    struct gd_loop *loop;
    struct gd_stream stream;
    nghttp2_session *session;
    struct h2_request requests[H2_REQUESTS];
    unsigned count, pings;
    bool manual; /* windows are not opened by reading */
    bool gone;
    const uint8_t *rest; /* of what nghttp2 gave last */
    size_t rest_len;
};

static inline struct h2_request *h2_find(struct h2_server *server, int32_t id)
{
    for (unsigned i = 0; i < server->count; i++)
        if (server->requests[i].id == id)
            return &server->requests[i];
    return NULL;
}

static inline void h2_flush(struct h2_server *server)
{
    while (!server->gone) {
        struct iovec iov;
        size_t put = 0;

        if (server->rest_len == 0)
            server->rest_len =
                (size_t)nghttp2_session_mem_send(server->session, &server->rest);
        if (server->rest_len == 0)
            break;
        iov = (struct iovec){(void *)server->rest, server->rest_len};
        if (gd_stream_write(&server->stream, &iov, 1, &put) != GD_IO_OK)
            break;
        server->rest += put;
        server->rest_len -= put;
    }
    gd_stream_want_write(&server->stream, !server->gone && server->rest_len > 0);
}

static inline void h2_on_writable(void *arg)
{
    h2_flush(arg);
}

static inline int h2_on_begin(nghttp2_session *session, const nghttp2_frame *frame,
                              void *arg)
{
    struct h2_server *server = arg;

    (void)session;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        ck_assert_uint_lt(server->count, H2_REQUESTS);
        server->requests[server->count++] =
            (struct h2_request){.id = frame->hd.stream_id};
    }
    return 0;
}

static inline int h2_on_field(nghttp2_session *session, const nghttp2_frame *frame,
                              const uint8_t *name, size_t name_len, const uint8_t *value,
                              size_t value_len, uint8_t flags, void *arg)
{
    struct h2_request *request = h2_find(arg, frame->hd.stream_id);
    size_t len = strlen(request->fields);

    (void)session;
    snprintf(request->fields + len, sizeof(request->fields) - len, "%.*s: %.*s%s\n",
             (int)name_len, (const char *)name, (int)value_len, (const char *)value,
             flags & NGHTTP2_NV_FLAG_NO_INDEX ? "!" : "");
    return 0;
}

static inline int h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                             const uint8_t *bytes, size_t len, void *arg)
{
    struct h2_server *server = arg;

    (void)flags;
    (void)bytes;
    h2_find(server, id)->body += len;
    if (!server->manual)
        nghttp2_session_consume(session, id, len);
    return 0;
}

static inline int h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame,
                              void *arg)
{
    struct h2_server *server = arg;
    struct h2_request *request = h2_find(server, frame->hd.stream_id);

    (void)session;
    server->pings +=
        frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK);
    if (request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA))
        request->ended = true;
    if (request && frame->hd.type == NGHTTP2_RST_STREAM) {
        request->reset = true;
        request->code = frame->rst_stream.error_code;
    }
    return 0;
}

static inline void h2_on_readable(void *arg)
{
    struct h2_server *server = arg;
    char bytes[16384];
    size_t n;

    switch (gd_stream_read(&server->stream, bytes, sizeof(bytes), &n)) {
    case GD_IO_OK:
        ck_assert_int_eq(
            nghttp2_session_mem_recv(server->session, (const uint8_t *)bytes, n),
            (ssize_t)n);
        h2_flush(server);
        break;
    case GD_IO_AGAIN:
        break;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        server->gone = true;
        gd_stream_want_read(&server->stream, false);
        gd_stream_want_write(&server->stream, false);
        break;
    }
}

/* fd: taken. streams: most at once, 0: as many as there are; window: of each stream. */
static inline void h2_open(struct h2_server *server, struct gd_loop *loop, int fd,
                           uint32_t streams, uint32_t window)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams}};
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    *server = (struct h2_server){.loop = loop};
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, h2_on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_on_frame);
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_server_new2(&server->session, callbacks, server, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, settings,
                            streams ? 2 : 1);
    gd_stream_init(&server->stream, loop, h2_on_readable, h2_on_writable, server);
    gd_stream_open(&server->stream, fd, true);
    gd_stream_want_read(&server->stream, true);
    h2_flush(server);
}

static inline void h2_close(struct h2_server *server)
{
    gd_stream_close(&server->stream, false);
    nghttp2_session_del(server->session);
}

static inline ssize_t h2_on_body(nghttp2_session *session, int32_t id, uint8_t *into,
                                 size_t room, uint32_t *flags,
                                 nghttp2_data_source *source, void *arg)
{
    struct h2_request *request = h2_find(arg, id);
    size_t n = request->reply_len < room ? request->reply_len : room;

    (void)session;
    (void)source;
    memcpy(into, request->reply, n);
    request->reply += n;
    request->reply_len -= n;
    if (request->reply_len == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* Answers with a status and a body, which is borrowed. */
static inline void h2_reply(struct h2_server *server, int32_t id, const char *status,
                            const char *body, size_t len)
{
    nghttp2_nv fields[] = {
        {(uint8_t *)":status", (uint8_t *)status, 7, strlen(status), 0},
        {(uint8_t *)"x-a", (uint8_t *)"b", 3, 1, 0}};
    const nghttp2_data_provider provider = {.read_callback = h2_on_body};
    struct h2_request *request = h2_find(server, id);

    request->reply = body;
    request->reply_len = len;
    ck_assert_int_eq(
        nghttp2_submit_response(server->session, id, fields, 2, len ? &provider : NULL),
        0);
    h2_flush(server);
}

#endif
