#ifndef GD_DAEMON_INHERIT_H
#define GD_DAEMON_INHERIT_H
/**
 * Sockets that systemd has opened (socket activation).
 */
#include "base/err.h"

enum { GD_INHERIT_MAX = 64 }; /* sockets of one name */

/** Finds the listening sockets that were passed with the FileDescriptorName `name`; they
 *  stay open as long as the process. Returns how many, 0 with err: none was passed, or
 *  one is no listening stream socket. */
unsigned gd_inherit(const char *name, int fds[GD_INHERIT_MAX], struct gd_err *err);

#endif
