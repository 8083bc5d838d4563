#ifndef GD_FRONT_FRONT_H
#define GD_FRONT_FRONT_H
/**
 * The server's side of HTTP: from listening sockets to requests, from answers to bytes.
 *
 * A front belongs to one loop and hands complete, strictly checked requests to its
 * handler. libevhtp and everything about it stays behind this header.
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

/** One browser request. Owned by the front; valid from on_head until its answer has been
 *  handed over with gd_request_answer, or until on_gone has returned. Its spans and arena
 * stay until the answer's release has run (so an answer may live in the arena). */
struct gd_request {
    struct gd_request_head head;
    struct gd_target target;
    struct gd_span body; /* complete when on_request runs */
    const struct gd_address *client;
    struct gd_arena *arena; /* of this request; freed by the front with it */
    char id[33];            /* X-Request-Id: 32 hex digits, terminated */
    uint64_t start_us;      /* when the head was complete */
    size_t max_body;        /* in on_head: the limit, to be lowered or raised */
    void *user;             /* the handler's */
    /* private */
    struct gd_conn *conn;
};

/** The handler's callbacks; arg is the one given to gd_front_new. */
struct gd_handler {
    /** The head is complete, the body not read yet. May set request->max_body, or answer
     * at once with gd_request_answer (then on_request does not run). May be NULL. */
    void (*on_head)(void *arg, struct gd_request *request);
    /** The request is complete. Answer now or later with gd_request_answer. */
    void (*on_request)(void *arg, struct gd_request *request);
    /** The client left between on_head and the answer; the request is invalid afterwards.
     *  Cancel what runs for it. Never runs after gd_request_answer. May be NULL. */
    void (*on_gone)(void *arg, struct gd_request *request);
};

/** What is answered. Everything is borrowed until `release` runs. */
struct gd_answer {
    int status;
    struct gd_span content_type;          /* empty: none */
    const struct gd_plan_header *headers; /* further fields; a value with control
                                             characters makes the answer a 500 */
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
 * front's business, so is leaving the body out for HEAD, 204 and 304. The request may be
 * gone when this returns. */
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
    uint64_t *stats;                     /* borrowed: GD_WORKER_STATS values */
    struct gd_handler handler;
    void *arg;
};

/** Returns an owned front without listeners; NULL with err. */
struct gd_front *gd_front_new(const struct gd_front_config *config, struct gd_err *err);

/** Accepts connections from a listening socket; a dup of fd is kept. */
GD_MUST_CHECK bool gd_front_listen(struct gd_front *front, int fd, struct gd_err *err);

/** Stops accepting, closes idle connections, and lets the rest finish with `Connection:
 *  close`. on_drained runs from the loop when no connection is left. Once. */
void gd_front_drain(struct gd_front *front, void (*on_drained)(void *arg), void *arg);

/** Closes what is left (on_gone runs for requests in flight) and frees. Not from a
 *  callback of the front. */
void gd_front_free(struct gd_front *front);

#endif
