#include "log_catch.h"
#include "pool_rig.h"

START_TEST(the_newest_idle_session_is_used_first)
{
    struct rig rig;
    struct holder a = {0}, b = {0};
    struct gd_session *newest;

    rig_open(&rig, 1);
    rig_start(&rig);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    ck_assert(!a.lease.reused && !b.lease.reused);
    newest = a.lease.session;
    gd_lease_end(&b.lease, true);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 2);
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_READY);
    ck_assert_ptr_eq(a.lease.session, newest);
    ck_assert(a.lease.reused);
    ck_assert_str_eq(gd_lease_server(&a.lease)->name, "s");
    gd_lease_end(&a.lease, true);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 2);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_REUSES), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(a_lease_waits_when_the_pool_is_full_and_gets_what_is_returned)
{
    struct rig rig;
    struct holder a = {0}, b = {0}, c = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig_start(&rig);
    holder_get(&rig, &a);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    ck_assert_int_eq(holder_ask(&rig, &c, false), GD_LEASE_WAIT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 2);
    gd_lease_end(&a.lease, true);
    ck_assert_int_eq(b.told, 0); /* never inside the return */
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &b, 1000));
    ck_assert(b.lease.reused);
    ck_assert_int_eq(c.told, 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 1);
    /* an unusable one is replaced for the next */
    gd_lease_end(&b.lease, false);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &c, 1000));
    ck_assert(!c.lease.reused);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 2);
    gd_lease_end(&c.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(a_full_queue_is_overload_and_changes_nothing)
{
    struct rig rig;
    struct holder a = {0}, b = {0}, c = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig.upstream.pool.queue = 1;
    rig_start(&rig);
    holder_get(&rig, &a);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    ck_assert_int_eq(holder_ask(&rig, &c, false), GD_LEASE_FULL);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 1);
    gd_lease_end(&c.lease, false);
    gd_lease_end(&b.lease, false);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 0);
    ck_assert_int_eq(holder_ask(&rig, &c, false), GD_LEASE_WAIT);
    gd_lease_end(&a.lease, true);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &c, 1000));
    ck_assert_int_eq(b.told, 0);
    gd_lease_end(&c.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(a_wait_in_the_queue_ends_at_its_deadline)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig.upstream.timeout_ms = 30;
    rig_start(&rig);
    holder_get(&rig, &a);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &b, 1000));
    ck_assert_int_eq(b.failure, GD_FAIL_TIMEOUT);
    ck_assert_ptr_null(b.lease.session);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 0);
    gd_lease_end(&b.lease, false);
    gd_lease_end(&a.lease, true);
    rig_run(&rig, 40);
    ck_assert_int_eq(b.told, 1);
    rig_close(&rig);
}
END_TEST

START_TEST(the_end_of_an_idle_connection_evicts_it_at_once)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig_start(&rig);
    holder_get(&rig, &a);
    gd_lease_end(&a.lease, true);
    rig_run(&rig, 5);
    peer_conn_close(&rig.peers[0].conns[0], false);
    rig_run(&rig, 5);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_EVICTIONS), 1);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    holder_get(&rig, &a);
    ck_assert(!a.lease.reused);
    gd_lease_end(&a.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(unasked_bytes_evict_an_idle_session)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig_start(&rig);
    holder_get(&rig, &a);
    gd_lease_end(&a.lease, true);
    rig_run(&rig, 5);
    peer_conn_send(&rig.peers[0].conns[0],
                   GD_SPAN("HTTP/1.1 408 Request Timeout\r\n\r\n"));
    rig_run(&rig, 5);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_EVICTIONS), 1);
    ck_assert_uint_eq(peer_open_conns(&rig.peers[0]), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_leased_session_that_ends_unattended_is_not_kept)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig_start(&rig);
    holder_get(&rig, &a);
    rig_run(&rig, 5);
    peer_conn_close(&rig.peers[0].conns[0], false);
    rig_run(&rig, 5);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(sessions_end_at_their_age_and_after_their_requests)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max_requests = 2;
    rig.upstream.pool.max_age_ms = 300;
    rig_start(&rig);
    holder_get(&rig, &a);
    gd_lease_end(&a.lease, true);
    holder_get(&rig, &a);
    ck_assert(a.lease.reused);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    holder_get(&rig, &a);
    rig_run(&rig, 350);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_fresh_lease_never_gets_a_pooled_session)
{
    struct rig rig;
    struct holder a = {0}, b = {0}, c = {0};
    struct gd_session *idle;

    rig_open(&rig, 1);
    rig.upstream.pool.max = 2;
    rig_start(&rig);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    idle = b.lease.session;
    gd_lease_end(&b.lease, true);
    /* at max: the idle one makes room */
    ck_assert_int_eq(holder_ask(&rig, &b, true), GD_LEASE_WAIT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &b, 1000));
    ck_assert(!b.lease.reused && b.lease.session != idle);
    /* at max with none idle: it waits, and what comes back is replaced for it */
    ck_assert_int_eq(holder_ask(&rig, &c, true), GD_LEASE_WAIT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 1);
    gd_lease_end(&a.lease, true);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &c, 1000));
    ck_assert_int_eq(c.failure, GD_OK);
    ck_assert(!c.lease.reused);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 4);
    gd_lease_end(&b.lease, true);
    gd_lease_end(&c.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(a_refused_connection_fails_its_lease_and_the_others_try)
{
    struct rig rig;
    struct holder holders[4] = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig_start(&rig);
    peer_stop(&rig.peers[0]);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(holder_ask(&rig, &holders[i], false), GD_LEASE_WAIT);
    for (int i = 0; i < 4; i++) {
        ck_assert(gd_loop_run_until(rig.loop, holder_told, &holders[i], 1000));
        ck_assert_int_eq(holders[i].failure, GD_FAIL_CONNECT);
        gd_lease_end(&holders[i].lease, false);
    }
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 4);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECT_FAILURES), 4);
    rig_close(&rig);
}
END_TEST

START_TEST(a_server_without_address_fails_with_connect)
{
    struct rig rig;
    struct holder a = {0};

    rig_open(&rig, 1);
    rig.addresses[0].len = 0;
    rig_start(&rig);
    catch_log();
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    ck_assert_ptr_nonnull(strstr(logged(), ": no address is known for it\n"));
    release_log();
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &a, 1000));
    ck_assert_int_eq(a.failure, GD_FAIL_CONNECT);
    rig_close(&rig);
}
END_TEST

START_TEST(a_hanging_connect_ends_at_its_timeout)
{
    struct rig rig;
    struct holder a = {0};
    int fds[4];

    rig_open(&rig, 1);
    rig.upstream.connect_timeout_ms = 300;
    rig_fill_backlog(&rig, fds);
    rig_start(&rig);
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_DIALLING), 1);
    rig_run(&rig, 10);
    ck_assert_int_eq(a.told, 0);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &a, 1000));
    ck_assert_int_eq(a.failure, GD_FAIL_CONNECT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_DIALLING), 0);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    rig_close(&rig);
}
END_TEST

START_TEST(a_lease_that_leaves_while_dialling_leaves_a_session_for_others)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig_start(&rig);
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    gd_lease_end(&a.lease, false);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &b, 1000));
    ck_assert_int_eq(b.failure, GD_OK);
    gd_lease_end(&b.lease, true);
    ck_assert_int_eq(a.told, 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 1);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(an_orphaned_dial_that_fails_lets_the_next_one_try)
{
    struct rig rig;
    struct holder a = {0}, b = {0};
    int fds[4];

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig.upstream.connect_timeout_ms = 40;
    rig_fill_backlog(&rig, fds);
    rig_start(&rig);
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    gd_lease_end(&a.lease, false);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 1);
    ck_assert(gd_loop_run_until(rig.loop, holder_told, &b, 1000));
    ck_assert_int_eq(b.failure, GD_FAIL_CONNECT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECT_FAILURES), 2);
    ck_assert_int_eq(a.told, 0);
    /* and one that nobody waits for is closed with the pool */
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    gd_lease_end(&a.lease, false);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    rig_close(&rig);
}
END_TEST

START_TEST(a_lease_ended_before_it_is_told_gives_its_session_back)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig_start(&rig);
    holder_get(&rig, &a);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    gd_lease_end(&a.lease, true);
    gd_lease_end(&b.lease, false);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 1);
    rig_run(&rig, 5);
    ck_assert_int_eq(b.told, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_storm_of_leases_and_ends_keeps_every_count)
{
    struct rig rig;
    struct holder holders[24] = {0};
    unsigned seed = 1;

    rig_open(&rig, 2);
    rig.upstream.pool.max = 5;
    rig.upstream.pool.idle = 2;
    rig.upstream.timeout_ms = 20;
    rig_start(&rig);
    for (int i = 0; i < 4000 && rig.peers[0].accepted + rig.peers[1].accepted < 900;
         i++) {
        struct holder *holder;

        seed = seed * 1103515245 + 12345;
        holder = &holders[(seed >> 16) % 24];
        if (holder->lease.state == 0)
            holder_ask(&rig, holder, (seed >> 8) % 16 == 0);
        else
            gd_lease_end(&holder->lease, (seed >> 10) % 8 != 0);
        ck_assert_uint_le(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE) +
                              rig_stat(&rig, GD_SERVER_SESSIONS_LEASED) +
                              rig_stat(&rig, GD_SERVER_SESSIONS_DIALLING),
                          10);
        ck_assert_uint_le(rig_stat(&rig, GD_SERVER_QUEUED), 16);
        if (i % 8 == 0)
            rig_run(&rig, 0);
    }
    for (int i = 0; i < 24; i++)
        gd_lease_end(&holders[i].lease, true);
    rig_close(&rig);
}
END_TEST

GD_SUITE("pool", the_newest_idle_session_is_used_first,
         a_lease_waits_when_the_pool_is_full_and_gets_what_is_returned,
         a_full_queue_is_overload_and_changes_nothing,
         a_wait_in_the_queue_ends_at_its_deadline,
         the_end_of_an_idle_connection_evicts_it_at_once,
         unasked_bytes_evict_an_idle_session,
         a_leased_session_that_ends_unattended_is_not_kept,
         sessions_end_at_their_age_and_after_their_requests,
         a_fresh_lease_never_gets_a_pooled_session,
         a_refused_connection_fails_its_lease_and_the_others_try,
         a_server_without_address_fails_with_connect,
         a_hanging_connect_ends_at_its_timeout,
         a_lease_that_leaves_while_dialling_leaves_a_session_for_others,
         an_orphaned_dial_that_fails_lets_the_next_one_try,
         a_lease_ended_before_it_is_told_gives_its_session_back,
         a_storm_of_leases_and_ends_keeps_every_count)
