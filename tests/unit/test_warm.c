/* Sessions that are opened ahead of need, and kept. */
#include "pool_rig.h"

enum { MIN = 3 };

struct warm {
    struct rig rig;
    struct gd_warming warming;
    int warm; /* times it was told */
};

static void on_warm(void *arg)
{
    ((struct warm *)arg)->warm++;
}

static bool is_warm(void *arg)
{
    return ((struct warm *)arg)->warm > 0;
}

static void open_rig(struct warm *warm, unsigned servers)
{
    *warm = (struct warm){.warm = 0};
    rig_open(&warm->rig, servers);
    warm->rig.upstream.pool.min = MIN;
    warm->rig.upstream.connect_timeout_ms = 200;
    warm->rig.plan_servers[0].name = "s0";
}

static void start(struct warm *warm)
{
    struct rig *rig = &warm->rig;
    struct gd_upstream_context context = {
        .loop = rig->loop, .addresses = rig->addresses, .warming = &warm->warming};

    rig->stats = context.stats = gd_stats_new(0, 1, rig->servers);
    rig->upstreams = gd_upstreams_new(&context, &rig->plan);
    warm->warming.loop = rig->loop;
    gd_warming_await(&warm->warming, on_warm, warm);
    ck_assert_int_eq(warm->warm, 0);
    ck_assert(gd_loop_run_until(rig->loop, is_warm, warm, 1000));
}

static void end(struct warm *warm)
{
    gd_work_cancel(&warm->warming.work);
    ck_assert_int_eq(warm->warm, 1);
    ck_assert_uint_eq(warm->warming.left, 0);
    rig_close(&warm->rig);
}

static bool has_min(void *arg)
{
    const struct rig *rig = arg;

    return rig_stat(rig, GD_SERVER_SESSIONS_IDLE) == MIN;
}

static void await_min(struct warm *warm)
{
    ck_assert(gd_loop_run_until(warm->rig.loop, has_min, &warm->rig, 3000));
}

START_TEST(they_are_there_before_anybody_asks)
{
    struct warm warm;
    struct holder holders[MIN + 1] = {0};

    open_rig(&warm, 2);
    start(&warm);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_SESSIONS_IDLE), 2 * MIN);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_AHEAD), 2 * MIN);
    for (int i = 0; i < MIN; i++) {
        ck_assert_int_eq(holder_ask(&warm.rig, &holders[i], false), GD_LEASE_READY);
        ck_assert(holders[i].lease.reused);
    }
    for (int i = 0; i < MIN; i++)
        gd_lease_end(&holders[i].lease, true);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECTS), 2 * MIN);
    end(&warm);
}
END_TEST

START_TEST(they_are_kept_when_unused_and_more_are_not)
{
    struct warm warm;
    struct holder holders[MIN + 1] = {0};

    open_rig(&warm, 1);
    warm.rig.upstream.pool.idle_timeout_ms = 40;
    start(&warm);
    for (int i = 0; i <= MIN; i++)
        holder_get(&warm.rig, &holders[i]);
    for (int i = 0; i <= MIN; i++)
        gd_lease_end(&holders[i].lease, true);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_SESSIONS_IDLE), MIN + 1);
    await_min(&warm);
    rig_run(&warm.rig, 200);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_SESSIONS_IDLE), MIN);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECTS), MIN + 1);
    holder_get(&warm.rig, &holders[0]);
    ck_assert(holders[0].lease.reused);
    gd_lease_end(&holders[0].lease, true);
    end(&warm);
}
END_TEST

START_TEST(what_ages_or_is_closed_is_replaced)
{
    struct warm warm;

    open_rig(&warm, 1);
    warm.rig.upstream.pool.idle_timeout_ms = 100;
    warm.rig.upstream.pool.max_age_ms = 300;
    start(&warm);
    rig_run(&warm.rig, 400);
    await_min(&warm);
    ck_assert_uint_ge(warm.rig.peers[0].accepted, 2 * MIN);
    end(&warm);
    open_rig(&warm, 1);
    start(&warm);
    for (unsigned i = 0; i < MIN; i++)
        peer_conn_close(&warm.rig.peers[0].conns[i], i % 2);
    rig_run(&warm.rig, 20);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_EVICTIONS), MIN);
    await_min(&warm);
    end(&warm);
}
END_TEST

/* At once, after a second, and after two more. */
START_TEST(a_server_that_refuses_is_tried_less_and_less)
{
    struct warm warm;
    uint64_t failures;

    open_rig(&warm, 1);
    peer_stop(&warm.rig.peers[0]);
    start(&warm);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECT_FAILURES), MIN);
    rig_run(&warm.rig, 1500);
    failures = rig_stat(&warm.rig, GD_SERVER_CONNECT_FAILURES);
    ck_assert_uint_eq(failures, 2 * MIN);
    rig_run(&warm.rig, 1000);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECT_FAILURES), failures);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECTS), failures);
    end(&warm);
}
END_TEST

START_TEST(one_that_hangs_delays_nobody_beyond_the_timeout)
{
    struct warm warm;
    int fds[4];

    open_rig(&warm, 1);
    rig_fill_backlog(&warm.rig, fds);
    start(&warm);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECT_FAILURES), MIN);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    end(&warm);
    open_rig(&warm, 1);
    warm.rig.addresses[0].len = 0;
    start(&warm);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_CONNECTS), 0);
    end(&warm);
}
END_TEST

START_TEST(none_are_opened_to_a_drained_server_until_it_is_back)
{
    struct warm warm;

    open_rig(&warm, 1);
    start(&warm);
    ck_assert(gd_upstreams_drain(warm.rig.upstreams, "u", "s0", true));
    rig_run(&warm.rig, 1200);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(warm.rig.peers[0].accepted, MIN);
    ck_assert(gd_upstreams_drain(warm.rig.upstreams, "u", "s0", false));
    await_min(&warm);
    end(&warm);
}
END_TEST

/* Whoever waits is told, also when the upstreams go. */
START_TEST(going_before_they_are_there_is_fine)
{
    struct warm warm;
    struct gd_upstream_context context;

    open_rig(&warm, 2);
    warm.warming.loop = warm.rig.loop;
    warm.rig.stats = gd_stats_new(0, 1, 2);
    context = (struct gd_upstream_context){.loop = warm.rig.loop,
                                           .stats = warm.rig.stats,
                                           .addresses = warm.rig.addresses,
                                           .warming = &warm.warming};
    warm.rig.upstreams = gd_upstreams_new(&context, &warm.rig.plan);
    gd_warming_await(&warm.warming, on_warm, &warm);
    gd_upstreams_free(warm.rig.upstreams);
    ck_assert(gd_loop_run_until(warm.rig.loop, is_warm, &warm, 1000));
    warm.rig.upstreams = gd_upstreams_new(&context, &warm.rig.plan);
    rig_run(&warm.rig, 50);
    ck_assert_uint_eq(rig_stat(&warm.rig, GD_SERVER_SESSIONS_IDLE), 2 * MIN);
    end(&warm);
}
END_TEST

GD_SUITE("warm", they_are_there_before_anybody_asks,
         they_are_kept_when_unused_and_more_are_not, what_ages_or_is_closed_is_replaced,
         a_server_that_refuses_is_tried_less_and_less,
         one_that_hangs_delays_nobody_beyond_the_timeout,
         none_are_opened_to_a_drained_server_until_it_is_back,
         going_before_they_are_there_is_fine)
