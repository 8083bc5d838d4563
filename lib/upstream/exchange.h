#ifndef GD_UPSTREAM_EXCHANGE_H
#define GD_UPSTREAM_EXCHANGE_H
/**
 * One request and its reply on a leased session.
 *
 * Writes the request at once (the rest when the socket takes it), reads the reply into
 * its own buffer, follows 1xx, decodes the framing in place, and completes exactly once:
 * with a reply or a failure class. The reply's body is one contiguous run of bytes in the
 * buffer it was received into.
 *
 * Deadlines are the caller's: it cancels. After gd_exchange_cancel, and after on_done,
 * the caller returns the lease with gd_lease_end(lease, exchange->reusable).
 */
#include "base/bytes.h"
#include "base/failure.h"
#include "http/body.h"
#include "http/coding.h"
#include "http/head.h"
#include "upstream/upstream.h"

enum { GD_REPLY_FIELDS_MAX = 100, GD_REPLY_HEAD_MAX = 32768, GD_INFORMATIONAL_MAX = 16 };

/** How often a request that its server had not looked at is sent again at most, all but
 *  the first time from the upstream's budget. A server that goes away while many wait for
 * it may do so several times. */
enum { GD_REFUSALS_MAX = 8 };

/** How far a final head has been read, see upstream/reply.h. */
struct gd_reply_reader {
    enum gd_method method; /* of the request */
    unsigned informational;
    struct gd_head_state state;
    enum gd_failure failure; /* after GD_VERDICT_FAILED, with why */
    const char *why;
};

struct gd_exchange {
    /* results, valid from on_done until gd_exchange_free */
    int status;
    struct gd_span body;       /* borrows from reply */
    struct gd_buf reply;       /* head and body as received */
    size_t head_bytes;         /* of reply; its fields can be parsed again when wanted */
    struct gd_codings codings; /* of the body, to be undone by gd_exchange_decode */
    const char *why;           /* constant text with the failure, for logs */
    bool reusable;             /* the connection is clean and kept alive */
    bool heard;                /* at least one byte of a reply came */
    bool refused;      /* with `reset`: the server has not looked at the request */
    uint64_t heard_us; /* … and when: loop time */
    /* set by the caller before the start, or NULL */
    size_t *budget; /* borrowed: bytes left to the replies of one request together */
    struct gd_span content; /* borrowed until on_done: the body, sent behind request */
    /* private */
    struct gd_session *session;
    void (*on_done)(void *arg, enum gd_failure failure);
    void *arg;
    struct gd_reply_reader reader;
    enum gd_failure failure;
    struct gd_buf request; /* freed when all is written */
    size_t written;        /* of request and content together */
    size_t max_response;
    struct gd_body decoder;
    size_t decoded;  /* chunked: bytes of reply before which all is decoded */
    size_t body_end; /* length: bytes of reply when it is complete */
    uint64_t started_us;
    uint8_t state;
    struct gd_work outcome;
};

/**
 * Starts on session. request: the head, whose memory is taken over (left empty).
 * max_response: bound of the decoded body; more, or more than the budget, is `too_large`.
 * on_done runs once, from the loop, never inside this call; failures: reset, tls,
 * protocol, too_large. A status is never a failure here.
 */
void gd_exchange_start(struct gd_exchange *exchange, struct gd_session *session,
                       enum gd_method method, struct gd_buf *request, size_t max_response,
                       void (*on_done)(void *arg, enum gd_failure failure), void *arg);

/** Reads the head of a complete reply again. items: room for GD_REPLY_FIELDS_MAX; out
 *  borrows from them and from reply. False when there is none. */
bool gd_exchange_head(const struct gd_exchange *exchange, struct gd_field *items,
                      struct gd_response_head *out);

/** Undoes the content codings of a complete reply: body then is the content, within
 *  max_response and the budget. asked: the request accepted GD_CODINGS_TEXT. GD_OK, also
 *  without a coding or a body; PROTOCOL for a coding that was not asked for and for
 * broken data; TOO_LARGE. */
enum gd_failure gd_exchange_decode(struct gd_exchange *exchange, bool asked);

/** Stops it; on_done does not run afterwards and the session is not reusable. Idempotent,
 *  fine on a zeroed or finished exchange. */
void gd_exchange_cancel(struct gd_exchange *exchange);

/** Releases the buffers (body and fields become invalid). The exchange may start again.
 */
void gd_exchange_free(struct gd_exchange *exchange);

#endif
