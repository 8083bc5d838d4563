/*
 * A stream of requests, heads and bodies: read in one piece and in pieces chosen by the
 * first byte, the verdict and everything read must be the same; and what is taken must
 * keep the promises that the rest of the program builds on.
 */
/* Small enough for the fuzzer to reach. */
#define WALKER_LIMITS
enum { WALKER_FIELDS = 8, WALKER_LINE = 120, WALKER_HEAD = 400 };
#include "../unit/http_walker.h"

#include "http/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096 };

#define REQUIRE(condition)                                                               \
    do {                                                                                 \
        if (!(condition))                                                                \
            abort();                                                                     \
    } while (0)

/* The canonical path is canonical, whoever parses it, and is safe to write. */
static void check_target(const struct gd_request_head *head)
{
    char *room = malloc(head->target.len + 1);
    struct gd_target target, again;
    struct gd_buf buf;

    REQUIRE(gd_target_parse(head->target, room, &target));
    REQUIRE(target.path.len > 0 && target.path.len <= head->target.len + 1);
    if (target.form != GD_TARGET_ASTERISK) {
        REQUIRE(target.path.ptr[0] == '/');
        REQUIRE(gd_target_parse(target.path, NULL, &again));
        REQUIRE(gd_span_eq(again.path, target.path) && again.query.ptr == NULL);
    }
    if (head->parsed.path.ptr)
        REQUIRE(gd_span_eq(head->parsed.path, target.path));
    gd_buf_init(&buf, NULL, 4096);
    REQUIRE(gd_write_request_line(&buf, head->method_text, target.path));
    gd_buf_free(&buf);
    free(room);
}

static void check_head(const struct gd_request_head *head)
{
    REQUIRE(head->fields.count <= WALKER_FIELDS);
    REQUIRE(head->bytes <= 4 + WALKER_LINE + 2 + WALKER_HEAD);
    REQUIRE(head->method != GD_METHOD_CONNECT);
    REQUIRE(gd_is_token(head->method_text));
    REQUIRE(head->minor == 0 || head->host.ptr);
    REQUIRE(gd_is_host(head->host));
    REQUIRE(head->framing != GD_FRAMING_EOF);
    REQUIRE(head->framing != GD_FRAMING_CHUNKED || head->minor > 0);
    for (unsigned i = 0; i < head->fields.count; i++) {
        const struct gd_field *field = &head->fields.items[i];

        REQUIRE(gd_is_token(field->name) && gd_is_field_value(field->value));
        REQUIRE(field->id == gd_field_id_of(field->name));
        REQUIRE(gd_span_eq(gd_span_trim(field->value, " \t"), field->value));
    }
    check_target(head);
}

/* The first head alone, while its bytes are there. */
static void check_first(const uint8_t *data, size_t size)
{
    struct gd_head_state state = {0};
    struct gd_field fields[WALKER_FIELDS];
    struct gd_request_head head;

    if (gd_request_head_parse(&state, (struct gd_span){(const char *)data, size},
                              &walker_limits, fields, &head) == GD_PARSE_DONE)
        check_head(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct walker whole, pieces;
    uint32_t seed;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    seed = 1 + data[0];
    check_first(data + 1, size - 1);
    walker_run(&whole, (const char *)data + 1, size - 1, 0, &seed);
    walker_run(&pieces, (const char *)data + 1, size - 1, 1 + data[0] % 40, &seed);
    REQUIRE(strcmp(whole.verdict, pieces.verdict) == 0);
    REQUIRE(whole.trace_len == pieces.trace_len);
    REQUIRE(whole.trace_len == 0 ||
            memcmp(whole.trace, pieces.trace, whole.trace_len) == 0);
    walker_free(&whole);
    walker_free(&pieces);
    return 0;
}
