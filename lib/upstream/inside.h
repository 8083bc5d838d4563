#ifndef GD_UPSTREAM_INSIDE_H
#define GD_UPSTREAM_INSIDE_H
/**
 * One upstream in one worker, private to this folder.
 */
#include "upstream/pool.h"

struct gd_health;

struct gd_upstream {
    const struct gd_plan_upstream *plan;
    struct gd_plan *whole_plan; /* that has it; one reference */
    unsigned users;             /* struct gd_upstreams that have it */
    struct gd_server *servers;
    unsigned count;
    unsigned placed;  /* servers that have an address */
    unsigned out;     /* servers that are taken out, down or drained */
    unsigned drained; /* of these, those that operators drained */
    uint32_t active;  /* leases that wait or are out */
    uint32_t spare;   /* tries beside the first that were granted and are not over */
    uint32_t saved;   /* such tries the past has left over, in thousandths */
    uint64_t dice;    /* state of the random numbers */
    struct gd_upstream_stats *stats;
    struct gd_jar *jar;       /* NULL: no cookies are kept */
    struct gd_health *health; /* one for each server; NULL: none are made */
    uint32_t p95_ms;          /* of the calls, as of p95_us; 0: not known */
    uint64_t p95_us;
    struct gd_grave grave;
};

/** The next random number: good enough to spread load with. */
uint64_t gd_upstream_roll(struct gd_upstream *upstream);

#endif
