#include "upstream/warm.h"

#include "upstream/standing.h"

/* How long after one replacement the next one comes; it doubles while no connection can
 * be opened. The timer is no shorter than a turn of the loop. */
enum { PACE_MS = 1000, PACE_MAX_MS = 32000, SOON_MS = 1 };

/* How many sessions there should be more than there are. */
static uint32_t missing(const struct gd_server *server)
{
    uint32_t min = server->upstream->pool.min, count = gd_pool_sessions(server);

    if (count >= min || server->address_count == 0 || gd_standing_is_out(server))
        return 0;
    return min - count;
}

/* The first sessions are there, or cannot be had. */
static void end_first_round(struct gd_server *server)
{
    struct gd_warming *warming = server->warming;

    server->warming = NULL;
    if (warming && --warming->left == 0)
        gd_warming_tell(warming);
}

static void dial_ahead(struct gd_server *server)
{
    gd_stat_inc(&server->stats[GD_SERVER_AHEAD]);
    gd_pool_dial_for_all(server);
}

static void on_due(void *arg)
{
    struct gd_server *server = arg;
    uint64_t now_us = gd_loop_now_us(server->loop);

    server->warm_again_us = now_us + (uint64_t)server->warm_pace_ms * 1000;
    if (server->warm_pace_ms < PACE_MAX_MS)
        server->warm_pace_ms *= 2;
    for (uint32_t n = missing(server); n > 0 && missing(server) > 0; n--)
        dial_ahead(server);
    if (server->orphans == NULL)
        end_first_round(server);
    gd_warm_check(server);
}

void gd_warm_init(struct gd_server *server, const struct gd_plan_pool *pool,
                  struct gd_warming *warming)
{
    gd_timer_init(&server->warm, server->loop, on_due, server);
    server->warm_pace_ms = PACE_MS;
    if (warming == NULL || pool->min == 0)
        return;
    server->warming = warming;
    warming->left++;
    gd_timer_arm(&server->warm, SOON_MS);
}

void gd_warm_check(struct gd_server *server)
{
    uint64_t now_us;
    uint32_t wait_ms = SOON_MS;

    if (server->upstream->pool.min == 0 || gd_timer_armed(&server->warm) ||
        missing(server) == 0)
        return;
    now_us = gd_loop_now_us(server->loop);
    if (server->warm_again_us > now_us)
        wait_ms += (uint32_t)((server->warm_again_us - now_us) / 1000);
    gd_timer_arm(&server->warm, wait_ms);
}

void gd_warm_dialled(struct gd_server *server, bool connected)
{
    if (connected)
        server->warm_pace_ms = PACE_MS;
    if (server->warm_again_us && server->orphans == NULL)
        end_first_round(server);
}

void gd_warm_stop(struct gd_server *server)
{
    gd_timer_disarm(&server->warm);
    end_first_round(server);
}

/* Waiting for the first
 * ------------------------------------------------------------------
 */

static void on_warm(void *arg)
{
    struct gd_warming *warming = arg;
    void (*told)(void *arg) = warming->on_warm;

    warming->on_warm = NULL;
    told(warming->arg);
}

void gd_warming_tell(struct gd_warming *warming)
{
    if (warming->on_warm && warming->left == 0 && !gd_work_queued(&warming->work))
        gd_loop_defer(warming->loop, &warming->work, on_warm, warming);
}

void gd_warming_await(struct gd_warming *warming, void (*on_warm_cb)(void *arg),
                      void *arg)
{
    warming->on_warm = on_warm_cb;
    warming->arg = arg;
    gd_warming_tell(warming);
}
