#include "front/passage.h"
#include "http/accept.h"
#include "json/splice.h"

/* Parts as they complete: an answer in events, each sent as soon as its part is there. */

enum { HEARTBEAT_MS = 15000 };

enum format { FORMAT_JSON, FORMAT_SSE, FORMAT_NDJSON };

static const struct gd_span types[] = {
    {"application/json", 16},
    {"text/event-stream", 17},
    {"application/x-ndjson", 20},
};

struct gd_events {
    struct gd_passage *passage;
    enum format format;
    int status;
    bool open;              /* the answer has begun */
    bool waiting;           /* the client has not taken what was written last */
    bool done;              /* the gather is */
    bool ended;             /* the last event is in the frame at hand */
    struct gd_splice frame; /* the event at hand … */
    unsigned at;            /* … and how many of its pieces are written */
    struct gd_timer heartbeat;
};

static void pump(struct gd_events *events);

/* Frames --------------------------------------------------------------------------------
 */

/* JSON may have line ends between its tokens, and events are made of lines. Nothing is
 * lost without them: in strings they are escaped. */
static bool add_line(struct gd_splice *frame, struct gd_span text)
{
    while (text.len) {
        size_t n = 0;

        while (n < text.len && text.ptr[n] != '\n' && text.ptr[n] != '\r')
            n++;
        if (n && !gd_splice_add(frame, (struct gd_span){text.ptr, n}))
            return false;
        n += n < text.len;
        text.ptr += n;
        text.len -= n;
    }
    return true;
}

static void begin_frame(struct gd_events *events)
{
    gd_splice_init(&events->frame, events->passage->request->arena);
    events->at = 0;
}

static bool frame_news(struct gd_events *events, const struct gd_news *news)
{
    bool sse = events->format == FORMAT_SSE;
    bool ok;

    begin_frame(events);
    ok = !sse || gd_splice_copy(&events->frame, GD_SPAN("event: part\ndata: "));
    for (unsigned i = 0; ok && i < news->count; i++)
        ok = add_line(&events->frame, (struct gd_span){news->pieces[i].iov_base,
                                                       news->pieces[i].iov_len});
    return ok && gd_splice_copy(&events->frame, sse ? GD_SPAN("\n\n") : GD_SPAN("\n"));
}

static bool frame_end(struct gd_events *events)
{
    struct gd_span text = gd_gather_end_event(events->passage->gather);
    bool sse = events->format == FORMAT_SSE;

    begin_frame(events);
    events->ended = true;
    return text.ptr &&
           (!sse || gd_splice_copy(&events->frame, GD_SPAN("event: end\ndata: "))) &&
           gd_splice_add(&events->frame, text) &&
           gd_splice_copy(&events->frame, sse ? GD_SPAN("\n\n") : GD_SPAN("\n"));
}

/* Writing -------------------------------------------------------------------------------
 */

static void on_release(void *arg)
{
    struct gd_passage *passage = arg;

    gd_events_stop(passage);
    gd_gather_free(passage->gather);
}

static void on_writable(void *arg)
{
    struct gd_events *events = arg;

    events->waiting = false;
    pump(events);
}

static bool open(struct gd_events *events)
{
    static const struct gd_plan_header headers[] = {
        {{"Cache-Control", 13}, {"no-store", 8}},
        {{"X-Accel-Buffering", 17}, {"no", 2}}, /* proxies in between pass on at once */
    };
    struct gd_answer answer = {
        .status = events->status,
        .content_type = types[events->format],
        .headers = headers,
        .header_count = 2,
        .body_bytes = GD_LENGTH_UNKNOWN,
        .release = on_release,
        .release_arg = events->passage,
    };

    if (events->open)
        return true;
    events->open =
        gd_request_open(events->passage->request, &answer, on_writable, events);
    return events->open;
}

/* Counts the end, before the request may be gone. */
static void account(struct gd_events *events)
{
    struct gd_passage *passage = events->passage;

    gd_passage_account(passage, events->status);
    if (!gd_gather_whole(passage->gather))
        gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_INCOMPLETE]);
}

/* What is to come cannot be written. */
static void abort_stream(struct gd_events *events, enum gd_failure failure)
{
    struct gd_passage *passage = events->passage;
    struct gd_outcome outcome;

    if (events->open) {
        gd_stat_inc(&gd_passage_stats(passage)[GD_ROUTE_FAIL_CONNECT + failure - 1]);
        gd_passage_account(passage, events->status);
        gd_request_abort(passage->request);
        return;
    }
    gd_events_stop(passage);
    gd_gather_refusal(passage->gather, failure, &outcome);
    gd_gather_route_problem(passage, &outcome);
}

/* Writes what is left of the frame. False when the client has to take something first, or
 * when the answer is over. */
static bool write_frame(struct gd_events *events)
{
    struct gd_splice *frame = &events->frame;

    while (events->at < frame->count) {
        unsigned count = frame->count - events->at;
        struct iovec *pieces = &frame->pieces[events->at];
        bool last;

        if (count > GD_WRITE_PIECES_MAX)
            count = GD_WRITE_PIECES_MAX;
        events->at += count;
        last = events->ended && events->at == frame->count;
        if (last)
            account(events);
        /* After the last pieces events are gone as soon as they are taken. */
        if (last) {
            gd_request_write(events->passage->request, pieces, (int)count, true);
            return false;
        }
        if (!gd_request_write(events->passage->request, pieces, (int)count, false)) {
            events->waiting = true;
            return false;
        }
    }
    return true;
}

/* The next event into the frame; false when there is none yet. */
static bool next_frame(struct gd_events *events, enum gd_failure *failure)
{
    struct gd_gather *gather = events->passage->gather;
    struct gd_news news;

    *failure = GD_OK;
    if (events->ended)
        return false;
    if (!gd_gather_failed(gather) && gd_gather_next(gather, &news, failure)) {
        if (*failure == GD_OK && !frame_news(events, &news))
            *failure = GD_FAIL_TOO_LARGE;
        return true;
    }
    if (!events->done)
        return false;
    if (!frame_end(events))
        *failure = GD_FAIL_TOO_LARGE;
    return true;
}

/* A line of JSON cannot be a comment, so only events have heartbeats. */
static void arm_heartbeat(struct gd_events *events)
{
    if (events->format == FORMAT_SSE)
        gd_timer_arm(&events->heartbeat, HEARTBEAT_MS);
}

static void pump(struct gd_events *events)
{
    enum gd_failure failure;

    if (events->waiting || (events->open && !write_frame(events)))
        return;
    while (next_frame(events, &failure)) {
        if (failure == GD_OK && !open(events))
            failure = GD_FAIL_TOO_LARGE;
        if (failure) {
            abort_stream(events, failure);
            return;
        }
        if (!write_frame(events))
            return;
        arm_heartbeat(events);
    }
}

/* A comment now and then keeps what is in between from closing a silent connection. */
static void on_heartbeat(void *arg)
{
    struct gd_events *events = arg;

    arm_heartbeat(events);
    if (events->waiting || events->ended || !open(events))
        return;
    begin_frame(events);
    if (gd_splice_copy(&events->frame, GD_SPAN(": \n\n")))
        write_frame(events);
}

/* The life of it ------------------------------------------------------------------------
 */

bool gd_events_prepare(struct gd_passage *passage)
{
    struct gd_request *request = passage->request;
    struct gd_events *events;
    unsigned format = FORMAT_JSON;

    passage->events = NULL;
    if (passage->route->stream && request->head.method != GD_METHOD_HEAD)
        format = gd_accept_choose(&request->head.fields, types, 3);
    if (format == FORMAT_JSON)
        return true;
    events = gd_arena_alloc(request->arena, sizeof(*events));
    if (events == NULL)
        return false;
    events->passage = passage;
    events->format = (enum format)format;
    events->status = passage->route->status ? passage->route->status : 200;
    gd_timer_init(&events->heartbeat, passage->engine->loop, on_heartbeat, events);
    arm_heartbeat(events);
    passage->events = events;
    return true;
}

void gd_events_on_parts(void *arg)
{
    struct gd_passage *passage = arg;

    pump(passage->events);
}

void gd_events_finish(struct gd_passage *passage)
{
    struct gd_events *events = passage->events;
    struct gd_outcome outcome;

    events->done = true;
    if (!events->open && gd_gather_failed(passage->gather)) {
        gd_events_stop(passage);
        gd_gather_outcome(passage->gather, &outcome);
        gd_gather_route_problem(passage, &outcome);
        return;
    }
    pump(events);
}

void gd_events_stop(struct gd_passage *passage)
{
    if (passage->events)
        gd_timer_disarm(&passage->events->heartbeat);
}
