#include "front/facts.h"
#include "front/pass.h"
#include "front/passage.h"

/* What is written down of a request that has ended: for the access log, and for those who
 * look at slow and failed ones. */

enum { STATUS_GONE = 499 /* as other gateways write it */ };

/* A number of 0 to 1: good enough to choose lines with. */
static double chance(struct gd_observer *observer)
{
    observer->chance ^= observer->chance << 13;
    observer->chance ^= observer->chance >> 7;
    observer->chance ^= observer->chance << 17;
    return (double)(observer->chance >> 11) * 0x1p-53;
}

static bool has_failed(const struct gd_passage *passage, const struct gd_request_end *end)
{
    if (end->status >= 500 || end->how == GD_END_ABORTED)
        return true;
    return passage && passage->gather && gd_gather_has_failures(passage->gather);
}

static bool is_written(struct gd_observer *observer, const struct gd_plan_log *log,
                       const struct gd_passage *passage, bool notable)
{
    double sample = passage ? passage->route->log.sample : log->access.sample;

    if (observer->lane == NULL || log->access.place.kind == GD_LOG_OFF ||
        (passage && passage->route->log.off))
        return false;
    return notable || sample >= 1 || chance(observer) < sample;
}

static struct gd_span ip_of(const struct gd_passage *passage,
                            const struct gd_request *request,
                            const struct gd_trusted *trusted)
{
    struct gd_facts facts;

    if (!request->trusted)
        return request->peer;
    if (passage && passage->started)
        return passage->facts.ip;
    gd_facts_fill(&facts, request, trusted);
    return facts.ip;
}

static void write_texts(struct gd_recorder *to, const struct gd_plan *plan,
                        const struct gd_passage *passage,
                        const struct gd_request *request,
                        const struct gd_request_end *end)
{
    struct gd_span texts[GD_RECORD_TEXTS] = {
        [GD_RECORD_ID] = end->id,
        [GD_RECORD_IP] = end->peer,
        [GD_RECORD_METHOD] = end->method,
        [GD_RECORD_PATH] = end->path,
    };

    if (request) {
        texts[GD_RECORD_IP] = ip_of(passage, request, &plan->trusted);
        if (!gd_span_eq(texts[GD_RECORD_IP], end->peer))
            texts[GD_RECORD_PEER] = end->peer;
        texts[GD_RECORD_METHOD] = request->head.method_text;
        texts[GD_RECORD_HOST] = request->head.host;
        texts[GD_RECORD_PATH] = request->target.path;
        texts[GD_RECORD_QUERY] = request->target.query;
    }
    if (passage)
        texts[GD_RECORD_ROUTE] = gd_span_of(passage->route->pattern);
    gd_record_texts(to, texts);
}

static void write_headers(struct gd_recorder *to, const struct gd_plan_access_log *plan,
                          const struct gd_request *request)
{
    for (unsigned i = 0; request && i < plan->header_count; i++) {
        struct gd_span value = gd_fields_only(&request->head.fields, plan->headers[i]);

        if (value.ptr)
            gd_record_header(to, plan->headers[i], value);
    }
}

static void write_calls(struct gd_recorder *to, const struct gd_passage *passage)
{
    struct gd_trail trail;

    if (passage && passage->gather)
        gd_gather_trails(passage->gather, gd_record_trail, to);
    if (passage && passage->pass && gd_pass_trail(passage->pass, &trail))
        gd_record_trail(to, &trail);
}

void gd_observe(struct gd_engine *engine, const struct gd_request *request,
                const struct gd_request_end *end)
{
    struct gd_observer *observer = &engine->observer;
    const struct gd_passage *passage = request ? request->user : NULL;
    const struct gd_plan *plan =
        passage ? passage->generation->plan : engine->newest->plan;
    uint64_t duration_us = gd_loop_now_us(engine->loop) - end->start_us;
    bool slow = duration_us >= plan->log.slow_us, failed = has_failed(passage, end);
    bool remembered = (slow || failed) && observer->recent && plan->log.recent;
    bool written = is_written(observer, &plan->log, passage,
                              slow || failed || end->status >= 400 || end->status == 0 ||
                                  end->how != GD_END_ANSWERED);
    struct gd_recorder to;

    if (!remembered && !written)
        return;
    gd_record_begin(&to, observer->memory);
    to.record->start_us = end->start_us;
    to.record->duration_us = duration_us;
    to.record->bytes_in = end->bytes_in;
    to.record->bytes_out = end->bytes_out;
    to.record->status = (uint16_t)(end->status ? end->status : STATUS_GONE);
    to.record->how = (uint8_t)end->how;
    to.record->failed = failed;
    to.record->slow = slow;
    write_texts(&to, plan, passage, request, end);
    write_headers(&to, &plan->log.access, request);
    write_calls(&to, passage);
    gd_record_end(&to);
    if (written)
        gd_access_put(observer->lane, to.record);
    if (remembered)
        gd_recent_store(observer->recent, to.record, plan->log.recent);
}
