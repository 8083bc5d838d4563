#ifndef GD_UPSTREAM_CARRIER_H
#define GD_UPSTREAM_CARRIER_H
/**
 * A session that speaks HTTP/2 carries many leases at once, private to this folder.
 *
 *   session (the connection, with a carrier) ──< slot (a session for one lease)
 *
 * The connection is idle while it has no slot and leased while it has some. A slot is a
 * session of its own to whoever has the lease, with a stream of HTTP/2 instead of a
 * socket. A connection that takes no more leases is leaving: it is closed when its last
 * slot is gone, and not among those that pool.max counts.
 */
#include "upstream/pool.h"

struct gd_carrier {
    struct gd_session *session; /* the connection */
    struct gd_h2 *h2;
    uint32_t slots;
    bool leaving;
    bool listed;
    bool blamed;                    /* its end was held against the server */
    struct gd_carrier *next, *prev; /* of its server's, while listed */
};

/** Begins to speak HTTP/2 on a session that is being dialled; which ends when the
 *  server's settings have come. */
void gd_carrier_start(struct gd_session *session);

/** The events of the connection's socket. */
void gd_carrier_readable(struct gd_session *session);
void gd_carrier_writable(struct gd_session *session);

/** Ends it, without slots. Fine on a session that has none. */
void gd_carrier_close(struct gd_session *session);

/** How many leases the server allows at once. */
uint32_t gd_carrier_limit(const struct gd_session *session);

/** Whether the connection takes another lease now, and whether it ever will. */
bool gd_carrier_has_room(const struct gd_session *session);
bool gd_carrier_is_going(const struct gd_session *session);

/** Returns borrowed: a leased connection of the server that has room, or NULL. Those that
 *  are worn meanwhile take no more. */
struct gd_session *gd_carrier_find(struct gd_server *server);

/** Returns a new slot on a connection that has room. */
struct gd_session *gd_carrier_add(struct gd_session *session);

/** Closes a slot, whatever it is in the middle of; frees it at the end of the turn.
 *  Returns borrowed: its connection. */
struct gd_session *gd_carrier_remove(struct gd_session *slot);

/** Whether a failure on this slot is to be held against the server: the end of a
 *  connection is one failure, however many leases it had. */
bool gd_carrier_takes_blame(struct gd_session *slot);

/* What the pool does where sessions carry many leases:
 */

/** A connection that carries leases has room for others, has lost one, or is over. */
void gd_carrier_review(struct gd_session *session);

/** A connection is free for more: for those who wait, else it is idle. */
void gd_carrier_settle(struct gd_session *session);

/** Lets a lease wait for one, which is dialled if it has to be. WAIT or FULL. */
enum gd_lease_result gd_carrier_wait(struct gd_server *server, struct gd_lease *lease);

/** Dials for those who wait and for whom there will be no room. */
void gd_carrier_feed(struct gd_server *server);

/** A session was dialled: what is spoken is known now, and how many leases another one
 *  would carry. */
void gd_carrier_note(struct gd_session *session);

/** A session could not be dialled. When it was to carry all who wait and there is no
 *  other one, they fail. moved: the server is elsewhere now, or there is another one. */
void gd_carrier_fail_waiters(struct gd_server *server, enum gd_failure failure,
                             bool moved);

#endif
