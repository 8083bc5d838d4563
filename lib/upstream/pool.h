#ifndef GD_UPSTREAM_POOL_H
#define GD_UPSTREAM_POOL_H
/**
 * The pool of one server in one worker, private to this folder: its sessions and the
 * leases that wait for one.
 *
 * Invariants: sessions in all states are never more than pool.max; a lease waits in the
 * queue only while there are exactly that many and none is idle; idle sessions above
 * pool.idle are closed when they stay unused for a second; none is idle while the server
 * is drained. Leases are told by deferred work, so that nothing the pool does ever runs
 * inside it again.
 *
 * Where one session carries many leases (carrier.h), they wait in the queue while it is
 * dialled, and further ones are dialled only for those that those on their way will not
 * have room for.
 */
#include "base/log.h"
#include "net/tls.h"
#include "upstream/session.h"
#include "upstream/upstream.h"

struct gd_carrier;
struct gd_site;
struct gd_upstream;

struct gd_server {
    const struct gd_plan_server *plan;
    const struct gd_plan_upstream *upstream;
    struct gd_upstream *owner;
    /* where it is, see place.h */
    struct gd_site *site;  /* NULL: where the plan says, or nowhere */
    struct gd_address own; /* len 0: the plan does not say */
    const char *name;
    unsigned weight, priority;
    const struct gd_address *addresses;
    unsigned address_count, first_address; /* 0: nowhere; the one that is tried first */
    uint32_t generation;                   /* counts changes of the addresses */
    struct gd_loop *loop;
    uint64_t *stats;         /* GD_SERVER_… values */
    uint64_t *out_until_s;   /* shown: wall clock, to which it was last taken out */
    uint32_t sessions[3];    /* by enum gd_session_state */
    uint32_t queued;         /* leases */
    int64_t credit;          /* of its turn, see balance.c */
    uint64_t key;            /* what tells it apart when keys are hashed */
    uint64_t rests_until_us; /* could not be connected to; others go first until then */
    uint64_t asked_until_us; /* the same, because it asked for it (Retry-After) */
    bool fits;               /* for the lease that balance.c is choosing for */
    /* see standing.h */
    uint8_t standing;
    bool down;       /* say its health checks */
    bool drained;    /* says an operator: it has no new requests */
    bool tried;      /* a request that tries it is on its way */
    uint32_t errors; /* in a row */
    uint32_t outs;   /* how often in a row it was taken out */
    uint32_t share;  /* of a request, in thousandths */
    uint64_t out_us, since_us, until_us;
    struct gd_session *newest; /* idle, used first */
    struct gd_session *oldest;
    struct gd_session *orphans; /* dialling for a lease that left, or for all */
    /* those that speak HTTP/2, see carrier.h */
    bool multiplexes;            /* the next session is expected to carry many leases */
    uint32_t room;               /* … namely so many */
    uint32_t streams;            /* leases that are carried */
    uint32_t carrying, leaving;  /* sessions that carry some; that take no more */
    struct gd_carrier *carriers; /* those that carry some and may take more */
    struct gd_lease *first_waiter, *last_waiter;
    /* see warm.h */
    struct gd_timer warm;
    struct gd_warming *warming; /* waits for its first sessions; NULL: nobody does */
    uint32_t warm_pace_ms;
    uint64_t warm_again_us; /* not before; 0: the first ones have not been asked for */
    struct gd_timer sweep;
    uint32_t sweep_ms; /* what the sweep timer is armed with; 0: disarmed */
    struct gd_log_limit dial_log, eject_log, health_log;
    struct gd_tls_peer *tls; /* NULL: http */
    size_t reply_hint;       /* room for the first read of the next reply, bytes */
};

/** Sets up a zeroed pool; gd_pool_bind has to follow. */
void gd_pool_init(struct gd_server *server, const struct gd_upstream_context *context,
                  const struct gd_plan_upstream *upstream,
                  const struct gd_plan_server *plan);

/** Lets it mean a server of a plan, the first one or one that is the same: whose name,
 *  address and counters it has from now on. */
void gd_pool_bind(struct gd_server *server, const struct gd_upstream_context *context,
                  const struct gd_plan_upstream *upstream,
                  const struct gd_plan_server *plan);

/** Opens a session for whoever comes. False: the system refused, which is noted. */
bool gd_pool_dial_for_all(struct gd_server *server);

/** Closes what is idle or being dialled for nobody. No lease may be out or waiting. */
void gd_pool_close(struct gd_server *server);

/** See gd_upstream_lease. */
enum gd_lease_result gd_pool_lease(struct gd_server *server, struct gd_lease *lease);

/** Closes the sessions that are idle, which leave their room to those who wait: with
 *  HTTP/2 some may, although a session is idle. */
void gd_pool_close_idle(struct gd_server *server);

/** Sessions in all states, but for those that take no more leases. */
static inline uint32_t gd_pool_sessions(const struct gd_server *server)
{
    return server->sessions[GD_SESSION_IDLE] + server->sessions[GD_SESSION_LEASED] +
           server->sessions[GD_SESSION_DIALLING] - server->leaving;
}

/** Whether a lease would have to wait for another one to end. */
bool gd_pool_is_full(struct gd_server *server);

/** Leases that are out, waiting or being dialled for. */
static inline uint32_t gd_pool_pending(const struct gd_server *server)
{
    return server->sessions[GD_SESSION_LEASED] - server->carrying + server->streams +
           server->sessions[GD_SESSION_DIALLING] + server->queued;
}

/* From the session: */

/** The connection attempt has ended. failure: GD_OK, connect, tls or protocol; why: its
 *  reason, borrowed. */
void gd_pool_dialled(struct gd_session *session, enum gd_failure failure,
                     const char *why);

/** An idle session became readable. */
void gd_pool_evict(struct gd_session *session);

/* From carrier.c: */

/** The session, in whatever state, is the lease's from now on; or one more is, of one
 * that carries many. pooled: it was not opened for it. */
void gd_pool_grant(struct gd_session *session, struct gd_lease *lease, bool pooled);

/** Returns one that carries others already and has room, or an idle one, which is in no
 *  list any more; NULL when there is none. */
struct gd_session *gd_pool_take_session(struct gd_server *server);

/** Lets the lease wait for any session. */
void gd_pool_queue_up(struct gd_server *server, struct gd_lease *lease);

/** Dials for those who wait. */
void gd_pool_feed(struct gd_server *server);

/** Keeps a session that nobody needs now, which is in no list. */
void gd_pool_make_idle(struct gd_session *session);

/** Closes a session, which is in no list. */
void gd_pool_close_session(struct gd_session *session);

/** Whether a session may not have another lease, as far as its past goes. */
bool gd_pool_is_worn(struct gd_session *session);

/* From place.c: */

/** Closes an idle session that leads to where its server is no more. gd_pool_feed has to
 *  follow. */
void gd_pool_drain(struct gd_session *session);

/** Tells a lease that is in no queue what became of it, by deferred work. */
void gd_pool_tell(struct gd_lease *lease, enum gd_failure failure);

#endif
