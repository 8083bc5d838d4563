#ifndef GD_TESTS_POOL_RIG_H
#define GD_TESTS_POOL_RIG_H
/**
 * One upstream with up to four scripted servers, and leases on it. Closing the rig checks
 * that every gauge and every descriptor is back where it was.
 */
#include <dirent.h>
#include <stdio.h>

#include "base/mem.h"
#include "peer.h"
#include "suite.h"
#include "upstream/upstream.h"

enum { RIG_SERVERS = 4 };

struct rig {
    struct gd_loop *loop;
    struct peer peers[RIG_SERVERS];
    unsigned servers;
    struct gd_plan plan;
    struct gd_plan_upstream upstream;
    struct gd_plan_server plan_servers[RIG_SERVERS];
    struct gd_address addresses[RIG_SERVERS];
    struct gd_stats *stats;
    struct gd_upstreams *upstreams;
    int fds;
};

static inline int rig_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Peers are up; the plan may still be changed until rig_start. */
static inline void rig_open(struct rig *rig, unsigned servers)
{
    *rig = (struct rig){.servers = servers, .fds = rig_open_fds()};
    rig->loop = gd_loop_new(NULL);
    rig->upstream = (struct gd_plan_upstream){
        .name = "u",
        .servers = rig->plan_servers,
        .server_count = servers,
        .timeout_ms = 1000,
        .connect_timeout_ms = 500,
        .pool = {.max = 4,
                 .idle = 4,
                 .queue = 8,
                 .max_requests = 10000,
                 .idle_timeout_ms = 60000,
                 .max_age_ms = 600000},
        .max_response = 65536,
    };
    for (unsigned i = 0; i < servers; i++) {
        peer_open(&rig->peers[i], rig->loop);
        rig->addresses[i] = rig->peers[i].address;
        rig->plan_servers[i] =
            (struct gd_plan_server){.index = i, .name = "s", .weight = 1};
    }
    rig->plan.upstreams = &rig->upstream;
    rig->plan.upstream_count = 1;
    rig->plan.server_count = servers;
    rig->plan.refs = 1; /* the rig's own: the plan is never freed */
}

static inline void rig_start(struct rig *rig)
{
    struct gd_upstream_context context = {.loop = rig->loop};

    rig->stats = gd_stats_new(0, 1, rig->servers);
    context.stats = rig->stats;
    context.addresses = rig->addresses;
    rig->upstreams = gd_upstreams_new(&context, &rig->plan);
}

static inline bool rig_never(void *arg)
{
    (void)arg;
    return false;
}

/* Runs the loop for some milliseconds. */
static inline void rig_run(struct rig *rig, uint32_t ms)
{
    gd_loop_run_until(rig->loop, rig_never, NULL, ms);
}

static inline uint64_t rig_stat(const struct rig *rig, enum gd_stat_server id)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < rig->servers; i++)
        sum += gd_stat_read(&rig->stats->servers[i]->values[id]);
    return sum;
}

/* A listener nobody accepts on, with its backlog taken up: connecting hangs. */
static inline void rig_fill_backlog(struct rig *rig, int fds[4])
{
    peer_close(&rig->peers[0]);
    peer_open_backlog(&rig->peers[0], rig->loop, 0);
    rig->addresses[0] = rig->peers[0].address;
    event_del(&rig->peers[0].accept_event);
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fds[i], (struct sockaddr *)&rig->addresses[0].sa,
                       rig->addresses[0].len);
    }
}

static inline void rig_close(struct rig *rig)
{
    ck_assert_uint_eq(rig_stat(rig, GD_SERVER_SESSIONS_LEASED), 0);
    ck_assert_uint_eq(rig_stat(rig, GD_SERVER_QUEUED), 0);
    gd_upstreams_free(rig->upstreams);
    ck_assert_uint_eq(rig_stat(rig, GD_SERVER_SESSIONS_IDLE), 0);
    ck_assert_uint_eq(rig_stat(rig, GD_SERVER_SESSIONS_DIALLING), 0);
    for (unsigned i = 0; i < rig->servers; i++)
        peer_close(&rig->peers[i]);
    gd_stats_free(rig->stats);
    gd_loop_free(rig->loop);
    ck_assert_int_eq(rig_open_fds(), rig->fds);
    ck_assert_uint_eq(rig->plan.refs, 1);
}

/* A lease and what became of it. */
struct holder {
    struct rig *rig;
    struct gd_lease lease;
    enum gd_lease_result result;
    int told; /* times on_ready ran */
    enum gd_failure failure;
};

static inline void holder_on_ready(void *arg, enum gd_failure failure)
{
    struct holder *holder = arg;

    holder->told++;
    holder->failure = failure;
}

static inline bool holder_told(void *arg)
{
    return ((struct holder *)arg)->told > 0;
}

static inline enum gd_lease_result holder_ask(struct rig *rig, struct holder *holder,
                                              bool fresh)
{
    holder->rig = rig;
    holder->told = 0;
    holder->failure = GD_OK;
    holder->result = gd_upstream_lease(rig->upstreams, 0, fresh, &holder->lease,
                                       holder_on_ready, holder);
    ck_assert_int_eq(holder->told, 0);
    return holder->result;
}

/* Asks and runs the loop until the session is there. */
static inline void holder_get(struct rig *rig, struct holder *holder)
{
    if (holder_ask(rig, holder, false) == GD_LEASE_WAIT)
        ck_assert(gd_loop_run_until(rig->loop, holder_told, holder, 2000));
    ck_assert_int_eq(holder->failure, GD_OK);
    ck_assert_ptr_nonnull(holder->lease.session);
}

#endif
