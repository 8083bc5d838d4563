#include "front/flow.h"

#include "http/forwarded.h"

enum { ARENA_STEP = 4096 };

static void skip(struct gd_conn *conn, size_t n)
{
    conn->window.ptr += n;
    conn->window.len -= n;
}

/* Refusing --------------------------------------------------------------------------- */

static void refuse(struct gd_conn *conn, int status, const char *detail)
{
    struct gd_span id = {conn->ending.id, sizeof(conn->ending.id)};

    conn->ending.refused = true;
    if (conn->request)
        conn->request->refused = status;
    gd_conn_abandon(conn);
    conn->keep = false;
    conn->linger = true;
    if (conn->request) {
        id = conn->request->id;
    } else {
        conn->head_only = false;
        conn->minor = 1;
        gd_ids_write(&conn->front->ids, conn->ending.id);
    }
    gd_reply_problem(conn, status, detail, id);
}

void gd_guard_refuse(struct gd_conn *conn, enum gd_stat_worker counter, int status,
                     const char *detail)
{
    gd_front_count(conn->front, counter, 1);
    refuse(conn, status, detail);
}

void gd_guard_refuse_crowded(struct gd_conn *conn)
{
    refuse(conn, 503, "there are too many connections");
}

static void refuse_head(struct gd_conn *conn)
{
    static const enum gd_stat_worker counters[GD_REFUSALS] = {
        [GD_REFUSE_NONE] = GD_WORKER_REJECTED_MALFORMED,
        [GD_REFUSE_MALFORMED] = GD_WORKER_REJECTED_MALFORMED,
        [GD_REFUSE_TARGET_TOO_LONG] = GD_WORKER_REJECTED_TARGET,
        [GD_REFUSE_HEAD_TOO_LARGE] = GD_WORKER_REJECTED_HEADERS,
        [GD_REFUSE_EXPECTATION] = GD_WORKER_REJECTED_EXPECT,
        [GD_REFUSE_NOT_IMPLEMENTED] = GD_WORKER_REJECTED_NOT_IMPLEMENTED,
        [GD_REFUSE_VERSION] = GD_WORKER_REJECTED_VERSION,
    };
    enum gd_refusal refusal = conn->parse.refusal;

    gd_guard_refuse(conn, counters[refusal], gd_refusal_status(refusal),
                    gd_refusal_text(refusal));
}

static void refuse_size(struct gd_conn *conn)
{
    gd_guard_refuse(conn, GD_WORKER_REJECTED_BODY, 413, "the request body is too large");
}

/* Bodies ----------------------------------------------------------------------------- */

static bool complete(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_request *request = conn->request;

    if (request->head.framing != GD_FRAMING_NONE)
        request->body =
            conn->body_bytes.data ? gd_buf_span(&conn->body_bytes) : GD_SPAN("");
    conn->memory_left -=
        request->body.len < conn->memory_left ? request->body.len : conn->memory_left;
    conn->state = GD_CONN_WAIT;
    conn->told = true;
    front->handler.on_request(front->arg, request);
    return true;
}

/* Decodes what is there of the body. True when the pump shall look at the state again. */
static bool take_body(struct gd_conn *conn)
{
    for (;;) {
        struct gd_span data = GD_SPAN_NONE;
        size_t used = 0;

        switch (gd_body_step(&conn->body, conn->window, &used, &data)) {
        case GD_BODY_DATA:
            if (!gd_buf_add_span(&conn->body_bytes, data)) {
                refuse_size(conn);
                return true;
            }
            skip(conn, used);
            break;
        case GD_BODY_MORE:
            skip(conn, used);
            return false;
        case GD_BODY_DONE:
            skip(conn, used);
            return complete(conn);
        case GD_BODY_BAD:
            gd_guard_refuse(conn, GD_WORKER_REJECTED_MALFORMED, 400,
                            "the chunked request body is malformed");
            return true;
        }
    }
}

/* The answer was given before the body was there: the rest is read and dropped, so that
 * the connection can go on. */
static bool drop_body(struct gd_conn *conn)
{
    for (;;) {
        struct gd_span data = GD_SPAN_NONE;
        size_t used = 0;

        switch (gd_body_step(&conn->body, conn->window, &used, &data)) {
        case GD_BODY_DATA:
            skip(conn, used);
            break;
        case GD_BODY_MORE:
            skip(conn, used);
            return false;
        case GD_BODY_DONE:
            skip(conn, used);
            gd_conn_enter(conn, GD_CONN_IDLE);
            return true;
        case GD_BODY_BAD: /* impossible: only bodies with a length come here */
            gd_conn_close(conn, true);
            return false;
        }
    }
}

/* Heads ------------------------------------------------------------------------------ */

struct move {
    const char *from, *to;
    size_t len;
};

static void moved(const struct move *move, struct gd_span *span)
{
    if (span->ptr >= move->from && span->ptr <= move->from + move->len)
        span->ptr = move->to + (span->ptr - move->from);
}

/* Copies a head into the request's arena, its spans with it; false without room. */
static bool adopt_head(struct gd_conn *conn, struct gd_request *request,
                       const struct gd_request_head *head)
{
    struct gd_arena *arena = &conn->arena;
    unsigned count = head->fields.count;
    char *copy = gd_arena_raw(arena, head->bytes);
    struct gd_field *items = gd_arena_raw(arena, count * sizeof(*items));
    struct move move = {conn->window.ptr, copy, head->bytes};
    char *room;

    if (copy == NULL || items == NULL)
        return false;
    memcpy(copy, conn->window.ptr, head->bytes);
    request->head = *head;
    request->head.fields.items = items;
    for (unsigned i = 0; i < count; i++) {
        items[i] = head->fields.items[i];
        moved(&move, &items[i].name);
        moved(&move, &items[i].value);
    }
    moved(&move, &request->head.method_text);
    moved(&move, &request->head.target);
    moved(&move, &request->head.host);
    moved(&move, &request->head.parsed.path);
    moved(&move, &request->head.parsed.query);
    moved(&move, &request->head.parsed.authority);
    request->target = request->head.parsed;
    if (request->target.path.ptr)
        return true;
    room = gd_arena_raw(arena, head->target.len + 1);
    return room && gd_target_parse(request->head.target, room, &request->target);
}

/* A trusted proxy's id is the request's; any other's could be made to look like one that
 * is known. */
static void name_request(struct gd_conn *conn, struct gd_request *request)
{
    if (conn->trusted) {
        request->id = gd_fields_only(&request->head.fields, GD_SPAN("X-Request-Id"));
        if (gd_is_request_id(request->id))
            return;
    }
    gd_ids_write(&conn->front->ids, request->own_id);
    request->id = (struct gd_span){request->own_id, sizeof(request->own_id)};
}

/* Makes the request of a valid head; false when it was refused or the connection died. */
static bool begin(struct gd_conn *conn, const struct gd_request_head *head)
{
    struct gd_front *front = conn->front;
    struct gd_request *request;

    conn->parse = (struct gd_head_state){0};
    conn->ending.head_us = 0;
    conn->memory_left = front->limits->request_memory;
    gd_arena_init(&conn->arena, front->blocks, ARENA_STEP, front->limits->request_memory);
    conn->arena.budget = &conn->memory_left;
    request = gd_arena_alloc(&conn->arena, sizeof(*request));
    if (request == NULL || !adopt_head(conn, request, head)) {
        gd_guard_refuse(conn, GD_WORKER_REJECTED_HEADERS, 431,
                        "the request header is too large");
        return false;
    }
    skip(conn, head->bytes);
    request->conn = conn;
    request->client = &conn->client;
    request->peer = gd_span_of(conn->peer);
    request->trusted = conn->trusted;
    request->secure = conn->secure;
    request->arena = &conn->arena;
    request->budget = &conn->memory_left;
    request->start_us = gd_loop_now_us(front->loop);
    request->max_body = front->max_body;
    name_request(conn, request);
    conn->request = request;
    conn->told = conn->answered = false;
    conn->keep = conn->linger = false;
    conn->head_only = head->method == GD_METHOD_HEAD;
    conn->minor = (uint8_t)head->minor;
    conn->requests++;
    gd_body_init(&conn->body, head->framing, head->content_length);
    gd_front_count(front, GD_WORKER_REQUESTS, 1);
    gd_front_count(front, GD_WORKER_IN_FLIGHT, 1);
    conn->state = GD_CONN_BODY;
    if (!gd_shell_begin(conn)) {
        gd_conn_close(conn, true);
        return false;
    }
    return true;
}

/* The request is accepted: takes its body, or waits for it. */
static bool await_body(struct gd_conn *conn)
{
    struct gd_request *request = conn->request;
    size_t most = conn->front->limits->request_memory;
    bool expects = request->head.expect_continue && conn->window.len == 0;
    bool more;

    if (most > request->max_body)
        most = request->max_body;
    if (request->head.framing == GD_FRAMING_NONE)
        return complete(conn);
    if (request->head.framing == GD_FRAMING_LENGTH &&
        request->head.content_length > most) {
        refuse_size(conn);
        return true;
    }
    gd_buf_init(&conn->body_bytes, conn->front->blocks, most);
    more = take_body(conn);
    if (more)
        return true;
    gd_conn_enter(conn, GD_CONN_BODY);
    if (expects)
        gd_reply_100(conn);
    return false;
}

static bool only_line_ends(struct gd_span bytes)
{
    return bytes.len <= 4 && gd_span_trim(bytes, "\r\n").len == 0;
}

static bool take_head(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_request_head head;

    switch (gd_request_head_parse(&conn->parse, conn->window, &front->head_limits,
                                  front->fields, &head)) {
    case GD_PARSE_MORE:
        /* Some clients send an empty line behind a body; that starts no request yet. */
        if (conn->state == GD_CONN_IDLE && !only_line_ends(conn->window))
            gd_conn_enter(conn, GD_CONN_HEAD);
        return false;
    case GD_PARSE_REFUSED:
        refuse_head(conn);
        return true;
    case GD_PARSE_DONE:
        break;
    }
    if (!begin(conn, &head))
        return true;
    if (front->handler.on_head) {
        conn->told = true;
        front->handler.on_head(front->arg, conn->request);
        if (conn->answered)
            return true;
    }
    if (conn->request->stream) {
        gd_flow_begin(conn);
        return true;
    }
    return await_body(conn);
}

void gd_guard_pump(struct gd_conn *conn)
{
    unsigned heads = 0;
    bool more = true;

    while (more) {
        switch (conn->state) {
        case GD_CONN_IDLE:
        case GD_CONN_HEAD:
            if (conn->window.len == 0)
                return;
            if (heads++ == GD_FRONT_TURN_REQUESTS) {
                gd_conn_go_on_later(conn);
                return;
            }
            more = take_head(conn);
            break;
        case GD_CONN_BODY:
            more = take_body(conn);
            break;
        case GD_CONN_DISCARD:
            more = drop_body(conn);
            break;
        case GD_CONN_WAIT:
        case GD_CONN_WRITE:
            more = gd_flow_take_body(conn);
            break;
        case GD_CONN_OPENING:
        case GD_CONN_LINGER:
        case GD_CONN_CLOSED:
            return;
        }
    }
}
