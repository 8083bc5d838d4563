#ifndef GD_DAEMON_WATCHDOG_H
#define GD_DAEMON_WATCHDOG_H
/**
 * Tells the service manager that all is well, as often as it wants to hear it, but only
 * while the loops of all workers answer: a process that is stuck is not left running.
 */
#include <stdbool.h>

#include "base/loop.h"

struct process;

struct gd_watchdog {
    struct process *process;
    struct gd_timer timer;
    uint32_t every_ms; /* 0: nobody wants to hear it */
    bool asking;       /* the workers, and not all have answered */
};

/** Begins, when the service manager wants it. */
void gd_watchdog_start(struct gd_watchdog *watchdog, struct process *process);

/** Ends it. */
void gd_watchdog_stop(struct gd_watchdog *watchdog);

#endif
