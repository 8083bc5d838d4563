#ifndef GD_UPSTREAM_LISTS_H
#define GD_UPSTREAM_LISTS_H
/**
 * The lists of a pool, private to this folder. A session is in at most one of them, a
 * lease in the queue or not. Constant time each.
 */
#include "upstream/pool.h"

/** Idle sessions, newest first. */
void gd_idle_push(struct gd_server *server, struct gd_session *session);
void gd_idle_remove(struct gd_server *server, struct gd_session *session);

/** Sessions being dialled for a lease that has left; push parts them. */
void gd_orphan_push(struct gd_server *server, struct gd_session *session);
void gd_orphan_remove(struct gd_server *server, struct gd_session *session);

/** Leases that wait for any session, oldest first; counted. Remove disarms the deadline.
 */
void gd_queue_push(struct gd_server *server, struct gd_lease *lease);
void gd_queue_remove(struct gd_server *server, struct gd_lease *lease);

#endif
