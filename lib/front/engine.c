#include "front/engine.h"

#include "base/mem.h"
#include "front/cors.h"
#include "front/facts.h"
#include "front/pass.h"
#include "front/passage.h"
#include "http/problem.h"

enum { ALLOW_MAX_BYTES = 1024 };

uint64_t *gd_passage_stats(struct gd_passage *passage)
{
    return passage->generation->stats->routes[passage->route->index]->values;
}

void gd_passage_account(struct gd_passage *passage, int status)
{
    struct gd_route_stats *stats =
        passage->generation->stats->routes[passage->route->index];
    uint64_t now_us = gd_loop_now_us(passage->engine->loop);

    gd_stat_add(&stats->values[GD_ROUTE_IN_FLIGHT], -1);
    if (status >= 200 && status <= 599)
        gd_stat_inc(&stats->values[GD_ROUTE_STATUS_2XX + status / 100 - 2]);
    gd_hist_record(&stats->latency, now_us - passage->request->start_us);
}

void gd_passage_refuse(struct gd_passage *passage, int status, const char *detail)
{
    gd_passage_account(passage, status);
    gd_request_problem(passage->request, status, detail, GD_SPAN(""), NULL, 0);
}

struct gd_forward *gd_passage_forward(struct gd_passage *passage)
{
    return gd_forward_new(&passage->engine->forwarder, &passage->facts,
                          passage->request->arena);
}

/* Kinds of routes -----------------------------------------------------------------------
 */

static void on_passed(void *arg, int status, enum gd_failure failure)
{
    struct gd_passage *passage = arg;

    gd_passage_account(passage, status);
    if (failure)
        gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_FAIL_CONNECT + failure - 1]);
}

static void start_pass(struct gd_passage *passage)
{
    struct gd_values values = {.params = passage->match.params,
                               .param_count = passage->match.param_count,
                               .facts = &passage->facts};
    struct gd_forward *forward = gd_passage_forward(passage);

    if (forward)
        passage->pass = gd_pass_new(&passage->generation->gathers, passage->request,
                                    passage->route, forward, on_passed, passage);
    if (passage->pass == NULL)
        gd_passage_refuse(passage, 503, "no memory is left for this request");
    else
        gd_pass_start(passage->pass, &values);
}

static void cancel_pass(struct gd_passage *passage)
{
    if (passage->pass)
        gd_pass_cancel(passage->pass);
}

static void cancel_nothing(struct gd_passage *passage)
{
    (void)passage;
}

/* When a kind of route starts. */
enum moment {
    AT_HEAD,    /* and answers then: of the request's body nothing is wanted */
    AT_STREAM,  /* the body comes in pieces afterwards */
    AT_REQUEST, /* it is complete */
};

/* What a kind of route does: start, and cancel when its client has left before the
 * answer. */
static const struct kind {
    enum moment when;
    void (*start)(struct gd_passage *passage);
    void (*cancel)(struct gd_passage *passage);
} kinds[] = {
    [GD_ROUTE_KIND_GATHER] = {AT_REQUEST, gd_gather_route_start, gd_gather_route_gone},
    [GD_ROUTE_KIND_RESPOND] = {AT_REQUEST, gd_gather_route_start, gd_gather_route_gone},
    [GD_ROUTE_KIND_REDIRECT] = {AT_HEAD, gd_redirect_start, cancel_nothing},
    [GD_ROUTE_KIND_FILES] = {AT_STREAM, gd_files_start, cancel_nothing},
    [GD_ROUTE_KIND_PASS] = {AT_STREAM, start_pass, cancel_pass},
};

static void start(struct gd_passage *passage)
{
    passage->started = true;
    gd_facts_fill(&passage->facts, passage->request, &passage->generation->plan->trusted);
    kinds[passage->route->kind].start(passage);
}

/* Requests ------------------------------------------------------------------------------
 */

/* The path is there: says with which methods. */
static void answer_methods(struct gd_engine *engine, struct gd_request *request,
                           uint32_t allow)
{
    uint64_t *stats = engine->newest->stats->worker;
    struct gd_plan_header header = {GD_SPAN("Allow"), GD_SPAN_NONE};
    struct gd_answer answer = {.status = 204, .headers = &header, .header_count = 1};
    struct gd_buf list;

    gd_buf_init(&list, gd_loop_blocks(engine->loop), ALLOW_MAX_BYTES);
    if (gd_methods_write(&list, allow | 1u << GD_METHOD_OPTIONS))
        header.value = gd_buf_span(&list);
    if (request->head.method == GD_METHOD_OPTIONS) {
        gd_stat_inc(&stats[GD_WORKER_OPTIONS]);
        gd_request_answer(request, &answer);
    } else {
        gd_stat_inc(&stats[GD_WORKER_METHOD_NOT_ALLOWED]);
        gd_request_problem(request, 405, "the path exists, but not with this method",
                           GD_SPAN(""), &header, 1);
    }
    gd_buf_free(&list);
}

/* No route takes the request as it is: 404, 405, or an answer to OPTIONS. */
static void answer_unrouted(struct gd_engine *engine, struct gd_request *request,
                            enum gd_match_result result, uint32_t allow)
{
    bool whole_server =
        request->target.form == GD_TARGET_ASTERISK; /* with OPTIONS only */

    request->lines = gd_cors_lines(&engine->newest->plan->unrouted, &request->head.fields,
                                   request->arena);
    if (result == GD_MATCH_OTHER_METHOD || whole_server) {
        answer_methods(engine, request, allow);
        return;
    }
    gd_stat_inc(&engine->newest->stats->worker[GD_WORKER_NOT_FOUND]);
    gd_request_problem(request, 404, "there is nothing at this path", GD_SPAN(""), NULL,
                       0);
}

static void on_head(void *arg, struct gd_request *request)
{
    struct gd_engine *engine = arg;
    struct gd_generation *generation = engine->newest;
    struct gd_passage *passage = gd_arena_raw(request->arena, sizeof(*passage));
    enum gd_match_result result = GD_MATCH_NONE;

    request->user = NULL;
    if (passage == NULL) {
        gd_request_problem(request, 503, "no memory is left for this request",
                           GD_SPAN(""), NULL, 0);
        return;
    }
    if (request->head.method == GD_METHOD_OPTIONS &&
        gd_cors_preflight(generation->plan, request, &passage->match,
                          generation->stats->worker))
        return;
    passage->match.allow = 0;
    if (request->target.form != GD_TARGET_ASTERISK)
        result = gd_router_match(generation->plan->router, request->head.method,
                                 request->head.method_text, request->head.host,
                                 request->target.path, &passage->match);
    if (result != GD_MATCH_FOUND) {
        answer_unrouted(engine, request, result, passage->match.allow);
        return;
    }
    passage->engine = engine;
    passage->generation = generation;
    generation->users++;
    passage->request = request;
    passage->route = &generation->plan->routes[passage->match.index];
    passage->gather = NULL;
    passage->events = NULL;
    passage->pass = NULL;
    passage->started = false;
    request->user = passage;
    request->lines =
        gd_cors_lines(&passage->route->finish, &request->head.fields, request->arena);
    request->no_store = passage->route->finish.cache_control.len > 0;
    request->max_body = passage->route->max_body;
    request->stream = kinds[passage->route->kind].when == AT_STREAM;
    gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_REQUESTS]);
    gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_IN_FLIGHT]);
    if (kinds[passage->route->kind].when == AT_HEAD)
        start(passage);
}

static void on_request(void *arg, struct gd_request *request)
{
    (void)arg;
    start(request->user);
}

static void on_body(void *arg, struct gd_request *request, struct gd_span piece,
                    bool last)
{
    struct gd_passage *passage = request->user;

    (void)arg;
    if (passage->pass) /* a file is answered whatever a body says */
        gd_pass_body(passage->pass, piece, last);
}

static void on_gone(void *arg, struct gd_request *request)
{
    struct gd_passage *passage = request->user;

    (void)arg;
    if (passage == NULL)
        return;
    kinds[passage->route->kind].cancel(passage);
    if (request->refused) {
        gd_passage_account(passage, request->refused);
        return;
    }
    gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_CLIENT_GONE]);
    gd_stat_add(&gd_passage_stats(passage)[GD_ROUTE_IN_FLIGHT], -1);
}

static void on_end(void *arg, const struct gd_request *request,
                   const struct gd_request_end *end)
{
    struct gd_passage *passage = request ? request->user : NULL;

    gd_observe(arg, request, end);
    if (passage)
        gd_generation_leave(passage->generation);
}

/* Life
 * ------------------------------------------------------------------------------------
 */

struct gd_engine *gd_engine_new(struct gd_loop *loop, const struct gd_engine_plan *first,
                                struct gd_err *err)
{
    struct gd_engine *engine = gd_alloc(sizeof(*engine));
    struct gd_front_config config = {
        .loop = loop,
        .limits = &first->plan->limits,
        .max_body = 0, /* on_head sets the route's */
        .trusted = &first->plan->trusted,
        .stats = first->stats->worker,
        .leaves_fds = true,
        .handler = {.on_head = on_head,
                    .on_request = on_request,
                    .on_body = on_body,
                    .on_gone = on_gone,
                    .on_end = on_end},
        .arg = engine,
    };

    engine->loop = engine->warming.loop = loop;
    engine->observer.chance = gd_loop_now_us(loop) | 1;
    gd_generation_begin(engine, first);
    if (gd_forwarder_init(&engine->forwarder, err))
        engine->front = gd_front_new(&config, err);
    if (engine->front == NULL) {
        gd_engine_free(engine);
        return NULL;
    }
    return engine;
}

void gd_engine_switch(struct gd_engine *engine, const struct gd_engine_plan *next)
{
    gd_generation_begin(engine, next);
    gd_front_change(engine->front, &next->plan->limits, &next->plan->trusted);
}

void gd_engine_await_warm(struct gd_engine *engine, void (*on_warm)(void *arg), void *arg)
{
    gd_warming_await(&engine->warming, on_warm, arg);
}

void gd_engine_observe(struct gd_engine *engine, struct gd_access_lane *lane,
                       struct gd_recent *recent)
{
    engine->observer.lane = lane;
    engine->observer.recent = recent;
}

struct gd_listener *gd_engine_listen(struct gd_engine *engine, int fd,
                                     const struct gd_plan_listen *settings,
                                     struct gd_err *err)
{
    return gd_front_listen(engine->front, fd, settings, err);
}

void gd_engine_leave(struct gd_engine *engine, bool stop)
{
    gd_front_leave(engine->front, stop);
}

void gd_engine_drain(struct gd_engine *engine, void (*on_drained)(void *arg), void *arg)
{
    gd_front_drain(engine->front, on_drained, arg);
}

void gd_engine_place(struct gd_engine *engine, unsigned upstream, unsigned server,
                     struct gd_site *site)
{
    gd_upstreams_place(engine->newest->upstreams, upstream, server, site);
}

bool gd_engine_drain_server(struct gd_engine *engine, const char *upstream,
                            const char *server, bool drained)
{
    return gd_upstreams_drain(engine->newest->upstreams, upstream, server, drained);
}

void gd_engine_free(struct gd_engine *engine)
{
    if (engine == NULL)
        return;
    gd_front_free(engine->front);
    while (engine->newest)
        gd_generation_free(engine->newest);
    gd_work_cancel(&engine->warming.work);
    gd_forwarder_free(&engine->forwarder);
    gd_free(engine);
}
