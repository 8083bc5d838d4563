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
 * after that the client counts as gone. A FIN while a streamed answer is open leaves it
 * 75 ms from one piece to the next. A FIN while a head or body is incomplete ends the
 * connection. While more than 64 KiB of pipelined requests
 * wait behind the one in flight, or a streamed body is paused, nothing is read, so a FIN
 * is not seen.
 *
 * What comes before HTTP, a PROXY header and the TLS handshake, has
 * limits->handshake_timeout_ms together. The address of a PROXY header is the client's
 * from then on.
 *
 * More connections than limits->connections, or than descriptors allow: the one that is
 * idle for the longest time is closed for a new one. When none is idle the new one is
 * refused: a few at a time with 503, the others without a word.
 *
 * Every wait has a deadline: a head (limits->header_timeout_ms from its first byte, for
 * the first one from accept; then 408), a body (body_timeout_ms from its head; then
 * 408; a streamed one: less than limits->body_least in that time, while it is not
 * paused), the next request (idle_timeout_ms; closed silently), a reader that takes less
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
#include "front/end.h"
#include "http/head.h"
#include "http/target.h"
#include "net/address.h"
#include "net/stream.h"
#include "plan/plan.h"

struct gd_front;
struct gd_conn;
struct gd_listener;

enum { GD_REQUEST_ID_BYTES = 32 }; /* of an id that is made here */

/** One browser request. Owned by the front; valid from on_head until its answer has been
 *  handed over (gd_request_answer, the last gd_request_write), or until on_gone has
 * returned. Its spans and arena stay until the answer's release has run (so an answer may
 * live in the arena). */
struct gd_request {
    struct gd_request_head head;
    struct gd_target target;
    struct gd_span body; /* complete when on_request runs; ptr NULL when there is none */
    const struct gd_address *client;
    struct gd_span peer; /* the client's address as text, without port; or "unix" */
    bool trusted;        /* it is one of the trusted proxies */
    bool secure;         /* it came by TLS, to here or to the sender of a PROXY header */
    struct gd_arena *arena; /* of this request; freed by the front with it */
    size_t *budget;         /* bytes of limits->request_memory that are left to it, its
                               body left out; the arena draws on it */
    struct gd_span id;      /* X-Request-Id: 32 hex digits made here, or a trusted proxy's
                               (gd_is_request_id) */
    uint64_t start_us;      /* when the head was complete */
    size_t max_body;        /* in on_head: the limit, to be lowered or raised; never more
                               than limits->request_memory, but for a streamed body */
    struct gd_span lines; /* in on_head: field lines, each with CRLF, that stand in every
                             answer to it, the front's own included; borrowed until
                             release */
    bool no_store;        /* in on_head: problems must not be kept by caches */
    bool stream;          /* in on_head: set to get the body by on_body, in pieces */
    int refused;          /* in on_gone: the status the front answers with itself; 0: the
                             client has left */
    void *user;           /* the handler's */
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
    /** Only with request->stream, where on_request runs as soon as the head is complete.
     * piece: borrowed until this returns, 1 byte to 64 KiB of the decoded body, or empty
     * when nothing but its end has come. last: the body is complete; once. Not at all
     * for a request without body, while it is paused, and after the answer. A body that
     * becomes too large, malformed or late is told by on_gone, and answered by the front
     * or, when an answer is open already, by breaking that off. A client that waits for
     * `100 Continue` gets it when a piece is wanted and none is here. */
    void (*on_body)(void *arg, struct gd_request *request, struct gd_span piece,
                    bool last);
    /** The request ended between on_head and the answer: the client left, or its body was
     * too large, malformed or late, which the front answers. The request is invalid
     * afterwards. Cancel what runs for it. Runs at most once, never after the answer
     * has been handed over whole, never inside a call of this header, and never for a
     * request the handler has not been given. May be NULL. */
    void (*on_gone)(void *arg, struct gd_request *request);
    /** The request is over, however it ended: it is answered and all of it is written and
     * released, or on_gone has run, or the front has refused it. Runs exactly once for
     * each, last of all callbacks; what lives in its arena is still there. What the
     * request needed may go now, but for what is on the stack. request: NULL when the
     * front has refused the head. May be NULL. */
    void (*on_end)(void *arg, const struct gd_request *request,
                   const struct gd_request_end *end);
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
 * front's business (but a Date among the headers stands), so is leaving the body out for
 * HEAD, 204 and 304. status: 200 to 999. The request may be gone when this returns. */
void gd_request_answer(struct gd_request *request, const struct gd_answer *answer);

/* An answer in pieces: open it, write as they come, and mark the last one. --------------
 */

enum { GD_WRITE_PIECES_MAX = 60 }; /* of one write */
#define GD_LENGTH_UNKNOWN SIZE_MAX

/** Opens a streamed answer. Of `answer` its head and release are used; body_bytes is the
 *  length of the body to come (for HEAD: of the one left out) or GD_LENGTH_UNKNOWN: then
 *  the client gets chunks, or with HTTP/1.0 the end of the connection. Nothing is sent
 *  yet. False when the head cannot be written: nothing has happened, and the request is
 *  to be answered in another way. on_writable(arg): see gd_request_write. From now on
 *  on_gone means that the client has left in the middle; release runs after it, or when
 *  the last piece is written, exactly once. The body of the request goes on coming. */
GD_MUST_CHECK bool gd_request_open(struct gd_request *request,
                                   const struct gd_answer *answer,
                                   void (*on_writable)(void *arg), void *arg);

/** Writes pieces of the body, the head in front of the first ones in the same system
 *  call. count 0 sends the head alone (or, with last, the end). True: all of it is taken.
 *  False: the pieces (not the vector) stay borrowed, and nothing may be written, until
 *  on_writable runs, from the loop; nothing is queued beyond them. last: the answer ends
 *  with these; no callback follows but release, when they are written, inside this call
 *  or later, and the request may be gone when this returns. With a known length the
 *  pieces are as many bytes as that; for HEAD, 204 and 304 they are left out. */
bool gd_request_write(struct gd_request *request, const struct iovec *iov, int count,
                      bool last);

/** Whether gd_request_send_file can be used for the open answer. */
bool gd_request_takes_files(const struct gd_request *request);

/** Writes up to bytes of a file from *at on, which is advanced; the head has been
 * written. OK: go on, with gd_request_write after the last one. AGAIN: on_writable runs.
 * EOF: the file ends there. ERROR: this file cannot be sent so. */
enum gd_io gd_request_send_file(struct gd_request *request, int file, off_t *at,
                                size_t bytes);

/** Breaks an open answer off: the connection is reset, so that the client cannot take
 *  what it has for the whole. release runs inside, on_gone does not. */
void gd_request_abort(struct gd_request *request);

/** Stops and resumes a streamed body: while it is paused no more than 64 KiB of it are
 *  read, and the network holds the client back. Fine at any time before the answer is
 *  handed over whole; a piece never comes inside this call. */
void gd_request_pause_body(struct gd_request *request, bool pause);

/** Answers with application/problem+json (RFC 9457). detail: a sentence for people;
 * extra: further members as JSON text without braces (`"call":"user"`), or empty. */
void gd_request_problem(struct gd_request *request, int status, const char *detail,
                        struct gd_span extra, const struct gd_plan_header *headers,
                        unsigned header_count);

struct gd_front_config {
    struct gd_loop *loop;                /* borrowed */
    const struct gd_plan_limits *limits; /* borrowed, until others come */
    size_t max_body;                     /* default of request->max_body */
    const struct gd_trusted *trusted;    /* borrowed; proxies whose X-Request-Id is kept;
                                            NULL: none */
    uint64_t *stats;                     /* borrowed: GD_WORKER_STATS values */
    bool leaves_fds; /* it takes not all descriptors the process may have: upstreams and
                        operators need some as well */
    struct gd_handler handler;
    void *arg;
};

/** Returns an owned front without listeners; NULL with err. */
struct gd_front *gd_front_new(const struct gd_front_config *config, struct gd_err *err);

/** Other limits and proxies count from now on, also on the connections that are open.
 *  Borrowed as in the configuration. */
void gd_front_change(struct gd_front *front, const struct gd_plan_limits *limits,
                     const struct gd_trusted *trusted);

/** Accepts connections from a listening socket; a dup of fd is kept. settings (its TLS,
 *  of which a reference is kept, and proxy_protocol) may be NULL: plain. Returns
 * borrowed, NULL with err. */
struct gd_listener *gd_front_listen(struct gd_front *front, int fd,
                                    const struct gd_plan_listen *settings,
                                    struct gd_err *err);

/** Other settings, for connections that come from now on. */
void gd_listener_change(struct gd_listener *listener,
                        const struct gd_plan_listen *settings);

/** Accepts no more from it; its connections stay. listener is invalid afterwards. Not
 * from a callback of the front. */
void gd_listener_close(struct gd_listener *listener);

/** Whether a descriptor that was opened for a client is one of those that are left to
 *  upstreams and operators (leaves_fds), so that it should not stay open. */
bool gd_front_spares_fd(const struct gd_front *front, int fd);

/** From now on an answer is the last one of its connection (`Connection: close`); idle
 *  connections wait for one more request. stop: accepts no more, but what the kernel had
 *  accepted already. */
void gd_front_leave(struct gd_front *front, bool stop);

/** Stops accepting, closes idle connections, and lets the rest finish with `Connection:
 * close`. What the kernel had accepted already is served. on_drained runs from the loop
 * when no connection is left. Once. */
void gd_front_drain(struct gd_front *front, void (*on_drained)(void *arg), void *arg);

/** Closes what is left (on_gone runs for requests in flight) and frees. Not from a
 *  callback of the front. NULL is fine. */
void gd_front_free(struct gd_front *front);

#endif
