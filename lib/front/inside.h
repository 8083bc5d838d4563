#ifndef GD_FRONT_INSIDE_H
#define GD_FRONT_INSIDE_H
/**
 * The front and its listeners from inside; see conn.h, which has the rest.
 */
#include "base/ids.h"
#include "front/clients.h"
#include "front/front.h"
#include "http/body.h"
#include "http/write.h"
#include "net/stream.h"
#include "net/tls.h"

struct evhtp;
struct evhtp_connection;
struct evhtp_request;
struct evconnlistener;
struct bufferevent;

enum {
    GD_FRONT_READ_BYTES = 64 * 1024,    /* of one read */
    GD_FRONT_PENDING_BYTES = 64 * 1024, /* behind a request in flight; then no reading */
    GD_FRONT_TURN_REQUESTS = 32,        /* of one connection in one turn of the loop */
    GD_FRONT_DISCARD_BYTES =
        64 * 1024,                    /* of a body nobody wants, to save the connection */
    GD_FRONT_LINGER_BYTES = 32 << 20, /* read and dropped before a close */
    GD_FRONT_LINGER_MS = 2000,
    GD_FRONT_GRACE_MS = 25,         /* an answer still finds a client that sent FIN … */
    GD_FRONT_HALF_CLOSED_MS = 75,   /* … together with its request */
    GD_FRONT_ACCEPT_PAUSE_MS = 100, /* without descriptors */
    GD_FRONT_WRITE_MIN_BYTES = 4096, /* taken in a write timeout; less is a stall */
    GD_FRONT_REFUSING_MAX = 64,      /* refused connections that are told so, at once */
};

struct gd_listener {
    struct gd_front *front;
    struct gd_listener *next;
    struct evhtp
        *shell; /* libevhtp's side of it; frees when the last connection has left */
    struct evconnlistener *listener; /* NULL: closed */
    unsigned conn_count;
    struct gd_grave grave;
    struct gd_tls_server *tls; /* a reference; NULL: plain */
    bool proxy_protocol;
};

struct gd_front {
    struct gd_loop *loop;
    struct gd_blocks *blocks;
    const struct gd_plan_limits *limits;
    struct gd_head_limits head_limits;
    size_t max_body;
    const struct gd_trusted *trusted; /* or NULL */
    uint64_t *stats;
    struct gd_handler handler;
    void *arg;

    void (*shell_read)(struct bufferevent *bev, void *arg); /* libevhtp's own callbacks */
    void (*shell_write)(struct bufferevent *bev, void *arg);
    bool to_refuse, to_credit; /* the connection that libevhtp makes just now */
    struct gd_conn *beginning; /* for whom libevhtp makes a request just now */
    struct gd_listener *listeners;
    struct gd_timer accept_pause;

    struct gd_conn *conns; /* all that are open */
    unsigned conn_count;
    struct gd_conn *idle_first, *idle_last; /* IDLE or lately so, the oldest first */
    struct gd_work evict;
    unsigned evict_wanted; /* connections that go for new ones */
    unsigned high_count;   /* connections with a descriptor from fd_most on */
    unsigned credit;       /* connections that have come for them */
    unsigned refusing;     /* connections that are refused and not closed yet */
    unsigned opening;      /* connections in that state */
    int fd_most;           /* descriptors from here on are left to others; 0: none */
    struct gd_clients clients;
    struct gd_tls_acceptor *acceptor;

    bool leaving, draining; /* see gd_front_leave, gd_front_drain */
    unsigned drain_turns;   /* until the listeners are closed */
    void (*on_drained)(void *arg);
    void *on_drained_arg;
    struct gd_work drain_work;

    struct gd_date date;
    struct gd_ids ids;
    struct gd_field *fields; /* room for one head: limits->header_fields items */
    char *scratch;           /* GD_FRONT_READ_BYTES */
};

static inline void gd_front_count(struct gd_front *front, enum gd_stat_worker id, int n)
{
    gd_stat_add(&front->stats[id], n);
}

#endif
