#ifndef GD_UPSTREAM_TARGET_H
#define GD_UPSTREAM_TARGET_H
/**
 * Where a server is whose address comes from a name: what the names (upstream/names.h)
 * have found out, and what workers place at their servers (gd_upstreams_place).
 *
 * Immutable and counted, so that threads share it.
 */
#include <stdatomic.h>

#include "net/address.h"
#include "net/race.h"

enum { GD_TARGET_NAME_MAX = 272 };

struct gd_target {
    _Atomic unsigned refs;
    char name[GD_TARGET_NAME_MAX]; /* of the server, for people and for hashing */
    unsigned weight;               /* at least 1 */
    unsigned priority;             /* servers of the lowest one go first */
    unsigned count;                /* 1 to GD_RACE_MAX */
    struct gd_address addresses[]; /* in the order they are tried in */
};

/** Returns owned, with the addresses in the order of gd_race_order. */
struct gd_target *gd_target_new(const char *name, unsigned weight, unsigned priority,
                                const struct gd_address *addresses, unsigned count);

/** Adds a reference; returns the target. From any thread. */
struct gd_target *gd_target_ref(struct gd_target *target);

/** Drops one; the last frees it. NULL is fine. From any thread. */
void gd_target_unref(struct gd_target *target);

/** The place of an address among some, or -1. */
int gd_address_find(const struct gd_address *addresses, unsigned count,
                    const struct gd_address *address);

/** Whether both say the same. */
bool gd_target_equal(const struct gd_target *a, const struct gd_target *b);

#endif
