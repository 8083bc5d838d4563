#ifndef GD_BASE_RING_H
#define GD_BASE_RING_H
/**
 * A ring of records from one thread to another: no lock, no allocation, no system call.
 *
 * One thread puts, one takes. A record that finds no room is not taken; who puts never
 * waits.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct gd_ring;

/** Returns owned: room for `bytes` of records together, rounded up to a power of two; the
 *  largest record is half of that. */
struct gd_ring *gd_ring_new(size_t bytes);
void gd_ring_free(struct gd_ring *ring);

/** Puts a copy of a record. False: there is no room for it. */
GD_MUST_CHECK bool gd_ring_put(struct gd_ring *ring, const void *record, size_t len);

/** Whether more than half is taken: from the thread that puts. */
bool gd_ring_crowded(struct gd_ring *ring);

/** Returns the oldest record, aligned to 8 bytes and borrowed until gd_ring_drop; NULL
 *  when there is none. */
const void *gd_ring_peek(struct gd_ring *ring, size_t *len);

/** Gives the room of the oldest record back. */
void gd_ring_drop(struct gd_ring *ring);

#endif
