#ifndef GD_TESTS_FRONT_FLOW_H
#define GD_TESTS_FRONT_FLOW_H
/**
 * A front whose handler streams: the test opens and writes the answers itself, and sees
 * what the handler is given.
 */
#include "front_client.h"

/* One request at a time, driven by the test. */
struct flow {
    struct rig rig; /* first: the handler's arg is the rig */
    struct gd_request *request;
    bool paused_at_first;
    bool held; /* a piece is borrowed */
    unsigned writable, pieces, ends;
    char body[4096];
    size_t body_len;
};

static inline void on_head(void *arg, struct gd_request *request)
{
    struct flow *flow = arg;

    flow->rig.heads++;
    request->stream = true;
    request->max_body = 1000;
}

static inline void on_request(void *arg, struct gd_request *request)
{
    struct flow *flow = arg;

    flow->rig.requests++;
    flow->request = request;
    flow->body_len = flow->pieces = flow->ends = 0;
    gd_request_pause_body(request, flow->paused_at_first);
}

static inline void on_body(void *arg, struct gd_request *request, struct gd_span piece,
                           bool last)
{
    struct flow *flow = arg;

    ck_assert_ptr_eq(request, flow->request);
    ck_assert_uint_eq(flow->ends, 0);
    ck_assert_uint_le(piece.len, sizeof(flow->body) - flow->body_len);
    memcpy(flow->body + flow->body_len, piece.ptr, piece.len);
    flow->body_len += piece.len;
    flow->pieces++;
    flow->ends += last;
}

static inline void on_gone(void *arg, struct gd_request *request)
{
    struct flow *flow = arg;

    ck_assert_ptr_eq(request, flow->request ? flow->request : request);
    flow->rig.gone++;
    flow->rig.refused = request->refused;
    flow->request = NULL;
}

static inline void on_writable(void *arg)
{
    struct flow *flow = arg;

    ck_assert(flow->held);
    flow->held = false;
    flow->writable++;
}

static inline void flow_init(struct flow *flow)
{
    static const struct gd_handler handler = {.on_head = on_head,
                                              .on_request = on_request,
                                              .on_body = on_body,
                                              .on_gone = on_gone};

    *flow = (struct flow){.request = NULL};
    rig_init(&flow->rig);
    flow->rig.handler = &handler;
}

static inline bool has_request(void *arg)
{
    return ((struct flow *)arg)->request != NULL;
}

static inline void await_request(struct flow *flow)
{
    ck_assert(gd_loop_run_until(flow->rig.loop, has_request, flow, 5000));
}

/* Connects and says text, up to the point where the handler has a request. */
static inline void begin(struct flow *flow, struct client *client, const char *text)
{
    client_open(client, &flow->rig);
    ck_assert(client_say(client, text));
    await_request(flow);
}

static inline void open_answer(struct flow *flow, int status, size_t length)
{
    struct gd_answer answer = {.status = status,
                               .body_bytes = length,
                               .release = rig_on_release,
                               .release_arg = &flow->rig};

    ck_assert(gd_request_open(flow->request, &answer, on_writable, flow));
}

static inline bool write_piece(struct flow *flow, const char *text, bool last)
{
    struct iovec iov = {(char *)text, strlen(text)};
    struct gd_request *request = flow->request;

    if (last) {
        flow->request = NULL;
        flow->rig.answers++;
    }
    return gd_request_write(request, &iov, iov.iov_len > 0, last);
}

static inline void get_all(struct flow *flow, struct client *client)
{
    rig_run(&flow->rig, 10);
    client_read(client);
}

/* Whether what came ends with this text. */
static inline bool ends_with(const struct client *client, const char *text)
{
    size_t len = strlen(text);

    return client->len >= len && memcmp(client->got + client->len - len, text, len) == 0;
}

static inline bool has(const struct client *client, const char *text)
{
    return memmem(client->got, client->len, text, strlen(text)) != NULL;
}

static inline bool is_gone(void *arg)
{
    return ((struct flow *)arg)->rig.gone > 0;
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

#endif
