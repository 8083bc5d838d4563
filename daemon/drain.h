#ifndef GD_DAEMON_DRAIN_H
#define GD_DAEMON_DRAIN_H
/**
 * The end of a process that nobody is to notice:
 *
 *   grace → closing → the loop stops
 *
 * A second way begins when a successor has taken the sockets over; see
 * daemon/restart.h. In the grace (drain.grace) /readyz says 503, and answers are the last
 * ones of their connections, but new ones are welcome. Closing ends listeners and idle
 * connections and waits for the rest, at most drain.timeout.
 */
struct process;

/** Prepares a process whose loop is there. */
void gd_drain_init(struct process *process);

/** Begins to drain; told a second time, ends at once. */
void gd_drain(struct process *process);

/** A successor listens on the same sockets: leaves them to it, and ends when all clients
 *  have left. */
void gd_drain_handed_over(struct process *process);

/** A worker has drained; for gd_worker_config. arg: the process. */
void gd_drain_worker_done(void *arg);

#endif
