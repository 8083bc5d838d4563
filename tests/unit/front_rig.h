#ifndef GD_TESTS_FRONT_RIG_H
#define GD_TESTS_FRONT_RIG_H
/**
 * A running front with a handler that answers by path. Its clients: front_client.h.
 *
 *   /later    is kept until rig_answer_held
 *   /big      rig.big_bytes, in pieces
 *   /early    404 from on_head
 *   /small    the body limit is 10 bytes
 *   /bad      a header with a line break
 *   /close    closes the connection
 *   others    200 with "METHOD PATH BODY"
 */
#include <string.h>
#include <unistd.h>

#include "suite.h"

#include "front/front.h"
#include "net/listen.h"

enum { RIG_HELD = 64, RIG_PIECES = 100 };

struct rig {
    struct gd_loop *loop;
    struct gd_front *front;
    struct gd_plan_limits limits;
    struct gd_address address;
    uint64_t stats[GD_WORKER_STATS];
    int listen_fd;
    unsigned heads, requests, gone, releases, answers;
    bool drained;
    int refused; /* of the last one gone */
    char last_body[1024];
    size_t last_body_len;
    char last_id[33];
    struct gd_request *held[RIG_HELD];
    unsigned held_count;
    size_t big_bytes;
    struct iovec pieces[RIG_PIECES];
    char *big;
    int status;                          /* of the answers; 0: 200 */
    bool no_head_handler;                /* set before rig_start */
    const struct gd_plan_listen *listen; /* the same; NULL: plain */
    const struct gd_handler *handler;    /* the same; NULL: answers by path */
};

static inline void rig_on_release(void *arg)
{
    ((struct rig *)arg)->releases++;
}

static inline void rig_answer(struct rig *rig, struct gd_request *request)
{
    struct gd_answer answer = {.status = rig->status ? rig->status : 200,
                               .content_type = GD_SPAN("text/plain"),
                               .release = rig_on_release,
                               .release_arg = rig};
    struct gd_plan_header bad = {GD_SPAN("X-Bad"), GD_SPAN("a\r\nb: c")};
    struct iovec *iov = gd_arena_alloc(request->arena, 5 * sizeof(*iov));
    struct gd_span parts[5] = {request->head.method_text, GD_SPAN(" "),
                               request->target.path, GD_SPAN(" "), request->body};

    for (int i = 0; i < 5; i++)
        iov[i] = (struct iovec){(char *)parts[i].ptr, parts[i].len};
    answer.body = iov;
    answer.body_count = 5;
    if (gd_span_is(request->target.path, "/big")) {
        answer.body = rig->pieces;
        answer.body_count = RIG_PIECES;
    }
    for (int i = 0; i < answer.body_count; i++)
        answer.body_bytes += answer.body[i].iov_len;
    answer.close = gd_span_is(request->target.path, "/close");
    if (gd_span_is(request->target.path, "/bad")) {
        answer.headers = &bad;
        answer.header_count = 1;
    }
    rig->answers++;
    gd_request_answer(request, &answer);
}

static inline void rig_on_head(void *arg, struct gd_request *request)
{
    struct rig *rig = arg;

    rig->heads++;
    snprintf(rig->last_id, sizeof(rig->last_id), "%.*s", GD_SPAN_ARG(request->id));
    if (gd_span_is(request->target.path, "/small"))
        request->max_body = 10;
    if (gd_span_is(request->target.path, "/early")) {
        rig->answers++;
        gd_request_problem(request, 404, "there is nothing here", GD_SPAN("\"x\":1"),
                           NULL, 0);
    }
}

static inline void rig_on_request(void *arg, struct gd_request *request)
{
    struct rig *rig = arg;
    size_t keep = request->body.len;

    rig->requests++;
    if (keep > sizeof(rig->last_body))
        keep = sizeof(rig->last_body);
    if (keep)
        memcpy(rig->last_body, request->body.ptr, keep);
    rig->last_body_len = request->body.len;
    ck_assert_uint_lt(rig->held_count, RIG_HELD);
    if (gd_span_is(request->target.path, "/later"))
        rig->held[rig->held_count++] = request;
    else
        rig_answer(rig, request);
}

static inline void rig_on_gone(void *arg, struct gd_request *request)
{
    struct rig *rig = arg;

    rig->gone++;
    rig->refused = request->refused;
    for (unsigned i = 0; i < rig->held_count; i++)
        if (rig->held[i] == request)
            rig->held[i] = rig->held[--rig->held_count];
}

static inline void rig_answer_held(struct rig *rig)
{
    struct gd_request *request = rig->held[0];

    ck_assert_uint_gt(rig->held_count, 0);
    rig->held_count--;
    memmove(rig->held, rig->held + 1, rig->held_count * sizeof(rig->held[0]));
    rig_answer(rig, request);
}

/* Fills the limits; a test may change them before rig_start. */
static inline void rig_init(struct rig *rig)
{
    *rig = (struct rig){.listen_fd = -1, .big_bytes = 1000};
    rig->limits = (struct gd_plan_limits){.request_line = 8192,
                                          .header_bytes = 32768,
                                          .header_fields = 100,
                                          .handshake_timeout_ms = 10000,
                                          .handshakes = 1000,
                                          .header_timeout_ms = 10000,
                                          .body_timeout_ms = 10000,
                                          .idle_timeout_ms = 10000,
                                          .write_timeout_ms = 10000,
                                          .requests_per_connection = 10000,
                                          .connections = 1000,
                                          .request_memory = 32 << 20};
}

static inline void rig_start(struct rig *rig)
{
    struct gd_plan_address where = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "http://127.0.0.1:0"};
    struct gd_err err = {.text = ""};
    struct gd_front_config config = {
        .limits = &rig->limits, .max_body = 1 << 20, .stats = rig->stats, .arg = rig};

    rig->big = calloc(1, rig->big_bytes);
    ck_assert_ptr_nonnull(rig->big);
    for (int i = 0; i < RIG_PIECES; i++)
        rig->pieces[i] =
            (struct iovec){rig->big + rig->big_bytes / RIG_PIECES * (size_t)i,
                           rig->big_bytes / RIG_PIECES};
    rig->loop = gd_loop_new(&err);
    ck_assert_msg(rig->loop != NULL, "%s", err.text);
    config.loop = rig->loop;
    config.handler =
        (struct gd_handler){.on_head = rig->no_head_handler ? NULL : rig_on_head,
                            .on_request = rig_on_request,
                            .on_gone = rig_on_gone};
    if (rig->handler)
        config.handler = *rig->handler;
    rig->front = gd_front_new(&config, &err);
    ck_assert_msg(rig->front != NULL, "%s", err.text);
    rig->listen_fd = gd_listen_open(&where, 1024, &rig->address, &err);
    ck_assert_msg(rig->listen_fd >= 0, "%s", err.text);
    ck_assert_msg(gd_front_listen(rig->front, rig->listen_fd, rig->listen, &err), "%s",
                  err.text);
}

static inline bool rig_never(void *arg)
{
    (void)arg;
    return false;
}

/* Lets the loop run for a while. */
static inline void rig_run(struct rig *rig, uint32_t ms)
{
    (void)gd_loop_run_until(rig->loop, rig_never, NULL, ms);
}

static inline bool rig_nobody_left(void *arg)
{
    return ((struct rig *)arg)->stats[GD_WORKER_CONNECTIONS_OPEN] == 0;
}

/* Ends the test: every gauge is back at zero, every answer released, every request that
 * the handler saw answered or gone, and no more than once. */
static inline void rig_stop(struct rig *rig)
{
    ck_assert(gd_loop_run_until(rig->loop, rig_nobody_left, rig, 5000));
    gd_front_free(rig->front);
    close(rig->listen_fd);
    gd_loop_free(rig->loop);
    ck_assert_uint_eq(rig->stats[GD_WORKER_CONNECTIONS_OPEN], 0);
    ck_assert_uint_eq(rig->stats[GD_WORKER_IN_FLIGHT], 0);
    ck_assert_uint_eq(rig->held_count, 0);
    if (!rig->no_head_handler)
        ck_assert_uint_eq(rig->heads, rig->answers + rig->gone);
    free(rig->big);
}

#endif
