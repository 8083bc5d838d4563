#ifndef GD_TESTS_MOCK_CLIENT_H
#define GD_TESTS_MOCK_CLIENT_H
/**
 * Mocks and their clients on one loop, over real sockets, for the tests of the mocks.
 */
#include <stdio.h>

#include "net/stream.h"
#include "plan/load.h"
#include "upstream/mock.h"
#include "upstream/mock_parts.h"

struct fixture {
    struct gd_loop *loop;
    struct gd_plan *plan;
    struct gd_address addresses[4];
    struct gd_mocks *mocks;
};

struct client {
    struct gd_loop *loop;
    struct gd_stream stream;
    struct gd_buf in, out;
    bool head_only; /* answers have no body */
    bool eof;
    bool reset;     /* it ended so */
    unsigned reads; /* that brought bytes */
    unsigned wanted;
    unsigned count;      /* complete answers received, their */
    size_t starts[2048]; /* places in `in`, and that of the next */
};

/* Starts the mocks of a configuration. */
static inline void setup(struct fixture *f, const char *config)
{
    struct gd_findings findings = {0};
    struct gd_err err;

    *f = (struct fixture){.loop = gd_loop_new(&err)};
    f->plan = gd_plan_load_text("test", gd_span_of(config), NULL, &findings);
    ck_assert_msg(f->plan != NULL, "%s", findings.count ? findings.lines[0] : "none");
    ck_assert_uint_le(f->plan->server_count, 4);
    f->mocks = gd_mocks_new(f->loop, f->plan, f->addresses, &err);
    ck_assert_msg(f->mocks != NULL, "%s", err.text);
}

static inline void teardown(struct fixture *f)
{
    gd_mocks_free(f->mocks);
    gd_plan_unref(f->plan);
    gd_loop_free(f->loop);
}

static inline void on_writable(void *arg)
{
    struct client *client = arg;
    struct iovec iov = {client->out.data, client->out.len};
    size_t n = 0;

    if (gd_stream_write(&client->stream, &iov, 1, &n) == GD_IO_OK)
        gd_buf_drop(&client->out, n);
    gd_stream_want_write(&client->stream, client->out.len > 0);
}

static inline void on_readable(void *arg)
{
    struct client *client = arg;
    enum gd_io io;
    size_t n = 0;

    ck_assert(gd_buf_reserve(&client->in, 65536));
    io = gd_stream_read(&client->stream, client->in.data + client->in.len, 65536, &n);
    client->in.len += n;
    client->reads += io == GD_IO_OK;
    client->reset = io == GD_IO_ERROR;
    if (io == GD_IO_EOF || io == GD_IO_ERROR) {
        client->eof = true;
        gd_stream_want_read(&client->stream, false);
    }
}

static inline void client_open(struct fixture *f, struct client *client)
{
    *client = (struct client){.loop = f->loop};
    gd_buf_init(&client->in, NULL, 64 << 20);
    gd_buf_init(&client->out, NULL, 64 << 20);
    gd_stream_init(&client->stream, f->loop, on_readable, on_writable, client);
    ck_assert(gd_stream_connect(&client->stream, &f->addresses[0]));
    gd_stream_want_read(&client->stream, true);
}

static inline void client_close(struct client *client)
{
    gd_stream_close(&client->stream, false);
    gd_buf_free(&client->in);
    gd_buf_free(&client->out);
}

static inline void send_text(struct client *client, const char *text)
{
    ck_assert(gd_buf_add_text(&client->out, text));
    gd_stream_want_write(&client->stream, true);
}

/* The length of the answer at the start of text, 0 when it isn't complete. A strict
 * parser reads it. */
static inline size_t answer_len(struct client *client, struct gd_span text,
                                struct gd_response_head *head)
{
    static const struct gd_head_limits limits = {8192, 32768, 100};
    static struct gd_field fields[100];
    struct gd_head_state state = {0};
    enum gd_method method = client->head_only ? GD_METHOD_HEAD : GD_METHOD_GET;
    enum gd_parse parse;
    size_t len;

    parse = gd_response_head_parse(&state, text, &limits, method, fields, head);
    ck_assert_msg(parse != GD_PARSE_REFUSED, "%s: %.*s", state.why, GD_SPAN_ARG(text));
    if (parse == GD_PARSE_MORE)
        return 0;
    ck_assert(head->framing == GD_FRAMING_LENGTH || head->framing == GD_FRAMING_NONE);
    len = head->bytes;
    if (head->framing == GD_FRAMING_LENGTH)
        len += head->content_length;
    return len <= text.len ? len : 0;
}

static inline bool has_answers(void *arg)
{
    struct client *client = arg;
    struct gd_response_head head;
    size_t *start = &client->starts[client->count];
    size_t len;

    while (client->count < client->wanted && *start < client->in.len) {
        len = answer_len(
            client, (struct gd_span){client->in.data + *start, client->in.len - *start},
            &head);
        if (len == 0)
            break;
        ck_assert_uint_lt(++client->count, 2048);
        start[1] = start[0] + len;
        start++;
    }
    return client->eof || client->count >= client->wanted;
}

/* Answer number n of those received. */
static inline struct gd_span answer(struct client *client, unsigned n,
                                    struct gd_response_head *head)
{
    struct gd_span text;

    client->wanted = n + 1;
    has_answers(client);
    ck_assert_msg(client->count > n, "answer %u is missing", n);
    text.ptr = client->in.data + client->starts[n];
    text.len = client->starts[n + 1] - client->starts[n];
    ck_assert_uint_gt(answer_len(client, text, head), 0);
    return text;
}

static inline bool has_ended(void *arg)
{
    return ((struct client *)arg)->eof;
}

static inline bool never(void *arg)
{
    (void)arg;
    return false;
}

static inline void wait_answers(struct client *client, unsigned wanted)
{
    client->wanted = wanted;
    ck_assert_msg(gd_loop_run_until(client->loop, has_answers, client, 10000), "got %.*s",
                  GD_SPAN_ARG(gd_buf_span(&client->in)));
}

/* Whether answer n has the status and the body. */
static inline void answer_is(struct client *client, unsigned n, int status,
                             const char *body)
{
    struct gd_response_head head;
    struct gd_span text = answer(client, n, &head);

    ck_assert_int_eq(head.status, status);
    text.ptr += head.bytes;
    text.len -= head.bytes;
    ck_assert_msg(gd_span_is(text, body), "%.*s", GD_SPAN_ARG(text));
}

static inline bool holds(struct client *client, const char *text)
{
    return memmem(client->in.data, client->in.len, text, strlen(text)) != NULL;
}

#define HOST " HTTP/1.1\r\nHost: mock\r\n\r\n"

#endif
