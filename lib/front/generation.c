#include "front/passage.h"

#include "base/mem.h"

enum { SCRATCH_MAX_BYTES = 512 * 1024 };

static void unlink_generation(struct gd_generation *generation)
{
    struct gd_generation **at = &generation->engine->newest;

    while (*at != generation)
        at = &(*at)->next;
    *at = generation->next;
}

void gd_generation_free(struct gd_generation *generation)
{
    unlink_generation(generation);
    gd_work_cancel(&generation->end);
    gd_upstreams_free(generation->upstreams);
    gd_buf_free(&generation->gathers.scratch);
    gd_plan_unref(generation->plan);
    gd_free(generation);
}

/* By deferred work: the last user may be on the stack of an upstream. */
static void on_end(void *arg)
{
    struct gd_generation *generation = arg;
    void (*tell)(void *arg) = generation->on_end;
    void *tell_arg = generation->arg;

    gd_generation_free(generation);
    if (tell)
        tell(tell_arg);
}

void gd_generation_leave(struct gd_generation *generation)
{
    if (--generation->users == 0)
        gd_loop_defer(generation->engine->loop, &generation->end, on_end, generation);
}

void gd_generation_begin(struct gd_engine *engine, const struct gd_engine_plan *what)
{
    struct gd_generation *before = engine->newest;
    struct gd_generation *generation = gd_alloc(sizeof(*generation));
    struct gd_upstream_context context = {engine->loop, what->stats, what->addresses,
                                          what->sites, &engine->warming};

    generation->engine = engine;
    generation->plan = gd_plan_ref(what->plan);
    generation->stats = what->stats;
    generation->upstreams = gd_upstreams_next(before ? before->upstreams : NULL, &context,
                                              what->plan, before ? what->kept : NULL);
    generation->gathers = (struct gd_gather_context){
        .loop = engine->loop,
        .stats = what->stats,
        .upstreams = generation->upstreams,
        .limits = &what->plan->limits,
    };
    gd_buf_init(&generation->gathers.scratch, NULL, SCRATCH_MAX_BYTES);
    generation->users = 1;
    generation->on_end = what->on_end;
    generation->arg = what->arg;
    generation->next = before;
    engine->newest = generation;
    if (before)
        gd_generation_leave(before);
}
