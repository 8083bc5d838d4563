#include "base/stat.h"

#include <assert.h>

#include "base/failure.h"
#include "base/mem.h"

/* The failure rows are addressed as FIRST + class - 1. */
static_assert(GD_ROUTE_FAIL_CANCELLED - GD_ROUTE_FAIL_CONNECT ==
                  GD_FAIL_CANCELLED - GD_FAIL_CONNECT,
              "a failure class without its route row");
static_assert(GD_UPSTREAM_FAIL_CANCELLED - GD_UPSTREAM_FAIL_CONNECT ==
                  GD_FAIL_CANCELLED - GD_FAIL_CONNECT,
              "a failure class without its upstream row");

/* Bucket 0 ends at 2^SHIFT microseconds times 1; from there 8 buckets a power of two. */
enum { SHIFT = 3, STEPS_LOG2 = 3, STEPS = 1 << STEPS_LOG2 };

#define X(id, kind, name, label, help) {name, label, help, GD_STAT_##kind},
const struct gd_stat_row gd_stat_worker_rows[] = {GD_STAT_WORKER_ROWS(X)};
const struct gd_stat_row gd_stat_route_rows[] = {GD_STAT_ROUTE_ROWS(X)};
const struct gd_stat_row gd_stat_upstream_rows[] = {GD_STAT_UPSTREAM_ROWS(X)};
const struct gd_stat_row gd_stat_server_rows[] = {GD_STAT_SERVER_ROWS(X)};
#undef X

struct gd_stats *gd_stats_new(size_t routes, size_t upstreams, size_t servers)
{
    struct gd_stats *stats = gd_alloc(sizeof(*stats));

    stats->route_count = routes;
    stats->upstream_count = upstreams;
    stats->server_count = servers;
    stats->routes = gd_alloc_array(routes, sizeof(*stats->routes));
    stats->upstreams = gd_alloc_array(upstreams, sizeof(*stats->upstreams));
    stats->servers = gd_alloc_array(servers, sizeof(*stats->servers));
    return stats;
}

void gd_stats_free(struct gd_stats *stats)
{
    if (stats == NULL)
        return;
    gd_free(stats->routes);
    gd_free(stats->upstreams);
    gd_free(stats->servers);
    gd_free(stats);
}

static unsigned bucket_of(uint64_t us)
{
    unsigned power, step, bucket;

    if (us < (1u << SHIFT))
        return 0;
    power = 63u - (unsigned)__builtin_clzll(us);
    step = (unsigned)(us >> (power - STEPS_LOG2)) & (STEPS - 1);
    bucket = (power - SHIFT) * STEPS + step + 1;
    return bucket < GD_HIST_BUCKETS ? bucket : GD_HIST_BUCKETS - 1;
}

uint64_t gd_hist_bound_us(unsigned bucket)
{
    unsigned power, step;

    if (bucket == 0)
        return (1u << SHIFT) - 1;
    power = (bucket - 1) / STEPS + SHIFT;
    step = (bucket - 1) % STEPS;
    return (1ull << power) + ((uint64_t)(step + 1) << (power - STEPS_LOG2)) - 1;
}

void gd_hist_record(struct gd_hist *hist, uint64_t us)
{
    gd_stat_inc(&hist->count);
    gd_stat_add(&hist->sum_us, (int64_t)us);
    if (us > hist->max_us)
        __atomic_store_n(&hist->max_us, us, __ATOMIC_RELAXED);
    gd_stat_inc(&hist->buckets[bucket_of(us)]);
}

void gd_hist_merge(struct gd_hist *dst, const struct gd_hist *src)
{
    uint64_t max_us = gd_stat_read(&src->max_us);

    dst->count += gd_stat_read(&src->count);
    dst->sum_us += gd_stat_read(&src->sum_us);
    if (max_us > dst->max_us)
        dst->max_us = max_us;
    for (unsigned i = 0; i < GD_HIST_BUCKETS; i++)
        dst->buckets[i] += gd_stat_read(&src->buckets[i]);
}

uint64_t gd_hist_quantile(const struct gd_hist *hist, double share)
{
    uint64_t seen = 0, total = 0;

    for (unsigned i = 0; i < GD_HIST_BUCKETS; i++)
        total += hist->buckets[i];
    for (unsigned i = 0; i < GD_HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (total && (double)seen >= share * (double)total) {
            uint64_t bound = gd_hist_bound_us(i);

            return bound < hist->max_us ? bound : hist->max_us;
        }
    }
    return 0;
}
