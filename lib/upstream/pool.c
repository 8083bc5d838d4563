#include "upstream/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "upstream/carrier.h"
#include "upstream/lists.h"
#include "upstream/place.h"
#include "upstream/standing.h"
#include "upstream/sweep.h"
#include "upstream/warm.h"

enum lease_state {
    LEASE_NONE,     /* not asked, or ended */
    LEASE_QUEUED,   /* waits for any session */
    LEASE_DIALLING, /* a session is being opened for it */
    LEASE_DECIDED,  /* the outcome is known and about to be told */
    LEASE_OUT,      /* the caller has the session */
};

/* A server that refuses is always idle and would draw every call to itself. */
enum { REST_US = 1000000 };

/* Counts -------------------------------------------------------------------------------
 */

static void count_sessions(struct gd_server *server, enum gd_session_state state, int n)
{
    server->sessions[state] += (uint32_t)n;
    gd_stat_add(&server->stats[GD_SERVER_SESSIONS_IDLE + (unsigned)state], n);
}

static void count_failed_dial(struct gd_server *server)
{
    server->rests_until_us = gd_loop_now_us(server->loop) + REST_US;
    gd_stat_inc(&server->stats[GD_SERVER_CONNECT_FAILURES]);
    gd_standing_bad(server, server->tried);
}

static void change_state(struct gd_session *session, enum gd_session_state state)
{
    count_sessions(session->server, session->state, -1);
    session->state = state;
    count_sessions(session->server, state, 1);
}

/* Leases -------------------------------------------------------------------------------
 */

/* The lease counts no longer among those of its upstream. */
static void leave(struct gd_lease *lease)
{
    if (lease->upstream == NULL)
        return;
    lease->upstream->active--;
    lease->upstream = NULL;
    if (lease->trial)
        lease->server->tried = lease->trial = false;
}

static void on_outcome(void *arg)
{
    struct gd_lease *lease = arg;

    lease->state = lease->failure == GD_OK ? LEASE_OUT : LEASE_NONE;
    if (lease->failure)
        leave(lease);
    lease->on_ready(lease->arg, lease->failure);
}

static void decide(struct gd_lease *lease, enum gd_failure failure)
{
    lease->state = LEASE_DECIDED;
    lease->failure = failure;
    gd_loop_defer(lease->server->loop, &lease->outcome, on_outcome, lease);
}

/* The session, in whatever state, is the lease's from now on. */
void gd_pool_grant(struct gd_session *session, struct gd_lease *lease, bool pooled)
{
    change_state(session, GD_SESSION_LEASED);
    session->served++;
    session->lease = NULL;
    if (session->carrier)
        session = gd_carrier_add(session);
    session->pooled = pooled;
    lease->dial = NULL;
    lease->session = session;
    lease->reused = pooled;
    if (pooled)
        gd_stat_inc(&session->server->stats[GD_SERVER_REUSES]);
}

static void on_queue_deadline(void *arg)
{
    struct gd_lease *lease = arg;

    gd_queue_remove(lease->server, lease);
    decide(lease, GD_FAIL_TIMEOUT);
}

/* Sessions -----------------------------------------------------------------------------
 */

/* The session must not be in a list any more. */
void gd_pool_close_session(struct gd_session *session)
{
    count_sessions(session->server, session->state, -1);
    gd_session_close(session);
    gd_warm_check(session->server);
}

static void close_idle(struct gd_session *session)
{
    gd_idle_remove(session->server, session);
    gd_pool_close_session(session);
}

/* The failure class says that it failed; the log says why, at most once a second. */
static void note_failed_dial(struct gd_server *server, const char *why)
{
    count_failed_dial(server);
    if (gd_log_enabled(GD_LOG_DEBUG))
        gd_log(GD_LOG_DEBUG, "no connection to %s of %s: %s", server->name,
               server->upstream->name, why);
    gd_log_limited(&server->dial_log, GD_LOG_WARN, "upstream %s: no connection to %s: %s",
                   server->upstream->name, server->name, why);
}

/* NULL: the system refused at once, which is noted. */
static struct gd_session *start_dialling(struct gd_server *server)
{
    struct gd_session *session = gd_session_dial(server);
    char reason[128];

    gd_stat_inc(&server->stats[GD_SERVER_CONNECTS]);
    if (session)
        count_sessions(server, GD_SESSION_DIALLING, 1);
    else
        note_failed_dial(server, errno == EDESTADDRREQ
                                     ? "no address is known for it"
                                     : strerror_r(errno, reason, sizeof(reason)));
    return session;
}

static void dial(struct gd_server *server, struct gd_lease *lease)
{
    struct gd_session *session = start_dialling(server);

    lease->dial_us = gd_loop_now_us(server->loop);
    if (session == NULL) {
        decide(lease, GD_FAIL_CONNECT);
        return;
    }
    session->lease = lease;
    lease->dial = session;
    lease->state = LEASE_DIALLING;
}

bool gd_pool_dial_for_all(struct gd_server *server)
{
    struct gd_session *session = start_dialling(server);

    if (session)
        gd_orphan_push(server, session);
    return session != NULL;
}

/* Dials for those who wait while there is room. Each round takes one out of the queue, so
 * a server that refuses at once costs one attempt a lease and no more. */
void gd_pool_feed(struct gd_server *server)
{
    if (server->multiplexes) {
        gd_carrier_feed(server);
        return;
    }
    while (server->first_waiter &&
           gd_pool_sessions(server) < server->upstream->pool.max) {
        struct gd_lease *lease = server->first_waiter;

        gd_queue_remove(server, lease);
        dial(server, lease);
    }
}

void gd_pool_make_idle(struct gd_session *session)
{
    struct gd_server *server = session->server;

    if (server->upstream->pool.idle == 0 || server->drained) {
        gd_pool_close_session(session);
        return;
    }
    change_state(session, GD_SESSION_IDLE);
    session->idle_us = gd_loop_now_us(server->loop);
    gd_idle_push(server, session);
    gd_sweep_arm(server);
}

/* A good session is free: for the first who waits, else for later. */
static void settle(struct gd_session *session)
{
    struct gd_server *server = session->server;
    struct gd_lease *lease = server->first_waiter;

    if (session->carrier) {
        gd_carrier_settle(session);
    } else if (lease == NULL) {
        gd_pool_make_idle(session);
    } else if (lease->fresh) {
        gd_pool_close_session(session);
        gd_pool_feed(server);
    } else {
        gd_queue_remove(server, lease);
        gd_pool_grant(session, lease, true);
        decide(lease, GD_OK);
    }
}

/* Whether the session may have another lease, as far as its past goes. */
bool gd_pool_is_worn(struct gd_session *session)
{
    struct gd_server *server = session->server;

    return session->served >= server->upstream->pool.max_requests ||
           gd_sweep_is_old(session, gd_loop_now_us(server->loop)) ||
           gd_place_has_left(session);
}

static void take_back(struct gd_session *session, bool reusable)
{
    struct gd_server *server = session->server;

    assert(session->on_readable == NULL); /* its exchange has ended or was cancelled */
    if (session->h2) {
        gd_carrier_review(gd_carrier_remove(session));
        return;
    }
    if (reusable && !session->spoiled && !session->outstanding &&
        !gd_pool_is_worn(session)) {
        settle(session);
        return;
    }
    gd_pool_close_session(session);
    gd_pool_feed(server);
}

void gd_pool_dialled(struct gd_session *session, enum gd_failure failure, const char *why)
{
    struct gd_server *server = session->server;
    struct gd_lease *lease = session->lease;

    if (lease == NULL)
        gd_orphan_remove(server, session);
    if (failure) {
        bool moved = session->generation != server->generation;

        if (!moved)
            note_failed_dial(server, why);
        gd_pool_close_session(session);
        gd_warm_dialled(server, false);
        if (lease) {
            lease->dial = NULL;
            if (!moved || !gd_place_move_lease(lease))
                decide(lease, failure);
        } else {
            gd_carrier_fail_waiters(server, failure, moved);
        }
        gd_pool_feed(server);
        return;
    }
    session->born_us = gd_loop_now_us(server->loop);
    server->rests_until_us = 0;
    gd_warm_dialled(server, true);
    gd_carrier_note(session);
    if (lease == NULL) {
        take_back(session, true);
        gd_pool_feed(server);
        return;
    }
    gd_pool_grant(session, lease, false);
    decide(lease, GD_OK);
}

void gd_pool_evict(struct gd_session *session)
{
    struct gd_server *server = session->server;

    gd_stat_inc(&server->stats[GD_SERVER_EVICTIONS]);
    close_idle(session);
    gd_pool_feed(server);
}

void gd_pool_drain(struct gd_session *session)
{
    gd_stat_inc(&session->server->stats[GD_SERVER_DRAINED]);
    close_idle(session);
}

void gd_pool_tell(struct gd_lease *lease, enum gd_failure failure)
{
    decide(lease, failure);
}

/* The newest idle session that is still good; NULL when there is none. */
static struct gd_session *take_idle(struct gd_server *server)
{
    struct gd_session *session, *older;

    for (session = server->newest; session; session = older) {
        older = session->older;
        if (gd_sweep_is_due(session, gd_loop_now_us(server->loop))) {
            close_idle(session);
        } else if (session->carrier == NULL || gd_carrier_has_room(session)) {
            gd_idle_remove(server, session);
            return session;
        }
    }
    return NULL;
}

struct gd_session *gd_pool_take_session(struct gd_server *server)
{
    struct gd_session *session = server->carriers ? gd_carrier_find(server) : NULL;

    return session ? session : take_idle(server);
}

bool gd_pool_is_full(struct gd_server *server)
{
    return server->newest == NULL &&
           gd_pool_sessions(server) >= server->upstream->pool.max &&
           gd_carrier_find(server) == NULL;
}

void gd_pool_queue_up(struct gd_server *server, struct gd_lease *lease)
{
    lease->state = LEASE_QUEUED;
    gd_queue_push(server, lease);
    gd_timer_init(&lease->deadline, server->loop, on_queue_deadline, lease);
    gd_timer_arm(&lease->deadline, server->upstream->timeout_ms);
}

enum gd_lease_result gd_pool_lease(struct gd_server *server, struct gd_lease *lease)
{
    const struct gd_plan_pool *pool = &server->upstream->pool;
    bool scarce = server->multiplexes && gd_pool_sessions(server) >= pool->max;
    struct gd_session *session =
        lease->fresh && !scarce ? NULL : gd_pool_take_session(server);

    lease->dial_us = 0;
    if (session) {
        gd_pool_grant(session, lease, true);
        lease->state = LEASE_OUT;
        return GD_LEASE_READY;
    }
    if (server->multiplexes)
        return gd_carrier_wait(server, lease);
    if (gd_pool_sessions(server) >= pool->max && server->oldest)
        close_idle(server->oldest);
    if (gd_pool_sessions(server) < pool->max) {
        dial(server, lease);
        return GD_LEASE_WAIT;
    }
    if (server->queued >= pool->queue)
        return GD_LEASE_FULL;
    gd_pool_queue_up(server, lease);
    return GD_LEASE_WAIT;
}

void gd_lease_end(struct gd_lease *lease, bool reusable)
{
    struct gd_session *session = lease->session;
    enum lease_state state = lease->state;

    lease->state = LEASE_NONE;
    lease->session = NULL;
    leave(lease);
    switch (state) {
    case LEASE_NONE:
        break;
    case LEASE_QUEUED:
        gd_queue_remove(lease->server, lease);
        break;
    case LEASE_DIALLING:
        /* The connection goes on, for whoever comes next. */
        gd_orphan_push(lease->server, lease->dial);
        lease->dial = NULL;
        break;
    case LEASE_DECIDED:
        gd_work_cancel(&lease->outcome);
        if (session)
            take_back(session, true); /* nothing was sent on it */
        break;
    case LEASE_OUT:
        take_back(session, reusable);
        break;
    }
}

/* Life ---------------------------------------------------------------------------------
 */

void gd_pool_init(struct gd_server *server, const struct gd_upstream_context *context,
                  const struct gd_plan_upstream *upstream,
                  const struct gd_plan_server *plan)
{
    server->loop = context->loop;
    if (plan->https)
        server->tls = gd_tls_peer_new(upstream->tls, plan->address.host);
    gd_sweep_init(server);
    gd_warm_init(server, &upstream->pool, context->warming);
}

void gd_pool_bind(struct gd_server *server, const struct gd_upstream_context *context,
                  const struct gd_plan_upstream *upstream,
                  const struct gd_plan_server *plan)
{
    struct gd_server_stats *stats = context->stats->servers[plan->index];

    server->plan = plan;
    server->upstream = upstream;
    server->multiplexes =
        upstream->http == GD_HTTP_2 || (upstream->http == GD_HTTP_AUTO && plan->https);
    server->room = upstream->pool.streams;
    server->stats = stats->values;
    server->out_until_s = &stats->out_until_s;
    if (server->tls)
        gd_tls_peer_bind(server->tls, upstream->tls);
    gd_place_bind(server, &context->addresses[plan->index]);
    if (context->sites && context->sites[plan->index] != server->site)
        gd_place_change(server, context->sites[plan->index]);
}

void gd_pool_close_idle(struct gd_server *server)
{
    while (server->newest)
        close_idle(server->newest);
    gd_pool_feed(server);
}

void gd_pool_close(struct gd_server *server)
{
    gd_pool_close_idle(server);
    while (server->orphans) {
        struct gd_session *session = server->orphans;

        gd_orphan_remove(server, session);
        gd_pool_close_session(session);
    }
    assert(gd_pool_sessions(server) == 0 && server->queued == 0);
    gd_timer_disarm(&server->sweep);
    gd_standing_forget(server);
    gd_warm_stop(server);
    gd_place_free(server);
    gd_tls_peer_free(server->tls);
}
