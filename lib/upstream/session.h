#ifndef GD_UPSTREAM_SESSION_H
#define GD_UPSTREAM_SESSION_H
/**
 * A session: one connection to a server, private to this folder.
 *
 *   DIALLING ──> LEASED <──> IDLE      and from each of them: closed
 *
 * Dialling is done when bytes can be sent: with TLS, after its handshake, and with HTTP/2
 * after the server's settings.
 *
 * The pool (upstream/pool.h) owns sessions and is the only one that changes the state.
 * Read interest is armed once connected and stays armed, so that a session is never
 * trusted past the moment its peer closed it or spoke unasked. While it is leased its
 * events go to whoever is attached.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/loop.h"
#include "h2/h2.h"
#include "net/stream.h"

struct gd_carrier;
struct gd_lease;
struct gd_race;
struct gd_server;

/* In the order of the gauges in base/stat_table.h. */
enum gd_session_state { GD_SESSION_IDLE, GD_SESSION_LEASED, GD_SESSION_DIALLING };

struct gd_session {
    struct gd_stream stream;
    struct gd_race *race;     /* DIALLING, until there is a socket */
    struct gd_address to;     /* where it is connected to */
    uint32_t generation;      /* of its server's addresses, when it was one of them */
    struct gd_server *server; /* borrowed: its pool */
    enum gd_session_state state;
    bool pooled;                /* it was not opened for its present lease */
    bool outstanding;           /* a request is on its way whose reply is not complete */
    bool spoiled;               /* of no more use: closed when it is returned */
    uint32_t served;            /* leases */
    uint64_t born_us, idle_us;  /* loop time: connected, last returned */
    struct gd_carrier *carrier; /* it speaks HTTP/2, see carrier.h; NULL: HTTP/1.1 */
    struct gd_h2_stream *h2;    /* it is a slot of such a one; has no stream */
    struct gd_session *newer, *older; /* list of the idle, or of the orphans */
    struct gd_lease *lease; /* DIALLING: whom it is opened for; NULL when that one left */
    void (*on_readable)(void *arg); /* attached; NULL: nobody */
    void (*on_writable)(void *arg);
    void *arg;
    struct gd_timer connect_timer;
    struct gd_grave grave;
};

/** Starts a connection; gd_pool_dialled tells its end. Returns owned, NULL (errno set)
 *  when the system refused at once. */
struct gd_session *gd_session_dial(struct gd_server *server);

/** The end of dialling. failure and why as in gd_pool_dialled. */
void gd_session_dial_done(struct gd_session *session);
void gd_session_dial_failed(struct gd_session *session, enum gd_failure failure,
                            const char *why);

/* What exchanges and relays do with a session, whatever it speaks. ----------------------
 */

/** As gd_stream_read. */
static inline enum gd_io gd_session_read(struct gd_session *session, char *into,
                                         size_t room, size_t *n)
{
    return session->h2 ? gd_h2_stream_read(session->h2, into, room, n)
                       : gd_stream_read(&session->stream, into, room, n);
}

/** As gd_stream_write; over HTTP/2 see gd_h2_stream_write. */
static inline enum gd_io gd_session_write(struct gd_session *session,
                                          const struct iovec *iov, int count, size_t *n)
{
    return session->h2 ? gd_h2_stream_write(session->h2, iov, count, n)
                       : gd_stream_write(&session->stream, iov, count, n);
}

/** All of the request was written. */
static inline void gd_session_finish(struct gd_session *session)
{
    if (session->h2)
        gd_h2_stream_finish(session->h2);
}

static inline void gd_session_want_read(struct gd_session *session, bool want)
{
    if (session->h2)
        gd_h2_stream_want_read(session->h2, want);
    else
        gd_stream_want_read(&session->stream, want);
}

static inline void gd_session_want_write(struct gd_session *session, bool want)
{
    if (session->h2)
        gd_h2_stream_want_write(session->h2, want);
    else
        gd_stream_want_write(&session->stream, want);
}

/** Whether the peer has ended, maybe behind bytes still to be read. */
static inline bool gd_session_ended(const struct gd_session *session)
{
    return session->h2 ? gd_h2_stream_ended(session->h2) : session->stream.ended;
}

/** Whether the reply is complete because HTTP/2 says so: there a body has no framing of
 *  its own, and is not complete before. */
static inline bool gd_session_at_end(const struct gd_session *session)
{
    return session->h2 && gd_h2_stream_at_end(session->h2);
}

/** With a failure: whether the server has not looked at the request. */
static inline bool gd_session_refused(const struct gd_session *session)
{
    return session->h2 && session->h2->refused;
}

/** Whether bytes that are there in the turn in which a request is written were there
 *  before it, and belong to nobody. */
static inline bool gd_session_is_strange(const struct gd_session *session,
                                         uint64_t started_us, uint64_t now_us)
{
    return session->pooled && started_us == now_us && session->h2 == NULL;
}

/** Whether a wake-up means nothing to an exchange: TLS has messages of its own. */
bool gd_session_is_quiet(struct gd_session *session);

/** Whether its TLS handshake was for the present lease: in TLS 1.3 the server may refuse
 *  it after it was done here. */
static inline bool gd_session_is_new_tls(const struct gd_session *session)
{
    return session->stream.tls && !session->pooled;
}

/** What an error of the stream is to an exchange: `reset`, or `tls` when TLS itself is at
 *  fault, which is counted and logged here. Sets *why, constant text. */
enum gd_failure gd_session_failure(struct gd_session *session, const char **why);

/** Closes the connection and frees the session at the end of the turn. No event of it
 *  follows. */
void gd_session_close(struct gd_session *session);

/** Sends the events of a leased session to the callbacks given, until detach. */
void gd_session_attach(struct gd_session *session, void (*on_readable)(void *arg),
                       void (*on_writable)(void *arg), void *arg);

/** Nobody wants the events any more; a byte or the end from now on spoils the session. */
void gd_session_detach(struct gd_session *session);

#endif
