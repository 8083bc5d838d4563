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
    peer_stop(&rig.peers[0]); /* nobody listens there */
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

START_TEST(random_two_takes_the_less_busy_of_two_drawn_by_weight)
{
    struct rig rig;
    struct holder busy[4] = {0}, holder = {0};
    unsigned seen[3] = {0};

    rig_open(&rig, 3);
    rig.upstream.balance = GD_BALANCE_RANDOM_TWO;
    rig_start(&rig);
    for (int i = 0; i < 300; i++) {
        holder_get(&rig, &holder);
        seen[gd_lease_server(&holder.lease)->index]++;
        gd_lease_end(&holder.lease, true);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_uint_ge(seen[i], 50);
    /* each new one goes to the less busy of two, so no server can get ahead by two */
    for (int i = 0; i < 4; i++)
        holder_get(&rig, &busy[i]);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_le(served_by(busy, 4, i), 3);
    for (int i = 0; i < 4; i++)
        gd_lease_end(&busy[i].lease, true);
    rig_close(&rig);
}
END_TEST

enum { KEYS = 400 };

/* The server of each key. */
static void ask_keys(struct rig *rig, unsigned servers[KEYS])
{
    for (unsigned i = 0; i < KEYS; i++) {
        struct holder holder = {.lease = {.key = i * UINT64_C(0x9e3779b97f4a7c15) + 1}};

        holder_get(rig, &holder);
        servers[i] = gd_lease_server(&holder.lease)->index;
        gd_lease_end(&holder.lease, true);
    }
}

static void open_hashed(struct rig *rig)
{
    static const char *const names[] = {"a:1", "b:1", "c:1", "d:1"};

    rig_open(rig, 4);
    rig->upstream.balance = GD_BALANCE_HASH;
    rig->upstream.eject = (struct gd_plan_eject){1, 60000, 0.5};
    for (int i = 0; i < 4; i++)
        rig->plan_servers[i].name = names[i];
}

START_TEST(of_a_server_that_goes_only_its_own_keys_move)
{
    struct rig rig;
    unsigned before[KEYS], after[KEYS], lost[4] = {0};
    struct holder holder = {.lease = {.key = 1}};
    unsigned gone;

    open_hashed(&rig);
    rig_start(&rig);
    ask_keys(&rig, before);
    holder_get(&rig, &holder);
    gone = gd_lease_server(&holder.lease)->index;
    ck_assert_uint_eq(gone, before[0]);
    gd_lease_judge(&holder.lease, GD_FAIL_RESET, 0);
    gd_lease_end(&holder.lease, false);
    ask_keys(&rig, after);
    for (int i = 0; i < KEYS; i++) {
        ck_assert_uint_ne(after[i], gone);
        if (before[i] == gone)
            lost[after[i]]++;
        else
            ck_assert_uint_eq(before[i], after[i]);
    }
    for (unsigned i = 0; i < 4; i++)
        if (i != gone)
            ck_assert_uint_ge(lost[i], 10);
    rig_close(&rig);
}
END_TEST

START_TEST(keys_are_spread_by_weight)
{
    struct rig rig;
    unsigned servers[KEYS], seen[4] = {0};

    open_hashed(&rig);
    rig.plan_servers[2].weight = 3;
    rig_start(&rig);
    ask_keys(&rig, servers);
    for (int i = 0; i < KEYS; i++)
        seen[servers[i]]++;
    for (int i = 0; i < 4; i++)
        ck_assert_uint_ge(seen[i], i == 2 ? KEYS / 2 - 60 : KEYS / 6 - 35);
    ck_assert_uint_le(seen[2], KEYS / 2 + 60);
    rig_close(&rig);
}
END_TEST

START_TEST(a_further_try_goes_to_another_server)
{
    struct rig rig;
    struct holder first = {0}, second = {0};

    rig_open(&rig, 2);
    rig_start(&rig);
    for (int i = 0; i < 10; i++) {
        holder_get(&rig, &first);
        second.lease.avoid = first.lease.server;
        holder_get(&rig, &second);
        ck_assert_ptr_ne(gd_lease_server(&first.lease), gd_lease_server(&second.lease));
        gd_lease_end(&first.lease, true);
        gd_lease_end(&second.lease, true);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(one_that_has_to_be_elsewhere_is_refused_where_there_is_no_other)
{
    struct rig rig;
    struct holder first = {0}, second = {.lease = {.elsewhere = true}};

    rig_open(&rig, 1);
    rig_start(&rig);
    holder_get(&rig, &first);
    second.lease.avoid = first.lease.server;
    ck_assert_int_eq(holder_ask(&rig, &second, false), GD_LEASE_FULL);
    gd_lease_end(&first.lease, true);
    rig_close(&rig);
}
END_TEST

GD_SUITE("balance", a_server_that_refuses_rests_while_others_do_not,
         round_robin_takes_turns_by_weight,
         least_pending_avoids_the_busy_and_rotates_among_equals,
         random_two_takes_the_less_busy_of_two_drawn_by_weight,
         of_a_server_that_goes_only_its_own_keys_move, keys_are_spread_by_weight,
         a_further_try_goes_to_another_server,
         one_that_has_to_be_elsewhere_is_refused_where_there_is_no_other)
