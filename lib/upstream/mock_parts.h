#ifndef GD_UPSTREAM_MOCK_PARTS_H
#define GD_UPSTREAM_MOCK_PARTS_H
/**
 * What the files of the mocks share. Private to mock*.c: mock.c opens and closes the
 * listeners, mock_conn.c serves a connection, mock_answer.c composes answers.
 */
#include "base/arena.h"
#include "base/loop.h"
#include "http/head.h"
#include "http/write.h"
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
};

struct gd_mock_conn;

/** One mock upstream and its listener. */
struct gd_mock_server {
    struct gd_mocks *mocks;
    const struct gd_plan_upstream *upstream;
    struct gd_mock_answer *answers; /* by index in the mock's router */
    int fd;
    struct event accepting;
    struct gd_timer resume; /* armed while accepting pauses */
};

struct gd_mocks {
    struct gd_loop *loop;
    struct gd_plan *plan;
    struct gd_arena arena;
    struct gd_mock_server *servers;
    unsigned server_count;
    struct gd_mock_conn *conns;
    unsigned conn_count;
    struct gd_timer sweep; /* armed while there are connections */
    struct gd_date date;
    uint64_t random;
    struct gd_buf body; /* scratch of one answer */
    struct gd_field fields[GD_MOCK_FIELDS_MAX];
};

/** Renders the answers of a server into the arena of the mocks. */
GD_MUST_CHECK bool gd_mock_render(struct gd_mock_server *server, struct gd_err *err);

/** Appends the answer to a request; *delay_ms is how long it waits. False past the bound
 *  of out. */
GD_MUST_CHECK bool gd_mock_answer(struct gd_mock_server *server,
                                  const struct gd_request_head *head, struct gd_buf *out,
                                  uint32_t *delay_ms);

/** Appends a problem+json answer that ends the connection. */
GD_MUST_CHECK bool gd_mock_refuse(struct gd_mock_server *server, int status,
                                  const char *detail, struct gd_buf *out);

/** Serves a connection just accepted; fd is taken. */
void gd_mock_conn_open(struct gd_mock_server *server, int fd);

/** Closes the connections whose deadline is at now_us or before. */
void gd_mock_conns_sweep(struct gd_mocks *mocks, uint64_t now_us);

/** Closes all of them; they are freed before this returns. */
void gd_mock_conns_free(struct gd_mocks *mocks);

#endif
