#include "upstream/balance.h"

/* Whether a carries less than b for its weight (negative), the same (0) or more. */
static int compare_load(const struct gd_server *a, const struct gd_server *b)
{
    uint64_t left = (uint64_t)gd_pool_pending(a) * b->plan->weight;
    uint64_t right = (uint64_t)gd_pool_pending(b) * a->plan->weight;

    return left < right ? -1 : left > right;
}

/* Smooth weighted turns: every candidate earns its weight, the richest is taken and pays
 * what all of them earned. Candidates carry the same load as `like`; NULL: all do. */
static struct gd_server *take_turn(struct gd_server *servers, unsigned count,
                                   const struct gd_server *like)
{
    struct gd_server *best = NULL;
    int64_t earned = 0;

    for (unsigned i = 0; i < count; i++) {
        struct gd_server *server = &servers[i];

        if (like && compare_load(server, like) != 0)
            continue;
        server->credit += server->plan->weight;
        earned += server->plan->weight;
        if (best == NULL || server->credit > best->credit)
            best = server;
    }
    best->credit -= earned;
    return best;
}

struct gd_server *gd_balance_pick(enum gd_balance policy, struct gd_server *servers,
                                  unsigned count)
{
    const struct gd_server *least = &servers[0];

    if (count == 1)
        return &servers[0];
    if (policy == GD_BALANCE_ROUND_ROBIN)
        return take_turn(servers, count, NULL);
    for (unsigned i = 1; i < count; i++)
        if (compare_load(&servers[i], least) < 0)
            least = &servers[i];
    return take_turn(servers, count, least);
}
