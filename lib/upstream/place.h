#ifndef GD_UPSTREAM_PLACE_H
#define GD_UPSTREAM_PLACE_H
/**
 * Where the servers of a worker are: one address that never changes, or a site that
 * follows a name. Private to this folder.
 *
 * When an address is no longer one of its server's, what is idle there is closed, and
 * what is leased is closed when its lease ends. Leases that wait for a server that has no
 * address any more are sent to another one.
 */
#include "upstream/pool.h"

/** The server's plan says where it is (address is copied), or does not (its len is 0). A
 *  site counts more. */
void gd_place_bind(struct gd_server *server, const struct gd_address *address);

/** Another site (a reference is kept), or none. */
void gd_place_change(struct gd_server *server, struct gd_site *site);

/** Forgets the site. */
void gd_place_free(struct gd_server *server);

/** The address of a session that can be used is tried first from now on. */
void gd_place_note_winner(struct gd_server *server, const struct gd_address *address);

/** One that connected, and led to nothing more: the one behind it is tried first. */
void gd_place_note_loser(struct gd_server *server, const struct gd_address *address);

/** Whether a session leads to where its server is no more. */
bool gd_place_has_left(struct gd_session *session);

/** A connection could not be opened since its server has moved meanwhile: looks for
 *  another server for the lease. False: there is none, and it fails. */
bool gd_place_move_lease(struct gd_lease *lease);

#endif
