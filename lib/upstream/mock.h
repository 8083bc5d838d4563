#ifndef GD_UPSTREAM_MOCK_H
#define GD_UPSTREAM_MOCK_H
/**
 * Mock upstreams: answers from the configuration, over real loopback sockets, so that
 * pools, timeouts and failures are real.
 *
 * All mocks of a plan run on one loop (a thread of their own in the daemon), one listener
 * on 127.0.0.1 for each. They speak HTTP/1.1 with keep-alive, one request at a time;
 * bodies of requests are read and dropped; a path or method that no mock route has is a
 * 404 or 405 (problem+json). Every wait for a peer has a deadline: 75 s for a request,
 * 10 s for its head, 30 s for its body, 30 s for a write to make progress.
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

/** Closes everything, open connections included. From the loop's thread and not from a
 *  callback of it, or when it has ended; before the loop is freed. NULL is fine. */
void gd_mocks_free(struct gd_mocks *mocks);

/** The mocks of the next plan as well. kept, for each of its upstreams: its index in the
 *  plan before, of which it says the very same, or -1; such a mock goes on with its
 *  listener, its connections and the sequence of its fates. False with err: nothing has
 *  changed. From the loop's thread. */
GD_MUST_CHECK bool gd_mocks_next(struct gd_mocks *mocks, struct gd_plan *plan,
                                 const int *kept, struct gd_address *addresses,
                                 struct gd_err *err);

/** Nobody calls the mocks of an earlier plan any more: closes those that no other plan
 *  has. From the loop's thread and not from a callback of it. */
void gd_mocks_leave(struct gd_mocks *mocks, const struct gd_plan *plan);

#endif
