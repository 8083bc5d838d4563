#ifndef GD_UPSTREAM_SESSION_H
#define GD_UPSTREAM_SESSION_H
/**
 * A session: one connection to a server, private to this folder.
 *
 *   DIALLING ──> LEASED <──> IDLE      and from each of them: closed
 *
 * Dialling is done when bytes can be sent: with TLS, after its handshake.
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
#include "net/stream.h"

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
    bool pooled;               /* it was not opened for its present lease */
    bool outstanding;          /* a request is on its way whose reply is not complete */
    bool spoiled;              /* of no more use: closed when it is returned */
    uint32_t served;           /* leases */
    uint64_t born_us, idle_us; /* loop time: connected, last returned */
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
