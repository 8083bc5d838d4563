#include "upstream/exchange.h"

#include <assert.h>

#include "upstream/pool.h"
#include "upstream/reply.h"

static bool running(const struct gd_exchange *exchange)
{
    return exchange->state == GD_EXCHANGE_HEAD || exchange->state == GD_EXCHANGE_BODY;
}

/* Lets go of the session. clean: nothing of this exchange is left on it. */
static void leave_session(struct gd_exchange *exchange, bool clean)
{
    struct gd_session *session = exchange->session;

    gd_work_cancel(&exchange->outcome);
    gd_buf_free(&exchange->request);
    gd_session_detach(session);
    if (!clean)
        session->spoiled = true;
    exchange->session = NULL;
}

static void finish(struct gd_exchange *exchange, enum gd_verdict verdict)
{
    enum gd_failure failure = GD_OK;

    if (verdict == GD_VERDICT_FAILED) {
        failure = exchange->failure;
        exchange->refused = gd_session_refused(exchange->session);
        exchange->reusable = false;
        exchange->body = GD_SPAN_NONE;
        gd_buf_free(&exchange->reply);
    } else {
        /* An answer to half a request leaves the other half in the way. */
        if (exchange->request.len > 0)
            exchange->reusable = false;
        exchange->session->outstanding = exchange->request.len > 0;
    }
    exchange->state = GD_EXCHANGE_DONE;
    leave_session(exchange, exchange->reusable);
    exchange->on_done(exchange->arg, failure);
}

static void on_readable(void *arg)
{
    struct gd_exchange *exchange = arg;
    struct gd_session *session = exchange->session;
    enum gd_verdict verdict;

    /* Readable in the very turn the request was written: the bytes, or the end, were
     * there before it and are no answer to it. */
    if (gd_session_is_strange(session, exchange->started_us,
                              gd_loop_now_us(session->server->loop))) {
        if (gd_session_is_quiet(session))
            return;
        finish(exchange, gd_reply_fail(exchange, GD_FAIL_RESET,
                                       "closed or unasked bytes while idle"));
        return;
    }
    verdict = gd_reply_read(exchange);
    if (verdict != GD_VERDICT_MORE)
        finish(exchange, verdict);
}

/* The request could not be written. When part of it was, the server may have answered
 * that part before it closed; and one that was not content with the handshake may have
 * said why. */
static void on_broken(void *arg)
{
    struct gd_exchange *exchange = arg;
    enum gd_verdict verdict = GD_VERDICT_MORE;

    if (exchange->written > 0 || gd_session_is_new_tls(exchange->session))
        verdict = gd_reply_read(exchange);
    if (verdict == GD_VERDICT_MORE)
        verdict = gd_reply_fail(exchange, GD_FAIL_RESET,
                                "the connection broke while the request was written");
    finish(exchange, verdict);
}

/* What is left of the request and of its content; how many pieces. */
static int unwritten(const struct gd_exchange *exchange, struct iovec pieces[2])
{
    const struct gd_buf *request = &exchange->request;
    size_t head = exchange->written < request->len ? exchange->written : request->len;
    size_t body = exchange->written - head;
    int count = 0;

    if (head < request->len)
        pieces[count++] = (struct iovec){request->data + head, request->len - head};
    if (body < exchange->content.len)
        pieces[count++] = (struct iovec){(char *)exchange->content.ptr + body,
                                         exchange->content.len - body};
    return count;
}

/* Writes what is left of the request. */
static void write_request(struct gd_exchange *exchange)
{
    struct gd_buf *request = &exchange->request;
    struct gd_session *session = exchange->session;
    struct iovec pieces[2];
    size_t n = 0;

    switch (gd_session_write(session, pieces, unwritten(exchange, pieces), &n)) {
    case GD_IO_OK:
    case GD_IO_AGAIN:
        exchange->written += n;
        if (exchange->written == request->len + exchange->content.len)
            gd_buf_free(request);
        gd_session_want_write(session, request->len > 0);
        break;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        gd_session_want_write(session, false);
        gd_loop_defer(session->server->loop, &exchange->outcome, on_broken, exchange);
        break;
    }
}

static void on_writable(void *arg)
{
    write_request(arg);
}

static void on_spoiled(void *arg)
{
    struct gd_exchange *exchange = arg;

    finish(exchange,
           gd_reply_fail(exchange, GD_FAIL_RESET, "closed or unasked bytes while idle"));
}

void gd_exchange_start(struct gd_exchange *exchange, struct gd_session *session,
                       enum gd_method method, struct gd_buf *request, size_t max_response,
                       void (*on_done)(void *arg, enum gd_failure failure), void *arg)
{
    struct gd_loop *loop = session->server->loop;

    assert(!running(exchange) && exchange->reply.data == NULL && request->len > 0);
    exchange->session = session;
    exchange->on_done = on_done;
    exchange->arg = arg;
    exchange->reader.method = method;
    exchange->max_response = max_response;
    exchange->written = 0;
    exchange->started_us = gd_loop_now_us(loop);
    exchange->state = GD_EXCHANGE_HEAD;
    gd_buf_move(&exchange->request, request);
    gd_reply_init(exchange);
    gd_session_attach(session, on_readable, on_writable, exchange);
    if (session->spoiled) {
        gd_loop_defer(loop, &exchange->outcome, on_spoiled, exchange);
        return;
    }
    session->outstanding = true;
    write_request(exchange);
}

void gd_exchange_cancel(struct gd_exchange *exchange)
{
    if (!running(exchange))
        return;
    exchange->reusable = false;
    leave_session(exchange, false);
    exchange->state = GD_EXCHANGE_NONE;
}

void gd_exchange_free(struct gd_exchange *exchange)
{
    gd_exchange_cancel(exchange);
    gd_buf_free(&exchange->reply);
    exchange->body = GD_SPAN_NONE;
    exchange->state = GD_EXCHANGE_NONE;
}
