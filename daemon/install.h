#ifndef GD_DAEMON_INSTALL_H
#define GD_DAEMON_INSTALL_H
/**
 * A plan at work in the process: what its engines share, from the moment the workers are
 * told of it until the last request that began with it has ended in the last of them.
 */
#include "base/err.h"
#include "base/stat.h"
#include "daemon/worker.h"
#include "net/address.h"
#include "plan/change.h"
#include "plan/plan.h"

struct gd_installed;
struct gd_names;
struct gd_site;
struct process;

/** How one worker uses it. */
struct gd_stay {
    struct gd_installed *installed;
    unsigned worker;
    struct gd_worker_switch order;
};

struct gd_installed {
    struct process *process;
    void (*on_settled)(struct process *process);
    struct gd_plan *plan;          /* one reference */
    struct gd_plan_change *change; /* against the one before; NULL: it is the first */
    struct gd_address *addresses;  /* by server index */
    struct gd_names *names;        /* of the newest alone; else NULL */
    struct gd_site **sites;        /* where they said servers are when it was installed */
    struct gd_stats **stats;       /* a set for each worker */
    struct gd_stay *stays;         /* one for each worker */
    unsigned users;                /* workers that have not left it */
    struct gd_installed *next;     /* the one before, while it is needed */
};

/** Prepares a plan for the workers: opens its mocks, makes its counters and begins to
 * look up its names, which takes a while: on_settled(process), which may be NULL, runs
 * from the loop when that has been done once, unless gd_install_is_settled at once. Takes
 * the reference. Returns owned; NULL with err, and then the plan is still the caller's.
 */
struct gd_installed *gd_install_prepare(struct process *process, struct gd_plan *plan,
                                        void (*on_settled)(struct process *process),
                                        struct gd_err *err);

/** Whether all names have been looked up. */
bool gd_install_is_settled(const struct gd_installed *installed);

/** How long names are waited for at most. */
uint32_t gd_install_patience_ms(const struct gd_installed *installed);

/** Gives up one that was prepared and not installed. */
void gd_install_abandon(struct gd_installed *installed);

/** Makes it the newest of the process. */
void gd_install(struct gd_installed *installed);

/** What the engine of a worker is told. */
void gd_install_describe(struct gd_installed *installed, unsigned worker,
                         struct gd_engine_plan *out);

/** Frees what is installed, when no worker runs any more. */
void gd_install_end(struct process *process);

#endif
