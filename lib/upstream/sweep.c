#include "upstream/sweep.h"

#include "upstream/lists.h"

enum { SWEEPS_PER_TIMEOUT = 8, SWEEP_MIN_MS = 10 };

/* How long a session above pool.idle stays unused before it is closed. */
enum { SURPLUS_MS = 1000, SURPLUS_SWEEP_MS = 250 };

bool gd_sweep_is_old(const struct gd_session *session, uint64_t now_us)
{
    return now_us - session->born_us >= session->server->upstream->pool.max_age_ms * 1000;
}

/* As many as pool.min says are kept, however long they are unused. */
bool gd_sweep_is_due(const struct gd_session *session, uint64_t now_us)
{
    const struct gd_plan_pool *pool = &session->server->upstream->pool;

    return (now_us - session->idle_us >= (uint64_t)pool->idle_timeout_ms * 1000 &&
            gd_pool_sessions(session->server) > pool->min) ||
           gd_sweep_is_old(session, now_us);
}

/* More sessions are idle than are to be kept. They are not closed at once: calls come in
 * bursts, and what the last one needed the next one will. */
static bool has_surplus(const struct gd_server *server)
{
    return server->sessions[GD_SESSION_IDLE] > server->upstream->pool.idle;
}

void gd_sweep_arm(struct gd_server *server)
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
        if (gd_sweep_is_due(session, now_us) ||
            (has_surplus(server) && now_us - session->idle_us >= SURPLUS_MS * 1000)) {
            gd_idle_remove(server, session);
            gd_pool_close_session(session);
        }
    }
    gd_pool_feed(server);
    server->sweep_ms = 0;
    if (server->newest)
        gd_sweep_arm(server);
}

void gd_sweep_init(struct gd_server *server)
{
    gd_timer_init(&server->sweep, server->loop, on_sweep, server);
}
