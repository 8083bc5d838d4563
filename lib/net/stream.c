#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_read_event(evutil_socket_t fd, short what, void *arg)
{
    struct gd_stream *stream = arg;

    (void)fd;
    if (what & EV_CLOSED)
        stream->ended = true;
    stream->on_readable(stream->arg);
}

static void on_write_event(evutil_socket_t fd, short what, void *arg)
{
    struct gd_stream *stream = arg;

    (void)fd;
    (void)what;
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
    stream->reading = stream->writing = stream->ended = false;
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

/* Returns the new state of one event's interest. */
static bool set_interest(struct event *event, bool armed, bool want)
{
    if (armed == want)
        return armed;
    gd_loop_must((want ? event_add(event, NULL) : event_del(event)) == 0);
    return want;
}

void gd_stream_want_read(struct gd_stream *stream, bool want)
{
    stream->reading = set_interest(&stream->read_event, stream->reading, want);
}

void gd_stream_want_write(struct gd_stream *stream, bool want)
{
    stream->writing = set_interest(&stream->write_event, stream->writing, want);
}

static enum gd_io failed_io(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? GD_IO_AGAIN : GD_IO_ERROR;
}

enum gd_io gd_stream_read(struct gd_stream *stream, char *into, size_t room, size_t *n)
{
    ssize_t got;

    assert(room > 0); /* no room would look like the end of the stream */
    do
        got = recv(stream->fd, into, room, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return failed_io();
    if (got == 0)
        return GD_IO_EOF;
    *n = (size_t)got;
    return GD_IO_OK;
}

enum gd_io gd_stream_write(struct gd_stream *stream, const struct iovec *iov, int count,
                           size_t *n)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov,
                             .msg_iovlen = (size_t)(count < IOV_MAX ? count : IOV_MAX)};
    ssize_t put;

    do
        put = count == 1 ? send(stream->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                         : sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return failed_io();
    *n = (size_t)put;
    return GD_IO_OK;
}

size_t gd_stream_unread(const struct gd_stream *stream)
{
    int n = 0;

    return ioctl(stream->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (size_t)n : 0;
}

void gd_stream_shutdown(struct gd_stream *stream)
{
    if (stream->fd >= 0)
        shutdown(stream->fd, SHUT_WR);
}

void gd_stream_close(struct gd_stream *stream, bool abort)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (stream->loop == NULL || stream->fd < 0)
        return;
    /* The events go first: epoll would otherwise keep a closed descriptor's number. */
    gd_stream_want_read(stream, false);
    gd_stream_want_write(stream, false);
    if (abort)
        setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (stream->owns_fd)
        close(stream->fd);
    stream->fd = -1;
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
