#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.h"

/* Returns the new state of one event's interest. */
static bool set_interest(struct event *event, bool armed, bool want)
{
    if (armed == want)
        return armed;
    gd_loop_must((want ? event_add(event, NULL) : event_del(event)) == 0);
    return want;
}

/* Inside TLS reading may have to wait until the socket can be written, and the other way
 * round; until then the event that was asked for would come for nothing. */
static void apply_interest(struct gd_stream *stream)
{
    const struct gd_tls *tls = stream->tls;

    stream->reading =
        set_interest(&stream->read_event, stream->reading,
                     (tls->wants_read && !tls->read_blocked) || tls->write_blocked);
    stream->writing =
        set_interest(&stream->write_event, stream->writing,
                     (tls->wants_write && !tls->write_blocked) || tls->read_blocked);
}

/* What TLS has taken off the socket already makes no event. */
static void on_pump(void *arg)
{
    struct gd_stream *stream = arg;

    if (stream->tls->wants_read)
        stream->on_readable(stream->arg);
}

static void pump(struct gd_stream *stream)
{
    struct gd_tls *tls = stream->tls;

    if (tls->wants_read && gd_tls_has_pending(tls) && !gd_work_queued(&tls->pump))
        gd_loop_defer(stream->loop, &tls->pump, on_pump, stream);
}

void gd_stream_want_read(struct gd_stream *stream, bool want)
{
    if (stream->tls) {
        stream->tls->wants_read = want;
        apply_interest(stream);
        pump(stream);
        return;
    }
    stream->reading = set_interest(&stream->read_event, stream->reading, want);
}

void gd_stream_want_write(struct gd_stream *stream, bool want)
{
    if (stream->tls) {
        stream->tls->wants_write = want;
        apply_interest(stream);
        return;
    }
    stream->writing = set_interest(&stream->write_event, stream->writing, want);
}

static void on_read_event(evutil_socket_t fd, short what, void *arg)
{
    struct gd_stream *stream = arg;

    (void)fd;
    if (what & EV_CLOSED)
        stream->ended = true;
    if (stream->tls && stream->tls->write_blocked) {
        stream->tls->write_blocked = false;
        apply_interest(stream);
        stream->on_writable(stream->arg);
        if (stream->tls == NULL || !stream->tls->wants_read)
            return;
    }
    stream->on_readable(stream->arg);
}

static void on_write_event(evutil_socket_t fd, short what, void *arg)
{
    struct gd_stream *stream = arg;

    (void)fd;
    (void)what;
    if (stream->tls && stream->tls->read_blocked) {
        stream->tls->read_blocked = false;
        apply_interest(stream);
        stream->on_readable(stream->arg);
        if (stream->tls == NULL || !stream->tls->wants_write)
            return;
    }
    stream->on_writable(stream->arg);
}

void gd_stream_init(struct gd_stream *stream, struct gd_loop *loop,
                    void (*on_readable)(void *arg), void (*on_writable)(void *arg),
                    void *arg)
{
    *stream = (struct gd_stream){.loop = loop,
                                 .fd = -1,
                                 .on_readable = on_readable,
                                 .on_writable = on_writable,
                                 .arg = arg};
}

void gd_stream_open(struct gd_stream *stream, int fd, bool owns_fd)
{
    struct event_base *base = gd_loop_base(stream->loop);

    assert(stream->fd < 0 && fd >= 0);
    stream->fd = fd;
    stream->owns_fd = owns_fd;
    stream->reading = stream->writing = stream->ended = stream->cut = false;
    event_assign(&stream->read_event, base, fd, EV_READ | EV_CLOSED | EV_PERSIST,
                 on_read_event, stream);
    event_assign(&stream->write_event, base, fd, EV_WRITE | EV_PERSIST, on_write_event,
                 stream);
}

bool gd_stream_connect(struct gd_stream *stream, const struct gd_address *to)
{
    int one = 1, error;
    int fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    if (to->sa.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (const struct sockaddr *)&to->sa, to->len) < 0 &&
        errno != EINPROGRESS && errno != EINTR) {
        error = errno;
        close(fd);
        errno = error;
        return false;
    }
    gd_stream_open(stream, fd, true);
    gd_stream_want_write(stream, true);
    return true;
}

/* Connecting to a local port where nobody listens can, when the system happens to choose
 * that very port as our own, connect a socket to itself. */
static bool is_own_peer(int fd)
{
    struct gd_address own = {.len = sizeof(own.sa)}, peer = {.len = sizeof(peer.sa)};

    return getsockname(fd, (struct sockaddr *)&own.sa, &own.len) == 0 &&
           own.sa.ss_family != AF_UNIX &&
           getpeername(fd, (struct sockaddr *)&peer.sa, &peer.len) == 0 &&
           own.len == peer.len && memcmp(&own.sa, &peer.sa, own.len) == 0;
}

bool gd_stream_connected(struct gd_stream *stream)
{
    int error = 0;
    socklen_t len = sizeof(error);

    gd_stream_want_write(stream, false);
    if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return false;
    if (error == 0 && is_own_peer(stream->fd))
        error = ECONNREFUSED;
    errno = error;
    return error == 0;
}

int gd_stream_release(struct gd_stream *stream)
{
    int fd = stream->fd;

    assert(stream->tls == NULL);
    stream->owns_fd = false;
    gd_stream_close(stream, false);
    return fd;
}

static enum gd_io failed_io(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? GD_IO_AGAIN : GD_IO_ERROR;
}

void gd_stream_start_tls(struct gd_stream *stream, struct gd_tls_peer *peer)
{
    assert(stream->tls == NULL && !stream->reading && !stream->writing);
    stream->tls = gd_tls_new(peer, stream->fd);
}

void gd_stream_accept_tls(struct gd_stream *stream, struct gd_tls_acceptor *acceptor,
                          struct gd_tls_server *server)
{
    assert(stream->tls == NULL && !stream->reading && !stream->writing);
    stream->tls = gd_tls_accept(acceptor, server, stream->fd);
}

enum gd_io gd_stream_handshake(struct gd_stream *stream)
{
    bool read = false;
    enum gd_io io =
        gd_tls_handshake(stream->tls, gd_loop_now_us(stream->loop) / 1000000, &read);

    stream->tls->wants_read = io == GD_IO_AGAIN && read;
    stream->tls->wants_write = io == GD_IO_AGAIN && !read;
    apply_interest(stream);
    return io;
}

bool gd_stream_resumed(const struct gd_stream *stream)
{
    return stream->tls && SSL_session_reused(stream->tls->ssl);
}

struct gd_span gd_stream_protocol(const struct gd_stream *stream)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    if (stream->tls)
        SSL_get0_alpn_selected(stream->tls->ssl, &name, &len);
    return (struct gd_span){(const char *)name, len};
}

const char *gd_stream_trouble(const struct gd_stream *stream)
{
    return stream->tls ? stream->tls->trouble : NULL;
}

bool gd_stream_is_quiet(struct gd_stream *stream)
{
    bool quiet = stream->tls && gd_tls_is_quiet(stream->tls);

    if (quiet)
        apply_interest(stream);
    return quiet;
}

/* The end of TLS is the end of the stream, whether the socket ends as well or not. */
static enum gd_io read_tls(struct gd_stream *stream, char *into, size_t room, size_t *n)
{
    enum gd_io io = gd_tls_read(stream->tls, into, room, n);

    stream->ended = stream->ended || stream->tls->over != GD_IO_OK;
    stream->cut = stream->tls->cut;
    apply_interest(stream);
    if (io == GD_IO_OK)
        pump(stream);
    return io;
}

static enum gd_io receive(int fd, char *into, size_t room, int flags, size_t *n)
{
    ssize_t got;

    do
        got = recv(fd, into, room, flags);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return failed_io();
    if (got == 0)
        return GD_IO_EOF;
    *n = (size_t)got;
    return GD_IO_OK;
}

enum gd_io gd_stream_read(struct gd_stream *stream, char *into, size_t room, size_t *n)
{
    assert(room > 0); /* no room would look like the end of the stream */
    return stream->tls ? read_tls(stream, into, room, n)
                       : receive(stream->fd, into, room, 0, n);
}

enum gd_io gd_stream_peek(struct gd_stream *stream, char *into, size_t room, size_t *n)
{
    assert(room > 0 && stream->tls == NULL);
    return receive(stream->fd, into, room, MSG_PEEK, n);
}

enum gd_io gd_stream_write(struct gd_stream *stream, const struct iovec *iov, int count,
                           size_t *n)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov,
                             .msg_iovlen = (size_t)(count < IOV_MAX ? count : IOV_MAX)};
    ssize_t put;

    if (stream->tls) {
        enum gd_io io = gd_tls_write(stream->tls, iov, count, n);

        apply_interest(stream);
        return io;
    }
    do
        put = count == 1 ? send(stream->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                         : sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return failed_io();
    *n = (size_t)put;
    return GD_IO_OK;
}

enum gd_io gd_stream_send_file(struct gd_stream *stream, int file, off_t *at,
                               size_t bytes, size_t *n)
{
    ssize_t put;

    assert(stream->tls == NULL);
    do
        put = sendfile(stream->fd, file, at, bytes);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return failed_io();
    *n = (size_t)put;
    return put == 0 ? GD_IO_EOF : GD_IO_OK;
}

size_t gd_stream_unread(const struct gd_stream *stream)
{
    int n = 0;

    return ioctl(stream->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

void gd_stream_shutdown(struct gd_stream *stream)
{
    if (stream->tls)
        gd_tls_shutdown(stream->tls);
    if (stream->fd >= 0)
        shutdown(stream->fd, SHUT_WR);
}

void gd_stream_close(struct gd_stream *stream, bool abort)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (stream->loop == NULL || stream->fd < 0)
        return;
    /* The events go first: epoll would otherwise keep a closed descriptor's number. */
    stream->reading = set_interest(&stream->read_event, stream->reading, false);
    stream->writing = set_interest(&stream->write_event, stream->writing, false);
    if (stream->tls) {
        gd_tls_free(stream->tls, !abort);
        stream->tls = NULL;
    }
    if (abort)
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (stream->owns_fd)
        close(stream->fd);
    stream->fd = -1;
}

size_t gd_iov_bytes(const struct iovec *iov, int count)
{
    size_t n = 0;

    for (int i = 0; i < count; i++)
        n += iov[i].iov_len;
    return n;
}

struct iovec *gd_iov_advance(struct iovec *iov, int *count, size_t n)
{
    while (*count > 0 && n >= iov->iov_len) {
        n -= iov->iov_len;
        iov++;
        --*count;
    }
    if (*count > 0) {
        iov->iov_base = (char *)iov->iov_base + n;
        iov->iov_len -= n;
    }
    return iov;
}
