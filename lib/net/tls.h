#ifndef GD_NET_TLS_H
#define GD_NET_TLS_H
/**
 * TLS on a connection, behind gd_stream: reading, writing and the handshake by OpenSSL,
 * directly on the socket. Used by net/stream.c; what others need of it are peers, which
 * say whom a stream speaks to.
 */
#include "net/stream.h"
#include "plan/tls_context.h"
#include "plan/tls_server.h"

/** One server that is spoken to by TLS, in one worker: who it has to be, and the ticket
 *  with which the next connection may resume a session. Tickets are shared with nobody:
 *  not with other servers, upstreams, workers or settings. */
struct gd_tls_peer;

/** Returns owned. plan: borrowed. host: of the server's URL; copied. */
struct gd_tls_peer *gd_tls_peer_new(const struct gd_plan_tls *plan, const char *host);

/** Goes on by a later plan that says the same, borrowed; it keeps its ticket. */
void gd_tls_peer_bind(struct gd_tls_peer *peer, const struct gd_plan_tls *plan);

/** Frees it; NULL is fine. Its connections must be closed. */
void gd_tls_peer_free(struct gd_tls_peer *peer);

/** What the servers' sides of a worker's connections share. */
struct gd_tls_acceptor;

/** Returns owned; frees it, when all connections made with it are closed. NULL is fine.
 */
struct gd_tls_acceptor *gd_tls_acceptor_new(void);
void gd_tls_acceptor_free(struct gd_tls_acceptor *acceptor);

/** The TLS of one connection; members are the stream's. */
struct gd_tls {
    struct gd_tls_peer *peer;     /* of the client's side */
    struct gd_tls_server *server; /* of the server's side; a reference */
    struct gd_tls_moment moment;
    SSL *ssl;
    int fd;
    const char *trouble; /* what went wrong in TLS itself; constant text */
    enum gd_io over;     /* OK until nothing more can be read: EOF or ERROR */
    bool cut;            /* the peer ended without a close_notify */
    bool emptied;        /* the read that is going on has left nothing in the socket */
    bool drained;        /* the last read has taken all that can be read so far */
    bool socket_ended;   /* the socket has said that it is at its end */
    bool wants_read, wants_write; /* what the owner of the stream wants */
    bool read_blocked;            /* reading goes on when the socket can be written */
    bool write_blocked;           /* writing goes on when the socket can be read */
    struct gd_work pump;
};

/** Returns owned: the client's side on an open descriptor, which stays the caller's. */
struct gd_tls *gd_tls_new(struct gd_tls_peer *peer, int fd);

/** Returns owned: the server's side. A reference to server is kept, acceptor borrowed. */
struct gd_tls *gd_tls_accept(struct gd_tls_acceptor *acceptor,
                             struct gd_tls_server *server, int fd);

/** Sends close_notify, if it can be sent at once; reading goes on. */
void gd_tls_shutdown(struct gd_tls *tls);

/** Frees it. orderly: after gd_tls_shutdown. */
void gd_tls_free(struct gd_tls *tls, bool orderly);

/** Takes the handshake as far as the socket allows. OK: done. AGAIN: *read tells what is
 *  waited for. ERROR: trouble is set. now_s: of a clock that never goes back. */
enum gd_io gd_tls_handshake(struct gd_tls *tls, uint64_t now_s, bool *read);

/** As gd_stream_read: less than room means that nothing more is there now, or that others
 *  are to have their turn: then gd_tls_has_pending, or the socket, tells that it goes on.
 */
enum gd_io gd_tls_read(struct gd_tls *tls, char *into, size_t room, size_t *n);

/** As gd_stream_write; the pieces leave in records that are as large as can be. */
enum gd_io gd_tls_write(struct gd_tls *tls, const struct iovec *iov, int count,
                        size_t *n);

/** Whether nothing is there to be read now, not even the end. */
bool gd_tls_is_quiet(struct gd_tls *tls);

/** Whether there is something to read, the end included, that the socket tells no more.
 */
bool gd_tls_has_pending(const struct gd_tls *tls);

#endif
