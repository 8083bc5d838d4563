#ifndef GD_UPSTREAM_HEALTH_H
#define GD_UPSTREAM_HEALTH_H
/**
 * Health checks: a small request to each server from time to time, whose answers say
 * whether it is down. Private to this folder.
 *
 * A check takes a session of the server's pool like any call, but none from a pool that
 * is full: then the calls tell enough. Checks of one upstream are spread over their
 * interval.
 */
#include "upstream/inside.h"

/** Starts checking the servers, when the plan wants it. */
void gd_health_start(struct gd_upstream *upstream);

/** A server has been placed elsewhere: what was found out about it counts no more. One
 *  without an address is not checked. */
void gd_health_begin(struct gd_server *server);

/** Ends it; nothing of it runs afterwards. */
void gd_health_stop(struct gd_upstream *upstream);

#endif
