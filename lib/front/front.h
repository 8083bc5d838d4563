#ifndef GD_FRONT_FRONT_H
#define GD_FRONT_FRONT_H
/**
 * The server's side of HTTP: from listening sockets to requests, from answers to bytes.
 *
 * A front belongs to one loop and hands complete, strictly checked requests to its
 * handler. libevhtp and everything about it stays behind this header.
 *
 * When a client is gone. A reset is the end at once. A FIN is sent by clients that leave
 * and by clients that only have no more to say, and looks the same. So: a FIN that is
 * there together with the only request of a connection leaves the request 75 ms to be
 * answered; a FIN that comes later, while the request is in flight, leaves it 25 ms more;
 * after that the client counts as gone. A FIN while a head or body is incomplete ends the
 * connection. While more than 64 KiB of pipelined requests
 * wait behind the one in flight, nothing is read, so a FIN is not seen.
 *
 * Every wait has a deadline: a head (limits->header_timeout_ms from its first byte, for
 * the first one from accept; then 408), a body (body_timeout_ms from its head; then
 * 408), the next request (idle_timeout_ms; closed silently), a reader that takes less
 * than 4 KiB in write_timeout_ms (reset). The handler's work has the handler's deadlines.
 * After an answer that ends the connection, input is dropped for up to 2 s or 32 MiB, so
 * that a client that is still sending can read it.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/loop.h"
#include "base/stat.h"
#include "http/head.h"
#include "http/target.h"
#include "net/address.h"
#include "plan/plan.h"

struct gd_front;
struct gd_conn;

enum { GD_REQUEST_ID_BYTES = 32 }; /* of an id that is made here */

/** One browser request. Owned by the front; valid from on_head until its answer has been
 *  handed over with gd_request_answer, or until on_gone has returned. Its spans and arena
 * stay until the answer's release has run (so an answer may live in the arena). */
struct gd_request {
    struct gd_request_head head;
    struct gd_target target;
    struct gd_span body; /* complete when on_request runs; ptr NULL when there is none */
    const struct gd_address *client;
    struct gd_span peer;    /* the client's address as text, without port; or "unix" */
    bool trusted;           /* it is one of the trusted proxies */
    struct gd_arena *arena; /* of this request; freed by the front with it */
    struct gd_span id;      /* X-Request-Id: 32 hex digits made here, or a trusted proxy's
                               (gd_is_request_id) */
    uint64_t start_us;      /* when the head was complete */
    size_t max_body;        /* in on_head: the limit, to be lowered or raised; never more
                               than limits->request_memory */
    int refused; /* in on_gone: the status the front answers with itself; 0: the
                    client has left */
    void *user;  /* the handler's */
    /* private */
    struct gd_conn *conn;
    char own_id[GD_REQUEST_ID_BYTES];
};

/** The handler's callbacks; arg is the one given to gd_front_new. */
struct gd_handler {
    /** The head is complete, the body not read yet. May set request->max_body, or answer
     * at once with gd_request_answer (then on_request does not run, and a body of more
     * than 64 KiB, or of unknown size, ends the connection). May be NULL. */
    void (*on_head)(void *arg, struct gd_request *request);
    /** The request is complete. Answer now or later with gd_request_answer. */
    void (*on_request)(void *arg, struct gd_request *request);
    /** The request ended between on_head and the answer: the client left, or its body was
     * too large, malformed or late, which the front answers. The request is invalid
     * afterwards. Cancel what runs for it. Runs at most once, never after
     * gd_request_answer, and never for a request the handler has not been given. May be
     * NULL. */
    void (*on_gone)(void *arg, struct gd_request *request);
};

/** What is answered. Everything is borrowed until `release` runs. */
struct gd_answer {
    int status;
    struct gd_span content_type;          /* empty: none */
    const struct gd_plan_header *headers; /* further fields; a value with control
                                             characters makes the answer a 500; fields
                                             about framing are left out */
    unsigned header_count;
    const struct iovec *body; /* the pieces, in order */
    int body_count;
    size_t body_bytes;          /* their total */
    bool close;                 /* close the connection after it */
    void (*release)(void *arg); /* the pieces are no longer needed; may be NULL. Runs
                                   exactly once, from the loop or inside the call */
    void *release_arg;
};

/** Answers; once a request. Content-Length, Date, X-Request-Id, Connection are the
 * front's business, so is leaving the body out for HEAD, 204 and 304. status: 200 to 999.
 * The request may be gone when this returns. */
void gd_request_answer(struct gd_request *request, const struct gd_answer *answer);

/** Answers with application/problem+json (RFC 9457). detail: a sentence for people;
 * extra: further members as JSON text without braces (`"call":"user"`), or empty. */
void gd_request_problem(struct gd_request *request, int status, const char *detail,
                        struct gd_span extra, const struct gd_plan_header *headers,
                        unsigned header_count);

struct gd_front_config {
    struct gd_loop *loop;                /* borrowed */
    const struct gd_plan_limits *limits; /* borrowed, must outlive the front */
    size_t max_body;                     /* default of request->max_body */
    const struct gd_trusted *trusted;    /* borrowed; proxies whose X-Request-Id is kept;
                                            NULL: none */
    uint64_t *stats;                     /* borrowed: GD_WORKER_STATS values */
    struct gd_handler handler;
    void *arg;
};

/** Returns an owned front without listeners; NULL with err. */
struct gd_front *gd_front_new(const struct gd_front_config *config, struct gd_err *err);

/** Accepts connections from a listening socket; a dup of fd is kept. */
GD_MUST_CHECK bool gd_front_listen(struct gd_front *front, int fd, struct gd_err *err);

/** Stops accepting, closes idle connections, and lets the rest finish with `Connection:
 * close`. What the kernel had accepted already is served. on_drained runs from the loop
 * when no connection is left. Once. */
void gd_front_drain(struct gd_front *front, void (*on_drained)(void *arg), void *arg);

/** Closes what is left (on_gone runs for requests in flight) and frees. Not from a
 *  callback of the front. NULL is fine. */
void gd_front_free(struct gd_front *front);

#endif
