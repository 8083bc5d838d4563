#ifndef GD_DAEMON_PLACING_H
#define GD_DAEMON_PLACING_H
/**
 * Telling the workers that a server is where its name says now.
 */
struct gd_site;
struct process;

/** A server of an upstream of the newest plan is at site (a reference is kept), or
 *  nowhere (NULL). Workers hear of it in the order of these calls, and of switches. */
void gd_placing_tell(struct process *process, unsigned upstream, unsigned server,
                     struct gd_site *site);

/** Forgets what goes on, after gd_teller_end. */
void gd_placing_end(struct process *process);

#endif
