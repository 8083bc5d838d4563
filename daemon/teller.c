#include "daemon/teller.h"

#include <stdatomic.h>

#include "base/mem.h"

/* A worker's part of it. */
struct part {
    struct gd_telling *telling;
    struct gd_worker *worker;
};

struct gd_telling {
    struct gd_teller *teller;
    struct gd_telling *next;
    gd_tell_fn *fn;
    void *arg;
    void (*done)(void *arg);
    atomic_uint left; /* workers that have not done it yet */
    struct part parts[];
};

static void on_done(void *arg)
{
    struct gd_telling *telling = arg;
    struct gd_telling **at = &telling->teller->first;

    while (*at != telling)
        at = &(*at)->next;
    *at = telling->next;
    telling->done(telling->arg);
    gd_free(telling);
}

static void on_told(void *arg)
{
    struct part *part = arg;
    struct gd_telling *telling = part->telling;

    telling->fn(gd_worker_engine(part->worker), telling->arg);
    if (atomic_fetch_sub(&telling->left, 1) == 1)
        gd_loop_post(telling->teller->home, on_done, telling);
}

void gd_teller_tell(void *arg_teller, gd_tell_fn *fn, void *arg, void (*done)(void *arg))
{
    struct gd_teller *teller = arg_teller;
    unsigned count = *teller->worker_count;
    struct gd_telling *telling =
        gd_alloc(sizeof(*telling) + count * sizeof(telling->parts[0]));

    telling->teller = teller;
    telling->fn = fn;
    telling->arg = arg;
    telling->done = done;
    telling->next = teller->first;
    teller->first = telling;
    atomic_init(&telling->left, count);
    for (unsigned i = 0; i < count; i++) {
        telling->parts[i] = (struct part){telling, teller->workers[i]};
        gd_loop_post(gd_worker_loop(teller->workers[i]), on_told, &telling->parts[i]);
    }
}

void gd_teller_end(struct gd_teller *teller)
{
    while (teller->first) {
        struct gd_telling *telling = teller->first;

        teller->first = telling->next;
        gd_free(telling);
    }
}
