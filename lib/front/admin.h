#ifndef GD_FRONT_ADMIN_H
#define GD_FRONT_ADMIN_H
/**
 * The admin endpoint: what operators and their tools see. A listener and a loop of its
 * own, so it answers whatever the workers are busy with, and reads their counters without
 * a lock.
 *
 * Pages are read and change nothing: GET / (for people), /status (JSON), /metrics
 * (Prometheus), /requests, /config, /routes (JSON), /healthz, /readyz, and
 * /explain?method=GET&path=/x&host=example.com (JSON). Actions are a POST: /reload, and
 * /upstreams/{name}/servers/{server}/drain and …/resume. They are answered when all
 * workers have done them, take no body, and are refused when a page of another site, or a
 * form, sends them. The table is in admin.c.
 */
#include "base/loop.h"
#include "base/stat.h"
#include "plan/plan.h"

/** The life of the process, as /readyz and /status show it. */
struct gd_access;
struct gd_recent;

enum gd_life { GD_LIFE_STARTING, GD_LIFE_READY, GD_LIFE_DRAINING };

const char *gd_life_word(enum gd_life life);

struct gd_engine;
typedef void gd_tell_fn(struct gd_engine *engine, void *arg);

enum gd_reload_state {
    GD_RELOAD_NONE, /* the configuration is that of the start */
    GD_RELOAD_RUNNING,
    GD_RELOAD_DONE,
    GD_RELOAD_REFUSED, /* and the configuration before goes on */
};

/** The last reload. */
struct gd_reload_view {
    enum gd_reload_state state;
    int64_t at_s; /* when it began, seconds since 1970 */
    char **lines; /* why it was refused, or what was not taken over */
    size_t line_count;
};

/** What is shown, and who is told; all borrowed, must outlive the admin, or until other
 *  things come. */
struct gd_admin_source {
    const struct gd_plan *plan;
    struct gd_stats *const *stats;    /* a set for each worker */
    struct gd_recent *const *recents; /* likewise; NULL: nothing is remembered */
    const struct gd_access *access;   /* or NULL */
    unsigned worker_count;
    const struct gd_names *names; /* of the plan; on the admin's loop; NULL: none */
    const _Atomic int *life;      /* enum gd_life */
    const struct gd_reload_view *reload;
    /* Asks process for a reload; done(arg) runs once when it is over, in the loop of the
     * admin, not inside this call and not once the admin is freed. Returns NULL, or why
     * there is none, and then done does not run. */
    const char *(*reload_now)(void *process_arg, void (*done)(void *arg), void *arg);
    void *process_arg;
    const uint64_t *process; /* GD_PROCESS_STATS values */
    /* Runs fn(engine, arg) once in the thread of each worker, and then done(arg) in the
     * loop of the admin; neither while the admin is freed, or afterwards. */
    void (*tell)(void *teller, gd_tell_fn *fn, void *arg, void (*done)(void *arg));
    void *teller;
};

struct gd_admin;

/** Returns owned, NULL with err. */
struct gd_admin *gd_admin_new(struct gd_loop *loop, const struct gd_admin_source *source,
                              struct gd_err *err);

/** Accepts connections from a listening socket, of which a dup is kept, and no longer
 * from one before; -1: from none. Connections stay. Not from a callback of the admin. */
GD_MUST_CHECK bool gd_admin_listen(struct gd_admin *admin, int fd, struct gd_err *err);

/** Shows another plan and its counters from now on. */
void gd_admin_change(struct gd_admin *admin, const struct gd_plan *plan,
                     struct gd_stats *const *stats, const struct gd_names *names);

/** Closes all connections and frees. Not from a callback of the admin. */
void gd_admin_free(struct gd_admin *admin);

#endif
