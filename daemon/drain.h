#ifndef GD_DAEMON_DRAIN_H
#define GD_DAEMON_DRAIN_H
/**
 * The end of a process that nobody is to notice:
 *
 *   grace → closing → the loop stops
 *
 * In the grace (drain.grace) /readyz says 503, and answers are the last ones of their
 * connections, but new ones are welcome. Closing ends listeners and idle connections and
 * waits for the rest, at most drain.timeout.
 */
struct process;

/** Prepares a process whose loop is there. */
void gd_drain_init(struct process *process);

/** Begins to drain; told a second time, ends at once. */
void gd_drain(struct process *process);

/** A worker has drained; for gd_worker_config. arg: the process. */
void gd_drain_worker_done(void *arg);

#endif
