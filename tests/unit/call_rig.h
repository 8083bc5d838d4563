#ifndef GD_TESTS_CALL_RIG_H
#define GD_TESTS_CALL_RIG_H
/**
 * Calls on the scripted servers of a pool rig: a lease and an exchange each.
 */
#include "pool_rig.h"
#include "upstream/exchange.h"

/* One call: a lease, an exchange on it, and what became of both. */
struct call {
    struct holder holder;
    struct gd_exchange exchange;
    int done;
    enum gd_failure failure;
};

static inline void on_done(void *arg, enum gd_failure failure)
{
    struct call *call = arg;

    call->done++;
    call->failure = failure;
}

static inline bool is_done(void *arg)
{
    return ((struct call *)arg)->done > 0;
}

/* Starts on the session the call has leased. The request is a head with `extra` bytes in
 * front of its blank line. */
static inline void call_start(struct rig *rig, struct call *call, enum gd_method method,
                              size_t extra)
{
    struct gd_buf request;

    gd_buf_init(&request, gd_loop_blocks(rig->loop), 16 << 20);
    ck_assert(
        gd_buf_addf(&request, "%s / HTTP/1.1\r\nHost: x\r\n", gd_method_text(method)));
    ck_assert(gd_buf_reserve(&request, extra + 4));
    memset(request.data + request.len, 'x', extra);
    request.len += extra;
    ck_assert(gd_buf_add_text(&request, extra ? "\r\n\r\n" : "\r\n"));
    call->done = 0;
    gd_exchange_start(&call->exchange, call->holder.lease.session, method, &request,
                      rig->upstream.max_response, on_done, call);
    ck_assert_int_eq(call->done, 0);
    ck_assert_ptr_null(request.data);
}

static inline void call_wait(struct rig *rig, struct call *call)
{
    ck_assert(gd_loop_run_until(rig->loop, is_done, call, 5000));
    ck_assert_int_eq(call->done, 1);
    if (call->failure != GD_OK) {
        ck_assert(!call->exchange.reusable);
        ck_assert_ptr_nonnull(call->exchange.why);
        ck_assert_ptr_null(call->exchange.body.ptr);
    }
}

static inline enum gd_failure call_run(struct rig *rig, struct call *call,
                                       enum gd_method method)
{
    holder_get(rig, &call->holder);
    call_start(rig, call, method, 0);
    call_wait(rig, call);
    return call->failure;
}

static inline void call_end(struct call *call)
{
    bool reusable = call->exchange.reusable;

    gd_exchange_free(&call->exchange);
    gd_lease_end(&call->holder.lease, reusable);
}

static inline void answer_with(struct rig *rig, const char *text)
{
    rig->peers[0].answer = gd_span_of(text);
}

static inline void check_span(struct gd_span span, const char *text)
{
    ck_assert_ptr_nonnull(span.ptr);
    ck_assert_msg(gd_span_is(span, text), "\"%.*s\" is not \"%s\"", GD_SPAN_ARG(span),
                  text);
}

static inline void check_body(const struct call *call, const char *body)
{
    check_span(call->exchange.body, body);
}

enum { BIG = 400000 };

enum framing { BY_LENGTH, BY_CHUNK, BY_END, IN_FIELD };

/* Runs a call whose answer has `body` bytes of "b", framed in some way, then tail. */
static inline enum gd_failure big_answer(struct rig *rig, struct call *call, size_t body,
                                         enum framing framing, const char *tail)
{
    static char big[BIG];
    int at = 0;

    switch (framing) {
    case BY_LENGTH:
        at = snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                      body);
        break;
    case BY_CHUNK:
        at = snprintf(big, sizeof(big),
                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
                      body);
        break;
    case BY_END:
        at = snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\n\r\n");
        break;
    case IN_FIELD:
        at = snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ");
        break;
    }
    memset(big + at, 'b', body);
    memcpy(big + (size_t)at + body, tail, strlen(tail));
    rig->peers[0].answer = (struct gd_span){big, (size_t)at + body + strlen(tail)};
    return call_run(rig, call, GD_METHOD_GET);
}

#endif
