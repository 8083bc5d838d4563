#include "upstream/pool.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "upstream/lists.h"
#include "upstream/place.h"
#include "upstream/standing.h"
#include "upstream/warm.h"

enum lease_state {
    LEASE_NONE,     /* not asked, or ended */
    LEASE_QUEUED,   /* waits for any session */
    LEASE_DIALLING, /* a session is being opened for it */
    LEASE_DECIDED,  /* the outcome is known and about to be told */
    LEASE_OUT,      /* the caller has the session */
};

enum { SWEEPS_PER_TIMEOUT = 8, SWEEP_MIN_MS = 10 };

/* How long a session above pool.idle stays unused before it is closed. */
enum { SURPLUS_MS = 1000, SURPLUS_SWEEP_MS = 250 };

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
static void grant(struct gd_session *session, struct gd_lease *lease, bool pooled)
{
    change_state(session, GD_SESSION_LEASED);
    session->pooled = pooled;
    session->served++;
    session->lease = NULL;
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
static void close_session(struct gd_session *session)
{
    count_sessions(session->server, session->state, -1);
    gd_session_close(session);
    gd_warm_check(session->server);
}

static void close_idle(struct gd_session *session)
{
    gd_idle_remove(session->server, session);
    close_session(session);
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

/* lease NULL: for whoever comes. */
static void dial(struct gd_server *server, struct gd_lease *lease)
{
    struct gd_session *session = gd_session_dial(server);
    char reason[128];

    gd_stat_inc(&server->stats[GD_SERVER_CONNECTS]);
    if (session == NULL) {
        note_failed_dial(server, errno == EDESTADDRREQ
                                     ? "no address is known for it"
                                     : strerror_r(errno, reason, sizeof(reason)));
        if (lease)
            decide(lease, GD_FAIL_CONNECT);
        return;
    }
    count_sessions(server, GD_SESSION_DIALLING, 1);
    if (lease == NULL) {
        gd_orphan_push(server, session);
        return;
    }
    session->lease = lease;
    lease->dial = session;
    lease->state = LEASE_DIALLING;
}

void gd_pool_dial_ahead(struct gd_server *server)
{
    gd_stat_inc(&server->stats[GD_SERVER_AHEAD]);
    dial(server, NULL);
}

/* Dials for those who wait while there is room. Each round takes one out of the queue, so
 * a server that refuses at once costs one attempt a lease and no more. */
static void feed(struct gd_server *server)
{
    while (server->first_waiter &&
           gd_pool_sessions(server) < server->upstream->pool.max) {
        struct gd_lease *lease = server->first_waiter;

        gd_queue_remove(server, lease);
        dial(server, lease);
    }
}

static bool past_age(const struct gd_session *session, uint64_t now_us)
{
    return now_us - session->born_us >= session->server->upstream->pool.max_age_ms * 1000;
}

/* As many as pool.min says are kept, however long they are unused. */
static bool past_idling(const struct gd_session *session, uint64_t now_us)
{
    const struct gd_plan_pool *pool = &session->server->upstream->pool;

    return (now_us - session->idle_us >= (uint64_t)pool->idle_timeout_ms * 1000 &&
            gd_pool_sessions(session->server) > pool->min) ||
           past_age(session, now_us);
}

/* More sessions are idle than are to be kept. They are not closed at once: calls come in
 * bursts, and what the last one needed the next one will. */
static bool has_surplus(const struct gd_server *server)
{
    return server->sessions[GD_SESSION_IDLE] > server->upstream->pool.idle;
}

/* Arms the sweep, or brings it forward when there is a surplus to look after. */
static void arm_sweep(struct gd_server *server)
{
    uint32_t ms = server->upstream->pool.idle_timeout_ms / SWEEPS_PER_TIMEOUT;

    if (has_surplus(server) && ms > SURPLUS_SWEEP_MS)
        ms = SURPLUS_SWEEP_MS;
    if (ms < SWEEP_MIN_MS)
        ms = SWEEP_MIN_MS;
    if (server->sweep_ms && server->sweep_ms <= ms)
        return;
    server->sweep_ms = ms;
    gd_timer_arm(&server->sweep, ms);
}

static void on_sweep(void *arg)
{
    struct gd_server *server = arg;
    uint64_t now_us = gd_loop_now_us(server->loop);
    struct gd_session *session, *newer;

    for (session = server->oldest; session; session = newer) {
        newer = session->newer;
        if (past_idling(session, now_us) ||
            (has_surplus(server) && now_us - session->idle_us >= SURPLUS_MS * 1000))
            close_idle(session);
    }
    server->sweep_ms = 0;
    if (server->newest)
        arm_sweep(server);
}

static void make_idle(struct gd_session *session)
{
    struct gd_server *server = session->server;

    if (server->upstream->pool.idle == 0 || server->drained) {
        close_session(session);
        return;
    }
    change_state(session, GD_SESSION_IDLE);
    session->idle_us = gd_loop_now_us(server->loop);
    gd_idle_push(server, session);
    arm_sweep(server);
}

/* A good session is free: for the first who waits, else for later. */
static void settle(struct gd_session *session)
{
    struct gd_server *server = session->server;
    struct gd_lease *lease = server->first_waiter;

    if (lease == NULL) {
        make_idle(session);
    } else if (lease->fresh) {
        close_session(session);
        feed(server);
    } else {
        gd_queue_remove(server, lease);
        grant(session, lease, true);
        decide(lease, GD_OK);
    }
}

static void take_back(struct gd_session *session, bool reusable)
{
    struct gd_server *server = session->server;

    assert(session->on_readable == NULL); /* its exchange has ended or was cancelled */
    if (reusable && !session->spoiled && !session->outstanding &&
        session->served < server->upstream->pool.max_requests &&
        !past_age(session, gd_loop_now_us(server->loop)) && !gd_place_has_left(session)) {
        settle(session);
        return;
    }
    close_session(session);
    feed(server);
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
        close_session(session);
        gd_warm_dialled(server, false);
        if (lease) {
            lease->dial = NULL;
            if (!moved || !gd_place_move_lease(lease))
                decide(lease, failure);
        }
        feed(server);
        return;
    }
    session->born_us = gd_loop_now_us(server->loop);
    server->rests_until_us = 0;
    gd_warm_dialled(server, true);
    if (lease == NULL) {
        take_back(session, true);
        return;
    }
    grant(session, lease, false);
    decide(lease, GD_OK);
}

void gd_pool_evict(struct gd_session *session)
{
    gd_stat_inc(&session->server->stats[GD_SERVER_EVICTIONS]);
    close_idle(session);
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
    while (server->newest) {
        struct gd_session *session = server->newest;

        if (!past_idling(session, gd_loop_now_us(server->loop))) {
            gd_idle_remove(server, session);
            return session;
        }
        close_idle(session);
    }
    return NULL;
}

bool gd_pool_is_full(const struct gd_server *server)
{
    return server->newest == NULL &&
           gd_pool_sessions(server) >= server->upstream->pool.max;
}

enum gd_lease_result gd_pool_lease(struct gd_server *server, struct gd_lease *lease)
{
    const struct gd_plan_pool *pool = &server->upstream->pool;
    struct gd_session *session = lease->fresh ? NULL : take_idle(server);

    if (session) {
        grant(session, lease, true);
        lease->state = LEASE_OUT;
        return GD_LEASE_READY;
    }
    if (gd_pool_sessions(server) >= pool->max && server->oldest)
        close_idle(server->oldest);
    if (gd_pool_sessions(server) < pool->max) {
        dial(server, lease);
        return GD_LEASE_WAIT;
    }
    if (server->queued >= pool->queue)
        return GD_LEASE_FULL;
    lease->state = LEASE_QUEUED;
    gd_queue_push(server, lease);
    gd_timer_init(&lease->deadline, server->loop, on_queue_deadline, lease);
    gd_timer_arm(&lease->deadline, server->upstream->timeout_ms);
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
    gd_timer_init(&server->sweep, context->loop, on_sweep, server);
    gd_warm_init(server, &upstream->pool, context->warming);
}

void gd_pool_bind(struct gd_server *server, const struct gd_upstream_context *context,
                  const struct gd_plan_upstream *upstream,
                  const struct gd_plan_server *plan)
{
    struct gd_server_stats *stats = context->stats->servers[plan->index];

    server->plan = plan;
    server->upstream = upstream;
    server->stats = stats->values;
    server->out_until_s = &stats->out_until_s;
    if (server->tls)
        gd_tls_peer_bind(server->tls, upstream->tls);
    gd_place_bind(server, &context->addresses[plan->index]);
}

void gd_pool_close_idle(struct gd_server *server)
{
    while (server->newest)
        close_idle(server->newest);
}

void gd_pool_close(struct gd_server *server)
{
    gd_pool_close_idle(server);
    while (server->orphans) {
        struct gd_session *session = server->orphans;

        gd_orphan_remove(server, session);
        close_session(session);
    }
    assert(gd_pool_sessions(server) == 0 && server->queued == 0);
    gd_timer_disarm(&server->sweep);
    gd_standing_forget(server);
    gd_warm_stop(server);
    gd_place_free(server);
    gd_tls_peer_free(server->tls);
}
