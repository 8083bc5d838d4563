#include <stdio.h>

#include "front/finish.h"
#include "gather/choose.h"
#include "gather/timing.h"
#include "json/text.h"

/* Routes with calls, and those that respond by themselves. */

enum { EXTRA_MAX_BYTES = 4096 };

/* Answers -------------------------------------------------------------------------------
 */

static void on_release(void *arg)
{
    gd_gather_free(arg);
}

static bool write_culprit(struct gd_buf *out, const struct gd_outcome *outcome)
{
    return gd_buf_add_text(out, "\"call\":") &&
           gd_json_add_string(out, gd_span_of(outcome->culprit->name)) &&
           gd_buf_add_text(out, ",\"class\":\"") &&
           gd_buf_add_text(out, gd_failure_word(outcome->failure)) &&
           gd_buf_add_text(out, "\"");
}

static bool write_clash(struct gd_buf *out, const struct gd_outcome *outcome)
{
    return gd_buf_add_text(out, "\"class\":\"conflict\",\"member\":") &&
           gd_buf_add_span(out, outcome->clashed);
}

static bool write_extra(struct gd_buf *out, const struct gd_outcome *outcome)
{
    if (outcome->culprit)
        return write_culprit(out, outcome);
    if (outcome->failure == GD_FAIL_CONFLICT)
        return write_clash(out, outcome);
    return gd_buf_addf(out, "\"class\":\"%s\"", gd_failure_word(outcome->failure));
}

static const char *detail_of(const struct gd_outcome *outcome, char *out, size_t size)
{
    if (outcome->failure == GD_FAIL_CONFLICT)
        return "two answers have a member of the same name";
    if (outcome->culprit == NULL)
        return "the answer is larger than its limit";
    snprintf(out, size, "a required call failed: %s", gd_failure_word(outcome->failure));
    return out;
}

/* How long the calls took, where the route tells that. */
static struct gd_span timing_of(struct gd_passage *passage)
{
    if (!passage->route->finish.server_timing)
        return GD_SPAN_NONE;
    return gd_gather_timing(passage->gather, passage->request->start_us);
}

/* A required call has failed: the client learns which and how, and no address. */
void gd_gather_route_problem(struct gd_passage *passage, const struct gd_outcome *outcome)
{
    struct gd_plan_header headers[2];
    unsigned header_count = 0;
    struct gd_span timing = timing_of(passage);
    struct gd_request *request = passage->request;
    struct gd_buf extra;
    char detail[128], seconds[16];

    snprintf(seconds, sizeof(seconds), "%u",
             outcome->retry_after_s ? outcome->retry_after_s : 1);
    if (outcome->status == 503 || outcome->retry_after_s)
        headers[header_count++] =
            (struct gd_plan_header){GD_SPAN("Retry-After"), gd_span_of(seconds)};
    if (timing.len)
        headers[header_count++] =
            (struct gd_plan_header){GD_SPAN("Server-Timing"), timing};
    gd_buf_init(&extra, gd_loop_blocks(passage->engine->loop), EXTRA_MAX_BYTES);
    if (!write_extra(&extra, outcome))
        extra.len = 0;
    gd_passage_account(passage, outcome->status);
    gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_FAIL_CONNECT + outcome->failure - 1]);
    /* A problem is written out at once, so the gather is done with before. */
    gd_gather_free(passage->gather);
    gd_request_problem(request, outcome->status,
                       detail_of(outcome, detail, sizeof(detail)), gd_buf_span(&extra),
                       headers, header_count);
    gd_buf_free(&extra);
}

static void answer_parts(struct gd_passage *passage, const struct gd_outcome *outcome)
{
    struct gd_answer answer = {
        .status = outcome->status,
        .content_type = GD_SPAN("application/json"),
        .headers = outcome->headers,
        .header_count = outcome->header_count,
        .body = outcome->body,
        .body_count = outcome->body_count,
        .body_bytes = outcome->body_bytes,
        .release = on_release,
        .release_arg = passage->gather,
    };

    if (!outcome->complete)
        gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_INCOMPLETE]);
    gd_finish_answer(passage, &answer, outcome->complete, timing_of(passage));
}

static void on_gathered(void *arg)
{
    struct gd_passage *passage = arg;
    struct gd_outcome outcome;

    if (passage->events) {
        gd_events_finish(passage);
        return;
    }
    gd_gather_outcome(passage->gather, &outcome);
    if (outcome.failure)
        gd_gather_route_problem(passage, &outcome);
    else
        answer_parts(passage, &outcome);
}

/* Starting and leaving ------------------------------------------------------------------
 */

void gd_gather_route_start(struct gd_passage *passage)
{
    struct gd_generation *generation = passage->generation;
    struct gd_gather_request about = {
        .route = passage->route,
        .facts = &passage->facts,
        .params = passage->match.params,
        .param_count = passage->match.param_count,
        .arena = passage->request->arena,
        .budget = passage->request->budget,
    };
    struct gd_span unknown;

    if (!gd_choose(passage->route, passage->facts.query, &about.chosen, &unknown)) {
        gd_passage_refuse(passage, 400, "the query asks for a part that there is not");
        return;
    }
    if (!gd_gather_takes_body(passage->route, passage->facts.body,
                              generation->plan->limits.json_depth)) {
        gd_passage_refuse(passage, 400, "the request body is not valid JSON");
        return;
    }
    if (passage->route->call_count > 0)
        about.forward = gd_passage_forward(passage);
    if ((about.forward || passage->route->call_count == 0) &&
        gd_events_prepare(passage)) {
        if (passage->events)
            about.on_parts = gd_events_on_parts;
        passage->gather =
            gd_gather_start(&generation->gathers, &about, on_gathered, passage);
    }
    if (passage->gather == NULL) {
        gd_events_stop(passage);
        gd_passage_refuse(passage, 503, "no memory is left for this request");
    }
}

void gd_gather_route_gone(struct gd_passage *passage)
{
    gd_events_stop(passage);
    if (passage->gather)
        gd_gather_free(passage->gather);
}
