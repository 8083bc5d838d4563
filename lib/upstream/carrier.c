#include "upstream/carrier.h"

#include <assert.h>

#include "base/mem.h"
#include "upstream/lists.h"
#include "upstream/place.h"
#include "upstream/warm.h"

struct slot {
    struct gd_session session;
    struct gd_h2_stream stream;
    struct gd_session *connection;
};

/* The list of a server: those that have slots and take more ----------------------------
 */

static void list(struct gd_carrier *carrier)
{
    struct gd_server *server = carrier->session->server;

    carrier->listed = true;
    carrier->prev = NULL;
    carrier->next = server->carriers;
    if (server->carriers)
        server->carriers->prev = carrier;
    server->carriers = carrier;
}

static void unlist(struct gd_carrier *carrier)
{
    if (!carrier->listed)
        return;
    carrier->listed = false;
    if (carrier->prev)
        carrier->prev->next = carrier->next;
    else
        carrier->session->server->carriers = carrier->next;
    if (carrier->next)
        carrier->next->prev = carrier->prev;
}

/* The connection ------------------------------------------------------------------------
 */

static void on_ready(void *arg)
{
    if (gd_carrier_is_going(arg))
        gd_session_dial_failed(arg, GD_FAIL_CONNECT, "it goes away at once");
    else
        gd_session_dial_done(arg);
}

static void on_room(void *arg)
{
    gd_carrier_review(arg);
}

/* Before the settings there was no HTTP/2: whoever closes then has not let us in. */
static void on_over(void *arg, enum gd_failure failure, const char *why)
{
    struct gd_session *session = arg;
    struct gd_server *server = session->server;

    if (failure == GD_FAIL_TLS)
        gd_stat_inc(&server->stats[GD_SERVER_TLS_FAILURES]);
    if (session->state == GD_SESSION_DIALLING) {
        gd_session_dial_failed(session,
                               failure == GD_FAIL_RESET ? GD_FAIL_CONNECT : failure, why);
        return;
    }
    if (failure != GD_FAIL_RESET)
        gd_log_limited(&server->dial_log, GD_LOG_WARN,
                       "upstream %s: the connection to %s failed: %s",
                       server->upstream->name, server->name, why);
    gd_carrier_review(session);
}

void gd_carrier_start(struct gd_session *session)
{
    static const struct gd_h2_handler handler = {on_ready, on_room, on_over};
    const struct gd_plan_upstream *plan = session->server->upstream;
    struct gd_carrier *carrier = gd_alloc(sizeof(*carrier));
    struct gd_h2_config config = {
        .loop = session->server->loop,
        .stream = &session->stream,
        .stats = &session->server->stats,
        .https = session->stream.tls != NULL,
        .streams = plan->pool.streams,
        .ping_ms = plan->pool.ping_ms,
        .answer_ms = plan->timeout_ms,
        .doubt_ms = plan->connect_timeout_ms,
    };

    carrier->session = session;
    carrier->h2 = gd_h2_new(&config, &handler, session);
    session->carrier = carrier;
}

void gd_carrier_readable(struct gd_session *session)
{
    gd_h2_readable(session->carrier->h2);
}

void gd_carrier_writable(struct gd_session *session)
{
    gd_h2_writable(session->carrier->h2);
}

void gd_carrier_close(struct gd_session *session)
{
    struct gd_carrier *carrier = session->carrier;

    if (carrier == NULL)
        return;
    assert(carrier->slots == 0 && !carrier->listed);
    session->server->leaving -= carrier->leaving;
    gd_h2_close(carrier->h2);
    gd_free(carrier);
    session->carrier = NULL;
}

uint32_t gd_carrier_limit(const struct gd_session *session)
{
    return gd_h2_limit(session->carrier->h2);
}

bool gd_carrier_has_room(const struct gd_session *session)
{
    return !session->carrier->leaving && gd_h2_room(session->carrier->h2) > 0;
}

bool gd_carrier_is_going(const struct gd_session *session)
{
    return gd_h2_is_going(session->carrier->h2);
}

/* It takes no more leases. Idempotent. */
static void leave(struct gd_session *session)
{
    struct gd_carrier *carrier = session->carrier;

    if (carrier->leaving)
        return;
    carrier->leaving = true;
    session->server->leaving++;
    unlist(carrier);
    gd_warm_check(session->server);
}

struct gd_session *gd_carrier_find(struct gd_server *server)
{
    struct gd_carrier *carrier, *next;

    for (carrier = server->carriers; carrier; carrier = next) {
        next = carrier->next;
        if (gd_pool_is_worn(carrier->session))
            leave(carrier->session);
        else if (gd_carrier_has_room(carrier->session))
            return carrier->session;
    }
    return NULL;
}

/* Slots ---------------------------------------------------------------------------------
 */

static void on_slot_readable(void *arg)
{
    struct slot *slot = arg;

    if (slot->session.on_readable)
        slot->session.on_readable(slot->session.arg);
}

static void on_slot_writable(void *arg)
{
    struct slot *slot = arg;

    if (slot->session.on_writable)
        slot->session.on_writable(slot->session.arg);
}

static void count_slot(struct gd_server *server, int n)
{
    server->streams += (uint32_t)n;
    gd_stat_add(&server->stats[GD_SERVER_STREAMS], n);
}

struct gd_session *gd_carrier_add(struct gd_session *session)
{
    struct gd_carrier *carrier = session->carrier;
    struct slot *slot = gd_alloc(sizeof(*slot));

    slot->connection = session;
    slot->session.server = session->server;
    slot->session.state = GD_SESSION_LEASED;
    slot->session.h2 = &slot->stream;
    gd_h2_stream_open(&slot->stream, carrier->h2, on_slot_readable, on_slot_writable,
                      slot);
    count_slot(session->server, 1);
    if (carrier->slots++ == 0) {
        session->server->carrying++;
        list(carrier);
    }
    if (gd_pool_is_worn(session)) /* this was the last of pool.max_requests */
        leave(session);
    return &slot->session;
}

bool gd_carrier_takes_blame(struct gd_session *session)
{
    const struct slot *slot = (struct slot *)session;
    struct gd_carrier *carrier = slot->connection->carrier;

    if (!gd_h2_is_over(carrier->h2))
        return true;
    if (carrier->blamed)
        return false;
    carrier->blamed = true;
    return true;
}

struct gd_session *gd_carrier_remove(struct gd_session *session)
{
    struct slot *slot = (struct slot *)session;
    struct gd_session *connection = slot->connection;
    struct gd_carrier *carrier = connection->carrier;

    gd_h2_stream_close(&slot->stream);
    count_slot(session->server, -1);
    if (--carrier->slots == 0) {
        session->server->carrying--;
        unlist(carrier);
    }
    gd_loop_bury(session->server->loop, &session->grave, gd_free, slot);
    return connection;
}

/* In the pool
 * -----------------------------------------------------------------------------
 */

void gd_carrier_note(struct gd_session *session)
{
    struct gd_server *server = session->server;

    if (server->upstream->http == GD_HTTP_AUTO)
        server->multiplexes = session->carrier != NULL;
    if (session->carrier)
        server->room = gd_carrier_limit(session);
}

void gd_carrier_fail_waiters(struct gd_server *server, enum gd_failure failure,
                             bool moved)
{
    if (!server->multiplexes || gd_pool_sessions(server) > 0)
        return;
    for (uint32_t left = server->queued; left > 0; left--) {
        struct gd_lease *lease = server->first_waiter;

        gd_queue_remove(server, lease);
        if (!moved || !gd_place_move_lease(lease))
            gd_pool_tell(lease, failure);
    }
}

/* Leases that the sessions being dialled will have room for. */
static uint64_t expected_room(const struct gd_server *server)
{
    return (uint64_t)server->sessions[GD_SESSION_DIALLING] * server->room;
}

/* No further session is to be had, so those who wanted a fresh one take any. */
static void make_do(struct gd_server *server)
{
    struct gd_session *session;

    while (server->first_waiter && server->sessions[GD_SESSION_DIALLING] == 0 &&
           (session = gd_pool_take_session(server)) != NULL) {
        struct gd_lease *lease = server->first_waiter;

        gd_queue_remove(server, lease);
        gd_pool_grant(session, lease, true);
        gd_pool_tell(lease, GD_OK);
    }
}

/* Dials for those who wait and for whom there will be no room. With sessions at hand it
 * is no use to ask a server again that has just refused, or that allows no lease at all.
 */
void gd_carrier_feed(struct gd_server *server)
{
    while (server->queued > expected_room(server) &&
           gd_pool_sessions(server) < server->upstream->pool.max) {
        bool useless =
            server->room == 0 || gd_loop_now_us(server->loop) < server->rests_until_us;

        if (useless && gd_pool_sessions(server) > 0) {
            make_do(server);
            return;
        }
        if (!gd_pool_dial_for_all(server)) {
            gd_carrier_fail_waiters(server, GD_FAIL_CONNECT, false);
            make_do(server);
            return;
        }
    }
}

/* For all who wait, as far as there is room. One who
 * wants a fresh one waits for that. */
void gd_carrier_settle(struct gd_session *session)
{
    struct gd_server *server = session->server;
    bool old = session->born_us != gd_loop_now_us(server->loop);
    struct gd_lease *lease;

    while ((lease = server->first_waiter) && gd_carrier_has_room(session) &&
           !(old && lease->fresh && server->sessions[GD_SESSION_DIALLING])) {
        gd_queue_remove(server, lease);
        gd_pool_grant(session, lease, old);
        gd_pool_tell(lease, GD_OK);
    }
    if (session->carrier->slots == 0)
        gd_pool_make_idle(session);
    gd_pool_feed(server);
}

void gd_carrier_review(struct gd_session *session)
{
    struct gd_server *server = session->server;
    bool idle = session->state == GD_SESSION_IDLE;

    if (idle && gd_carrier_is_going(session)) {
        gd_pool_evict(session);
        return;
    }
    server->room = gd_carrier_limit(session);
    if (gd_carrier_is_going(session) || gd_pool_is_worn(session))
        leave(session);
    if (idle)
        gd_idle_remove(server, session);
    if (!session->carrier->leaving) {
        gd_carrier_settle(session);
        return;
    }
    if (session->carrier->slots == 0)
        gd_pool_close_session(session);
    gd_pool_feed(server);
}

/* One that may be dead, and carries nothing, makes room for another one. */
static void close_doubted(struct gd_server *server)
{
    for (struct gd_session *session = server->oldest; session; session = session->newer)
        if (session->carrier && gd_h2_is_doubted(session->carrier->h2)) {
            gd_idle_remove(server, session);
            gd_pool_close_session(session);
            return;
        }
}

/* Waits for a session that carries many: those that have room with the ones on their way,
 * or that may still be dialled, are no queue. */
enum gd_lease_result gd_carrier_wait(struct gd_server *server, struct gd_lease *lease)
{
    const struct gd_plan_pool *pool = &server->upstream->pool;
    uint64_t room;

    if (gd_pool_sessions(server) >= pool->max)
        close_doubted(server);
    room = expected_room(server);
    if (gd_pool_sessions(server) < pool->max)
        room += server->room;
    if (server->queued >= pool->queue + room)
        return GD_LEASE_FULL;
    gd_pool_queue_up(server, lease);
    gd_carrier_feed(server);
    return GD_LEASE_WAIT;
}
