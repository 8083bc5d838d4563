#include "front/engine.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "front/facts.h"
#include "front/front.h"
#include "front/redirect.h"
#include "gather/gather.h"
#include "http/problem.h"
#include "json/text.h"
#include "plan/route.h"

enum { TARGET_MAX_BYTES = 64 * 1024, EXTRA_MAX_BYTES = 4096, ALLOW_MAX_BYTES = 1024 };

struct gd_engine {
    struct gd_loop *loop;
    struct gd_plan *plan;
    struct gd_stats *stats;
    struct gd_upstreams *upstreams;
    struct gd_front *front;
    struct gd_gather_context gathers;
    struct gd_forwarder forwarder;
};

/* One request on its way: from the match to the counted answer. Lives in its arena. */
struct passage {
    struct gd_engine *engine;
    struct gd_request *request;
    const struct gd_plan_route *route;
    struct gd_gather *gather;
    struct gd_facts facts;
    struct gd_match match;
};

static uint64_t *route_stats(struct passage *passage)
{
    return passage->engine->stats->routes[passage->route->index].values;
}

/* Counts the answer of a routed request. */
static void account(struct passage *passage, int status)
{
    struct gd_route_stats *stats = &passage->engine->stats->routes[passage->route->index];
    uint64_t now_us = gd_loop_now_us(passage->engine->loop);

    gd_stat_add(&stats->values[GD_ROUTE_IN_FLIGHT], -1);
    if (status >= 200 && status <= 599)
        gd_stat_inc(&stats->values[GD_ROUTE_STATUS_2XX + status / 100 - 2]);
    gd_hist_record(&stats->latency, now_us - passage->request->start_us);
}

static void on_release(void *arg)
{
    gd_gather_free(arg);
}

static bool problem_extra(struct gd_buf *out, const struct gd_outcome *outcome)
{
    return gd_buf_add_text(out, "\"call\":") &&
           gd_json_add_string(out, gd_span_of(outcome->culprit->name)) &&
           gd_buf_add_text(out, ",\"class\":\"") &&
           gd_buf_add_text(out, gd_failure_word(outcome->failure)) &&
           gd_buf_add_text(out, "\"");
}

/* A required call has failed: the client learns which and how, and no address. */
static void answer_problem(struct passage *passage, const struct gd_outcome *outcome)
{
    struct gd_plan_header retry = {GD_SPAN("Retry-After"), GD_SPAN("1")};
    struct gd_request *request = passage->request;
    struct gd_gather *gather = passage->gather;
    struct gd_buf extra;
    char detail[256];

    gd_buf_init(&extra, gd_loop_blocks(passage->engine->loop), EXTRA_MAX_BYTES);
    if (outcome->culprit) {
        snprintf(detail, sizeof(detail), "a required call failed: %s",
                 gd_failure_word(outcome->failure));
        if (!problem_extra(&extra, outcome))
            extra.len = 0;
    } else {
        snprintf(detail, sizeof(detail), "the answer is larger than its limit");
    }
    account(passage, outcome->status);
    if (outcome->failure)
        gd_stat_inc(&route_stats(passage)[GD_ROUTE_FAIL_CONNECT + outcome->failure - 1]);
    /* A problem is written out at once, so the gather is done with before. */
    gd_gather_free(gather);
    gd_request_problem(request, outcome->status, detail, gd_buf_span(&extra), &retry,
                       outcome->status == 503);
    gd_buf_free(&extra);
}

static void answer_parts(struct passage *passage, const struct gd_outcome *outcome)
{
    struct gd_plan_header parts = {GD_SPAN("Gather-Parts"), outcome->parts};
    struct gd_answer answer = {
        .status = outcome->status,
        .content_type = GD_SPAN("application/json"),
        .headers = &parts,
        .header_count = outcome->parts.len != 0,
        .body = outcome->body,
        .body_count = outcome->body_count,
        .body_bytes = outcome->body_bytes,
        .release = on_release,
        .release_arg = passage->gather,
    };

    account(passage, outcome->status);
    if (!outcome->complete)
        gd_stat_inc(&route_stats(passage)[GD_ROUTE_INCOMPLETE]);
    gd_request_answer(passage->request, &answer);
}

static void on_gathered(void *arg)
{
    struct passage *passage = arg;
    struct gd_outcome outcome;

    gd_gather_outcome(passage->gather, &outcome);
    if (outcome.failure)
        answer_problem(passage, &outcome);
    else
        answer_parts(passage, &outcome);
}

/* The path is there: says with which methods. */
static void answer_methods(struct gd_engine *engine, struct gd_request *request,
                           uint32_t allow)
{
    uint64_t *stats = engine->stats->worker;
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

    if (result == GD_MATCH_OTHER_METHOD || whole_server) {
        answer_methods(engine, request, allow);
        return;
    }
    gd_stat_inc(&engine->stats->worker[GD_WORKER_NOT_FOUND]);
    gd_request_problem(request, 404, "there is nothing at this path", GD_SPAN(""), NULL,
                       0);
}

static struct gd_values values_of(const struct passage *passage)
{
    return (struct gd_values){.params = passage->match.params,
                              .param_count = passage->match.param_count,
                              .query = passage->request->target.query};
}

/* Of the body nothing is wanted, so there is no waiting for it. */
static void answer_redirect(struct passage *passage)
{
    struct gd_engine *engine = passage->engine;
    const struct gd_plan_redirect *redirect = &passage->route->redirect;
    struct gd_values values = values_of(passage);
    struct gd_plan_header header = {.name = GD_SPAN("Location")};
    struct gd_answer answer = {
        .status = redirect->status, .headers = &header, .header_count = 1};
    enum gd_failure failure =
        gd_redirect_write(redirect, &values, &engine->gathers.scratch, &header.value);

    if (failure == GD_OK) {
        account(passage, redirect->status);
        gd_request_answer(passage->request, &answer);
        return;
    }
    gd_stat_inc(&route_stats(passage)[GD_ROUTE_FAIL_CONNECT + failure - 1]);
    account(passage, 400);
    gd_request_problem(passage->request, 400,
                       "the request lacks a value that the redirect is made of, or has "
                       "one that cannot stand there",
                       GD_SPAN(""), NULL, 0);
}

static void on_head(void *arg, struct gd_request *request)
{
    struct gd_engine *engine = arg;
    struct passage *passage = gd_arena_raw(request->arena, sizeof(*passage));
    enum gd_match_result result = GD_MATCH_NONE;

    request->user = NULL;
    if (passage == NULL) {
        gd_request_problem(request, 503, "no memory is left for this request",
                           GD_SPAN(""), NULL, 0);
        return;
    }
    passage->match.allow = 0;
    if (request->target.form != GD_TARGET_ASTERISK)
        result = gd_router_match(engine->plan->router, request->head.method,
                                 request->head.method_text, request->head.host,
                                 request->target.path, &passage->match);
    if (result != GD_MATCH_FOUND) {
        answer_unrouted(engine, request, result, passage->match.allow);
        return;
    }
    passage->engine = engine;
    passage->request = request;
    passage->route = &engine->plan->routes[passage->match.index];
    passage->gather = NULL;
    request->user = passage;
    request->max_body = passage->route->max_body;
    gd_stat_inc(&route_stats(passage)[GD_ROUTE_REQUESTS]);
    gd_stat_inc(&route_stats(passage)[GD_ROUTE_IN_FLIGHT]);
    switch (passage->route->kind) {
    case GD_KIND_REDIRECT:
        answer_redirect(passage);
        break;
    case GD_KIND_GATHER: /* starts when the request is complete */
        break;
    }
}

static void on_request(void *arg, struct gd_request *request)
{
    struct gd_engine *engine = arg;
    struct passage *passage = request->user;
    struct gd_gather_request about = {
        .route = passage->route,
        .values = values_of(passage),
        .id = request->id,
        .arena = request->arena,
        .body_bytes = request->body.len,
    };

    gd_facts_fill(&passage->facts, request, &engine->plan->trusted);
    about.forward = gd_forward_new(&engine->forwarder, &passage->facts, request->arena);
    if (about.forward)
        passage->gather = gd_gather_start(&engine->gathers, &about, on_gathered, passage);
    if (passage->gather == NULL) {
        account(passage, 503);
        gd_request_problem(request, 503, "no memory is left for this request",
                           GD_SPAN(""), NULL, 0);
    }
}

static void on_gone(void *arg, struct gd_request *request)
{
    struct passage *passage = request->user;

    if (passage == NULL)
        return;
    if (passage->gather)
        gd_gather_free(passage->gather);
    if (request->refused) {
        account(passage, request->refused);
        return;
    }
    gd_stat_inc(&route_stats(passage)[GD_ROUTE_CLIENT_GONE]);
    gd_stat_add(&route_stats(passage)[GD_ROUTE_IN_FLIGHT], -1);
}

struct gd_engine *gd_engine_new(struct gd_loop *loop, struct gd_plan *plan,
                                struct gd_stats *stats,
                                const struct gd_address *addresses, struct gd_err *err)
{
    struct gd_engine *engine = gd_alloc(sizeof(*engine));
    struct gd_upstream_context context = {loop, stats, addresses};
    struct gd_front_config config = {
        .loop = loop,
        .limits = &plan->limits,
        .max_body = 0, /* on_head sets the route's */
        .trusted = &plan->trusted,
        .stats = stats->worker,
        .handler = {on_head, on_request, on_gone},
        .arg = engine,
    };

    engine->loop = loop;
    engine->plan = gd_plan_ref(plan);
    engine->stats = stats;
    engine->upstreams = gd_upstreams_new(&context, plan);
    engine->gathers = (struct gd_gather_context){
        .loop = loop,
        .stats = stats,
        .upstreams = engine->upstreams,
        .limits = &plan->limits,
    };
    gd_buf_init(&engine->gathers.scratch, NULL, TARGET_MAX_BYTES);
    if (gd_forwarder_init(&engine->forwarder, err))
        engine->front = gd_front_new(&config, err);
    if (engine->front == NULL) {
        gd_engine_free(engine);
        return NULL;
    }
    return engine;
}

bool gd_engine_listen(struct gd_engine *engine, int fd, struct gd_err *err)
{
    return gd_front_listen(engine->front, fd, err);
}

void gd_engine_drain(struct gd_engine *engine, void (*on_drained)(void *arg), void *arg)
{
    gd_front_drain(engine->front, on_drained, arg);
}

void gd_engine_free(struct gd_engine *engine)
{
    if (engine == NULL)
        return;
    gd_front_free(engine->front);
    gd_upstreams_free(engine->upstreams);
    gd_buf_free(&engine->gathers.scratch);
    gd_forwarder_free(&engine->forwarder);
    gd_plan_unref(engine->plan);
    gd_free(engine);
}
