/* Content codings of a reply that is complete. It is undone at once, not as it comes: so
 * the memory of a decoder, which the peer chooses, is held for one reply at a time. */
#include "upstream/exchange.h"

static enum gd_failure fail(struct gd_exchange *exchange, enum gd_failure failure,
                            const char *why)
{
    exchange->why = why;
    return failure;
}

/* Replaces the reply by its head and the body without the coding. */
static enum gd_failure undo(struct gd_exchange *exchange, enum gd_content_coding coding)
{
    struct gd_buf *reply = &exchange->reply;
    size_t head = exchange->head_bytes, max = exchange->max_response;
    enum gd_coding_result result = GD_CODING_TOO_LARGE;
    struct gd_buf out;

    gd_buf_init(&out, reply->blocks, max > SIZE_MAX - head ? SIZE_MAX : head + max);
    out.budget = reply->budget;
    if (gd_buf_add(&out, reply->data, head))
        result = gd_coding_decode(coding, exchange->body, &out);
    if (result == GD_CODING_DONE) {
        gd_buf_move(reply, &out);
        exchange->body = (struct gd_span){reply->data + head, reply->len - head};
        return GD_OK;
    }
    gd_buf_free(&out);
    return result == GD_CODING_BROKEN
               ? fail(exchange, GD_FAIL_PROTOCOL, "the content coding is broken")
               : fail(exchange, GD_FAIL_TOO_LARGE,
                      "the decoded body is more than max_response or memory allows");
}

enum gd_failure gd_exchange_decode(struct gd_exchange *exchange, bool asked)
{
    struct gd_codings *codings = &exchange->codings;
    enum gd_failure failure = GD_OK;

    if (exchange->body.len == 0 || (codings->count == 0 && !codings->unknown))
        return GD_OK;
    if (!asked || codings->unknown)
        return fail(exchange, GD_FAIL_PROTOCOL, "a content coding nobody asked for");
    while (failure == GD_OK && codings->count)
        failure = undo(exchange, codings->items[--codings->count]);
    return failure;
}
