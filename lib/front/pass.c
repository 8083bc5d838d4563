#include "front/pass.h"

#include <stdio.h>

#include "base/log.h"
#include "front/pass_head.h"
#include "gather/fields.h"
#include "gather/timing.h"
#include "upstream/relay.h"

enum {
    HEAD_EXTRA_BYTES = 128 * 1024, /* of a request, above limits.header_bytes */
    HEAD_USUAL = 768,
};

struct gd_pass {
    struct gd_gather_context *shared;
    struct gd_request *request;
    const struct gd_plan_route *route;
    struct gd_forward *forward;
    void (*on_end)(void *arg, int status, enum gd_failure failure);
    void *arg;
    struct gd_span line;           /* of the request */
    struct gd_plan_header *fields; /* the route's own, of the answer */
    unsigned field_count;
    struct gd_buf head; /* its head, until the relay takes it */
    struct gd_lease lease;
    struct gd_relay relay;
    struct gd_timer timer;
    uint64_t start_us, asked_us, leased_us, ended_us; /* as in a trail */
    uint64_t moved, moved_us; /* what the relay had moved, and when that was seen */
    int status;               /* of the reply */
    bool opened;              /* the answer's head was handed over */
    bool leased;
    bool uploading;          /* the request's body is not complete */
    bool consumed;           /* a piece of it was taken */
    bool paused;             /* it is held back */
    bool held;               /* the client has not taken a piece of the answer */
    bool retried;            /* the one retry after a stale connection is used up */
    bool fresh;              /* the next lease must be a new connection */
    bool extra;              /* it holds one of the upstream's tries beside the first */
    enum gd_failure failure; /* once it has ended */
    uint32_t tries;          /* beside the first */
    uint32_t refusals;       /* times the server had not looked at the request */
};

static void attempt(struct gd_pass *pass);

static const struct gd_plan_upstream *upstream_of(const struct gd_pass *pass)
{
    return pass->route->pass->upstream;
}

static struct gd_upstream_stats *stats_of(const struct gd_pass *pass)
{
    return pass->shared->stats->upstreams[upstream_of(pass)->index];
}

/* The end ---------------------------------------------------------------------------- */

/* Tells what became of the request. A deadline that is not the server's own says
 * something of it only when it had a fair part of the time a try may take, as with calls.
 */
static void judge(const struct gd_pass *pass, enum gd_failure failure, int status)
{
    uint64_t fair_us = (uint64_t)upstream_of(pass)->timeout_ms * 1000 / 4;
    uint64_t had_us = gd_loop_now_us(pass->shared->loop) - pass->start_us;

    if (pass->lease.session && (failure != GD_FAIL_TIMEOUT || had_us >= fair_us))
        gd_lease_judge(&pass->lease, failure, status);
}

static void end_extra(struct gd_pass *pass)
{
    if (pass->extra)
        gd_upstream_end_extra(pass->shared->upstreams, upstream_of(pass)->index);
    pass->extra = false;
}

/* As gd_retry_take_extra. */
static bool take_extra(struct gd_pass *pass)
{
    end_extra(pass);
    pass->extra =
        gd_upstream_take_extra(pass->shared->upstreams, upstream_of(pass)->index);
    if (!pass->extra)
        gd_stat_inc(&stats_of(pass)->values[GD_UPSTREAM_OVER_BUDGET]);
    return pass->extra;
}

/* Gives back what is held of the upstream, and counts. */
static void leave_upstream(struct gd_pass *pass, enum gd_failure failure)
{
    struct gd_upstream_stats *stats = stats_of(pass);

    pass->ended_us = gd_loop_now_us(pass->shared->loop);
    pass->failure = failure;
    gd_timer_disarm(&pass->timer);
    judge(pass, failure, pass->status);
    gd_relay_cancel(&pass->relay);
    gd_lease_end(&pass->lease, pass->relay.reusable);
    end_extra(pass);
    gd_stat_add(&stats->values[GD_UPSTREAM_IN_FLIGHT], -1);
    if (failure)
        gd_stat_inc(&stats->values[GD_UPSTREAM_FAIL_CONNECT + failure - 1]);
    else
        gd_stat_inc(&stats->values[GD_UPSTREAM_SUCCEEDED]);
    gd_hist_record(&stats->latency, gd_loop_now_us(pass->shared->loop) - pass->start_us);
}

static void release(struct gd_pass *pass)
{
    gd_relay_free(&pass->relay);
    gd_buf_free(&pass->head);
}

static void on_release(void *arg)
{
    release(arg);
}

static void fail(struct gd_pass *pass, enum gd_failure failure)
{
    struct gd_request *request = pass->request;

    if (gd_log_enabled(GD_LOG_DEBUG))
        gd_log(GD_LOG_DEBUG, "pass %.*s: %s: %s", GD_SPAN_ARG(request->id),
               gd_failure_word(failure), pass->relay.why ? pass->relay.why : "no reply");
    leave_upstream(pass, failure);
    if (pass->opened) {
        pass->on_end(pass->arg, pass->status, failure);
        gd_request_abort(request);
        return;
    }
    pass->on_end(pass->arg, gd_failure_status(failure), failure);
    release(pass);
    gd_pass_answer_problem(request, failure);
}

void gd_pass_cancel(struct gd_pass *pass)
{
    if (pass->ended_us == 0)
        leave_upstream(pass, GD_FAIL_CANCELLED);
    release(pass);
}

bool gd_pass_trail(const struct gd_pass *pass, struct gd_trail *trail)
{
    const char *server = gd_lease_server_name(&pass->lease);

    *trail = (struct gd_trail){
        .name = gd_span_of(upstream_of(pass)->name),
        .server = server ? gd_span_of(server) : GD_SPAN(""),
        .item = GD_TRAIL_SINGLE,
        .start_us = pass->start_us,
        .asked_us = pass->asked_us,
        .dial_us = pass->asked_us ? pass->lease.dial_us : 0,
        .leased_us = pass->leased_us,
        .heard_us = pass->leased_us && pass->relay.heard ? pass->relay.heard_us : 0,
        .end_us = pass->ended_us,
        .failure = pass->failure,
        .status = pass->status,
        .tries = pass->tries,
        .stale = pass->retried,
    };
    return pass->ended_us != 0;
}

/* Deadlines -------------------------------------------------------------------------- */

/* Whether there is a time by which the reply's head has to be there. */
static bool has_deadline(const struct gd_pass *pass)
{
    return !pass->opened && !(pass->leased && pass->uploading);
}

/* From now on the upstream has to make progress; that is looked at from time to time. */
static void watch(struct gd_pass *pass)
{
    pass->moved = pass->relay.moved;
    pass->moved_us = gd_loop_now_us(pass->shared->loop);
    gd_timer_arm(&pass->timer, upstream_of(pass)->timeout_ms / 8 + 1);
}

static void on_timer(void *arg)
{
    struct gd_pass *pass = arg;
    uint64_t now_us = gd_loop_now_us(pass->shared->loop);
    uint32_t ms = upstream_of(pass)->timeout_ms;
    bool clients_turn = pass->held || (pass->uploading && !pass->paused);

    if (has_deadline(pass)) {
        fail(pass, GD_FAIL_TIMEOUT);
        return;
    }
    if (clients_turn || pass->moved != pass->relay.moved) {
        watch(pass);
        return;
    }
    if (now_us - pass->moved_us >= (uint64_t)ms * 1000)
        fail(pass, GD_FAIL_TIMEOUT);
    else
        gd_timer_arm(&pass->timer, ms / 8 + 1);
}

/* The reply ----------------------------------------------------------------------------
 */

static void on_client_writable(void *arg)
{
    struct gd_pass *pass = arg;

    pass->held = false;
    gd_relay_resume(&pass->relay);
}

/* What the upstream took to the head of its reply. */
static struct gd_span timing_of(struct gd_pass *pass)
{
    uint64_t took_us = gd_loop_now_us(pass->shared->loop) - pass->start_us;
    struct gd_buf *scratch = &pass->shared->scratch;

    scratch->len = 0;
    if (!gd_timing_add(scratch, upstream_of(pass)->name, took_us))
        scratch->len = 0;
    return gd_buf_span(scratch);
}

/* Opens the answer; whole: its bytes when all of them are here. */
static bool open_answer(struct gd_pass *pass, const struct gd_response_head *head,
                        size_t whole)
{
    struct gd_plan_header headers[GD_PASS_FIELDS_MAX];
    struct gd_answer answer = {
        .header_count = pass->field_count, .release = on_release, .release_arg = pass};
    bool is_head = pass->request->head.method == GD_METHOD_HEAD;

    if (pass->field_count)
        memcpy(headers, pass->fields, pass->field_count * sizeof(*headers));
    if (pass->route->finish.server_timing)
        headers[answer.header_count++] =
            (struct gd_plan_header){GD_SPAN("Server-Timing"), timing_of(pass)};
    if (!gd_pass_read_head(pass->route, head, is_head, whole, headers, &answer) ||
        !gd_request_open(pass->request, &answer, on_client_writable, pass))
        return false;
    pass->opened = true;
    pass->status = head->status;
    return true;
}

/* Sends a request that failed to another server, when the upstream's `retry` lets it:
 * listed says that it names the failure. Nothing of a body may have been taken, and
 * nothing of an answer shown. */
static bool retry(struct gd_pass *pass, bool listed, enum gd_failure failure, int status)
{
    const struct gd_plan_upstream *upstream = upstream_of(pass);
    const struct gd_plan_retry *plan = &upstream->retry;

    if (!listed || pass->tries >= plan->tries || pass->opened || pass->consumed ||
        pass->uploading || !(plan->methods >> pass->request->head.method & 1) ||
        !gd_upstream_has_other(pass->shared->upstreams, upstream->index, &pass->lease) ||
        !take_extra(pass))
        return false;
    gd_stat_inc(&stats_of(pass)->values[GD_UPSTREAM_RETRIES]);
    judge(pass, failure, status);
    pass->tries++;
    pass->leased = pass->retried = pass->fresh = false;
    pass->refusals = 0;
    pass->lease.avoid = pass->lease.server;
    gd_relay_cancel(&pass->relay);
    gd_lease_end(&pass->lease, pass->relay.reusable);
    gd_relay_free(&pass->relay);
    attempt(pass);
    return true;
}

static bool is_listed(const struct gd_pass *pass, enum gd_failure failure)
{
    return upstream_of(pass)->retry.failures >> failure & 1;
}

static enum gd_relay_say on_reply(void *arg, const struct gd_response_head *head,
                                  struct gd_span piece, bool last)
{
    struct gd_pass *pass = arg;
    struct iovec iov = {(char *)piece.ptr, piece.len};

    if (head &&
        retry(pass, gd_statuses_have(&upstream_of(pass)->retry.statuses, head->status),
              GD_OK, head->status))
        return GD_RELAY_OVER;
    if (head && !open_answer(pass, head, last ? piece.len : GD_LENGTH_UNKNOWN)) {
        pass->relay.why = "the head cannot be passed on";
        fail(pass, GD_FAIL_PROTOCOL);
        return GD_RELAY_OVER;
    }
    if (last) {
        leave_upstream(pass, GD_OK);
        pass->on_end(pass->arg, pass->status, GD_OK);
        gd_request_write(pass->request, &iov, piece.len > 0, true);
        return GD_RELAY_OVER;
    }
    if (head)
        watch(pass);
    pass->held = !gd_request_write(pass->request, &iov, piece.len > 0, false);
    return pass->held ? GD_RELAY_HOLD : GD_RELAY_MORE;
}

/* RFC 9112 9.3.1 and RFC 9113 8.7, as for a call, once for nothing and then from the
 * budget; what was taken of a body cannot be sent again. */
static bool may_resend(struct gd_pass *pass, enum gd_failure failure)
{
    bool refused = pass->relay.refused && pass->refusals < GD_REFUSALS_MAX;
    bool stale = pass->lease.reused && !pass->relay.heard && !pass->retried &&
                 gd_method_idempotent(pass->request->head.method);

    return failure == GD_FAIL_RESET && !pass->consumed &&
           (pass->relay.refused ? refused : stale) &&
           ((!pass->retried && pass->refusals == 0) || take_extra(pass));
}

static void on_failed(void *arg, enum gd_failure failure)
{
    struct gd_pass *pass = arg;

    if (!may_resend(pass, failure)) {
        if (!retry(pass, is_listed(pass, failure), failure, 0))
            fail(pass, failure);
        return;
    }
    if (pass->relay.refused)
        pass->refusals++;
    else
        pass->retried = true;
    pass->fresh = true;
    pass->leased = false;
    if (pass->uploading) /* its progress was watched until now */
        gd_timer_arm(&pass->timer, pass->route->timeout_ms);
    gd_lease_end(&pass->lease, false);
    gd_relay_free(&pass->relay);
    gd_stat_inc(&stats_of(pass)->values[GD_UPSTREAM_STALE_RETRIES]);
    attempt(pass);
}

/* The request ------------------------------------------------------------------------ */

static void pause_body(struct gd_pass *pass, bool pause)
{
    pass->paused = pause;
    gd_request_pause_body(pass->request, pause);
}

static void on_taken(void *arg)
{
    pause_body(arg, false);
}

void gd_pass_body(struct gd_pass *pass, struct gd_span piece, bool last)
{
    if (!gd_pass_has_body(pass->request))
        return;
    pass->consumed = true;
    pass->uploading = !last;
    if (last && !pass->opened)
        gd_timer_arm(&pass->timer, pass->route->timeout_ms);
    if (!gd_relay_send(&pass->relay, piece, last))
        pause_body(pass, true);
}

static void start_relay(struct gd_pass *pass)
{
    static const struct gd_relay_handler handler = {on_reply, on_failed, on_taken};
    struct gd_request *request = pass->request;
    bool has_body = gd_pass_has_body(request);

    pass->leased = true;
    pass->leased_us = gd_loop_now_us(pass->shared->loop);
    gd_buf_init(&pass->head, gd_loop_blocks(pass->shared->loop),
                HEAD_EXTRA_BYTES + pass->shared->limits->header_bytes);
    if (!gd_buf_reserve(&pass->head, HEAD_USUAL) ||
        !gd_buf_add_span(&pass->head, pass->line) ||
        !gd_pass_write_fields(&pass->head, pass->route->pass,
                              gd_lease_server(&pass->lease), request, pass->forward)) {
        fail(pass, GD_FAIL_TOO_LARGE);
        return;
    }
    gd_relay_start(&pass->relay, pass->lease.session, request->head.method, &pass->head,
                   has_body ? request->head.framing : GD_FRAMING_NONE, &handler, pass);
    if (has_body) {
        watch(pass);
        pause_body(pass, false);
    }
}

static void on_lease(void *arg, enum gd_failure failure)
{
    struct gd_pass *pass = arg;

    if (failure == GD_OK)
        start_relay(pass);
    else if (!retry(pass, is_listed(pass, failure), failure, 0))
        fail(pass, failure);
}

/* Once, once more after a stale connection, and as often as `retry` lets it. */
static void attempt(struct gd_pass *pass)
{
    const struct gd_plan_pass *plan = pass->route->pass;

    pass->asked_us = gd_loop_now_us(pass->shared->loop);
    pass->leased_us = 0;
    pass->lease.may_fail =
        pass->tries < plan->upstream->retry.tries && !gd_pass_has_body(pass->request);
    switch (gd_upstream_lease(pass->shared->upstreams, plan->upstream->index, pass->fresh,
                              &pass->lease, on_lease, pass)) {
    case GD_LEASE_READY:
        start_relay(pass);
        break;
    case GD_LEASE_WAIT:
        pause_body(pass, true);
        break;
    case GD_LEASE_FULL:
        fail(pass, GD_FAIL_OVERLOAD);
        break;
    }
}

static enum gd_failure make_fields(struct gd_pass *pass, const struct gd_values *values)
{
    const struct gd_plan_route *route = pass->route;
    struct gd_arena *arena = pass->request->arena;

    if (route->own_fields == 0)
        return GD_OK;
    pass->fields = gd_arena_raw(arena, route->own_fields * sizeof(*pass->fields));
    return pass->fields && gd_answer_fields(route, values, arena, &pass->shared->scratch,
                                            pass->fields, &pass->field_count)
               ? GD_OK
               : GD_FAIL_TOO_LARGE;
}

/* Writes the request line, which stays the same whatever server it goes to. */
static enum gd_failure write_line(struct gd_pass *pass, const struct gd_values *values)
{
    struct gd_buf line;
    enum gd_failure failure;

    gd_buf_init(&line, gd_loop_blocks(pass->shared->loop), HEAD_EXTRA_BYTES);
    failure = gd_pass_write_line(&line, pass->route->pass, pass->request, values,
                                 &pass->shared->scratch);
    if (failure == GD_OK)
        pass->line = gd_arena_copy(pass->request->arena, gd_buf_span(&line));
    gd_buf_free(&line);
    return failure == GD_OK && pass->line.ptr == NULL ? GD_FAIL_TOO_LARGE : failure;
}

struct gd_pass *
gd_pass_new(struct gd_gather_context *shared, struct gd_request *request,
            const struct gd_plan_route *route, struct gd_forward *forward,
            void (*on_end)(void *arg, int status, enum gd_failure failure), void *arg)
{
    struct gd_pass *pass = gd_arena_alloc(request->arena, sizeof(*pass));

    if (pass == NULL)
        return NULL;
    pass->shared = shared;
    pass->request = request;
    pass->route = route;
    pass->forward = forward;
    pass->on_end = on_end;
    pass->arg = arg;
    pass->start_us = gd_loop_now_us(shared->loop);
    pass->uploading = gd_pass_has_body(request);
    return pass;
}

void gd_pass_start(struct gd_pass *pass, const struct gd_values *values)
{
    struct gd_upstream_stats *stats = stats_of(pass);
    enum gd_failure failure = write_line(pass, values);

    gd_stat_inc(&stats->values[GD_UPSTREAM_CALLS]);
    gd_stat_inc(&stats->values[GD_UPSTREAM_IN_FLIGHT]);
    if (upstream_of(pass)->hash_key)
        pass->lease.key =
            gd_upstream_key(upstream_of(pass), values, &pass->shared->scratch);
    if (failure == GD_OK)
        failure = make_fields(pass, values);
    gd_timer_init(&pass->timer, pass->shared->loop, on_timer, pass);
    gd_timer_arm(&pass->timer, pass->route->timeout_ms);
    if (failure)
        fail(pass, failure);
    else
        attempt(pass);
}
