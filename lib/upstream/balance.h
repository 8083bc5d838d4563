#ifndef GD_UPSTREAM_BALANCE_H
#define GD_UPSTREAM_BALANCE_H
/**
 * Which server of an upstream takes the next lease.
 */
#include "upstream/inside.h"

/**
 * Returns one of the servers, by the policy of the plan; NULL when all are drained.
 * round_robin: in turn, as often as their weights say. least_pending: the one with the
 * fewest leases for its weight; equals take turns. random_two: of two drawn by weight,
 * that one. hash: the same one for the same key, where each server has a share by its
 * weight that does not depend on the others; without a key as least_pending.
 *
 * A server that rests, is taken out or is down is passed over while another is not, and
 * so is lease->avoid; one that is drained always is. One that was taken out and may be
 * tried again is returned once, with lease->trial set.
 */
struct gd_server *gd_balance_pick(struct gd_upstream *upstream, struct gd_lease *lease);

/** Whether a server other than this one would be chosen without need. */
bool gd_balance_has_other(const struct gd_upstream *upstream,
                          const struct gd_server *server);

/** What tells servers apart when a key is hashed. */
uint64_t gd_balance_server_key(const char *name);

#endif
