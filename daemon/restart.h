#ifndef GD_DAEMON_RESTART_H
#define GD_DAEMON_RESTART_H
/**
 * A hot restart: the program, as it is installed now, is started with the same arguments
 * and the listening sockets of this process. When it is ready this one stops accepting
 * and ends with its last client; when it fails, this one goes on as if nothing had been.
 */
#include <sys/types.h>

#include "base/loop.h"

struct process;

struct gd_restart {
    pid_t pid;           /* of the successor; 0: none is being started */
    int fd;              /* its word comes here */
    struct event *event; /* on fd */
    struct gd_timer limit;
};

/** Begins one, or says in the log why not. */
void gd_restart(struct process *process);

/** Gives up one that is under way: the successor is ended. */
void gd_restart_cancel(struct process *process);

#endif
