#ifndef GD_DAEMON_RELOAD_H
#define GD_DAEMON_RELOAD_H
/**
 * Reading the configuration again and going on by it, without a pause. The main thread
 * reads and checks; what is wrong is said in the log and in /status, and nothing changes.
 */
#include <stdbool.h>

struct process;

/** Whether a reload goes on: then wanted(process) runs when it is over. */
bool gd_reload_delays(struct process *process, void (*wanted)(struct process *process));

/** Begins a reload; the workers finish it. One that is asked for meanwhile follows it. */
void gd_reload(struct process *process);

/** The same for one who waits: as reload_now of struct gd_admin_source. */
const char *gd_reload_ask(void *process, void (*done)(void *arg), void *arg);

/** Frees what is remembered of the last one. */
void gd_reload_end(struct process *process);

#endif
