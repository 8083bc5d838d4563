#ifndef GD_DAEMON_HANDOVER_H
#define GD_DAEMON_HANDOVER_H
/**
 * Listening sockets that one process hands over to its successor, and the successor's
 * word that it is ready. Both go by the environment: GATHERD_SOCKETS has a line for each
 * socket, `listen FD ADDRESS` or `admin FD ADDRESS`, and GATHERD_READY the descriptor of
 * a pipe.
 */
#include <sys/types.h>

#include "daemon/sockets.h"

/** Adds what a process before this one has handed over, if one has; sockets->lent is set
 *  then. All other descriptors are closed: to be called before any is opened. */
void gd_handover_receive(struct gd_sockets *sockets);

/** Tells the process before that this one is ready, if there is one; true then. */
bool gd_handover_tell(void);

/** Starts argv again as a successor, which is handed these sockets. *ready receives the
 *  reading end of a pipe: a byte comes when it is ready, or the end when it has ended.
 *  Returns its pid, -1 with err. */
pid_t gd_handover_start(char *const *argv, const struct gd_sockets *sockets, int *ready,
                        struct gd_err *err);

#endif
