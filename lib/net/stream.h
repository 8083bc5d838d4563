#ifndef GD_NET_STREAM_H
#define GD_NET_STREAM_H
/**
 * One non-blocking connection: reads and writes are tried at once, events are asked for
 * only when the socket has said "not now".
 *
 * A stream may speak TLS (net/tls.h): then bytes are those inside, and everything else is
 * as without it. The owner embeds the stream and gives two callbacks. Read interest is
 * armed once and stays armed (no system call per message); write interest lives from an
 * unfinished write until it is finished. Neither callback runs inside a call of this
 * module.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "net/address.h"

struct gd_tls;
struct gd_tls_acceptor;
struct gd_tls_peer;
struct gd_tls_server;

struct gd_stream {
    struct gd_loop *loop; /* borrowed */
    struct gd_tls *tls;   /* NULL: plain */
    int fd;               /* -1: closed */
    bool owns_fd;
    bool reading; /* read interest armed */
    bool writing; /* write interest armed */
    bool cut;     /* TLS ended without its close_notify: bytes may be missing */
    bool ended;   /* the peer has closed its side, maybe behind bytes still to be read */
    struct event read_event, write_event;
    void (*on_readable)(void *arg);
    void (*on_writable)(
        void *arg); /* also: the connect has ended, see gd_stream_connected */
    void *arg;
};

enum gd_io {
    GD_IO_OK,    /* some bytes moved */
    GD_IO_AGAIN, /* not now */
    GD_IO_EOF,   /* read only: the peer has closed its side in order */
    GD_IO_ERROR, /* reset or another error; the stream is of no more use */
};

/** Prepares a closed stream. Fine on zeroed memory. */
void gd_stream_init(struct gd_stream *stream, struct gd_loop *loop,
                    void (*on_readable)(void *arg), void (*on_writable)(void *arg),
                    void *arg);

/** Takes an open, non-blocking descriptor. owns_fd: close it at gd_stream_close. */
void gd_stream_open(struct gd_stream *stream, int fd, bool owns_fd);

/** Starts a TCP or unix connect, with TCP_NODELAY. False (errno set) when it failed at
 *  once. Otherwise on_writable runs when it has ended; then ask gd_stream_connected. */
GD_MUST_CHECK bool gd_stream_connect(struct gd_stream *stream,
                                     const struct gd_address *to);

/** Whether the connect that ended succeeded; false leaves its errno. Disarms the write
 * interest. */
GD_MUST_CHECK bool gd_stream_connected(struct gd_stream *stream);

/** Gives the descriptor to the caller, with no interest armed; the stream is closed. */
int gd_stream_release(struct gd_stream *stream);

/** Speaks TLS with peer (borrowed until the close) from now on; call gd_stream_handshake
 *  until it is done. The stream is connected and nothing was read or written. */
void gd_stream_start_tls(struct gd_stream *stream, struct gd_tls_peer *peer);

/** The server's side of the same. acceptor: borrowed until the close; a reference to
 *  server is kept. */
void gd_stream_accept_tls(struct gd_stream *stream, struct gd_tls_acceptor *acceptor,
                          struct gd_tls_server *server);

/** Takes the TLS handshake on. OK: done, with no interest armed. AGAIN: call it again
 * from the next callback, whichever that is. ERROR: gd_stream_trouble says why. */
enum gd_io gd_stream_handshake(struct gd_stream *stream);

/** Whether the handshake resumed an earlier session. */
bool gd_stream_resumed(const struct gd_stream *stream);

/** What the server has chosen by ALPN; empty: nothing, or no TLS. */
struct gd_span gd_stream_protocol(const struct gd_stream *stream);

/** What went wrong in TLS itself, as constant text; NULL: nothing, or no TLS. */
const char *gd_stream_trouble(const struct gd_stream *stream);

/** Whether a readable stream has nothing to read: TLS has messages of its own. A plain
 *  stream always has something. */
bool gd_stream_is_quiet(struct gd_stream *stream);

/** Arms or disarms read interest. */
void gd_stream_want_read(struct gd_stream *stream, bool want);

/** Arms or disarms write interest. */
void gd_stream_want_write(struct gd_stream *stream, bool want);

/** Reads up to room bytes; less means that nothing more is there now. *n is set with OK
 *  only. */
enum gd_io gd_stream_read(struct gd_stream *stream, char *into, size_t room, size_t *n);

/** Looks at what can be read without taking it, before TLS has begun. */
enum gd_io gd_stream_peek(struct gd_stream *stream, char *into, size_t room, size_t *n);

/** Writes from the vector; *n (set with OK) may be less than its total. Never raises
 * SIGPIPE. */
enum gd_io gd_stream_write(struct gd_stream *stream, const struct iovec *iov, int count,
                           size_t *n);

/** Writes up to bytes of a file from *at on, without a copy of ours (sendfile(2)); *n and
 *  *at are set with OK. Plain streams only. EOF: the file ends there. ERROR: the socket,
 * or (errno EINVAL, ENOSYS or EOVERFLOW) not with this file: read it instead. */
enum gd_io gd_stream_send_file(struct gd_stream *stream, int file, off_t *at,
                               size_t bytes, size_t *n);

/** Bytes that were written and that the peer's system has not confirmed yet. */
size_t gd_stream_unread(const struct gd_stream *stream);

/** Sends FIN, and close_notify before it; reading goes on. */
void gd_stream_shutdown(struct gd_stream *stream);

/** Removes the events and closes the descriptor if owned; idempotent. No callback
 * follows. abort: reset the connection instead of closing it in order, which with TLS
 * is a close_notify first. */
void gd_stream_close(struct gd_stream *stream, bool abort);

/** The bytes of a vector. */
size_t gd_iov_bytes(const struct iovec *iov, int count);

/** Advances a vector by n written bytes: returns the first entry not fully written, which
 *  is trimmed in place; *count is reduced. */
struct iovec *gd_iov_advance(struct iovec *iov, int *count, size_t n);

#endif
