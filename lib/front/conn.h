#ifndef GD_FRONT_CONN_H
#define GD_FRONT_CONN_H
/**
 * The inside of lib/front, shared by these files and by nobody else:
 *
 *   front.c  libevhtp, listeners, drain; the only file that includes evhtp.h
 *   crowd.c  who is let in, and who has to go for it
 *   opening.c  what comes before HTTP: the PROXY header, the TLS handshake
 *   conn.c   the life of a connection: reading, deadlines, closing
 *   guard.c  from bytes to requests: what is taken, what is refused
 *   reply.c  from answers to bytes
 *   flow.c, flow_body.c  answers and bodies in pieces (flow.h)
 *   ending.c what is told of a request that is over (ending.h)
 *
 * Invariant: libevhtp's request object exists exactly while conn->request does, and no
 * byte of the network ever reaches libevhtp. Its functions are called from the frames of
 * this folder only, never from inside one of its own callbacks.
 *
 * States of a connection:
 *
 *   OPENING → IDLE                               where something comes before HTTP
 *   IDLE → HEAD → BODY → WAIT → WRITE → IDLE     one request after the other
 *                    any → LINGER → CLOSED       after an answer that ends the connection
 *                  WRITE → DISCARD → IDLE        answered before the body was there
 *
 * A streamed answer goes from WAIT to WRITE and back with each piece the socket does not
 * take at once; a streamed body comes in during both.
 */
#include "front/ending.h"
#include "front/inside.h"

enum gd_conn_state {
    GD_CONN_OPENING, /* the PROXY header or the TLS handshake is not complete */
    GD_CONN_IDLE,    /* no byte of a request is here */
    GD_CONN_HEAD,    /* a part of a head is */
    GD_CONN_BODY,    /* the request is known, its body not complete */
    GD_CONN_WAIT,    /* the handler works */
    GD_CONN_WRITE,   /* an answer is being written */
    GD_CONN_DISCARD, /* answered; the rest of the body is read and dropped */
    GD_CONN_LINGER,  /* answered and FIN sent; what still comes is dropped */
    GD_CONN_CLOSED,
};

struct gd_conn {
    struct gd_front *front;
    struct gd_conn *next, *prev;
    struct gd_conn *idle_next, *idle_prev;
    struct gd_listener *listener;
    struct evhtp_connection *shell;      /* NULL: freed */
    struct evhtp_request *shell_request; /* NULL: none in flight */
    struct gd_stream stream;
    struct gd_timer timer; /* of the state; one of an earlier state does nothing */
    bool idle_timer;       /* it was armed for IDLE, at armed_us */
    uint64_t armed_us, idle_since_us;
    struct gd_work again; /* goes on with the input in the next turn */
    struct gd_grave grave;
    struct gd_address client;
    char peer[GD_IP_TEXT_MAX]; /* its address as text, or "unix" */
    bool trusted;              /* it is one of trusted_proxies */
    bool secure;               /* as in struct gd_request */
    bool in_idle_list;
    bool awaits_proxy; /* OPENING: its PROXY header has not come */
    bool refused;      /* let in only to be told so */
    bool on_credit;    /* let in for another one that has not gone yet */
    bool counted;      /* in front->clients, as counted_as */
    struct gd_ip counted_as;
    enum gd_conn_state state;
    bool pumping;   /* guard.c is on the stack with conn->window */
    bool eof;       /* the client has sent FIN */
    bool leaving;   /* … while its request was in flight: it has little time */
    bool told;      /* the handler knows of the request */
    bool answered;  /* it has been answered */
    bool streaming; /* … in pieces, and the last one is not here yet */
    bool keep;      /* the connection goes on behind the answer at hand */
    bool linger;    /* the client may still be sending when that answer ends */
    bool head_only; /* HEAD: answer without body */
    uint8_t minor;  /* HTTP/1.minor of the request */
    struct gd_ending ending;
    uint32_t requests;

    struct gd_span window; /* pumping: bytes not consumed yet */
    struct gd_buf input;   /* else: the same, from input_at */
    size_t input_at;
    struct gd_head_state parse;

    struct gd_request *request; /* lives in arena; until the answer is written */
    size_t memory_left;         /* of limits.request_memory, to all the request holds */
    struct gd_arena arena;
    struct gd_body body;
    struct gd_buf body_bytes;
    struct gd_flow *flow; /* in the arena; NULL: nothing is streamed */
    uint64_t dropped;     /* bytes, in DISCARD and LINGER */

    struct gd_buf out; /* head of the answer, and bodies of our own */
    struct iovec *iov; /* what a short write left; block of iov_cap bytes */
    size_t iov_cap;
    struct iovec *iov_at;
    int iov_left;
    size_t written; /* bytes since the timer was armed */
    size_t unread;  /* what the system still had of earlier ones then */
    void (*release)(void *arg);
    void *release_arg;
};

/* front.c: libevhtp ------------------------------------------------------------------ */

/** Makes libevhtp's request object; false when it did not. */
GD_MUST_CHECK bool gd_shell_begin(struct gd_conn *conn);

/** Ends libevhtp's request object as answered; its connection object stays. Nothing when
 *  there is none. */
void gd_shell_end(struct gd_conn *conn);

/** Frees libevhtp's connection object and closes the descriptor. Idempotent. */
void gd_shell_close(struct gd_conn *conn);

/** A connection of it is gone: draining may be over, or it may go itself. */
void gd_front_conn_left(struct gd_listener *listener);

/** Accepts nothing for a while. */
void gd_front_pause(struct gd_front *front);

/* conn.c ----------------------------------------------------------------------------- */

/** Returns a connection for libevhtp's, of which it takes care from now on. sa: of the
 *  family sa->sa_family. How it was let in stands in the front. */
struct gd_conn *gd_conn_open(struct gd_listener *listener, struct evhtp_connection *shell,
                             int fd, const struct sockaddr *sa);

/** The client's address has been set: names it. */
void gd_conn_name_peer(struct gd_conn *conn);

/** Closes the connection if it is idle and has nothing to say; whether it did. */
bool gd_conn_close_idle(struct gd_conn *conn);

/** Ends the connection now: on_gone for an unanswered request, release for an answered
 *  one. abort: reset. Idempotent; the struct stays until the end of the turn. */
void gd_conn_close(struct gd_conn *conn, bool abort);

/** The request is over without an answer of the handler: on_gone. It stays until
 * forgotten. */
void gd_conn_abandon(struct gd_conn *conn);

/** Releases the answer and the memory of the request, and ends libevhtp's. */
void gd_conn_forget(struct gd_conn *conn);

/** The answer is written: on with the next request, or to the end. */
void gd_conn_answered(struct gd_conn *conn);

/** Goes to a state and arms its deadline. */
void gd_conn_enter(struct gd_conn *conn, enum gd_conn_state state);

/** The client has sent FIN and the handler works: it counts as gone after this time. */
void gd_conn_leaving(struct gd_conn *conn, uint32_t ms);

/** Bytes that are here and not consumed. */
size_t gd_conn_pending(const struct gd_conn *conn);

/** Goes on with them in the next turn of the loop. */
void gd_conn_go_on_later(struct gd_conn *conn);

/** The front's limits and proxies, or the client's address, have changed. */
void gd_conn_renew(struct gd_conn *conn);

/** Draining has begun: closes an idle connection that has nothing to say. */
void gd_conn_drain(struct gd_conn *conn);

/* guard.c ---------------------------------------------------------------------------- */

/** Consumes conn->window as far as the state allows: heads, bodies, requests. */
void gd_guard_pump(struct gd_conn *conn);

/** Answers a request that is not taken, and ends the connection behind it. counter: of
 *  the reason. */
void gd_guard_refuse(struct gd_conn *conn, enum gd_stat_worker counter, int status,
                     const char *detail);

/** Answers before any request that there are too many connections, and ends this one. */
void gd_guard_refuse_crowded(struct gd_conn *conn);

/* reply.c ---------------------------------------------------------------------------- */

/** Writes the head of an answer into conn->out. framing: as it is told to the client;
 *  NONE and EOF: by nothing. False when a field is not allowed, or without memory. */
GD_MUST_CHECK bool gd_reply_head(struct gd_conn *conn, const struct gd_answer *answer,
                                 enum gd_framing framing, struct gd_span id);

/** Decides what becomes of the connection behind the answer to its request. */
void gd_reply_decide(struct gd_conn *conn, bool close);

/** Answers with this status never have a body. */
static inline bool gd_reply_is_bare(int status)
{
    return status == 204 || status == 304;
}

/** Keeps what a short write left over until the socket takes it. */
void gd_reply_later(struct gd_conn *conn, const struct iovec *iov, int count,
                    size_t written);

/** Writes a problem document as the answer. Ends, as every answer, in gd_conn_answered
 *  when all of it is written, at once or later. */
void gd_reply_problem(struct gd_conn *conn, int status, const char *detail,
                      struct gd_span id);

/** The socket takes bytes again. */
void gd_reply_continue(struct gd_conn *conn);

/** Writes `100 Continue` when the client waits for it. */
void gd_reply_100(struct gd_conn *conn);

#endif
