#ifndef GD_NET_LISTEN_H
#define GD_NET_LISTEN_H
/**
 * Listening sockets.
 */
#include "base/err.h"
#include "net/address.h"

/** Opens a non-blocking, close-on-exec listening socket. TCP: SO_REUSEADDR, dual stack
 * for the IPv6 wildcard. UNIX: a stale file (nobody accepts there) is removed first, a
 * live one is an error. *bound (may be NULL) receives the address as the system has it.
 * Returns the descriptor, -1 with err. */
int gd_listen_open(const struct gd_plan_address *where, int backlog,
                   struct gd_address *bound, struct gd_err *err);

/** The same with all that a configuration says: backlog, and mode, owner and group of the
 *  file of a UNIX socket, which are set before anybody can connect. Not for what systemd
 *  has opened (net/inherit.h). */
int gd_listen_open_as(const struct gd_plan_listen *listen, struct gd_address *bound,
                      struct gd_err *err);

/** Gives a socket that is open already, and the file of a UNIX one, what a configuration
 *  says now: backlog, mode, owner and group. False: the system refused it (errno). */
GD_MUST_CHECK bool gd_listen_adjust(int fd, const struct gd_plan_listen *settings);

#endif
