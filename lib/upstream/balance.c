#include "upstream/balance.h"

#include <math.h>

#include "plan/template.h"
#include "upstream/standing.h"

/* Whether a carries less than b for its weight (negative), the same (0) or more. */
static int compare_load(const struct gd_server *a, const struct gd_server *b)
{
    uint64_t left = (uint64_t)gd_pool_pending(a) * b->weight;
    uint64_t right = (uint64_t)gd_pool_pending(b) * a->weight;

    return left < right ? -1 : left > right;
}

/* Spreads the bits of a number over all of it (the finalizer of SplitMix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

uint64_t gd_upstream_roll(struct gd_upstream *upstream)
{
    upstream->dice += UINT64_C(0x9e3779b97f4a7c15);
    return mix(upstream->dice);
}

/* Who may be chosen ---------------------------------------------------------------------
 */

static bool rests(const struct gd_server *server)
{
    uint64_t now_us = gd_loop_now_us(server->loop);

    return server->rests_until_us > now_us || server->asked_until_us > now_us;
}

/* The lowest priority from `least` on that a server has; false when there is none. */
static bool next_priority(const struct gd_upstream *upstream, unsigned least,
                          unsigned *out)
{
    bool found = false;

    for (unsigned i = 0; i < upstream->count; i++) {
        const struct gd_server *server = &upstream->servers[i];

        if (server->address_count && server->priority >= least &&
            (!found || server->priority < *out)) {
            *out = server->priority;
            found = true;
        }
    }
    return found;
}

/* Marks those of the first priority at which there are any that are good enough and not
 * `avoid`; how many they are. */
static unsigned mark(struct gd_upstream *upstream, bool (*fits)(struct gd_server *server),
                     const struct gd_server *avoid)
{
    unsigned count = 0, priority = 0;

    for (unsigned least = 0; count == 0 && next_priority(upstream, least, &priority);
         least = priority + 1)
        for (unsigned i = 0; i < upstream->count; i++) {
            struct gd_server *server = &upstream->servers[i];

            server->fits = server->address_count && server->priority == priority &&
                           server != avoid && fits(server);
            count += server->fits;
        }
    return count;
}

static bool fits_well(struct gd_server *server)
{
    return !rests(server) && gd_standing_admits(server);
}

static bool fits_resting(struct gd_server *server)
{
    return !gd_standing_is_out(server);
}

static bool fits_anyhow(struct gd_server *server)
{
    return !server->drained;
}

/* When none fits well, those that rest do, and when all are out, none is: but for those
 * that an operator wants out. False when there are no others. */
static bool line_up(struct gd_upstream *upstream, const struct gd_server *avoid)
{
    return mark(upstream, fits_well, avoid) ||
           (avoid && mark(upstream, fits_well, NULL)) ||
           mark(upstream, fits_resting, avoid) || mark(upstream, fits_anyhow, avoid) ||
           (avoid && mark(upstream, fits_anyhow, NULL));
}

bool gd_balance_has_other(const struct gd_upstream *upstream,
                          const struct gd_server *server)
{
    for (unsigned i = 0; i < upstream->count; i++) {
        const struct gd_server *other = &upstream->servers[i];

        if (other != server && other->address_count && !gd_standing_is_out(other) &&
            !rests(other))
            return true;
    }
    return false;
}

/* Policies ------------------------------------------------------------------------------
 */

/* Smooth weighted turns: every candidate earns its weight, the richest is taken and pays
 * what all of them earned. Candidates carry the same load as `like`; NULL: all do. */
static struct gd_server *take_turn(struct gd_upstream *upstream,
                                   const struct gd_server *like)
{
    struct gd_server *best = NULL;
    int64_t earned = 0;

    for (unsigned i = 0; i < upstream->count; i++) {
        struct gd_server *server = &upstream->servers[i];

        if (!server->fits || (like && compare_load(server, like) != 0))
            continue;
        server->credit += server->weight;
        earned += server->weight;
        if (best == NULL || server->credit > best->credit)
            best = server;
    }
    best->credit -= earned;
    return best;
}

static struct gd_server *least_loaded(struct gd_upstream *upstream)
{
    struct gd_server *least = NULL;

    for (unsigned i = 0; i < upstream->count; i++) {
        struct gd_server *server = &upstream->servers[i];

        if (server->fits && (least == NULL || compare_load(server, least) < 0))
            least = server;
    }
    return take_turn(upstream, least);
}

/* One of those that fit, by weight, and not `but`; NULL when there is none. */
static struct gd_server *draw(struct gd_upstream *upstream, const struct gd_server *but)
{
    uint64_t weights = 0, at;

    for (unsigned i = 0; i < upstream->count; i++)
        if (upstream->servers[i].fits && &upstream->servers[i] != but)
            weights += upstream->servers[i].weight;
    if (weights == 0)
        return NULL;
    at = gd_upstream_roll(upstream) % weights;
    for (unsigned i = 0;; i++) {
        struct gd_server *server = &upstream->servers[i];

        if (!server->fits || server == but)
            continue;
        if (at < server->weight)
            return server;
        at -= server->weight;
    }
}

static struct gd_server *random_two(struct gd_upstream *upstream)
{
    struct gd_server *one = draw(upstream, NULL);
    struct gd_server *other = draw(upstream, one);

    return other && compare_load(other, one) < 0 ? other : one;
}

/* Weighted rendezvous: each server draws a lot for the key, and the luckiest takes it.
 * One that goes leaves only its own keys to the others. */
static struct gd_server *by_key(struct gd_upstream *upstream, uint64_t key)
{
    struct gd_server *best = NULL;
    double best_lot = 0;

    for (unsigned i = 0; i < upstream->count; i++) {
        struct gd_server *server = &upstream->servers[i];
        double part, lot;

        if (!server->fits)
            continue;
        part = ((double)(mix(key ^ server->key) >> 11) + 0.5) * 0x1p-53;
        lot = -log(part) / server->weight;
        if (best == NULL || lot < best_lot) {
            best = server;
            best_lot = lot;
        }
    }
    return best;
}

/* FNV-1a: the same in every process, so that all gateways agree on a server. */
static uint64_t hash_text(struct gd_span text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * UINT64_C(0x100000001b3);
    return mix(hash);
}

uint64_t gd_balance_server_key(const char *name)
{
    return hash_text(gd_span_of(name));
}

uint64_t gd_upstream_key(const struct gd_plan_upstream *upstream,
                         const struct gd_values *values, struct gd_buf *scratch)
{
    scratch->len = 0;
    if (gd_template_expand(upstream->hash_key, values, scratch) || scratch->len == 0)
        return 0;
    return hash_text(gd_buf_span(scratch)) | 1;
}

/* Choosing ------------------------------------------------------------------------------
 */

/* A server that was taken out, and may be tried again by this request. */
static struct gd_server *next_trial(struct gd_upstream *upstream,
                                    const struct gd_lease *lease)
{
    bool may_fail = lease->may_fail || upstream->plan->retry.tries == 0;

    for (unsigned i = 0; i < upstream->count; i++)
        if (&upstream->servers[i] != lease->avoid &&
            gd_standing_wants_trial(&upstream->servers[i], may_fail))
            return &upstream->servers[i];
    return NULL;
}

struct gd_server *gd_balance_pick(struct gd_upstream *upstream, struct gd_lease *lease)
{
    struct gd_server *trial = upstream->out ? next_trial(upstream, lease) : NULL;

    lease->trial = trial != NULL;
    if (trial)
        return trial;
    if (upstream->count == 1)
        return upstream->drained ? NULL : &upstream->servers[0];
    if (upstream->placed == 0)
        return &upstream->servers[0];
    if (!line_up(upstream, lease->avoid))
        return NULL;
    switch (upstream->plan->balance) {
    case GD_BALANCE_ROUND_ROBIN:
        return take_turn(upstream, NULL);
    case GD_BALANCE_RANDOM_TWO:
        return random_two(upstream);
    case GD_BALANCE_HASH:
        if (lease->key)
            return by_key(upstream, lease->key);
        break;
    case GD_BALANCE_LEAST_PENDING:
        break;
    }
    return least_loaded(upstream);
}
