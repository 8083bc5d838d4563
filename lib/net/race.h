#ifndef GD_NET_RACE_H
#define GD_NET_RACE_H
/**
 * Connecting to whichever of several addresses of one server answers first (RFC 8305):
 * the next address is tried when the one before has failed, or has not answered for a
 * quarter of a second; the first connection that is there wins and the others are closed.
 *
 * It has no deadline of its own: the owner cancels it at its own.
 */
#include "base/loop.h"
#include "net/address.h"

enum { GD_RACE_STEP_MS = 250, GD_RACE_MAX = 16 /* addresses */ };

struct gd_race;

/** Puts addresses into the order in which they are tried: families take turns, beginning
 *  with that of the first one; within a family the order stays. */
void gd_race_order(struct gd_address *addresses, unsigned count);

/** Starts connecting to 1 to GD_RACE_MAX addresses (copied), which are tried in the order
 *  given but for `first`, the index of the one that is tried before all others.
 *
 *  on_done runs once, from the loop, never inside this call: fd is an open, connected
 *  descriptor that is the callee's now, and `to` (borrowed until it returns) where it
 *  leads; or -1 with errno set by the last that failed. The race is over then and frees
 *  itself. Returns NULL with errno when all of them were refused at once. */
struct gd_race *
gd_race_start(struct gd_loop *loop, const struct gd_address *addresses, unsigned count,
              unsigned first,
              void (*on_done)(void *arg, int fd, const struct gd_address *to), void *arg);

/** Ends it: every connection is closed and on_done does not run. NULL is fine. */
void gd_race_cancel(struct gd_race *race);

#endif
