#ifndef GD_DAEMON_TELLER_H
#define GD_DAEMON_TELLER_H
/**
 * Tells all workers to do something, and hears when they have.
 */
#include "daemon/worker.h"
#include "front/admin.h"

struct gd_telling;

/** Borrows the loop that hears of the end and the workers; zeroed otherwise. */
struct gd_teller {
    struct gd_loop *home;
    struct gd_worker *const *workers;
    const unsigned *worker_count;
    struct gd_telling *first; /* private: those that go on */
};

/** Runs fn(engine, arg) once in the thread of each worker, and then done(arg), once, in
 * the home loop; not inside this call. For the thread of the home loop. */
void gd_teller_tell(void *teller, gd_tell_fn *fn, void *arg, void (*done)(void *arg));

/** Forgets what goes on. The workers have been stopped and the home loop runs no more. */
void gd_teller_end(struct gd_teller *teller);

#endif
