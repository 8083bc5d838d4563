#ifndef GD_H2_H2_H
#define GD_H2_H2_H
/**
 * The client's side of one HTTP/2 connection (RFC 9113), and the streams on it. The only
 * user of nghttp2.
 *
 * A stream carries one request and its reply. To those who use it, it is like a
 * connection of its own that speaks HTTP/1.1 without framing: what is written to it is a
 * head in the text of HTTP/1.1 and then a body, what is read from it is the same, until
 * its end. So whoever makes requests and reads replies does it one way for both versions.
 *
 * What a peer can make this hold: a head and a window of body for each stream that is
 * open, and a bounded number of frames to be written. A peer that goes beyond that, or
 * sends frames that lead to nothing, loses the connection.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/failure.h"
#include "base/loop.h"
#include "net/stream.h"

struct gd_h2;

enum {
    GD_H2_WINDOW_BYTES = 256 * 1024,         /* of a body that nobody has read yet */
    GD_H2_CONNECTION_WINDOW_BYTES = 4 << 20, /* on their way to all streams */
    GD_H2_HEAD_BYTES = 32768,                /* of a reply, as text */
    GD_H2_FIELDS = 100,                      /* of a reply */
    GD_H2_TRAILERS_BYTES = 8192,             /* of a reply; they are dropped */
    GD_H2_INTERIM_HEADS = 16,                /* 1xx before a reply */
};

struct gd_h2_config {
    struct gd_loop *loop; /* borrowed, as all of these */
    struct gd_stream
        *stream;      /* connected, with TLS shaken hands; whose events are told */
    uint64_t **stats; /* GD_SERVER_… values, wherever they are at the time */
    bool https;
    uint32_t streams;   /* at once, if the peer allows as many */
    uint32_t ping_ms;   /* silent for so long, the peer is asked whether it is there */
    uint32_t answer_ms; /* … and has to say so by then; our settings are to be confirmed
                           within the same */
    uint32_t doubt_ms;  /* a stream that is given up after so long without a byte of the
                           connection leaves doubts about it */
};

/** All run from the loop, never inside a call of this header. */
struct gd_h2_handler {
    /** The peer's first settings have come: streams may be opened. */
    void (*on_ready)(void *arg);
    /** What gd_h2_room says may have changed. */
    void (*on_room)(void *arg);
    /** Nothing moves any more. Streams that were open have been told. why: constant. */
    void (*on_over)(void *arg, enum gd_failure failure, const char *why);
};

/** Returns owned; its first frames leave at the end of the turn. handler: borrowed. */
struct gd_h2 *gd_h2_new(const struct gd_h2_config *config,
                        const struct gd_h2_handler *handler, void *arg);

/** Says goodbye, if that can be written at once, and frees it at the end of the turn; no
 *  callback follows. Its streams must be closed; gd_stream_close is the caller's. */
void gd_h2_close(struct gd_h2 *h2);

/** The events of the socket. */
void gd_h2_readable(struct gd_h2 *h2);
void gd_h2_writable(struct gd_h2 *h2);

/** How many streams may be opened now. */
uint32_t gd_h2_room(const struct gd_h2 *h2);

/** How many may be open at once. */
uint32_t gd_h2_limit(const struct gd_h2 *h2);

/** Whether it may be dead: it has no room until it is heard of. */
bool gd_h2_is_doubted(const struct gd_h2 *h2);

/** Whether nothing moves any more. */
bool gd_h2_is_over(const struct gd_h2 *h2);

/** Whether no stream will ever be opened again: the peer is going away, or is gone. */
bool gd_h2_is_going(const struct gd_h2 *h2);

/* Streams ------------------------------------------------------------------------------
 */

/** One request and its reply. Private but for `refused`; zeroed memory is a closed one.
 */
struct gd_h2_stream {
    bool refused; /* with a failure: the peer has not looked at the request, so that it
                     may be sent again, whatever it does */
    struct gd_h2 *h2;
    struct gd_h2_stream *next, *prev;             /* of the connection's streams */
    struct gd_h2_stream *next_event, *prev_event; /* of those with news */
    void (*on_readable)(void *arg);
    void (*on_writable)(void *arg);
    void *arg;
    int32_t id; /* 0: nothing was written yet */
    enum gd_failure failure;
    const char *why;
    /* the request */
    const struct iovec *source; /* what is being written now */
    int source_count;
    size_t source_at; /* of its first piece */
    uint64_t left;    /* of a body whose length is known */
    uint64_t sent_us; /* its head */
    bool sized, complete, blocked, wants_write, sent, submitted;
    /* the reply: what was not read yet, from in_at; the first `head` bytes of it are a
     * head's */
    struct gd_buf in;
    size_t in_at, head;
    size_t head_bytes; /* of the head at hand */
    uint32_t fields;
    uint32_t interims;
    int status;
    bool final, ended, closed, reset, muted;
    /* news */
    bool listed, readable, writable;
};

/** Opens it on a connection that has room. The callbacks are those of a gd_stream. */
void gd_h2_stream_open(struct gd_h2_stream *stream, struct gd_h2 *h2,
                       void (*on_readable)(void *arg), void (*on_writable)(void *arg),
                       void *arg);

/** Closes it and releases its memory; what is not complete is reset. No callback
 * follows. Idempotent. */
void gd_h2_stream_close(struct gd_h2_stream *stream);

/** As gd_stream_read. EOF: the reply is complete. */
enum gd_io gd_h2_stream_read(struct gd_h2_stream *stream, char *into, size_t room,
                             size_t *n);

/** As gd_stream_write. The first piece that is ever written is the whole head, with the
 *  framing fields, and is always taken; a body is not framed. A failure is told by
 *  reading, never here. */
enum gd_io gd_h2_stream_write(struct gd_h2_stream *stream, const struct iovec *iov,
                              int count, size_t *n);

/** All of a body whose length was not told has been written. */
void gd_h2_stream_finish(struct gd_h2_stream *stream);

void gd_h2_stream_want_read(struct gd_h2_stream *stream, bool want);
void gd_h2_stream_want_write(struct gd_h2_stream *stream, bool want);

/** Whether the peer sends no more: `ended` maybe behind bytes still to be read,
 *  `at_end` with all of them read and the reply complete. */
static inline bool gd_h2_stream_ended(const struct gd_h2_stream *stream)
{
    return stream->ended || stream->failure;
}

static inline bool gd_h2_stream_at_end(const struct gd_h2_stream *stream)
{
    return stream->ended && stream->in_at == stream->in.len;
}

#endif
