#ifndef GD_HTTP_HEAD_LINES_H
#define GD_HTTP_HEAD_LINES_H
/**
 * What request and response heads share: the walk over lines, the split of a field line,
 * and the fields that decide framing. Private to lib/http.
 *
 * Verdicts depend on bytes alone, never on how they arrived: a head is refused for the
 * first octet that makes it invalid, or else for the first invalid line, and limits count
 * from the start of the line or block. So the walk judges line by line, in order, and
 * looks at a line's meaning only when all of it is there and free of forbidden octets.
 */
#include "http/head.h"

_Static_assert(GD_FIELD_IDS <= 32, "ids are bits of gd_head_walk.wanted");

/* Bits of gd_head_state.seen. */
enum {
    GD_SEEN_LENGTH = 1,
    GD_SEEN_CODING = 2,
    GD_SEEN_CLOSE = 4,
    GD_SEEN_KEEP_ALIVE = 8,
    GD_SEEN_HOST = 16,
    GD_SEEN_EXPECT = 32,
};

/** What one kind of head does with its lines. Both callbacks return false after
 *  gd_head_refuse. */
struct gd_head_walk {
    bool request;    /* blank lines before it, ASCII only in its first line */
    uint32_t wanted; /* bits of the field ids that on_field is called for */
    bool (*on_start)(struct gd_head_walk *walk, struct gd_span line);
    bool (*on_field)(struct gd_head_walk *walk, const struct gd_field *field);
    void *out; /* struct gd_request_head or gd_response_head */
    struct gd_head_state *state;
    const struct gd_head_limits *limits;
    struct gd_field *fields;
    struct gd_span bytes;
};

/** Walks as far as whole lines go. DONE: state->line is behind the blank line, and fields
 *  and out hold what the callbacks stored, borrowing from walk->bytes. */
enum gd_parse gd_head_walk(struct gd_head_walk *walk);

/** Records a refusal; always false. */
bool gd_head_refuse(struct gd_head_state *state, enum gd_refusal refusal,
                    const char *why);

/** Reads "HTTP/1.x" into state->minor (0 or 1). */
bool gd_head_version(struct gd_head_state *state, struct gd_span text);

/* The fields that gd_head_note reads. */
#define GD_HEAD_NOTED                                                                    \
    (1U << GD_FIELD_CONNECTION | 1U << GD_FIELD_CONTENT_LENGTH |                         \
     1U << GD_FIELD_TRANSFER_ENCODING)

/** Takes note of Connection, Content-Length and Transfer-Encoding; others are ignored.
 *  coding: the refusal of a transfer coding other than chunked. */
bool gd_head_note(struct gd_head_state *state, const struct gd_field *field,
                  enum gd_refusal coding);

/** Whether the connection outlives the message, by version and Connection. */
bool gd_head_keep_alive(const struct gd_head_state *state);

/** Takes the next element of a comma-separated list from *rest, without white space and
 *  maybe empty; false at the end. */
bool gd_head_next_element(struct gd_span *rest, struct gd_span *element);

#endif
