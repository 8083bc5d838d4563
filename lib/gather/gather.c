#include "gather/gather_inside.h"

#include <assert.h>

#include "gather/choose.h"
#include "json/scan.h"

struct gd_gather_context *gd_gather_shared(struct gd_gather *gather)
{
    return gather->context;
}

const struct gd_gather_request *gd_gather_about(struct gd_gather *gather)
{
    return &gather->about;
}

size_t *gd_gather_budget(struct gd_gather *gather)
{
    return gather->about.budget;
}

uint64_t gd_gather_deadline_us(const struct gd_gather *gather)
{
    return gather->deadline_us;
}

const struct gd_values *gd_gather_values(struct gd_gather *gather)
{
    return &gather->values;
}

struct gd_part *gd_gather_part(struct gd_gather *gather, unsigned index)
{
    return &gather->parts[index];
}

bool gd_gather_is_chosen(struct gd_gather *gather, uint64_t calls)
{
    return (gather->chosen & calls) != 0;
}

bool gd_gather_is_mentioned(struct gd_gather *gather, const struct gd_plan_call *plan)
{
    return gather->about.route->mentioned >> plan->index & 1;
}

void gd_gather_collided(struct gd_gather *gather, unsigned collisions,
                        struct gd_span first)
{
    struct gd_route_stats *stats =
        gather->context->stats->routes[gather->about.route->index];

    gather->clashed = first;
    if (collisions)
        gd_stat_add(&stats->values[GD_ROUTE_COLLISIONS], collisions);
}

bool gd_gather_failed(const struct gd_gather *gather)
{
    return gather->culprit != NULL;
}

/* Running -------------------------------------------------------------------------------
 */

static void on_completion(void *arg)
{
    struct gd_gather *gather = arg;

    gather->on_done(gather->arg);
}

static void on_parts(void *arg)
{
    struct gd_gather *gather = arg;

    gather->about.on_parts(gather->arg);
}

/* Ends what still runs with `failure`, and lets the loop report completion. */
static void finish(struct gd_gather *gather, enum gd_failure failure)
{
    gather->done = true;
    gd_timer_disarm(&gather->deadline);
    gd_work_cancel(&gather->news);
    for (unsigned i = 0; i < gather->count; i++) {
        struct gd_part *part = &gather->parts[i];

        if (part->state == GD_PART_ENDED)
            continue;
        gd_part_stop(part, failure);
        gd_gather_note_ended(gather, part);
    }
    gd_loop_defer(gather->context->loop, &gather->completion, on_completion, gather);
}

/* Starts every part whose needs have ended. One that ends at once comes back through
 * gd_gather_part_ended, which may finish the gather. */
static void start_ready(struct gd_gather *gather)
{
    for (unsigned i = 0; i < gather->count && !gather->done; i++) {
        struct gd_part *part = &gather->parts[i];

        if (part->state == GD_PART_IDLE && (gather->wanted >> i & 1) &&
            (part->plan->needs & ~gather->ended) == 0)
            gd_part_start(part);
    }
}

void gd_gather_note_ended(struct gd_gather *gather, struct gd_part *part)
{
    if (!(gather->wanted >> part->plan->index & 1))
        return;
    *gather->last_ended = part;
    gather->last_ended = &part->next_ended;
}

void gd_gather_part_ended(struct gd_gather *gather, struct gd_part *part)
{
    uint64_t bit = UINT64_C(1) << part->plan->index;

    assert(!gather->done);
    gather->ended |= bit;
    gd_gather_note_ended(gather, part);
    if (part->failure && (gather->about.route->required & bit)) {
        gather->culprit = part;
        finish(gather, GD_FAIL_CANCELLED);
    } else if ((gather->wanted & ~gather->ended) == 0) {
        finish(gather, GD_FAIL_CANCELLED);
    } else {
        if (gather->about.on_parts && !gd_work_queued(&gather->news))
            gd_loop_defer(gather->context->loop, &gather->news, on_parts, gather);
        start_ready(gather);
    }
}

/* What is not there by now has failed with `timeout`; the first required one of the
 * file's order is named. */
static void on_deadline(void *arg)
{
    struct gd_gather *gather = arg;
    uint64_t late = gather->about.route->required & gather->wanted & ~gather->ended;

    if (late)
        gather->culprit = &gather->parts[__builtin_ctzll(late)];
    finish(gather, GD_FAIL_TIMEOUT);
}

/* Starting ------------------------------------------------------------------------------
 */

bool gd_gather_takes_body(const struct gd_plan_route *route, struct gd_span body,
                          unsigned depth)
{
    struct gd_span value;

    return !route->reads_body || body.len == 0 || gd_json_scan(body, depth, &value, NULL);
}

static void choose(struct gd_gather *gather)
{
    const struct gd_plan_route *route = gather->about.route;
    uint64_t all = gd_route_all(route);

    gather->chosen = gather->about.chosen ? gather->about.chosen : all;
    gather->wanted = gd_choose_wanted(route, gather->chosen);
    gather->ended = all & ~gather->wanted;
}

static void init_body(struct gd_gather *gather)
{
    struct gd_span body = gather->about.facts->body;

    gd_tape_init(&gather->body.tape, gd_loop_blocks(gather->context->loop),
                 gather->about.budget);
    if (gather->about.route->reads_body && body.len &&
        !gd_doc_scan(&gather->body, body, gather->context->limits->json_depth))
        gather->body.text = GD_SPAN_NONE;
    gather->values.body = &gather->body;
}

static bool init_parts(struct gd_gather *gather)
{
    const struct gd_plan_route *route = gather->about.route;
    struct gd_arena *arena = gather->about.arena;
    struct gd_yield *yields =
        gd_arena_alloc(arena, (route->call_count + 1) * sizeof(*yields));

    if (yields == NULL)
        return false;
    gather->values.yields = yields;
    for (unsigned i = 0; i < gather->count; i++) {
        struct gd_part *part = &gather->parts[i];

        part->plan = &route->calls[i];
        part->gather = gather;
        part->yield = &yields[i];
        gd_part_init(part, gather->wanted >> i & 1);
    }
    return true;
}

struct gd_gather *gd_gather_start(struct gd_gather_context *context,
                                  const struct gd_gather_request *request,
                                  void (*on_done)(void *arg), void *arg)
{
    const struct gd_plan_route *route = request->route;
    size_t size =
        sizeof(struct gd_gather) + (size_t)route->call_count * sizeof(struct gd_part);
    struct gd_gather *gather = gd_arena_alloc(request->arena, size);

    if (gather == NULL)
        return NULL;
    gather->context = context;
    gather->about = *request;
    gather->on_done = on_done;
    gather->arg = arg;
    gather->count = route->call_count;
    gather->last_ended = &gather->first_ended;
    gather->values = (struct gd_values){.params = request->params,
                                        .param_count = request->param_count,
                                        .facts = request->facts};
    choose(gather);
    if (!init_parts(gather))
        return NULL;
    init_body(gather);
    gd_timer_init(&gather->deadline, context->loop, on_deadline, gather);
    gd_timer_arm(&gather->deadline, route->timeout_ms);
    gather->deadline_us =
        gd_loop_now_us(context->loop) + route->timeout_ms * UINT64_C(1000);
    if (gather->count == 0)
        finish(gather, GD_FAIL_CANCELLED);
    else
        start_ready(gather);
    return gather;
}

void gd_gather_free(struct gd_gather *gather)
{
    gd_timer_disarm(&gather->deadline);
    gd_work_cancel(&gather->completion);
    gd_work_cancel(&gather->news);
    gather->done = true;
    for (unsigned i = 0; i < gather->count; i++) {
        gd_part_stop(&gather->parts[i], GD_FAIL_CANCELLED);
        gd_part_free(&gather->parts[i]);
    }
    gd_doc_free(&gather->body);
}
