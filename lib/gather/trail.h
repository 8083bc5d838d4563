#ifndef GD_GATHER_TRAIL_H
#define GD_GATHER_TRAIL_H
/**
 * A trail: what became of one call, for logs and for people who look at slow requests.
 *
 * Its moments are loop times, in this order; 0: it did not come that far. They are those
 * of the last try: what comes before asked_us went to earlier ones.
 */
#include "gather/gather.h"

#define GD_TRAIL_SINGLE UINT32_MAX

struct gd_trail {
    struct gd_span name;
    struct gd_span server; /* the last one that was asked; empty: none */
    uint32_t item;         /* with `each`: which one; else SINGLE */
    uint64_t start_us;
    uint64_t asked_us;  /* a connection was asked for */
    uint64_t dial_us;   /* … and one was opened for it */
    uint64_t leased_us; /* it was there, and the request was sent */
    uint64_t heard_us;  /* the first byte of the reply came */
    uint64_t end_us;
    enum gd_failure failure;
    int status;     /* of the reply; 0: none */
    uint32_t tries; /* beside the first */
    bool stale;     /* it was sent once more because a pooled connection had gone stale */
    bool hedged;    /* a second request was sent while the first took long */
    bool optional;
};

/** Tells the trails of all calls that were started, in the order of the plan, until fn
 *  returns false. For a gather that is done or freed, while its arena lives. */
void gd_gather_trails(const struct gd_gather *gather,
                      bool (*fn)(void *arg, const struct gd_trail *trail), void *arg);

/** Whether a call has failed, be it an optional one; not one that was cancelled. */
bool gd_gather_has_failures(const struct gd_gather *gather);

#endif
