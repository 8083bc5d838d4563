#include "upstream/reply.h"

#include "upstream/pool.h"

/* One readable event is answered with a bounded amount of work; the socket stays readable
 * and the rest has its turn with everyone else's. */
enum { READS_PER_TURN = 16, BYTES_PER_TURN = 1 << 20 };

enum {
    FIRST_READ = 4096,     /* room for the first bytes of a reply */
    HINT_MAX = 65536,      /* …at most, when the last reply was longer */
    ROOM_MIN = 1024,       /* less room than this is not worth a read */
    FRAMING_ROOM = 131072, /* for chunk lines and bytes behind the end in the buffer */
};

static const struct gd_head_limits limits = {.line_bytes = 8192,
                                             .head_bytes = GD_REPLY_HEAD_MAX,
                                             .field_count = GD_REPLY_FIELDS_MAX};

/* Heads ------------------------------------------------------------------------------ */

static enum gd_verdict refuse(struct gd_reply_reader *reader, enum gd_failure failure,
                              const char *why)
{
    reader->failure = failure;
    reader->why = why;
    return GD_VERDICT_FAILED;
}

static enum gd_verdict refuse_head(struct gd_reply_reader *reader)
{
    const struct gd_head_state *state = &reader->state;

    return refuse(reader,
                  state->refusal == GD_REFUSE_HEAD_TOO_LARGE ? GD_FAIL_TOO_LARGE
                                                             : GD_FAIL_PROTOCOL,
                  state->why ? state->why : "the head is not valid HTTP");
}

enum gd_verdict gd_reply_final_head(struct gd_reply_reader *reader, struct gd_buf *bytes,
                                    struct gd_field *fields,
                                    struct gd_response_head *head)
{
    for (;;) {
        switch (gd_response_head_parse(&reader->state, gd_buf_span(bytes), &limits,
                                       reader->method, fields, head)) {
        case GD_PARSE_MORE:
            return GD_VERDICT_MORE;
        case GD_PARSE_REFUSED:
            return refuse_head(reader);
        case GD_PARSE_DONE:
            break;
        }
        if (head->status >= 200)
            return GD_VERDICT_COMPLETE;
        /* Nothing of ours asks for another protocol, so 101 is none of the interim ones.
         */
        if (head->status == 101)
            return refuse(reader, GD_FAIL_PROTOCOL, "an upgrade nobody asked for");
        if (++reader->informational > GD_INFORMATIONAL_MAX)
            return refuse(reader, GD_FAIL_PROTOCOL, "too many interim answers");
        gd_buf_drop(bytes, head->bytes);
        reader->state = (struct gd_head_state){0};
    }
}

/* Bodies ----------------------------------------------------------------------------- */

enum gd_verdict gd_reply_fail(struct gd_exchange *exchange, enum gd_failure failure,
                              const char *why)
{
    exchange->failure = failure;
    exchange->why = why;
    return GD_VERDICT_FAILED;
}

void gd_reply_init(struct gd_exchange *exchange)
{
    const size_t extra = GD_REPLY_HEAD_MAX + FRAMING_ROOM;
    size_t max = exchange->max_response;

    max = max > SIZE_MAX - extra ? SIZE_MAX : max + extra;
    gd_buf_init(&exchange->reply, gd_loop_blocks(exchange->session->server->loop), max);
    exchange->reply.budget = exchange->budget;
    exchange->reader = (struct gd_reply_reader){.method = exchange->reader.method};
    exchange->head_bytes = 0;
    exchange->status = 0;
    exchange->codings = (struct gd_codings){.count = 0};
    exchange->body = GD_SPAN_NONE;
    exchange->why = NULL;
    exchange->heard = false;
    exchange->refused = false;
    exchange->reusable = false;
}

/* Makes room for the next read. One byte more than the reply is to have, so that a byte
 * behind its end is seen when it is already there. */
static bool make_room(struct gd_exchange *exchange)
{
    struct gd_buf *reply = &exchange->reply;
    size_t want = ROOM_MIN;

    if (reply->cap == 0)
        want = exchange->session->server->reply_hint;
    if (want < FIRST_READ && reply->cap == 0)
        want = FIRST_READ;
    if (exchange->state == GD_EXCHANGE_BODY &&
        exchange->decoder.framing == GD_FRAMING_LENGTH)
        want = exchange->body_end + 1 - reply->len;
    return reply->cap - reply->len >= want || gd_buf_reserve(reply, want);
}

/* The body ends at `end` bytes of the buffer; `extra` bytes came behind it. */
static enum gd_verdict complete(struct gd_exchange *exchange, size_t end, size_t extra)
{
    exchange->body.ptr = exchange->reply.data + exchange->head_bytes;
    exchange->body.len = end - exchange->head_bytes;
    if (extra > 0 || gd_session_ended(exchange->session))
        exchange->reusable = false;
    exchange->session->server->reply_hint = end < HINT_MAX ? end + 1 : FIRST_READ;
    return GD_VERDICT_COMPLETE;
}

static enum gd_verdict decode_chunks(struct gd_exchange *exchange)
{
    struct gd_buf *reply = &exchange->reply;
    struct gd_span input = {reply->data + exchange->decoded,
                            reply->len - exchange->decoded};
    const size_t end_max = exchange->head_bytes + exchange->max_response;
    struct gd_span data;
    size_t consumed;

    for (;;) {
        enum gd_body_result result =
            gd_body_step(&exchange->decoder, input, &consumed, &data);

        input.ptr += consumed;
        input.len -= consumed;
        switch (result) {
        case GD_BODY_DATA:
            if (data.len > end_max - exchange->decoded)
                return gd_reply_fail(exchange, GD_FAIL_TOO_LARGE,
                                     "the chunks are more than max_response");
            memmove(reply->data + exchange->decoded, data.ptr, data.len);
            exchange->decoded += data.len;
            break;
        case GD_BODY_MORE:
            reply->len = exchange->decoded;
            return GD_VERDICT_MORE;
        case GD_BODY_DONE:
            return complete(exchange, exchange->decoded, input.len);
        case GD_BODY_BAD:
            return gd_reply_fail(exchange, GD_FAIL_PROTOCOL,
                                 "the chunked coding is malformed");
        }
    }
}

/* Where HTTP/2 is spoken, the stream tells when the body is complete, and that it has its
 * length. */
static enum gd_verdict look_at_stream(struct gd_exchange *exchange)
{
    const size_t len = exchange->reply.len;

    if (len - exchange->head_bytes > exchange->max_response)
        return gd_reply_fail(exchange, GD_FAIL_TOO_LARGE,
                             "the body is more than max_response");
    return gd_session_at_end(exchange->session) ? complete(exchange, len, 0)
                                                : GD_VERDICT_MORE;
}

static enum gd_verdict look_at_body(struct gd_exchange *exchange)
{
    const size_t len = exchange->reply.len;

    if (exchange->session->h2)
        return look_at_stream(exchange);
    switch (exchange->decoder.framing) {
    case GD_FRAMING_NONE:
        return complete(exchange, exchange->head_bytes, len - exchange->head_bytes);
    case GD_FRAMING_LENGTH:
        if (len < exchange->body_end)
            return GD_VERDICT_MORE;
        return complete(exchange, exchange->body_end, len - exchange->body_end);
    case GD_FRAMING_CHUNKED:
        return decode_chunks(exchange);
    case GD_FRAMING_EOF:
        break;
    }
    if (len - exchange->head_bytes > exchange->max_response)
        return gd_reply_fail(exchange, GD_FAIL_TOO_LARGE,
                             "the body is more than max_response");
    return GD_VERDICT_MORE;
}

/* A final head is there. */
static enum gd_verdict take_head(struct gd_exchange *exchange,
                                 const struct gd_response_head *head)
{
    exchange->status = head->status;
    exchange->codings = gd_codings_read(&head->fields);
    exchange->head_bytes = head->bytes;
    exchange->decoded = head->bytes;
    exchange->reusable = head->keep_alive;
    exchange->state = GD_EXCHANGE_BODY;
    gd_body_init(&exchange->decoder, head->framing, head->content_length);
    if (head->framing == GD_FRAMING_LENGTH) {
        if (head->content_length > exchange->max_response)
            return gd_reply_fail(exchange, GD_FAIL_TOO_LARGE,
                                 "Content-Length is above max_response");
        exchange->body_end = head->bytes + (size_t)head->content_length;
    }
    return look_at_body(exchange);
}

static enum gd_verdict look_at_head(struct gd_exchange *exchange)
{
    struct gd_field fields[GD_REPLY_FIELDS_MAX];
    struct gd_response_head head;
    enum gd_verdict verdict =
        gd_reply_final_head(&exchange->reader, &exchange->reply, fields, &head);

    if (verdict == GD_VERDICT_COMPLETE)
        return take_head(exchange, &head);
    if (verdict == GD_VERDICT_FAILED)
        return gd_reply_fail(exchange, exchange->reader.failure, exchange->reader.why);
    return verdict;
}

bool gd_exchange_head(const struct gd_exchange *exchange, struct gd_field *items,
                      struct gd_response_head *out)
{
    struct gd_span head = {exchange->reply.data, exchange->head_bytes};
    struct gd_head_state state = {0};

    return head.len > 0 &&
           gd_response_head_parse(&state, head, &limits, exchange->reader.method, items,
                                  out) == GD_PARSE_DONE;
}

/* The server will send no more. */
static enum gd_verdict look_at_end(struct gd_exchange *exchange)
{
    if (exchange->state == GD_EXCHANGE_BODY &&
        (gd_session_at_end(exchange->session) ||
         (exchange->decoder.framing == GD_FRAMING_EOF && !exchange->session->stream.cut)))
        return complete(exchange, exchange->reply.len, 0);
    if (!exchange->heard)
        return gd_reply_fail(exchange, GD_FAIL_RESET, "closed without an answer");
    return gd_reply_fail(exchange, GD_FAIL_RESET,
                         exchange->state == GD_EXCHANGE_HEAD
                             ? "closed in the middle of the head"
                             : "closed in the middle of the body");
}

static enum gd_verdict fail_io(struct gd_exchange *exchange)
{
    const char *why;
    enum gd_failure failure = gd_session_failure(exchange->session, &why);

    return gd_reply_fail(exchange, failure, why);
}

enum gd_verdict gd_reply_read(struct gd_exchange *exchange)
{
    struct gd_buf *reply = &exchange->reply;
    size_t total = 0;

    for (int reads = 0; reads < READS_PER_TURN && total < BYTES_PER_TURN; reads++) {
        enum gd_verdict verdict;
        size_t room, n;

        if (!make_room(exchange))
            return gd_reply_fail(exchange, GD_FAIL_TOO_LARGE, "no memory for the answer");
        room = reply->cap - reply->len;
        switch (gd_session_read(exchange->session, reply->data + reply->len, room, &n)) {
        case GD_IO_OK:
            break;
        case GD_IO_AGAIN:
            if (reply->len == 0)
                gd_buf_free(reply); /* woken for nothing: wait without memory */
            return GD_VERDICT_MORE;
        case GD_IO_EOF:
            return look_at_end(exchange);
        case GD_IO_ERROR:
            return fail_io(exchange);
        }
        reply->len += n;
        total += n;
        if (!exchange->heard)
            exchange->heard_us = gd_loop_now_us(exchange->session->server->loop);
        exchange->heard = true;
        verdict = exchange->state == GD_EXCHANGE_HEAD ? look_at_head(exchange)
                                                      : look_at_body(exchange);
        /* A read that left room has emptied the socket; asking again would be in vain,
         * unless the end is known to be next. */
        if (verdict != GD_VERDICT_MORE ||
            (n < room && !gd_session_ended(exchange->session)))
            return verdict;
    }
    return GD_VERDICT_MORE;
}
