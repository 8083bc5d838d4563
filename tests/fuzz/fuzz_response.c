/*
 * A stream of an upstream's answers, heads and bodies, to a request whose method the
 * first byte chooses: read in one piece and in pieces, the result must be the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/body.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, FIELDS = 8, TRACE_MAX = 4 * INPUT_MAX };
static const struct gd_head_limits limits = {120, 400, FIELDS};

#define REQUIRE(condition)                                                               \
    do {                                                                                 \
        if (!(condition))                                                                \
            abort();                                                                     \
    } while (0)

struct reader {
    enum gd_method method;
    struct gd_head_state state;
    struct gd_body body;
    bool in_body, stopped, keep_alive;
    struct gd_buf trace; /* what was read, for comparison */
};

static void note(struct reader *reader, const char *bytes, size_t len)
{
    REQUIRE(gd_buf_add(&reader->trace, bytes, len));
}

static void note_number(struct reader *reader, uint64_t number)
{
    REQUIRE(gd_buf_add_u64(&reader->trace, number) && gd_buf_add(&reader->trace, " ", 1));
}

static void check_head(const struct reader *reader, const struct gd_response_head *head)
{
    REQUIRE(head->status >= 100 && head->status <= 999);
    REQUIRE(head->framing != GD_FRAMING_EOF || !head->keep_alive);
    REQUIRE(head->framing == GD_FRAMING_LENGTH || head->content_length == 0);
    REQUIRE(head->framing == GD_FRAMING_NONE ||
            (reader->method != GD_METHOD_HEAD && head->status >= 200 &&
             head->status != 204 && head->status != 304));
    for (unsigned i = 0; i < head->fields.count; i++)
        REQUIRE(gd_is_token(head->fields.items[i].name) &&
                gd_is_field_value(head->fields.items[i].value));
}

static void note_head(struct reader *reader, const struct gd_response_head *head)
{
    note_number(reader, (uint64_t)head->status);
    note_number(reader, head->minor);
    note_number(reader, (uint64_t)head->framing);
    note_number(reader, head->content_length);
    note_number(reader, head->keep_alive);
    for (unsigned i = 0; i < head->fields.count; i++) {
        note_number(reader, (uint64_t)head->fields.items[i].id);
        note(reader, head->fields.items[i].name.ptr, head->fields.items[i].name.len);
        note(reader, "=", 1);
        note(reader, head->fields.items[i].value.ptr, head->fields.items[i].value.len);
    }
}

/* Both return the bytes used; 0 with nothing changed when more are needed. */
static size_t read_head(struct reader *reader, struct gd_span input)
{
    struct gd_field fields[FIELDS];
    struct gd_response_head head;
    enum gd_parse result = gd_response_head_parse(&reader->state, input, &limits,
                                                  reader->method, fields, &head);

    if (result == GD_PARSE_MORE)
        return 0;
    if (result == GD_PARSE_REFUSED) {
        REQUIRE(reader->state.refusal == GD_REFUSE_MALFORMED ||
                reader->state.refusal == GD_REFUSE_HEAD_TOO_LARGE);
        note_number(reader, (uint64_t)reader->state.refusal);
        reader->stopped = true;
        return 0;
    }
    check_head(reader, &head);
    note_head(reader, &head);
    reader->state = (struct gd_head_state){0};
    reader->in_body = true;
    reader->keep_alive = head.keep_alive;
    gd_body_init(&reader->body, head.framing, head.content_length);
    return head.bytes;
}

static size_t read_body(struct reader *reader, struct gd_span input)
{
    struct gd_span data;
    size_t used;

    switch (gd_body_step(&reader->body, input, &used, &data)) {
    case GD_BODY_DATA:
        note(reader, data.ptr, data.len);
        break;
    case GD_BODY_DONE:
        REQUIRE(gd_body_complete(&reader->body));
        note(reader, ".", 1);
        reader->in_body = false;
        reader->stopped = !reader->keep_alive;
        break;
    case GD_BODY_BAD:
        note(reader, "bad", 3);
        reader->stopped = true;
        break;
    case GD_BODY_MORE:
        break;
    }
    return used;
}

/* Reads bytes in pieces of 1 to max_piece bytes (0: in one piece). */
static void run(struct reader *reader, struct gd_span bytes, size_t max_piece,
                uint32_t seed)
{
    size_t start = 0, end = 0;

    gd_buf_init(&reader->trace, NULL, TRACE_MAX);
    while (end < bytes.len && !reader->stopped) {
        size_t used, left;
        char *copy; /* of exact size */

        seed = seed * 1664525 + 1013904223;
        end += max_piece ? 1 + (seed >> 16) % max_piece : bytes.len;
        end = end < bytes.len ? end : bytes.len;
        do {
            bool was_in_body = reader->in_body;

            left = end - start;
            copy = malloc(left + (left == 0));
            memcpy(copy, bytes.ptr + start, left);
            used = reader->in_body ? read_body(reader, (struct gd_span){copy, left})
                                   : read_head(reader, (struct gd_span){copy, left});
            free(copy);
            start += used;
            if (!used && was_in_body == reader->in_body)
                break;
        } while (!reader->stopped);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum gd_method methods[] = {GD_METHOD_GET, GD_METHOD_HEAD,
                                             GD_METHOD_POST, GD_METHOD_CONNECT};
    struct reader whole = {0}, pieces = {0};
    struct gd_span bytes;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    bytes = (struct gd_span){(const char *)data + 1, size - 1};
    whole.method = pieces.method = methods[data[0] % 4];
    run(&whole, bytes, 0, 1);
    run(&pieces, bytes, 1 + data[0] / 4, data[0]);
    REQUIRE(gd_span_eq(gd_buf_span(&whole.trace), gd_buf_span(&pieces.trace)));
    gd_buf_free(&whole.trace);
    gd_buf_free(&pieces.trace);
    return 0;
}
