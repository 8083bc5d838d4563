#include "upstream/balance.h"

/* Whether a carries less than b for its weight (negative), the same (0) or more. */
static int compare_load(const struct gd_server *a, const struct gd_server *b)
{
    uint64_t left = (uint64_t)gd_pool_pending(a) * b->plan->weight;
    uint64_t right = (uint64_t)gd_pool_pending(b) * a->plan->weight;

    return left < right ? -1 : left > right;
}

/* Who may be picked: everyone, or while some servers rest only those that do not. */
struct field {
    struct gd_server *servers;
    unsigned count;
    uint64_t awake_us; /* a server that rests beyond this moment is passed over */
};

static bool takes_part(const struct field *field, unsigned i)
{
    return field->servers[i].rests_until_us <= field->awake_us;
}

static struct field line_up(struct gd_server *servers, unsigned count)
{
    struct field field = {servers, count, gd_loop_now_us(servers->loop)};

    for (unsigned i = 0; i < count; i++)
        if (takes_part(&field, i))
            return field;
    field.awake_us = UINT64_MAX; /* all rest: then none does */
    return field;
}

/* Smooth weighted turns: every candidate earns its weight, the richest is taken and pays
 * what all of them earned. Candidates carry the same load as `like`; NULL: all do. */
static struct gd_server *take_turn(const struct field *field,
                                   const struct gd_server *like)
{
    struct gd_server *best = NULL;
    int64_t earned = 0;

    for (unsigned i = 0; i < field->count; i++) {
        struct gd_server *server = &field->servers[i];

        if (!takes_part(field, i) || (like && compare_load(server, like) != 0))
            continue;
        server->credit += server->plan->weight;
        earned += server->plan->weight;
        if (best == NULL || server->credit > best->credit)
            best = server;
    }
    best->credit -= earned;
    return best;
}

static const struct gd_server *least_loaded(const struct field *field)
{
    const struct gd_server *least = NULL;

    for (unsigned i = 0; i < field->count; i++)
        if (takes_part(field, i) &&
            (least == NULL || compare_load(&field->servers[i], least) < 0))
            least = &field->servers[i];
    return least;
}

struct gd_server *gd_balance_pick(enum gd_balance policy, struct gd_server *servers,
                                  unsigned count)
{
    struct field field;

    if (count == 1)
        return &servers[0];
    field = line_up(servers, count);
    if (policy == GD_BALANCE_ROUND_ROBIN)
        return take_turn(&field, NULL);
    return take_turn(&field, least_loaded(&field));
}
