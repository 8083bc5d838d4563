/* Servers that follow a name: what happens to sessions and leases when it moves. */
#include "net/race.h"
#include "pool_rig.h"
#include "suite.h"
#include "upstream/site.h"

static void place(struct rig *rig, unsigned server, const char *name, unsigned priority,
                  const unsigned *peers, unsigned count)
{
    struct gd_address addresses[RIG_SERVERS];
    struct gd_site *site;

    for (unsigned i = 0; i < count; i++)
        addresses[i] = rig->peers[peers[i]].address;
    site = gd_site_new(name, 1, priority, addresses, count);
    gd_upstreams_place(rig->upstreams, 0, server, site);
    gd_site_unref(site);
}

/* The server is at one peer. */
static void place_at(struct rig *rig, unsigned server, const char *name, unsigned peer)
{
    place(rig, server, name, 0, &peer, 1);
}

static void place_nowhere(struct rig *rig, unsigned server)
{
    gd_upstreams_place(rig->upstreams, 0, server, NULL);
}

/* Room for this many servers, which are nowhere yet. */
static void start(struct rig *rig, unsigned servers)
{
    rig_open(rig, servers);
    rig->upstream.balance = GD_BALANCE_LEAST_PENDING;
    rig->upstream.eject = (struct gd_plan_eject){.errors = 1, .for_ms = 60000, .max = 1};
    for (unsigned i = 0; i < servers; i++)
        rig->addresses[i].len = 0;
    rig_start(rig);
}

static unsigned server_of(const struct holder *holder)
{
    return gd_lease_server(&holder->lease)->index;
}

static uint64_t count_of(const struct rig *rig, unsigned server, enum gd_stat_server id)
{
    return gd_stat_read(&rig->stats->servers[server]->values[id]);
}

static void wait_told(struct rig *rig, struct holder *holder)
{
    ck_assert(gd_loop_run_until(rig->loop, holder_told, holder, 3000));
    ck_assert_int_eq(holder->told, 1);
}

START_TEST(nobody_is_asked_where_no_address_is_known)
{
    struct rig rig;
    struct holder a = {0};

    start(&rig, 3);
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    wait_told(&rig, &a);
    ck_assert_int_eq(a.failure, GD_FAIL_CONNECT);
    place_at(&rig, 2, "two", 2);
    for (int i = 0; i < 4; i++) {
        holder_get(&rig, &a);
        ck_assert_uint_eq(server_of(&a), 2);
        gd_lease_end(&a.lease, true);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_new_address_is_used_at_once)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    start(&rig, 3);
    place_at(&rig, 0, "zero", 0);
    holder_get(&rig, &a);
    place_at(&rig, 1, "one", 1);
    holder_get(&rig, &b);
    ck_assert_uint_eq(server_of(&b), 1);
    gd_lease_end(&a.lease, true);
    gd_lease_end(&b.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_idle_at_an_address_that_went_is_closed_and_what_is_leased_ends_first)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    start(&rig, 2);
    place_at(&rig, 0, "zero", 0);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    gd_lease_end(&b.lease, true);
    place_at(&rig, 1, "one", 1);
    place_nowhere(&rig, 0);
    ck_assert_uint_eq(count_of(&rig, 0, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(count_of(&rig, 0, GD_SERVER_SESSIONS_LEASED), 1);
    ck_assert_uint_eq(count_of(&rig, 0, GD_SERVER_DRAINED), 1);
    gd_lease_end(&a.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_LEASED), 0);
    holder_get(&rig, &a);
    ck_assert_uint_eq(server_of(&a), 1);
    gd_lease_end(&a.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(sessions_to_an_address_that_stays_are_kept)
{
    struct rig rig;
    struct holder a = {0}, b = {0};
    bool reused;

    start(&rig, 3);
    place(&rig, 0, "name", 0, (unsigned[]){0, 1}, 2);
    holder_get(&rig, &a);
    holder_get(&rig, &b);
    gd_lease_end(&a.lease, true);
    place(&rig, 0, "name", 0, (unsigned[]){2, 0}, 2);
    gd_lease_end(&b.lease, true);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 2);
    place_at(&rig, 0, "name", 2);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_DRAINED), 2);
    holder_get(&rig, &a);
    reused = a.lease.reused;
    ck_assert(!reused);
    ck_assert_uint_eq(rig.peers[2].accepted, 1);
    gd_lease_end(&a.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(leases_that_wait_for_a_server_that_went_move_to_another)
{
    struct rig rig;
    struct holder holders[3] = {0};

    rig_open(&rig, 2);
    rig.upstream.pool.max = 1;
    rig.addresses[0].len = rig.addresses[1].len = 0;
    rig_start(&rig);
    place_at(&rig, 0, "zero", 0);
    holder_get(&rig, &holders[0]);
    for (int i = 1; i < 3; i++)
        ck_assert_int_eq(holder_ask(&rig, &holders[i], false), GD_LEASE_WAIT);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_QUEUED), 2);
    place_at(&rig, 1, "one", 1);
    place_nowhere(&rig, 0);
    wait_told(&rig, &holders[1]);
    ck_assert_int_eq(holders[1].failure, GD_OK);
    ck_assert_uint_eq(server_of(&holders[1]), 1);
    gd_lease_end(&holders[1].lease, true);
    wait_told(&rig, &holders[2]);
    ck_assert_int_eq(holders[2].failure, GD_OK);
    gd_lease_end(&holders[2].lease, true);
    gd_lease_end(&holders[0].lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(leases_that_wait_fail_when_the_last_server_went)
{
    struct rig rig;
    struct holder a = {0}, b = {0};

    rig_open(&rig, 1);
    rig.upstream.pool.max = 1;
    rig.addresses[0].len = 0;
    rig_start(&rig);
    place_at(&rig, 0, "zero", 0);
    holder_get(&rig, &a);
    ck_assert_int_eq(holder_ask(&rig, &b, false), GD_LEASE_WAIT);
    place_nowhere(&rig, 0);
    wait_told(&rig, &b);
    ck_assert_int_eq(b.failure, GD_FAIL_CONNECT);
    gd_lease_end(&a.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(a_dial_that_fails_because_its_server_went_is_made_elsewhere)
{
    struct rig rig;
    struct holder a = {0};
    int fillers[4];

    start(&rig, 2);
    peer_close(&rig.peers[0]);
    peer_open_backlog(&rig.peers[0], rig.loop, 0);
    event_del(&rig.peers[0].accept_event);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fillers[i], (struct sockaddr *)&rig.peers[0].address.sa,
                       rig.peers[0].address.len);
    }
    place_at(&rig, 0, "zero", 0);
    ck_assert_int_eq(holder_ask(&rig, &a, false), GD_LEASE_WAIT);
    place_at(&rig, 1, "one", 1);
    place_nowhere(&rig, 0);
    wait_told(&rig, &a); /* when connect_timeout has passed */
    ck_assert_int_eq(a.failure, GD_OK);
    ck_assert_uint_eq(server_of(&a), 1);
    ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECT_FAILURES), 0);
    gd_lease_end(&a.lease, true);
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    rig_close(&rig);
}
END_TEST

START_TEST(another_address_begins_with_a_clean_slate)
{
    struct rig rig;
    struct holder a = {0};

    start(&rig, 2);
    place_at(&rig, 0, "zero", 0);
    place_at(&rig, 1, "one", 1);
    holder_get(&rig, &a);
    gd_lease_judge(&a.lease, GD_FAIL_RESET, 0); /* takes it out */
    ck_assert_uint_eq(count_of(&rig, server_of(&a), GD_SERVER_STATE_OUT), 1);
    place_at(&rig, server_of(&a), "other", 2);
    ck_assert_uint_eq(count_of(&rig, server_of(&a), GD_SERVER_STATE_OUT), 0);
    ck_assert_uint_eq(count_of(&rig, server_of(&a), GD_SERVER_CONNECTS), 0);
    ck_assert_uint_eq(count_of(&rig, server_of(&a), GD_SERVER_SESSIONS_LEASED), 1);
    gd_lease_end(&a.lease, true);
    rig_close(&rig);
}
END_TEST

START_TEST(the_lowest_priority_serves_while_one_of_it_is_well)
{
    struct rig rig;
    struct holder a = {0};

    start(&rig, 3);
    place(&rig, 0, "spare", 20, (unsigned[]){0}, 1);
    place(&rig, 1, "first", 10, (unsigned[]){1}, 1);
    for (int i = 0; i < 4; i++) {
        holder_get(&rig, &a);
        ck_assert_uint_eq(server_of(&a), 1);
        gd_lease_end(&a.lease, true);
    }
    holder_get(&rig, &a);
    gd_lease_judge(&a.lease, GD_FAIL_RESET, 0);
    gd_lease_end(&a.lease, false);
    for (int i = 0; i < 4; i++) {
        holder_get(&rig, &a);
        ck_assert_uint_eq(server_of(&a), 0);
        gd_lease_end(&a.lease, true);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(sites_are_the_same_in_any_order)
{
    struct gd_address addresses[2] = {{.len = 16}, {.len = 16}}, turned[2];
    struct gd_site *a, *b, *c, *d;

    addresses[0].sa.ss_family = addresses[1].sa.ss_family = AF_INET;
    ((struct sockaddr_in *)&addresses[1].sa)->sin_port = 1;
    turned[0] = addresses[1];
    turned[1] = addresses[0];
    a = gd_site_new("a", 1, 0, addresses, 2);
    b = gd_site_new("a", 1, 0, turned, 2);
    c = gd_site_new("a", 2, 0, turned, 2);
    d = gd_site_new("a", 1, 0, turned, 1);
    ck_assert(gd_site_equal(a, b));
    ck_assert(!gd_site_equal(a, c) && !gd_site_equal(a, d) && !gd_site_equal(a, NULL));
    ck_assert(gd_site_equal(NULL, NULL));
    gd_site_unref(gd_site_ref(a));
    gd_site_unref(a);
    gd_site_unref(b);
    gd_site_unref(c);
    gd_site_unref(d);
}
END_TEST

GD_SUITE("place", nobody_is_asked_where_no_address_is_known,
         a_new_address_is_used_at_once,
         what_is_idle_at_an_address_that_went_is_closed_and_what_is_leased_ends_first,
         sessions_to_an_address_that_stays_are_kept,
         leases_that_wait_for_a_server_that_went_move_to_another,
         leases_that_wait_fail_when_the_last_server_went,
         a_dial_that_fails_because_its_server_went_is_made_elsewhere,
         another_address_begins_with_a_clean_slate,
         the_lowest_priority_serves_while_one_of_it_is_well,
         sites_are_the_same_in_any_order)
