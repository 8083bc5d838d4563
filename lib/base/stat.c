#include "base/stat.h"

#include <assert.h>
#include <stddef.h>

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
const struct gd_stat_row gd_stat_process_rows[] = {GD_STAT_PROCESS_ROWS(X)};
const struct gd_stat_row gd_stat_worker_rows[] = {GD_STAT_WORKER_ROWS(X)};
const struct gd_stat_row gd_stat_route_rows[] = {GD_STAT_ROUTE_ROWS(X)};
const struct gd_stat_row gd_stat_upstream_rows[] = {GD_STAT_UPSTREAM_ROWS(X)};
const struct gd_stat_row gd_stat_server_rows[] = {GD_STAT_SERVER_ROWS(X)};
const struct gd_stat_row gd_stat_name_rows[] = {GD_STAT_NAME_ROWS(X)};
#undef X

/* Places that are counted in
 * --------------------------------------------------------------
 */

/* In front of each: how many sets have it. */
union holders {
    unsigned count;
    max_align_t align;
};

/* Behind each, so that no two workers ever write to one cache line. */
enum { APART_BYTES = 64 };

static void *place_new(size_t size)
{
    union holders *holders = gd_alloc(sizeof(*holders) + size + APART_BYTES);

    holders->count = 1;
    return holders + 1;
}

static void *place_share(void *place)
{
    ((union holders *)place - 1)->count++;
    return place;
}

static void place_leave(void *place)
{
    union holders *holders = (union holders *)place - 1;

    if (--holders->count == 0)
        gd_free(holders);
}

/* A place for each of count things: that of the one it was before, or a new one. */
static void *places(size_t count, size_t size, const int *origins, void *before)
{
    void **list = gd_alloc_array(count, sizeof(*list));

    for (size_t i = 0; i < count; i++)
        list[i] = origins && origins[i] >= 0 ? place_share(((void **)before)[origins[i]])
                                             : place_new(size);
    return list;
}

static void leave_places(void *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        place_leave(((void **)list)[i]);
    gd_free(list);
}

/* Sets
 * ------------------------------------------------------------------------------------
 */

static struct gd_stats *set_new(const struct gd_stat_origins *origins,
                                const struct gd_stats *before)
{
    struct gd_stats *stats = gd_alloc(sizeof(*stats));

    stats->worker = before ? place_share(before->worker)
                           : place_new(GD_WORKER_STATS * sizeof(*stats->worker));
    stats->route_count = origins->route_count;
    stats->upstream_count = origins->upstream_count;
    stats->server_count = origins->server_count;
    stats->routes = places(origins->route_count, sizeof(**stats->routes), origins->routes,
                           before ? before->routes : NULL);
    stats->upstreams = places(origins->upstream_count, sizeof(**stats->upstreams),
                              origins->upstreams, before ? before->upstreams : NULL);
    stats->servers = places(origins->server_count, sizeof(**stats->servers),
                            origins->servers, before ? before->servers : NULL);
    stats->jars = gd_alloc_array(origins->upstream_count, sizeof(*stats->jars));
    return stats;
}

struct gd_stats *gd_stats_new(size_t routes, size_t upstreams, size_t servers)
{
    struct gd_stat_origins all_new = {
        .route_count = routes, .upstream_count = upstreams, .server_count = servers};

    return set_new(&all_new, NULL);
}

struct gd_stats *gd_stats_next(const struct gd_stats *before,
                               const struct gd_stat_origins *origins)
{
    return set_new(origins, before);
}

void gd_stats_free(struct gd_stats *stats)
{
    if (stats == NULL)
        return;
    place_leave(stats->worker);
    leave_places(stats->routes, stats->route_count);
    leave_places(stats->upstreams, stats->upstream_count);
    leave_places(stats->servers, stats->server_count);
    gd_free(stats->jars);
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
