#ifndef GD_UPSTREAM_SITE_H
#define GD_UPSTREAM_SITE_H
/**
 * Where a server is whose address comes from a name: what the names (upstream/names.h)
 * have found out, and what workers place at their servers (gd_upstreams_place).
 *
 * Immutable and counted, so that threads share it.
 */
#include <stdatomic.h>

#include "net/address.h"
#include "net/race.h"

enum { GD_SITE_NAME_MAX = 272, GD_SITE_WEIGHT_UNIT = 100 };

struct gd_site {
    _Atomic unsigned refs;
    char name[GD_SITE_NAME_MAX];   /* of the server, for people and for hashing */
    unsigned weight;               /* at least 1; of a service in hundredths */
    unsigned priority;             /* servers of the lowest one go first */
    unsigned count;                /* 1 to GD_RACE_MAX */
    struct gd_address addresses[]; /* in the order they are tried in */
};

/** Returns owned, with the addresses in the order of gd_race_order. */
struct gd_site *gd_site_new(const char *name, unsigned weight, unsigned priority,
                            const struct gd_address *addresses, unsigned count);

/** Adds a reference; returns the site. From any thread. */
struct gd_site *gd_site_ref(struct gd_site *site);

/** Drops one; the last frees it. NULL is fine. From any thread. */
void gd_site_unref(struct gd_site *site);

/** Drops a reference of each and frees the list; NULL is fine, as are NULLs in it. */
void gd_sites_free(struct gd_site **sites, unsigned count);

/** The place of an address among some, or -1. */
int gd_address_find(const struct gd_address *addresses, unsigned count,
                    const struct gd_address *address);

/** Whether both say the same. */
bool gd_site_equal(const struct gd_site *a, const struct gd_site *b);

#endif
