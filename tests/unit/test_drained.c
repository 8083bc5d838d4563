/* Servers that an operator has drained. */
#include "pool_rig.h"

static void open_rig(struct rig *rig, unsigned servers, enum gd_balance balance)
{
    static const char *const names[RIG_SERVERS] = {"s0", "s1", "s2", "s3"};

    rig_open(rig, servers);
    rig->upstream.balance = balance;
    rig->upstream.eject = (struct gd_plan_eject){1, 60000, 1.0};
    for (unsigned i = 0; i < servers; i++)
        rig->plan_servers[i].name = names[i];
    rig_start(rig);
}

static void drain(struct rig *rig, const char *server, bool drained)
{
    ck_assert(gd_upstreams_drain(rig->upstreams, "u", server, drained));
}

static uint64_t stat_of(const struct rig *rig, unsigned server, enum gd_stat_server id)
{
    return gd_stat_read(&rig->stats->servers[server]->values[id]);
}

/* One request; the server it went to. */
static unsigned ask(struct rig *rig, uint64_t key, bool fails)
{
    struct holder holder = {.lease = {.may_fail = true, .key = key}};
    unsigned server;

    holder_get(rig, &holder);
    server = gd_lease_server(&holder.lease)->index;
    gd_lease_judge(&holder.lease, fails ? GD_FAIL_RESET : GD_OK, fails ? 0 : 200);
    gd_lease_end(&holder.lease, true);
    return server;
}

/* The servers that so many requests went to, as bits. */
static unsigned asked(struct rig *rig, unsigned requests)
{
    unsigned servers = 0;

    for (unsigned i = 0; i < requests; i++)
        servers |= 1u << ask(rig, i * UINT64_C(0x9e3779b97f4a7c15) | 1, false);
    return servers;
}

START_TEST(no_policy_chooses_it_until_it_is_back)
{
    for (int balance = GD_BALANCE_ROUND_ROBIN; balance <= GD_BALANCE_HASH; balance++) {
        struct rig rig;

        open_rig(&rig, 3, (enum gd_balance)balance);
        ck_assert_uint_eq(asked(&rig, 60), 7);
        drain(&rig, "s1", true);
        ck_assert_uint_eq(stat_of(&rig, 1, GD_SERVER_STATE_DRAINED), 1);
        ck_assert_uint_eq(stat_of(&rig, 1, GD_SERVER_SESSIONS_IDLE), 0);
        ck_assert_uint_eq(asked(&rig, 60), 5);
        drain(&rig, "s1", true);
        ck_assert_uint_eq(stat_of(&rig, 1, GD_SERVER_STATE_DRAINED), 1);
        drain(&rig, "s1", false);
        drain(&rig, "s1", false);
        ck_assert_uint_eq(stat_of(&rig, 1, GD_SERVER_STATE_DRAINED), 0);
        ck_assert_uint_eq(asked(&rig, 60), 7);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(names_that_are_not_there_change_nothing)
{
    struct rig rig;

    open_rig(&rig, 2, GD_BALANCE_ROUND_ROBIN);
    ck_assert(!gd_upstreams_drain(rig.upstreams, "u", "s2", true));
    ck_assert(!gd_upstreams_drain(rig.upstreams, "v", "s1", true));
    ck_assert_uint_eq(asked(&rig, 4), 3);
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_leased_ends_in_peace_and_is_closed)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    open_rig(&rig, 1, GD_BALANCE_LEAST_PENDING);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    gd_lease_end(&b.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 1);
    drain(&rig, "s0", true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_LEASED), 1);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_LEASED), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(who_waits_already_is_served)
{
    struct rig rig;
    struct holder a = {0}, waits = {0}, dials = {0};

    open_rig(&rig, 1, GD_BALANCE_LEAST_PENDING);
    rig.upstream.pool.max = 2;
    holder_get(&rig, &a);
    ck_assert_int_eq(holder_ask(&rig, &dials, false), GD_LEASE_WAIT);
    ck_assert_int_eq(holder_ask(&rig, &waits, false), GD_LEASE_WAIT);
    drain(&rig, "s0", true);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &dials, 1000));
    gd_lease_end(&a.lease, true);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &waits, 1000));
    ck_assert_int_eq(dials.failure, GD_OK);
    ck_assert_int_eq(waits.failure, GD_OK);
    gd_lease_end(&waits.lease, true);
    gd_lease_end(&dials.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(without_any_server_left_there_is_no_lease)
{
    for (unsigned servers = 1; servers <= 2; servers++) {
        struct rig rig;
        struct holder a = {0};
        const uint64_t *values;

        open_rig(&rig, servers, GD_BALANCE_ROUND_ROBIN);
        values = rig.stats->upstreams[0]->values;
        drain(&rig, "s0", true);
        if (servers > 1)
            drain(&rig, "s1", true);
        ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_FULL);
        ck_assert_uint_eq(gd_stat_read(&values[GD_UPSTREAM_REFUSED]), 1);
        drain(&rig, "s0", false);
        ck_assert_uint_eq(ask(&rig, 0, false), 0);
        rig_close(&rig);
    }
}
END_TEST

/* The rule that a server which is out is better than none is not for operators' ones. */
START_TEST(one_that_fails_is_asked_rather_than_one_that_is_drained)
{
    struct rig rig;
    struct holder a = {0};

    open_rig(&rig, 2, GD_BALANCE_ROUND_ROBIN);
    drain(&rig, "s0", true);
    ck_assert_uint_eq(ask(&rig, 0, true), 1);
    ck_assert_uint_eq(stat_of(&rig, 1, GD_SERVER_STATE_OUT), 1);
    ck_assert_uint_eq(asked(&rig, 8), 2);
    /* … a retry as well, for which there is no other */
    holder_get(&rig, &a);
    a.lease.avoid = a.lease.server;
    gd_lease_end(&a.lease, true);
    ck_assert(!gd_upstream_has_other(rig.upstreams, 0, &a.lease));
    holder_get(&rig, &a);
    ck_assert_uint_eq(gd_lease_server(&a.lease)->index, 1);
    gd_lease_end(&a.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_is_learned_of_it)
{
    struct rig rig;
    struct holder a = {0};

    open_rig(&rig, 1, GD_BALANCE_ROUND_ROBIN);
    holder_get(&rig, &a);
    drain(&rig, "s0", true);
    gd_lease_judge(&a.lease, GD_FAIL_RESET, 0);
    gd_lease_end(&a.lease, false);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_EJECTIONS), 0);
    rig_close(&rig);
}
END_TEST

/* Half of four may be out; of the two that are left, one. */
START_TEST(it_counts_as_if_it_were_not_there)
{
    struct rig rig;

    open_rig(&rig, 4, GD_BALANCE_ROUND_ROBIN);
    rig.upstream.eject.max = 0.5;
    drain(&rig, "s0", true);
    drain(&rig, "s1", true);
    ask(&rig, 0, true);
    ask(&rig, 0, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_STATE_OUT), 1);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_STATE_DRAINED), 2);
    rig_close(&rig);
}
END_TEST

GD_SUITE("drained", no_policy_chooses_it_until_it_is_back,
         names_that_are_not_there_change_nothing,
         what_is_leased_ends_in_peace_and_is_closed, who_waits_already_is_served,
         without_any_server_left_there_is_no_lease,
         one_that_fails_is_asked_rather_than_one_that_is_drained,
         nothing_is_learned_of_it, it_counts_as_if_it_were_not_there)
