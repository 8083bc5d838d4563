#ifndef GD_UPSTREAM_MOCK_H
#define GD_UPSTREAM_MOCK_H
/**
 * Mock upstreams: answers from the configuration, over real loopback sockets, so that
 * pools, timeouts and failures are real.
 *
 * All mocks of a plan run on one loop (a thread of their own in the daemon), one listener
 * on 127.0.0.1 for each.
 */
#include "base/loop.h"
#include "net/address.h"
#include "plan/plan.h"

struct gd_mocks;

/** Opens listeners for all mock upstreams of plan (reference kept) and writes their
 *  addresses into addresses (indexed by server, see struct gd_upstream_context). Returns
 *  owned, NULL with err. A plan without mocks gives an object that does nothing. */
struct gd_mocks *gd_mocks_new(struct gd_loop *loop, struct gd_plan *plan,
                              struct gd_address *addresses, struct gd_err *err);

/** Closes everything, open connections included. From the loop's thread, or when it has
 * ended. */
void gd_mocks_free(struct gd_mocks *mocks);

#endif
