#ifndef GD_UPSTREAM_MOCK_PARTS_H
#define GD_UPSTREAM_MOCK_PARTS_H
/**
 * What the files of the mocks share. Private to mock*.c: mock.c opens and closes the
 * listeners, mock_conn.c serves a connection, mock_answer.c composes answers, mock_fate.c
 * says what befalls them.
 */
#include "base/arena.h"
#include "base/loop.h"
#include "http/head.h"
#include "http/write.h"
#include "net/address.h"
#include "plan/mock.h"
#include "plan/plan.h"

enum {
    GD_MOCK_LINE_MAX = 8192,
    GD_MOCK_HEAD_MAX = 32768,
    GD_MOCK_FIELDS_MAX = 100,
    GD_MOCK_BODY_MAX = 4 << 20, /* an answer's body, expanded */
    GD_MOCK_CONNECTIONS_MAX = 16384,
};

/** An answer with all that is the same for each request rendered before. */
struct gd_mock_answer {
    const struct gd_plan_mock_route *route;
    struct gd_span head;    /* status line and fields, without what depends on requests */
    struct gd_span literal; /* the body, if it has no placeholders; else ptr NULL */
    bool has_length;        /* statuses that never have a body have no Content-Length */
    uint64_t seed;          /* of the sequence of its fates */
    uint64_t asked;         /* requests so far: the place in it */
};

struct gd_mock_conn;

/** One mock upstream and its listener. */
struct gd_mock_server {
    struct gd_mocks *mocks;
    struct gd_plan *plan; /* the first one that has it; one reference */
    const struct gd_plan_upstream *upstream;
    struct gd_mock_answer *answers; /* by index in the mock's router */
    struct gd_arena arena;          /* of the answers */
    unsigned users;                 /* sets that have it */
    struct gd_address address;
    int fd;
    struct event accepting;
    struct gd_timer resume; /* armed while accepting pauses */
};

/** The mocks of one plan. */
struct gd_mock_set {
    struct gd_plan *plan;            /* one reference */
    struct gd_mock_server **servers; /* by index of the upstream; NULL: it is no mock */
    struct gd_mock_set *next;        /* of the plan before */
};

struct gd_mocks {
    struct gd_loop *loop;
    struct gd_mock_set *newest;
    struct gd_mock_conn *conns;
    unsigned conn_count;
    struct gd_timer sweep; /* armed while there are connections */
    struct gd_date date;
    struct gd_buf body; /* scratch of one answer */
    struct gd_field fields[GD_MOCK_FIELDS_MAX];
};

/** Renders the answers of a server into its arena. */
GD_MUST_CHECK bool gd_mock_render(struct gd_mock_server *server, struct gd_err *err);

/** What befalls an answer on its way. */
struct gd_mock_fate {
    uint32_t delay_ms, drip_ms;
    bool fail;  /* it is a 500 */
    bool reset; /* the connection, instead of an answer */
    bool cut;   /* half of the body is there; the connection ends behind it */
};

/** The seed of a route's fates. Each pattern has a sequence of its own: it does not
 * depend on what is asked of others meanwhile, nor on which other upstreams there are. */
uint64_t gd_mock_seed(const struct gd_mock_server *server, unsigned index);

/** The fate of the next request for answer. */
void gd_mock_draw(struct gd_mock_answer *answer, struct gd_mock_fate *fate);

/** Appends the answer to a request, which its fate has to meet yet. False past the bound
 *  of out. */
GD_MUST_CHECK bool gd_mock_answer(struct gd_mock_server *server,
                                  const struct gd_request_head *head, struct gd_buf *out,
                                  struct gd_mock_fate *fate);

/** Appends a problem+json answer that ends the connection. */
GD_MUST_CHECK bool gd_mock_refuse(struct gd_mock_server *server, int status,
                                  const char *detail, struct gd_buf *out);

/** Serves a connection just accepted; fd is taken. */
void gd_mock_conn_open(struct gd_mock_server *server, int fd);

/** Closes the connections whose deadline is at now_us or before. */
void gd_mock_conns_sweep(struct gd_mocks *mocks, uint64_t now_us);

/** Closes those of a server, which are freed before this returns. */
void gd_mock_conns_free(struct gd_mock_server *server);

#endif
