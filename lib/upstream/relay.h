#ifndef GD_UPSTREAM_RELAY_H
#define GD_UPSTREAM_RELAY_H
/**
 * One request and its reply on a leased session, both streamed.
 *
 * Where an exchange keeps a whole reply, a relay hands it on in pieces and reads the next
 * ones when they are taken; the body of the request is given in pieces in the same way,
 * at the same time. It holds at most 64 KiB of each, besides the heads; the rest is held
 * back by TCP. Heads and framing are read as strictly as an exchange's; trailers are
 * checked and dropped.
 *
 * Deadlines are the caller's: it cancels. After the last piece of the reply, after
 * on_failed and after gd_relay_cancel, the caller returns the lease with
 * gd_lease_end(lease, relay->reusable).
 */
#include "upstream/exchange.h"

enum { GD_RELAY_BYTES = 64 * 1024 };

/** What the caller says to a piece of the reply. */
enum gd_relay_say {
    GD_RELAY_MORE, /* it is taken */
    GD_RELAY_HOLD, /* it stays borrowed until gd_relay_resume */
    GD_RELAY_OVER, /* the relay was cancelled or freed meanwhile */
};

/** All run from the loop, never inside a call of this header. */
struct gd_relay_handler {
    /** Something of the reply. head: with the first piece, else NULL; borrowed, like its
     * fields, until this returns. piece: decoded bytes of the body, maybe none. last: the
     * reply is complete and the session free; the piece is borrowed until gd_relay_free,
     * and what is said is ignored. The relay may be freed inside. */
    enum gd_relay_say (*on_reply)(void *arg, const struct gd_response_head *head,
                                  struct gd_span piece, bool last);
    /** It is over without a complete reply: reset, tls, protocol, too_large (of a head).
     * Runs at most once, nothing follows. The relay may be freed or started again inside.
     */
    void (*on_failed)(void *arg, enum gd_failure failure);
    /** What gd_relay_send could not write at once is written. */
    void (*on_taken)(void *arg);
};

struct gd_relay {
    /* results */
    const char *why;   /* constant text with a failure, for logs */
    bool reusable;     /* the connection is clean and kept alive */
    bool heard;        /* at least one byte of a reply came */
    bool refused;      /* with `reset`: the server has not looked at the request */
    uint64_t heard_us; /* when the first byte came: loop time */
    uint64_t moved; /* bytes written and read so far: it grows while there is progress */
    /* private */
    const struct gd_relay_handler *handler;
    void *arg;
    struct gd_session *session;
    struct gd_buf out; /* of the request: what is not written yet, from out_at */
    size_t out_at;
    struct gd_buf in; /* of the reply: a head, or the piece that is borrowed */
    struct gd_reply_reader reader;
    struct gd_body decoder;
    struct gd_work work; /* the first write, or a failure, at the end of the turn */
    uint64_t started_us; /* of the first write */
    size_t first_bytes;  /* of the reply, in its first read */
    bool chunked;        /* the request's body */
    bool sent_last;      /* all of the request has been given */
    bool deaf;           /* the server takes no more of it */
    bool held;           /* the caller keeps a piece */
    uint8_t state;
};

/**
 * Starts on session. head: complete, with its framing fields; its memory is taken over
 * (left empty). body: NONE, or LENGTH or CHUNKED with the pieces given to gd_relay_send.
 * Without a body the request is written at once, else with the first piece or at the end
 * of the turn. handler: borrowed.
 */
void gd_relay_start(struct gd_relay *relay, struct gd_session *session,
                    enum gd_method method, struct gd_buf *head, enum gd_framing body,
                    const struct gd_relay_handler *handler, void *arg);

/** Gives the next piece of the request's body, at most GD_RELAY_BYTES; the caller counts
 *  a length. last: there is no more. False: give no more until on_taken, which after the
 *  last piece does not come. The piece is not needed afterwards. */
bool gd_relay_send(struct gd_relay *relay, struct gd_span piece, bool last);

/** The held piece is taken: reading goes on. */
void gd_relay_resume(struct gd_relay *relay);

/** Stops it; no callback follows and the session is not reusable. Idempotent, fine on a
 *  zeroed or finished relay. */
void gd_relay_cancel(struct gd_relay *relay);

/** Cancels and releases the buffers: pieces become invalid. The relay may start again. */
void gd_relay_free(struct gd_relay *relay);

#endif
