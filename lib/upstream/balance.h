#ifndef GD_UPSTREAM_BALANCE_H
#define GD_UPSTREAM_BALANCE_H
/**
 * Which server of an upstream takes the next lease.
 */
#include "upstream/pool.h"

/** Returns one of the count servers (at least 1). round_robin: in turn, as often as their
 *  weights say. least_pending: the one with the fewest leases for its weight; equals take
 *  turns. A server that rests is passed over while another does not. */
struct gd_server *gd_balance_pick(enum gd_balance policy, struct gd_server *servers,
                                  unsigned count);

#endif
