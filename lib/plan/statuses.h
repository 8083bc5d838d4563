#ifndef GD_PLAN_STATUSES_H
#define GD_PLAN_STATUSES_H
/**
 * Sets of statuses.
 */
#include <stdbool.h>
#include <stdint.h>

/** Statuses, a bit each from 100 to 599. */
struct gd_statuses {
    uint64_t bits[8];
};

static inline bool gd_statuses_have(const struct gd_statuses *statuses, int status)
{
    unsigned n = (unsigned)status - 100;

    return n < 500 && (statuses->bits[n / 64] >> n % 64 & 1);
}

#endif
