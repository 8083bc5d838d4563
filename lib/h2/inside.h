#ifndef GD_H2_INSIDE_H
#define GD_H2_INSIDE_H
/**
 * What the files of this folder share.
 */
#include <nghttp2/nghttp2.h>

#include "base/stat.h"
#include "h2/h2.h"

struct gd_h2 {
    struct gd_h2_config config;
    const struct gd_h2_handler *handler;
    void *arg;
    nghttp2_session *session;
    struct gd_buf out; /* what is to be written, from out_at */
    size_t out_at;
    struct gd_h2_stream *streams;
    struct gd_h2_stream *first_event, *last_event; /* those with news */
    uint32_t count;                                /* of streams */
    bool ready;                                    /* the peer's settings have come */
    bool acked;                                    /* ours have been confirmed */
    bool going;                                    /* no more streams */
    bool doubted; /* it may be dead: no more streams until it is heard of */
    bool over;    /* nothing moves any more, for the failure below */
    bool told;    /* … which the owner knows */
    bool changed; /* the owner is to look at the room again */
    bool closed;
    bool pinged;
    bool blamed;      /* the peer was told that it does not keep to HTTP/2 */
    bool began;       /* a frame has begun since this was last cleared */
    int32_t credit;   /* frames that lead to nothing it may still send */
    size_t frameless; /* bytes since a frame began */
    enum gd_failure failure;
    const char *why;
    uint64_t born_us, heard_us, pinged_us, credit_us;
    struct gd_timer watch;
    struct gd_work work;
    struct gd_grave grave;
};

/** Appends to a buffer of which the bytes before *at are of no more use, which make room
 *  where there would be none. False past its bound. */
GD_MUST_CHECK bool gd_h2_append(struct gd_buf *buf, size_t *at, const void *bytes,
                                size_t len);

/** Makes the end of the turn one at which frames are written and news are told. */
void gd_h2_touch(struct gd_h2 *h2);

/** Takes frames from nghttp2, as far as there is room. */
void gd_h2_pump(struct gd_h2 *h2);

/** Nothing moves any more. why: constant. */
void gd_h2_end(struct gd_h2 *h2, enum gd_failure failure, const char *why);

/** Asks the peer whether it is there. */
void gd_h2_ping(struct gd_h2 *h2);

/** There is something to tell of the stream. */
void gd_h2_note_readable(struct gd_h2_stream *stream);
void gd_h2_note_writable(struct gd_h2_stream *stream);
void gd_h2_forget_news(struct gd_h2_stream *stream);

/** The reply cannot be had; what was read of it stays. why: constant. */
void gd_h2_stream_fail(struct gd_h2_stream *stream, enum gd_failure failure,
                       const char *why);

/** The same, and the peer learns of it. */
void gd_h2_stream_reset(struct gd_h2_stream *stream, enum gd_failure failure,
                        const char *why);

/** Sets the callbacks that streams are about (reply.c), and those about the connection.
 */
void gd_h2_reply_callbacks(nghttp2_session_callbacks *callbacks);

enum { GD_H2_REQUEST_FIELDS = 256 };

/** What a request head's text says, for nghttp2. */
struct gd_h2_request {
    nghttp2_nv fields[GD_H2_REQUEST_FIELDS];
    size_t count;
    bool sized;   /* its body has `length` bytes */
    bool chunked; /* … or ends when it does */
    uint64_t length;
};

/** Reads a head as gd_write_… have written it: fields borrow from it. False: it has more
 *  fields than can be sent. */
GD_MUST_CHECK bool gd_h2_request_read(struct gd_h2_request *request, struct gd_span head,
                                      bool https);

#endif
