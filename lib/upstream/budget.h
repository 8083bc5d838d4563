#ifndef GD_UPSTREAM_BUDGET_H
#define GD_UPSTREAM_BUDGET_H
/**
 * How many tries beside the first an upstream is given: a share of the calls that run,
 * and of those of the past. The first bound keeps a burst small, the second the sum.
 * Private to this folder; upstream.h has the way in.
 */
#include "upstream/inside.h"

/** The first tries of calls save up for further ones. */
static inline void gd_budget_save(struct gd_upstream *upstream)
{
    enum { MOST = 100 * 1000 };
    uint32_t saved = upstream->saved + (uint32_t)(upstream->plan->retry.budget * 1000);

    upstream->saved = saved < MOST ? saved : MOST;
}

/** Takes one try off; false when there is none left. */
static inline bool gd_budget_take(struct gd_upstream *upstream)
{
    enum { AT_LEAST = 3 };
    uint32_t firsts =
        upstream->active > upstream->spare ? upstream->active - upstream->spare : 0;
    double most = upstream->plan->retry.budget * firsts;

    if (most < AT_LEAST)
        most = AT_LEAST;
    if (upstream->spare + 1 > most || upstream->saved < 1000)
        return false;
    upstream->saved -= 1000;
    upstream->spare++;
    return true;
}

#endif
