#ifndef GD_BASE_STAT_H
#define GD_BASE_STAT_H
/**
 * Counters and latency histograms of one worker.
 *
 * Written by the worker's thread alone with plain relaxed stores, read by the admin
 * thread with relaxed loads and summed over the workers: no lock and no shared cache line
 * on the request's path. The rows are in base/stat_table.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/stat_table.h"

enum gd_stat_process {
#define X(id, kind, name, label, help) GD_PROCESS_##id,
    GD_STAT_PROCESS_ROWS(X)
#undef X
        GD_PROCESS_STATS
};
enum gd_stat_worker {
#define X(id, kind, name, label, help) GD_WORKER_##id,
    GD_STAT_WORKER_ROWS(X)
#undef X
        GD_WORKER_STATS
};
enum gd_stat_route {
#define X(id, kind, name, label, help) GD_ROUTE_##id,
    GD_STAT_ROUTE_ROWS(X)
#undef X
        GD_ROUTE_STATS
};
enum gd_stat_upstream {
#define X(id, kind, name, label, help) GD_UPSTREAM_##id,
    GD_STAT_UPSTREAM_ROWS(X)
#undef X
        GD_UPSTREAM_STATS
};
enum gd_stat_server {
#define X(id, kind, name, label, help) GD_SERVER_##id,
    GD_STAT_SERVER_ROWS(X)
#undef X
        GD_SERVER_STATS
};

enum gd_stat_name {
#define X(id, kind, name, label, help) GD_NAME_##id,
    GD_STAT_NAME_ROWS(X)
#undef X
        GD_NAME_STATS
};

/** Buckets of a histogram: 8 to the power of two, from 8 microseconds to 117 seconds;
 *  the first takes all below, the last all above. */
enum { GD_HIST_BUCKETS = 192 };

struct gd_hist {
    uint64_t count, sum_us, max_us;
    uint64_t buckets[GD_HIST_BUCKETS];
};

struct gd_route_stats {
    uint64_t values[GD_ROUTE_STATS];
    struct gd_hist latency;
};

struct gd_upstream_stats {
    uint64_t values[GD_UPSTREAM_STATS];
    struct gd_hist latency;
};

struct gd_server_stats {
    uint64_t values[GD_SERVER_STATS];
    uint64_t out_until_s; /* wall clock: how long it was last taken out; 0: never was */
};

struct gd_jar;

/** All of one worker. Routes, upstreams and servers by their index in the plan: a plan
 * has its own set, but what stays the same from one plan to the next is counted in the
 * same place. So counters go on, and what is on its way is counted where it began. */
struct gd_stats {
    uint64_t *worker; /* GD_WORKER_STATS values */
    size_t route_count, upstream_count, server_count;
    struct gd_route_stats **routes;
    struct gd_upstream_stats **upstreams;
    struct gd_server_stats **servers;
    struct gd_jar **jars; /* borrowed, of each upstream: its cookies, to be looked at
                             (upstream/jar.h), or NULL; set by the worker */
};

/** Returns an owned, zeroed set. */
struct gd_stats *gd_stats_new(size_t routes, size_t upstreams, size_t servers);

enum { GD_STAT_NEW = -1 };

/** Where the routes, upstreams and servers of a plan stood in the one before: a number
 * for each, GD_STAT_NEW for one that was not there. */
struct gd_stat_origins {
    size_t route_count, upstream_count, server_count;
    const int *routes, *upstreams, *servers;
};

/** Returns an owned set for the next plan, which goes on counting where `before` does;
 * the rest is zero. Sets that share something are made and freed by one thread. */
struct gd_stats *gd_stats_next(const struct gd_stats *before,
                               const struct gd_stat_origins *origins);

/** Frees it, and what no other set shares. NULL is fine. */
void gd_stats_free(struct gd_stats *stats);

/** The jar of an upstream, set by its worker and looked at by others. */
static inline void gd_stats_set_jar(struct gd_stats *stats, size_t upstream,
                                    struct gd_jar *jar)
{
    __atomic_store_n(&stats->jars[upstream], jar, __ATOMIC_RELEASE);
}

static inline struct gd_jar *gd_stats_jar(const struct gd_stats *stats, size_t upstream)
{
    return __atomic_load_n(&stats->jars[upstream], __ATOMIC_ACQUIRE);
}

/** Adds to a value of this thread's own set. */
static inline void gd_stat_add(uint64_t *value, int64_t n)
{
    __atomic_store_n(value, __atomic_load_n(value, __ATOMIC_RELAXED) + (uint64_t)n,
                     __ATOMIC_RELAXED);
}

static inline void gd_stat_inc(uint64_t *value)
{
    gd_stat_add(value, 1);
}

static inline uint64_t gd_stat_read(const uint64_t *value)
{
    return __atomic_load_n(value, __ATOMIC_RELAXED);
}

/** Records one duration. */
void gd_hist_record(struct gd_hist *hist, uint64_t us);

/** Adds what another thread has recorded in src to dst (caller's own). */
void gd_hist_merge(struct gd_hist *dst, const struct gd_hist *src);

/** The duration in microseconds below which `share` (0 to 1) of the records lie, within
 *  an eighth of its power of two and never above max_us; 0 without records. */
uint64_t gd_hist_quantile(const struct gd_hist *hist, double share);

/** The upper bound of a bucket, microseconds. */
uint64_t gd_hist_bound_us(unsigned bucket);

enum gd_stat_kind { GD_STAT_COUNTER, GD_STAT_GAUGE };

struct gd_stat_row {
    const char *name, *label, *help;
    enum gd_stat_kind kind;
};

/** The rows as data, for /metrics, /status and the docs. */
extern const struct gd_stat_row gd_stat_process_rows[GD_PROCESS_STATS];
extern const struct gd_stat_row gd_stat_worker_rows[GD_WORKER_STATS];
extern const struct gd_stat_row gd_stat_route_rows[GD_ROUTE_STATS];
extern const struct gd_stat_row gd_stat_upstream_rows[GD_UPSTREAM_STATS];
extern const struct gd_stat_row gd_stat_server_rows[GD_SERVER_STATS];
extern const struct gd_stat_row gd_stat_name_rows[GD_NAME_STATS];

#endif
