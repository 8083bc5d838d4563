#ifndef GD_DAEMON_NOTIFY_H
#define GD_DAEMON_NOTIFY_H
/** Tells the service manager a state (`READY=1`, `STOPPING=1`); nothing without one. */
void gd_notify(const char *state);
#endif
