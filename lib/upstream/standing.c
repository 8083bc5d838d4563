#include "upstream/standing.h"

#include "upstream/warm.h"

/* How often the time out doubles, and the longest trial. */
enum { DOUBLINGS_MAX = 4, TRIAL_MAX_MS = 10000 };

/* A server that went out this many times its usual time ago starts from the beginning. */
enum { FORGET_TIMES = 64 };

/* How long a request that can fail without harm is waited for. */
enum { PICKY_US = 1000000 };

/* The share of a server whose trial begins, in thousandths. */
enum { FIRST_SHARE = 100, WHOLE = 1000 };

static const struct gd_plan_eject *rule_of(const struct gd_server *server)
{
    return &server->upstream->eject;
}

static uint64_t now_of(const struct gd_server *server)
{
    return gd_loop_now_us(server->loop);
}

/* State ---------------------------------------------------------------------------------
 */

bool gd_standing_is_out(const struct gd_server *server)
{
    return server->standing == GD_STANDING_OUT || server->down || server->drained;
}

static void show(struct gd_server *server, int n)
{
    if (server->standing == GD_STANDING_OUT)
        gd_stat_add(&server->stats[GD_SERVER_STATE_OUT], n);
    if (server->standing == GD_STANDING_TRIAL)
        gd_stat_add(&server->stats[GD_SERVER_STATE_TRIAL], n);
    if (server->down)
        gd_stat_add(&server->stats[GD_SERVER_STATE_DOWN], n);
    if (server->drained)
        gd_stat_add(&server->stats[GD_SERVER_STATE_DRAINED], n);
}

static void count(struct gd_server *server, int n)
{
    show(server, n);
    server->owner->out += (unsigned)(n * gd_standing_is_out(server));
    server->owner->drained += (unsigned)(n * server->drained);
}

/* The only place where the state changes. */
static void change(struct gd_server *server, enum gd_standing standing, bool down,
                   bool drained)
{
    count(server, -1);
    server->standing = (uint8_t)standing;
    server->down = down;
    server->drained = drained;
    count(server, 1);
    gd_warm_check(server);
}

static void change_standing(struct gd_server *server, enum gd_standing standing)
{
    change(server, standing, server->down, server->drained);
}

static uint32_t trial_ms(const struct gd_server *server)
{
    uint32_t ms = rule_of(server)->for_ms;

    return ms < TRIAL_MAX_MS ? ms : TRIAL_MAX_MS;
}

static bool may_go_out(const struct gd_server *server)
{
    const struct gd_upstream *owner = server->owner;
    unsigned out = owner->out - owner->drained, all = owner->placed - owner->drained;

    return gd_standing_is_out(server) || out + 1 <= rule_of(server)->max * all;
}

static void take_out(struct gd_server *server)
{
    uint64_t now_us = now_of(server), usual_us = (uint64_t)rule_of(server)->for_ms * 1000;
    bool first = server->standing == GD_STANDING_IN;
    uint64_t out_us;

    if (!may_go_out(server))
        return;
    if (server->outs && now_us - server->out_us > usual_us * FORGET_TIMES)
        server->outs = 0;
    out_us = usual_us << (server->outs < DOUBLINGS_MAX ? server->outs : DOUBLINGS_MAX);
    server->outs++;
    server->out_us = now_us;
    server->until_us = now_us + out_us;
    server->errors = 0;
    __atomic_store_n(server->out_until_s,
                     (uint64_t)gd_loop_wall_s(server->loop) + out_us / 1000000,
                     __ATOMIC_RELAXED);
    change_standing(server, GD_STANDING_OUT);
    gd_stat_inc(&server->stats[GD_SERVER_EJECTIONS]);
    if (first)
        gd_log_limited(&server->eject_log, GD_LOG_WARN,
                       "upstream %s: %s is taken out: its requests failed, %u in a row",
                       server->upstream->name, server->name, rule_of(server)->errors);
}

static void begin_trial(struct gd_server *server)
{
    server->since_us = now_of(server);
    server->until_us = server->since_us + (uint64_t)trial_ms(server) * 1000;
    server->share = 0;
    change_standing(server, GD_STANDING_TRIAL);
}

/* What requests tell --------------------------------------------------------------------
 */

void gd_standing_bad(struct gd_server *server, bool of_trial)
{
    if (rule_of(server)->errors == 0 || server->drained)
        return;
    server->errors++;
    switch ((enum gd_standing)server->standing) {
    case GD_STANDING_IN:
        if (server->errors >= rule_of(server)->errors)
            take_out(server);
        break;
    case GD_STANDING_OUT:
        if (of_trial)
            take_out(server);
        break;
    case GD_STANDING_TRIAL:
        take_out(server);
        break;
    }
}

void gd_standing_good(struct gd_server *server, bool of_trial)
{
    server->errors = 0;
    if (server->standing == GD_STANDING_OUT && of_trial)
        begin_trial(server);
    else if (server->standing == GD_STANDING_TRIAL && now_of(server) >= server->until_us)
        change_standing(server, GD_STANDING_IN);
}

void gd_standing_set_down(struct gd_server *server, bool down)
{
    if (down != server->down)
        change(server, (enum gd_standing)server->standing, down, server->drained);
}

void gd_standing_set_drained(struct gd_server *server, bool drained)
{
    if (drained != server->drained)
        change(server, (enum gd_standing)server->standing, server->down, drained);
}

void gd_standing_forget(struct gd_server *server)
{
    change(server, GD_STANDING_IN, false, false);
    server->errors = server->outs = 0;
}

/* Who is chosen -------------------------------------------------------------------------
 */

/* The share grows evenly over the trial; whole requests are let through as it adds up. */
static bool takes_share(struct gd_server *server)
{
    uint64_t now_us = now_of(server);
    uint64_t whole_us = server->until_us - server->since_us;

    if (now_us >= server->until_us)
        return true;
    server->share += FIRST_SHARE + (uint32_t)((now_us - server->since_us) *
                                              (WHOLE - FIRST_SHARE) / whole_us);
    if (server->share < WHOLE)
        return false;
    server->share -= WHOLE;
    return true;
}

bool gd_standing_admits(struct gd_server *server)
{
    if (server->down || server->drained)
        return false;
    switch ((enum gd_standing)server->standing) {
    case GD_STANDING_IN:
        return true;
    case GD_STANDING_OUT:
        return false;
    case GD_STANDING_TRIAL:
        break;
    }
    return takes_share(server);
}

bool gd_standing_wants_trial(const struct gd_server *server, bool may_fail)
{
    uint64_t now_us = now_of(server);

    return server->standing == GD_STANDING_OUT && !server->down && !server->drained &&
           !server->tried && now_us >= server->until_us &&
           (may_fail || now_us - server->until_us >= PICKY_US);
}
