#ifndef GD_FRONT_CROWD_H
#define GD_FRONT_CROWD_H
/**
 * The beginning of a connection, private to this folder: whether it is let in, and what
 * comes before HTTP.
 */
#include "front/conn.h"

/* crowd.c ---------------------------------------------------------------------------- */

enum gd_admission {
    GD_ADMIT,
    GD_ADMIT_ON_CREDIT, /* for another one that is to go at the end of this turn */
    GD_ADMIT_TO_REFUSE, /* to be told that there is no room */
    GD_TURN_AWAY,
};

/** Decides about a connection that was just accepted, and counts when it is not let in.
 */
enum gd_admission gd_crowd_admit(struct gd_listener *listener, int fd,
                                 const struct sockaddr *sa);

/** Counts the client's connection where there is a limit for it, by the address it has
 *  now; false: it has too many. */
GD_MUST_CHECK bool gd_crowd_count(struct gd_conn *conn);

/** The connection is idle now. */
void gd_crowd_idle(struct gd_conn *conn);

/** The connection is closed: takes it out of all lists and counts. */
void gd_crowd_left(struct gd_conn *conn);

/** Closes so many connections in all at the end of this turn, those that are idle for the
 *  longest time; false: there are not so many idle ones, and nothing happens. */
bool gd_crowd_make_room(struct gd_front *front, unsigned total);

/* opening.c -------------------------------------------------------------------------- */

/** Begins with what comes first on the connection. Closes nothing. */
void gd_opening_begin(struct gd_conn *conn);

/** The socket can be read or written in OPENING. */
void gd_opening_step(struct gd_conn *conn);

/** The time for it is over. */
void gd_opening_deadline(struct gd_conn *conn);

/** The connection is closed. */
void gd_opening_left(struct gd_conn *conn);

#endif
