#ifndef GD_UPSTREAM_WARM_H
#define GD_UPSTREAM_WARM_H
/**
 * Sessions that are opened ahead of need: as many as pool.min says are there in all,
 * idle, leased or being dialled, unless the server is out, drained or nowhere. What goes
 * is replaced after a second at the latest; a server that cannot be connected to is
 * dialled at growing intervals. Private to this folder.
 */
#include "upstream/pool.h"

/** With gd_pool_init: the first sessions are waited for by warming (borrowed; NULL: by
 *  nobody). */
void gd_warm_init(struct gd_server *server, const struct gd_plan_pool *pool,
                  struct gd_warming *warming);

/** Sees to it that there are enough, soon: after anything that may have changed it. */
void gd_warm_check(struct gd_server *server);

/** A connection attempt has ended. */
void gd_warm_dialled(struct gd_server *server, bool connected);

/** Tells who awaits it, when it is so. */
void gd_warming_tell(struct gd_warming *warming);

/** None are opened any more. */
void gd_warm_stop(struct gd_server *server);

#endif
