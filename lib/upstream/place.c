#include "upstream/place.h"

#include "upstream/balance.h"
#include "upstream/health.h"
#include "upstream/lists.h"
#include "upstream/standing.h"
#include "upstream/site.h"
#include "upstream/warm.h"

/* Of a server that has only been bound: no other site was counted there. */
enum { FIRST_GENERATION = 1 };

static void take_plan(struct gd_server *server)
{
    server->site = NULL;
    server->name = server->plan->name;
    server->weight = server->plan->weight;
    server->priority = 0;
    server->addresses = &server->own;
    server->address_count = server->own.len > 0;
    server->first_address = 0;
}

static void take_site(struct gd_server *server, struct gd_site *site)
{
    int first = server->address_count == 0
                    ? -1
                    : gd_address_find(site->addresses, site->count,
                                      &server->addresses[server->first_address]);

    server->site = gd_site_ref(site);
    server->name = site->name;
    server->weight = site->weight;
    server->priority = site->priority;
    server->addresses = site->addresses;
    server->address_count = site->count;
    server->first_address = first < 0 ? 0 : (unsigned)first;
}

void gd_place_free(struct gd_server *server)
{
    gd_site_unref(server->site);
    server->site = NULL;
}

void gd_place_note_winner(struct gd_server *server, const struct gd_address *address)
{
    int at;

    if (server->address_count < 2)
        return;
    at = gd_address_find(server->addresses, server->address_count, address);
    if (at >= 0)
        server->first_address = (unsigned)at;
}

void gd_place_note_loser(struct gd_server *server, const struct gd_address *address)
{
    int at;

    if (server->address_count < 2)
        return;
    at = gd_address_find(server->addresses, server->address_count, address);
    if (at == (int)server->first_address)
        server->first_address = ((unsigned)at + 1) % server->address_count;
}

bool gd_place_has_left(struct gd_session *session)
{
    const struct gd_server *server = session->server;

    if (session->generation == server->generation)
        return false;
    if (gd_address_find(server->addresses, server->address_count, &session->to) < 0)
        return true;
    session->generation = server->generation;
    return false;
}

/* Leases --------------------------------------------------------------------------------
 */

bool gd_place_move_lease(struct gd_lease *lease)
{
    struct gd_upstream *upstream = lease->upstream;
    struct gd_server *server;

    if (upstream == NULL || upstream->placed == 0)
        return false;
    if (lease->trial)
        lease->server->tried = lease->trial = false;
    server = gd_balance_pick(upstream, lease);
    if (server == NULL) {
        gd_pool_tell(lease, GD_FAIL_OVERLOAD);
        return true;
    }
    lease->server = server;
    lease->server->tried |= lease->trial;
    switch (gd_pool_lease(lease->server, lease)) {
    case GD_LEASE_READY:
        gd_pool_tell(lease, GD_OK);
        break;
    case GD_LEASE_WAIT:
        break;
    case GD_LEASE_FULL:
        gd_pool_tell(lease, GD_FAIL_OVERLOAD);
        break;
    }
    return true;
}

/* Those that were there before: a lease may be put into the queue it was taken from. */
static void move_waiters(struct gd_server *server)
{
    for (uint32_t left = server->queued; left > 0; left--) {
        struct gd_lease *lease = server->first_waiter;

        gd_queue_remove(server, lease);
        if (!gd_place_move_lease(lease))
            gd_pool_tell(lease, GD_FAIL_CONNECT);
    }
}

/* Change --------------------------------------------------------------------------------
 */

/* Another server is counted from the beginning; what is open now stays counted. */
static void clear_counters(struct gd_server *server)
{
    for (unsigned i = 0; i < GD_SERVER_STATS; i++)
        if (gd_stat_server_rows[i].kind == GD_STAT_COUNTER)
            __atomic_store_n(&server->stats[i], 0, __ATOMIC_RELAXED);
    __atomic_store_n(server->out_until_s, 0, __ATOMIC_RELAXED);
}

/* Nothing is known of the one that comes, nor held against it. */
static void begin_anew(struct gd_server *server, bool first)
{
    gd_standing_forget(server);
    if (!first)
        clear_counters(server);
    server->key = gd_balance_server_key(server->name);
    server->credit = 0;
    server->rests_until_us = server->asked_until_us = 0;
    gd_health_begin(server);
}

static void close_left(struct gd_server *server)
{
    struct gd_session *session, *newer;

    for (session = server->oldest; session; session = newer) {
        newer = session->newer;
        if (gd_place_has_left(session))
            gd_pool_drain(session);
    }
}

void gd_place_bind(struct gd_server *server, const struct gd_address *address)
{
    server->own = *address;
    if (server->site)
        return;
    server->owner->placed -= server->address_count > 0;
    take_plan(server);
    server->owner->placed += server->address_count > 0;
    server->key = gd_balance_server_key(server->name);
    server->generation++;
    close_left(server);
    gd_pool_feed(server);
    gd_warm_check(server);
}

void gd_place_change(struct gd_server *server, struct gd_site *site)
{
    struct gd_site *before = server->site;
    bool same = site && before && strcmp(site->name, before->name) == 0;
    bool first;

    server->owner->placed -= server->address_count > 0;
    if (site)
        take_site(server, site);
    else
        take_plan(server);
    server->owner->placed += server->address_count > 0;
    first = server->generation++ <= FIRST_GENERATION;
    if (!same)
        begin_anew(server, first);
    if (site == NULL)
        move_waiters(server); /* before there is room for them here */
    close_left(server);
    gd_pool_feed(server);
    gd_site_unref(before);
    gd_warm_check(server);
}
