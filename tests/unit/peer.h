#ifndef GD_TESTS_PEER_H
#define GD_TESTS_PEER_H
/**
 * A scripted server on a loopback socket, run by the loop of the test: answers every
 * request head it gets with the same bytes, in pieces, and then keeps, ends or resets the
 * connection. Each piece is sent in a turn of its own, so that each is read by itself.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "net/listen.h"
#include "net/stream.h"

enum { PEER_CONNS = 512, PEER_READ = 65536 };

enum peer_end { PEER_KEEP, PEER_FIN, PEER_RESET };

struct peer;

struct peer_conn {
    struct peer *peer;
    struct gd_stream stream;
    char line[64]; /* the start of the request */
    size_t line_len;
    char own[512]; /* where on_request may write its answer */
    struct gd_span answer;
    size_t first, piece;
    enum peer_end end;
    unsigned heads; /* bytes of the blank line seen so far */
    size_t sent;    /* of the answer */
    bool open;
    bool answering;
    bool gone;  /* the other side ended */
    bool reset; /* by a reset */
    struct gd_work work;
};

struct peer {
    struct gd_loop *loop;
    int listener;
    struct event accept_event;
    struct gd_address address;
    /* script */
    struct gd_span answer;
    size_t first; /* bytes of the first turn; 0: as the others */
    size_t piece; /* bytes a turn; 0: all the rest at once */
    enum peer_end end;
    bool mute;    /* never answers */
    bool unread;  /* does not even read */
    bool at_once; /* answers when connected, before any request */
    void (*on_request)(struct peer_conn *conn); /* may change the conn's own script */
    /* record; connections in the order of their arrival */
    struct peer_conn *conns;
    unsigned count, accepted, requests;
    size_t bytes; /* read in all */
};

static inline void peer_conn_close(struct peer_conn *conn, bool abort)
{
    gd_work_cancel(&conn->work);
    gd_stream_close(&conn->stream, abort);
    conn->open = false;
}

static inline void peer_conn_send(struct peer_conn *conn, struct gd_span bytes)
{
    struct iovec iov = {(char *)bytes.ptr, bytes.len};
    size_t n;

    if (bytes.len && gd_stream_write(&conn->stream, &iov, 1, &n) != GD_IO_OK)
        conn->gone = true;
}

static inline void peer_conn_step(void *arg)
{
    struct peer_conn *conn = arg;
    struct peer *peer = conn->peer;
    struct gd_span rest = {conn->answer.ptr + conn->sent, conn->answer.len - conn->sent};
    size_t most = conn->sent == 0 && conn->first ? conn->first : conn->piece;

    if (most && rest.len > most)
        rest.len = most;
    peer_conn_send(conn, rest);
    conn->sent += rest.len;
    if (conn->sent < conn->answer.len) {
        gd_loop_defer(peer->loop, &conn->work, peer_conn_step, conn);
        return;
    }
    conn->answering = false;
    if (conn->end != PEER_KEEP)
        peer_conn_close(conn, conn->end == PEER_RESET);
}

static inline void peer_conn_answer(struct peer_conn *conn)
{
    struct peer *peer = conn->peer;

    peer->requests++;
    if (peer->mute || conn->answering)
        return;
    conn->sent = 0;
    conn->answering = true;
    conn->answer = peer->answer;
    conn->first = peer->first;
    conn->piece = peer->piece;
    conn->end = peer->end;
    if (peer->on_request)
        peer->on_request(conn);
    gd_loop_defer(peer->loop, &conn->work, peer_conn_step, conn);
}

static inline void peer_conn_readable(void *arg)
{
    static char bytes[PEER_READ];
    struct peer_conn *conn = arg;
    size_t n;
    enum gd_io io = gd_stream_read(&conn->stream, bytes, sizeof(bytes), &n);

    if (io == GD_IO_EOF || io == GD_IO_ERROR) {
        conn->gone = true;
        conn->reset = io == GD_IO_ERROR;
        peer_conn_close(conn, false);
        return;
    }
    conn->peer->bytes += n;
    for (size_t i = 0; i < n; i++) {
        conn->heads =
            bytes[i] == "\r\n\r\n"[conn->heads] ? conn->heads + 1 : bytes[i] == '\r';
        if (conn->line_len < sizeof(conn->line))
            conn->line[conn->line_len++] = bytes[i];
        if (conn->heads == 4) {
            conn->heads = 0;
            conn->line_len = 0;
            peer_conn_answer(conn);
        }
    }
}

/* A slot for a new connection; when all were used, one that is closed again. */
static inline struct peer_conn *peer_slot(struct peer *peer)
{
    if (peer->count < PEER_CONNS)
        return &peer->conns[peer->count++];
    for (unsigned i = 0; i < PEER_CONNS; i++)
        if (!peer->conns[i].open)
            return &peer->conns[i];
    abort();
}

static inline void peer_take(struct peer *peer, int fd)
{
    struct peer_conn *conn = peer_slot(peer);
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *conn = (struct peer_conn){.peer = peer, .open = true};
    peer->accepted++;
    gd_stream_init(&conn->stream, peer->loop, peer_conn_readable, NULL, conn);
    gd_stream_open(&conn->stream, fd, true);
    gd_stream_want_read(&conn->stream, !peer->unread);
    if (peer->at_once)
        peer_conn_answer(conn);
}

static inline void peer_on_accept(evutil_socket_t listener, short what, void *arg)
{
    int fd;

    (void)what;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        peer_take(arg, fd);
}

static inline void peer_open_backlog(struct peer *peer, struct gd_loop *loop, int backlog)
{
    const struct gd_plan_address any = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "the peer"};

    *peer = (struct peer){.loop = loop};
    peer->conns = calloc(PEER_CONNS, sizeof(*peer->conns));
    peer->listener = gd_listen_open(&any, backlog, &peer->address, NULL);
    if (peer->conns == NULL || peer->listener < 0)
        abort();
    event_assign(&peer->accept_event, gd_loop_base(loop), peer->listener,
                 EV_READ | EV_PERSIST, peer_on_accept, peer);
    event_add(&peer->accept_event, NULL);
}

static inline void peer_open(struct peer *peer, struct gd_loop *loop)
{
    peer_open_backlog(peer, loop, 512);
}

/* Accepts no more; connecting is refused from now on. */
static inline void peer_stop(struct peer *peer)
{
    if (peer->listener < 0)
        return;
    event_del(&peer->accept_event);
    close(peer->listener);
    peer->listener = -1;
}

static inline unsigned peer_open_conns(const struct peer *peer)
{
    unsigned open = 0;

    for (unsigned i = 0; i < peer->count; i++)
        open += peer->conns[i].open;
    return open;
}

static inline void peer_close(struct peer *peer)
{
    peer_stop(peer);
    for (unsigned i = 0; i < peer->count; i++)
        if (peer->conns[i].open)
            peer_conn_close(&peer->conns[i], false);
    free(peer->conns);
}

#endif
