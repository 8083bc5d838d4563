/* What becomes of servers whose requests fail, and of tries beside the first. */
#include "pool_rig.h"

enum { OUT_MS = 80 };

static void open_rig(struct rig *rig, unsigned servers)
{
    rig_open(rig, servers);
    rig->upstream.balance = GD_BALANCE_ROUND_ROBIN;
    rig->upstream.eject = (struct gd_plan_eject){3, OUT_MS, 0.5};
    rig_start(rig);
}

static uint64_t stat_of(const struct rig *rig, unsigned server, enum gd_stat_server id)
{
    return gd_stat_read(&rig->stats->servers[server]->values[id]);
}

/* One request, which servers in the set `bad` fail; the server it went to. */
static unsigned ask(struct rig *rig, unsigned bad)
{
    struct holder holder = {.lease = {.may_fail = true}};
    unsigned server;
    bool fails;

    holder_get(rig, &holder);
    server = gd_lease_server(&holder.lease)->index;
    fails = bad >> server & 1;
    gd_lease_judge(&holder.lease, fails ? GD_FAIL_RESET : GD_OK, fails ? 0 : 200);
    gd_lease_end(&holder.lease, true);
    return server;
}

/* How many of so many requests went to a server. */
static unsigned share(struct rig *rig, unsigned bad, unsigned requests, unsigned server)
{
    unsigned n = 0;

    for (unsigned i = 0; i < requests; i++)
        n += ask(rig, bad) == server;
    return n;
}

/* A request every millisecond, until one went to the server. */
static void ask_until(struct rig *rig, unsigned bad, unsigned server)
{
    unsigned asked = 0;

    while (ask(rig, bad) != server) {
        ck_assert_uint_lt(asked++, 3000);
        rig_run(rig, 1);
    }
}

START_TEST(failures_in_a_row_take_a_server_out)
{
    struct rig rig;

    open_rig(&rig, 3);
    ck_assert_uint_eq(share(&rig, 1, 6, 0), 2);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 0);
    ck_assert_uint_eq(share(&rig, 1, 3, 0), 1);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 1);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_EJECTIONS), 1);
    ck_assert_uint_ne(gd_stat_read(&rig.stats->servers[0]->out_until_s), 0);
    ck_assert_uint_eq(share(&rig, 1, 30, 0), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_success_between_failures_keeps_it_in)
{
    struct rig rig;

    open_rig(&rig, 2);
    for (int i = 0; i < 10; i++) {
        ask(&rig, 1);
        ask(&rig, 1);
        ask(&rig, 1);
        ask(&rig, 1);
        ask(&rig, 0);
        ask(&rig, 0);
    }
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_EJECTIONS), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(no_more_than_the_share_allowed_is_out)
{
    struct rig rig;

    open_rig(&rig, 3);
    share(&rig, 7, 60, 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_STATE_OUT), 1);
    rig_close(&rig);
    open_rig(&rig, 1);
    share(&rig, 1, 60, 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_STATE_OUT), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(one_request_tries_it_and_failing_costs_twice_the_time)
{
    struct rig rig;
    uint64_t start_us, first_us, second_us;

    open_rig(&rig, 3);
    share(&rig, 1, 9, 0);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 1);
    start_us = gd_loop_now_us(rig.loop);
    ask_until(&rig, 1, 0);
    first_us = gd_loop_now_us(rig.loop);
    ck_assert_uint_ge(first_us - start_us, OUT_MS * 1000 - 1000);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_TRIALS), 1);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 1);
    ck_assert_uint_eq(share(&rig, 1, 30, 0), 0);
    ask_until(&rig, 1, 0);
    second_us = gd_loop_now_us(rig.loop);
    ck_assert_uint_ge(second_us - first_us, 2 * OUT_MS * 1000 - 1000);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_EJECTIONS), 3);
    rig_close(&rig);
}
END_TEST

START_TEST(while_one_request_tries_it_others_do_not)
{
    struct rig rig;
    struct holder trial = {.lease = {.may_fail = true}};

    open_rig(&rig, 2);
    share(&rig, 1, 6, 0);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 1);
    rig_run(&rig, OUT_MS + 20);
    holder_get(&rig, &trial);
    ck_assert_uint_eq(gd_lease_server(&trial.lease)->index, 0);
    ck_assert_uint_eq(share(&rig, 1, 30, 0), 0);
    /* it was cancelled: nothing is known, and the next one tries it */
    gd_lease_end(&trial.lease, false);
    ck_assert_uint_eq(ask(&rig, 0), 0);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_TRIAL), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(on_trial_its_share_grows_until_it_is_in_again)
{
    struct rig rig;
    unsigned first;

    open_rig(&rig, 2);
    share(&rig, 1, 6, 0);
    ask_until(&rig, 0, 0);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 0);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_TRIAL), 1);
    /* all in one turn, so no time passes */
    first = share(&rig, 0, 20, 0);
    ck_assert_uint_ge(first, 1);
    ck_assert_uint_le(first, 6);
    rig_run(&rig, OUT_MS + 20);
    ck_assert_uint_ge(share(&rig, 0, 20, 0), 9);
    ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_TRIAL), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(one_that_comes_and_goes_stays_out)
{
    struct rig rig;

    open_rig(&rig, 2);
    share(&rig, 1, 6, 0);
    for (unsigned i = 1; i <= 3; i++) {
        ask_until(&rig, 0, 0);
        ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_TRIAL), 1);
        /* its first failure, still in the same turn, ends the trial */
        ck_assert_uint_ge(share(&rig, 1, 20, 0), 1);
        ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_STATE_OUT), 1);
        ck_assert_uint_eq(stat_of(&rig, 0, GD_SERVER_EJECTIONS), 1 + i);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_server_that_asks_for_rest_is_left_alone)
{
    struct rig rig;
    struct holder holder = {.told = 0};

    open_rig(&rig, 2);
    holder_get(&rig, &holder);
    ck_assert_uint_eq(gd_lease_server(&holder.lease)->index, 0);
    gd_lease_rest(&holder.lease, 1000000);
    gd_lease_end(&holder.lease, true);
    ck_assert_uint_eq(share(&rig, 0, 20, 0), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(off_means_never)
{
    struct rig rig;

    rig_open(&rig, 2);
    rig.upstream.balance = GD_BALANCE_ROUND_ROBIN;
    rig_start(&rig);
    ck_assert_uint_eq(share(&rig, 1, 40, 0), 20);
    rig_close(&rig);
}
END_TEST

START_TEST(tries_beside_the_first_are_a_share_of_the_calls)
{
    struct rig rig;
    unsigned extra = 0;

    rig_open(&rig, 1);
    rig.upstream.retry.budget = 0.2;
    rig_start(&rig);
    for (int i = 0; i < 1000; i++) {
        ask(&rig, 0);
        if (gd_upstream_take_extra(rig.upstreams, 0)) {
            gd_upstream_end_extra(rig.upstreams, 0);
            extra++;
        }
    }
    ck_assert_uint_ge(extra, 200);
    ck_assert_uint_le(extra, 211);
    rig_close(&rig);
}
END_TEST

START_TEST(at_once_three_are_allowed_and_then_a_share_of_what_runs)
{
    struct rig rig;
    struct holder holders[30] = {0};
    unsigned extra = 0;

    rig_open(&rig, 1);
    rig.upstream.retry.budget = 0.2;
    rig.upstream.pool.max = rig.upstream.pool.idle = 30;
    rig_start(&rig);
    while (gd_upstream_take_extra(rig.upstreams, 0))
        extra++;
    ck_assert_uint_eq(extra, 3);
    for (int i = 0; i < 30; i++)
        holder_get(&rig, &holders[i]);
    while (gd_upstream_take_extra(rig.upstreams, 0))
        extra++;
    ck_assert_uint_ge(extra, 5);
    ck_assert_uint_le(extra, 6);
    for (; extra; extra--)
        gd_upstream_end_extra(rig.upstreams, 0);
    for (int i = 0; i < 30; i++)
        gd_lease_end(&holders[i].lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(above_max_in_flight_leases_are_refused)
{
    struct rig rig;
    struct holder a = {0}, b = {0}, c = {0};

    rig_open(&rig, 1);
    rig.upstream.max_in_flight = 2;
    rig_start(&rig);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    ck_assert_int_eq(holder_ask(&rig, &c, false), GD_LEASE_FULL);
    ck_assert_uint_eq(gd_stat_read(&rig.stats->upstreams[0]->values[GD_UPSTREAM_REFUSED]),
                      1);
    gd_lease_end(&a.lease, true);
    holder_get(&rig, &c);
    gd_lease_end(&b.lease, true);
    gd_lease_end(&c.lease, true);
    rig_close(&rig);
}
END_TEST

GD_SUITE("standing", failures_in_a_row_take_a_server_out,
         a_success_between_failures_keeps_it_in, no_more_than_the_share_allowed_is_out,
         one_request_tries_it_and_failing_costs_twice_the_time,
         while_one_request_tries_it_others_do_not,
         on_trial_its_share_grows_until_it_is_in_again, one_that_comes_and_goes_stays_out,
         a_server_that_asks_for_rest_is_left_alone, off_means_never,
         tries_beside_the_first_are_a_share_of_the_calls,
         at_once_three_are_allowed_and_then_a_share_of_what_runs,
         above_max_in_flight_leases_are_refused)
