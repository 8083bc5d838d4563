#ifndef GD_HTTP_HEAD_H
#define GD_HTTP_HEAD_H
/**
 * The strict HTTP/1.x head parser, for requests and responses (RFC 9112).
 *
 * One tokenizer serves both. Lines end in CRLF only; a bare CR or LF, a fold, a control
 * character, white space around a name, an empty or non-token name is an error. Nothing
 * is repaired. Framing (Content-Length, Transfer-Encoding) is decided here and nowhere
 * else.
 *
 * Use: gather bytes in a buffer, call parse with all of them each time more have come.
 * MORE keeps a small state so that a head that drips in byte by byte costs linear time
 * and is refused as soon as a byte makes it invalid. DONE fills the result, whose spans
 * borrow from the buffer given.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/target.h"
#include "http/token.h"

struct gd_field {
    enum gd_field_id id;
    struct gd_span name;  /* as sent */
    struct gd_span value; /* without the white space around it */
};

struct gd_fields {
    struct gd_field *items;
    unsigned count;
};

/** Finds a field: by known id, or by name without regard to case. First one; NULL if
 * none. */
const struct gd_field *gd_fields_get(const struct gd_fields *fields, enum gd_field_id id);
const struct gd_field *gd_fields_find(const struct gd_fields *fields,
                                      struct gd_span name);

/** The value of a field that stands exactly once; ptr NULL when it does not. */
struct gd_span gd_fields_only(const struct gd_fields *fields, struct gd_span name);

/** Whether a comma-separated list field (all its lines) holds token, case-insensitively.
 *  Quoted strings are not understood: for lists of tokens only. */
bool gd_fields_has_token(const struct gd_fields *fields, enum gd_field_id id,
                         const char *token);

struct gd_head_limits {
    size_t line_bytes; /* request line or status line, without CRLF */
    size_t head_bytes; /* whole field block */
    unsigned field_count;
};

/** Why a head is refused. X(id, status, text for the answer) */
#define GD_REFUSAL_ROWS(X)                                                               \
    X(MALFORMED, 400, "the request is not valid HTTP/1.1")                               \
    X(TARGET_TOO_LONG, 414, "the request line is too long")                              \
    X(HEAD_TOO_LARGE, 431, "the request header is too large")                            \
    X(EXPECTATION, 417, "the expectation can't be met")                                  \
    X(NOT_IMPLEMENTED, 501, "the method or transfer coding is not implemented")          \
    X(VERSION, 505, "the HTTP version is not supported")

enum gd_refusal {
    GD_REFUSE_NONE,
#define X(id, status, text) GD_REFUSE_##id,
    GD_REFUSAL_ROWS(X)
#undef X
        GD_REFUSALS
};

int gd_refusal_status(enum gd_refusal refusal);
const char *gd_refusal_text(enum gd_refusal refusal);

enum gd_parse { GD_PARSE_MORE, GD_PARSE_DONE, GD_PARSE_REFUSED };

/** State between calls; zero it for each new head. refusal and why are the result after
 *  GD_PARSE_REFUSED (and further calls say REFUSED again); the rest is private. */
struct gd_head_state {
    enum gd_refusal refusal;
    const char *why; /* constant text: the precise reason, for logs and tests */
    size_t checked;  /* bytes known to hold no forbidden octet */
    size_t line;     /* start of the line at hand; all before it is valid */
    size_t block;    /* start of the field block, 0 before it */
    unsigned count;  /* fields so far */
    uint64_t content_length;
    uint8_t minor;
    uint8_t blank_lines; /* before the start line */
    uint8_t seen;        /* bits of what fields said */
};

enum { GD_BLANK_LINES_MAX = 3 }; /* skipped before a request line */

enum gd_framing {
    GD_FRAMING_NONE,   /* no body */
    GD_FRAMING_LENGTH, /* content_length bytes (may be 0) */
    GD_FRAMING_CHUNKED,
    GD_FRAMING_EOF, /* responses only: until the connection closes */
};

struct gd_request_head {
    enum gd_method method;
    struct gd_span method_text;
    struct gd_span target;   /* as sent */
    struct gd_target parsed; /* of target; path.ptr is NULL when its canonical form has to
                                be written: then gd_target_parse with room does that */
    unsigned minor;          /* of HTTP/1.minor; 1.2 and above count as 1 */
    struct gd_fields fields; /* items: caller's array */
    struct gd_span host;     /* the Host value, or the authority of an absolute target */
    enum gd_framing framing;
    uint64_t content_length;
    bool keep_alive;
    bool expect_continue; /* a body is announced and its sender waits for 100 */
    size_t bytes;         /* length of the head, blank line included */
};

/**
 * Parses a request head at the start of `bytes` (up to three CRLFs before it are skipped
 * and counted in out->bytes). `bytes` may move between calls and must begin with all
 * bytes of the calls before. fields: an array of limits->field_count items; it and out
 * are scratch until DONE (the caller may pass other ones at each call). A head of which
 * more bytes are there than a limit allows is refused without waiting for its end.
 * Refuses what RFC 9112 calls malformed or ambiguous: Host missing, repeated or invalid
 * (1.1), Content-Length with anything but 1 to 18 digits or more than one line,
 * Transfer-Encoding together with Content-Length, twice, on HTTP/1.0 (400) or other than
 * "chunked" (501), CONNECT (501), a version that is not 1.x (505; other garbage 400),
 * Expect other than 100-continue (417), targets that gd_target_parse cannot take.
 */
enum gd_parse gd_request_head_parse(struct gd_head_state *state, struct gd_span bytes,
                                    const struct gd_head_limits *limits,
                                    struct gd_field *fields, struct gd_request_head *out);

struct gd_response_head {
    int status;
    unsigned minor;
    struct gd_fields fields;
    enum gd_framing framing; /* by status, and by the method given */
    uint64_t content_length; /* with LENGTH; for HEAD and 304 the framing is NONE */
    bool keep_alive;         /* the connection may be used again after the body */
    size_t bytes;
};

/**
 * Parses a response head. request_method decides the framing (HEAD, CONNECT). Status must
 * be 100 to 999; a 1xx is returned like any other (framing NONE) and the caller goes on
 * with the next head. Refusals are all MALFORMED or HEAD_TOO_LARGE. A final
 * Transfer-Encoding other than "chunked", a repeated or differing Content-Length, or both
 * fields together are refused: an upstream whose framing is unsure is not believed.
 */
enum gd_parse gd_response_head_parse(struct gd_head_state *state, struct gd_span bytes,
                                     const struct gd_head_limits *limits,
                                     enum gd_method request_method,
                                     struct gd_field *fields,
                                     struct gd_response_head *out);

#endif
