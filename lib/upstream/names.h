#ifndef GD_UPSTREAM_NAMES_H
#define GD_UPSTREAM_NAMES_H
/**
 * The names of a plan's upstreams: looks them up, keeps the answers, looks them up again
 * when these are no longer valid, and says which server is where.
 *
 * One for the process, on the loop of its main thread, so a name is asked for once and
 * not by each worker. What is found goes to the workers as sites (upstream/site.h).
 *
 * A lookup that fails, or that finds nothing, changes nothing: the last good answer
 * stays, family by family, and the name is asked for again, at first soon and then less
 * often.
 */
#include "base/log.h"
#include "base/stat.h"
#include "upstream/site.h"

struct gd_names;

/** What they are made of; borrowed for the call but for loop. */
struct gd_names_config {
    struct gd_loop *loop;
    struct gd_plan *plan; /* a reference is kept */
    struct gd_names
        *before; /* of the plan before: what it knows is taken over; or NULL */
    /* A server of an upstream of the plan has another site (borrowed), or is nowhere
     * any more (NULL). From the loop, never inside a call of this module. */
    void (*on_place)(void *arg, unsigned upstream, unsigned server, struct gd_site *site);
    void (*on_settled)(void *arg); /* gd_names_are_settled has become true; may be NULL */
    void *arg;
};

/** Returns owned, NULL with err. Lookups begin at once. */
struct gd_names *gd_names_new(const struct gd_names_config *config, struct gd_err *err);

/** Ends all lookups and frees. NULL is fine. Not from on_place. */
void gd_names_free(struct gd_names *names);

/** Whether each name has been answered, or could not be, at least once. */
bool gd_names_are_settled(const struct gd_names *names);

/** Returns owned: where each server of the plan is by its name now, for gd_sites_free;
 *  NULL: by none. */
struct gd_site **gd_names_sites(const struct gd_names *names);

/** What is shown of one name. */
struct gd_name_view {
    const struct gd_plan_upstream *upstream;
    const char *shown; /* the name, as the file has it: with its port, where it has one */
    int64_t resolved_s, next_s; /* wall clock: the last good answer, the next lookup; 0:
                                   none so far, one is on its way */
    const char *error;          /* of the last lookup; NULL: none */
    const uint64_t *values;     /* GD_NAME_STATS of them */
};

void gd_names_each(const struct gd_names *names,
                   void (*fn)(void *arg, const struct gd_name_view *view), void *arg);

/** What a server of the plan is called now; NULL: it is a slot with nobody in it. names
 *  NULL: as the plan does. Borrowed until the loop's next turn. */
const char *gd_names_server(const struct gd_names *names,
                            const struct gd_plan_server *server);

/** Whether a server of the plan, by its index among all, follows a name. Then *site
 *  (borrowed until the loop's next turn) is where it is, or was until it went, which sets
 *  *gone; NULL: it never was anywhere. */
bool gd_names_site(const struct gd_names *names, unsigned server,
                   const struct gd_site **site, bool *gone);

#endif
