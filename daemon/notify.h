#ifndef GD_DAEMON_NOTIFY_H
#define GD_DAEMON_NOTIFY_H
/**
 * The service manager; nothing happens without one.
 */
#include <stdint.h>

/** Tells it a state: `READY=1`, `STOPPING=1`. */
void gd_notify(const char *state);

/** After how many microseconds without `WATCHDOG=1` it takes this process for stuck; 0:
 *  it does not. */
uint64_t gd_notify_watchdog_us(void);

#endif
