#include "upstream/health.h"

#include "base/mem.h"
#include "http/write.h"
#include "upstream/exchange.h"
#include "upstream/standing.h"

enum { REQUEST_MAX_BYTES = 64 * 1024, RESPONSE_MAX_BYTES = 64 * 1024 };

/* The checks of one server. */
struct gd_health {
    struct gd_server *server;
    struct gd_timer timer; /* until the next check, or until this one has failed */
    struct gd_lease lease;
    struct gd_exchange exchange;
    bool asking;
    uint32_t passed, failed; /* in a row */
};

static const struct gd_plan_health *plan_of(const struct gd_health *health)
{
    return &health->server->upstream->health;
}

/* Up to a tenth sooner or later than `every`, so that workers and servers part. */
static uint32_t next_ms(struct gd_health *health)
{
    uint32_t every = plan_of(health)->every_ms, tenth = every / 10;

    return every - tenth +
           (uint32_t)(gd_upstream_roll(health->server->owner) % (2 * tenth + 1));
}

/* Ends a check and arms the next one. */
static void end_check(struct gd_health *health)
{
    gd_exchange_cancel(&health->exchange);
    gd_lease_end(&health->lease, health->exchange.reusable);
    gd_exchange_free(&health->exchange);
    health->asking = false;
    gd_timer_arm(&health->timer, next_ms(health));
}

static void log_change(struct gd_health *health, const char *what)
{
    gd_log_limited(&health->server->health_log, GD_LOG_WARN,
                   "upstream %s: %s is %s, say its health checks",
                   health->server->upstream->name, health->server->name, what);
}

static void note(struct gd_health *health, bool passed)
{
    struct gd_server *server = health->server;

    gd_stat_inc(
        &server->stats[passed ? GD_SERVER_CHECKS_PASSED : GD_SERVER_CHECKS_FAILED]);
    health->passed = passed ? health->passed + 1 : 0;
    health->failed = passed ? 0 : health->failed + 1;
    if (server->down && health->passed >= plan_of(health)->up) {
        gd_standing_set_down(server, false);
        log_change(health, "up again");
    } else if (!server->down && health->failed >= plan_of(health)->down) {
        gd_standing_set_down(server, true);
        log_change(health, "down");
    }
}

static void on_exchange(void *arg, enum gd_failure failure)
{
    struct gd_health *health = arg;
    int status = health->exchange.status;
    bool stale =
        failure == GD_FAIL_RESET &&
        (health->exchange.refused || (health->lease.reused && !health->exchange.heard));

    /* A pooled connection that had gone stale says nothing of the server. */
    if (!stale)
        note(health, failure == GD_OK && status >= 200 && status < 400);
    end_check(health);
}

static bool write_request(struct gd_health *health, struct gd_buf *request)
{
    const struct gd_server *server = health->server;

    gd_buf_init(request, gd_loop_blocks(server->loop), REQUEST_MAX_BYTES);
    return gd_write_request_line(request, GD_SPAN("GET"), plan_of(health)->target) &&
           gd_buf_add_span(request, server->plan->host_line) &&
           gd_buf_add_span(request, server->upstream->header_lines) &&
           gd_write_end(request);
}

static void ask(struct gd_health *health)
{
    struct gd_buf request;

    if (!write_request(health, &request)) {
        gd_buf_free(&request);
        end_check(health);
        return;
    }
    gd_exchange_start(&health->exchange, health->lease.session, GD_METHOD_GET, &request,
                      RESPONSE_MAX_BYTES, on_exchange, health);
}

static void on_lease(void *arg, enum gd_failure failure)
{
    struct gd_health *health = arg;

    if (failure == GD_OK) {
        ask(health);
        return;
    }
    note(health, false);
    end_check(health);
}

static void on_timer(void *arg)
{
    struct gd_health *health = arg;

    if (health->asking) {
        note(health, false);
        end_check(health);
        return;
    }
    health->asking = true;
    gd_timer_arm(&health->timer, plan_of(health)->timeout_ms);
    if (gd_pool_is_full(health->server)) {
        end_check(health);
        return;
    }
    health->lease.server = health->server;
    health->lease.on_ready = on_lease;
    health->lease.arg = health;
    if (gd_pool_lease(health->server, &health->lease) == GD_LEASE_READY)
        ask(health);
}

void gd_health_start(struct gd_upstream *upstream)
{
    if (upstream->plan->health.target.ptr == NULL)
        return;
    upstream->health = gd_alloc_array(upstream->count, sizeof(*upstream->health));
    for (unsigned i = 0; i < upstream->count; i++) {
        struct gd_health *health = &upstream->health[i];
        uint64_t every_ms = upstream->plan->health.every_ms;
        uint64_t part_ms = gd_upstream_roll(upstream) % every_ms;

        health->server = &upstream->servers[i];
        gd_timer_init(&health->timer, health->server->loop, on_timer, health);
        if (health->server->address_count)
            gd_timer_arm(&health->timer,
                         (uint32_t)((i * every_ms + part_ms) / upstream->count) + 1);
    }
}

/* Ends what is on its way. */
static void abandon(struct gd_health *health)
{
    gd_exchange_free(&health->exchange);
    gd_lease_end(&health->lease, false);
    gd_timer_disarm(&health->timer);
    health->asking = false;
}

void gd_health_begin(struct gd_server *server)
{
    struct gd_upstream *upstream = server->owner;
    struct gd_health *health;

    if (upstream->health == NULL)
        return;
    health = &upstream->health[server - upstream->servers];
    abandon(health);
    health->passed = health->failed = 0;
    if (server->address_count)
        gd_timer_arm(&health->timer,
                     (uint32_t)(gd_upstream_roll(upstream) % plan_of(health)->every_ms) +
                         1);
}

void gd_health_stop(struct gd_upstream *upstream)
{
    if (upstream->health == NULL)
        return;
    for (unsigned i = 0; i < upstream->count; i++)
        abandon(&upstream->health[i]);
    gd_free(upstream->health);
    upstream->health = NULL;
}
