#include "daemon/placing.h"

#include "base/mem.h"
#include "daemon/process.h"
#include "upstream/site.h"

struct gd_placing {
    struct process *process;
    struct gd_placing *next, *prev;
    unsigned upstream, server;
    struct gd_site *site; /* a reference */
};

/* In the thread of a worker. */
static void on_told(struct gd_engine *engine, void *arg)
{
    const struct gd_placing *placing = arg;

    gd_engine_place(engine, placing->upstream, placing->server, placing->site);
}

static void on_done(void *arg)
{
    struct gd_placing *placing = arg;

    *(placing->prev ? &placing->prev->next : &placing->process->placings) = placing->next;
    if (placing->next)
        placing->next->prev = placing->prev;
    gd_site_unref(placing->site);
    gd_free(placing);
}

void gd_placing_tell(struct process *process, unsigned upstream, unsigned server,
                     struct gd_site *site)
{
    struct gd_placing *placing = gd_alloc(sizeof(*placing));

    placing->process = process;
    placing->upstream = upstream;
    placing->server = server;
    placing->site = site ? gd_site_ref(site) : NULL;
    placing->next = process->placings;
    if (placing->next)
        placing->next->prev = placing;
    process->placings = placing;
    gd_teller_tell(&process->teller, on_told, placing, on_done);
}

void gd_placing_end(struct process *process)
{
    while (process->placings)
        on_done(process->placings);
}
