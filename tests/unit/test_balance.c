#include "pool_rig.h"

static unsigned served_by(struct holder *holders, unsigned count, unsigned server)
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++)
        n += gd_lease_server(&holders[i].lease)->index == server;
    return n;
}

START_TEST(round_robin_takes_turns_by_weight)
{
    struct rig rig;
    struct holder holders[8] = {0};

    rig_open(&rig, 3);
    rig.upstream.balance = GD_BALANCE_ROUND_ROBIN;
    rig.plan_servers[1].weight = 2;
    rig_start(&rig);
    for (int i = 0; i < 8; i++)
        holder_get(&rig, &holders[i]);
    ck_assert_uint_eq(served_by(holders, 8, 0), 2);
    ck_assert_uint_eq(served_by(holders, 8, 1), 4);
    ck_assert_uint_eq(served_by(holders, 8, 2), 2);
    /* the heavy one does not take its turns in a row */
    ck_assert_uint_eq(served_by(holders, 2, 1), 1);
    for (int i = 0; i < 8; i++)
        gd_lease_end(&holders[i].lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(least_pending_avoids_the_busy_and_rotates_among_equals)
{
    struct rig rig;
    struct holder busy = {0}, holders[6] = {0};
    unsigned server;

    rig_open(&rig, 3);
    rig.upstream.balance = GD_BALANCE_LEAST_PENDING;
    rig_start(&rig);
    holder_get(&rig, &busy);
    server = gd_lease_server(&busy.lease)->index;
    for (int i = 0; i < 6; i++) {
        holder_get(&rig, &holders[i]);
        gd_lease_end(&holders[i].lease, true);
    }
    ck_assert_uint_eq(served_by(holders, 6, server), 0);
    ck_assert_uint_eq(served_by(holders, 6, (server + 1) % 3), 3);
    gd_lease_end(&busy.lease, true);
    for (int i = 0; i < 6; i++)
        holder_get(&rig, &holders[i]);
    ck_assert_uint_eq(served_by(holders, 6, 0), 2);
    ck_assert_uint_eq(served_by(holders, 6, 1), 2);
    for (int i = 0; i < 6; i++)
        gd_lease_end(&holders[i].lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(a_server_that_refuses_rests_while_others_do_not)
{
    struct rig rig;
    struct holder holders[8] = {0};

    rig_open(&rig, 2);
    rig.upstream.balance = GD_BALANCE_LEAST_PENDING;
    rig.addresses[0].len = 0; /* nowhere to connect to */
    rig_start(&rig);
    for (int i = 0; i < 2; i++)
        if (holder_ask(&rig, &holders[i], false) == GD_LEASE_WAIT)
            ck_assert(gd_loop_run_until(rig.loop, holder_told, &holders[i], 2000));
    ck_assert_int_eq(holders[0].failure + holders[1].failure, GD_FAIL_CONNECT);
    for (int i = 2; i < 8; i++) {
        holder_get(&rig, &holders[i]);
        gd_lease_end(&holders[i].lease, true);
    }
    ck_assert_uint_eq(served_by(&holders[2], 6, 1), 6);
    for (int i = 0; i < 2; i++)
        gd_lease_end(&holders[i].lease, true);
    rig_close(&rig);
}
END_TEST

GD_SUITE("balance", a_server_that_refuses_rests_while_others_do_not,
         round_robin_takes_turns_by_weight,
         least_pending_avoids_the_busy_and_rotates_among_equals)
