#include "pool_rig.h"

START_TEST(what_a_burst_left_above_the_idle_cap_is_closed_when_it_stays_unused)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.idle = 1;
    rig_start(&rig);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    gd_lease_end(&a.lease, true);
    gd_lease_end(&b.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 2);
    rig_run(&rig, 700);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 2);
    rig_run(&rig, 700);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 1);
    ck_assert_uint_eq(peer_open_conns(&rig.peers[0]), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(without_an_idle_cap_nothing_is_pooled)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.idle = 0;
    rig_start(&rig);
    holder_get(&rig, &a);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(idle_sessions_end_at_their_timeout)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.idle_timeout_ms = 300;
    rig_start(&rig);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    gd_lease_end(&a.lease, true);
    gd_lease_end(&b.lease, true);
    rig_run(&rig, 20);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 2);
    rig_run(&rig, 400);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_EVICTIONS), 0);
    ck_assert_uint_eq(peer_open_conns(&rig.peers[0]), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_past_its_idle_timeout_is_not_handed_out)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.idle_timeout_ms = 1; /* the sweep comes after 10 */
    rig_start(&rig);
    holder_get(&rig, &a);
    gd_lease_end(&a.lease, true);
    rig_run(&rig, 3);
    holder_get(&rig, &a);
    ck_assert(!a.lease.reused);
    gd_lease_end(&a.lease, false);
    rig_close(&rig);
}
END_TEST

GD_SUITE("pool_idle", what_a_burst_left_above_the_idle_cap_is_closed_when_it_stays_unused,
         without_an_idle_cap_nothing_is_pooled, idle_sessions_end_at_their_timeout,
         a_session_past_its_idle_timeout_is_not_handed_out)
