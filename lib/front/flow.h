#ifndef GD_FRONT_FLOW_H
#define GD_FRONT_FLOW_H
/**
 * What is streamed of one request, private to this folder: its answer (flow.c), its body
 * (flow_body.c), or both at once.
 */
#include "front/conn.h"

struct gd_flow {
    /* the answer */
    void (*on_writable)(void *arg);
    void *arg;
    enum gd_framing framing;
    uint64_t left;                  /* LENGTH: bytes still to be handed over */
    char chunk[GD_CHUNK_LINE_ROOM]; /* the size line of the chunk at hand */
    /* the body */
    bool wanted;          /* it is not complete, and the handler takes it */
    bool paused;          /* … but not now */
    bool expects;         /* the client may be waiting for 100 */
    uint64_t room;        /* bytes that max_body leaves */
    uint64_t progress_us; /* when enough of it had come, or something could come again */
    size_t slow_bytes;    /* that have come since then */
    struct gd_timer timer;
};

/** The request's flow, made when there is none; NULL at the bound of its memory. */
struct gd_flow *gd_flow_of(struct gd_conn *conn);

/** All of a piece is written: the handler may write the next one. */
void gd_flow_written(struct gd_conn *conn);

/** The head is complete and the body is to be streamed: on_request, or a refusal. */
void gd_flow_begin(struct gd_conn *conn);

/** Hands out what conn->window has of a streamed body. True when the connection has got
 *  into a state of which the guard has to think. */
bool gd_flow_take_body(struct gd_conn *conn);

/** The handler gets no more of the body. Nothing without a flow. */
void gd_flow_end_body(struct gd_conn *conn);

/** Bytes of a streamed body that have come. */
static inline uint64_t gd_flow_received(const struct gd_conn *conn)
{
    return conn->flow && conn->flow->room <= conn->request->max_body
               ? conn->request->max_body - conn->flow->room
               : 0;
}

static inline bool gd_flow_paused(const struct gd_conn *conn)
{
    return conn->flow && conn->flow->wanted && conn->flow->paused;
}

/** The client has ended in the middle of its body, and all that it sent is consumed. */
static inline bool gd_flow_starves(const struct gd_conn *conn)
{
    return conn->flow && conn->flow->wanted && gd_conn_pending(conn) == 0 &&
           !gd_work_queued(&conn->again);
}

#endif
