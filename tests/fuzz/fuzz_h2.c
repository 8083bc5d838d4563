/*
 * The server's side of an HTTP/2 connection: the first byte chooses the methods, the
 * second how what it sends is cut into pieces; the rest is what it sends behind its
 * settings, while three requests are open. Each of these ends exactly once or goes on,
 * what is read of it is a head that the strict parser takes and its body, no bound is
 * passed, and when the server ends, everything has ended.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/stat.h"
#include "h2/h2.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 65536, STREAMS = 3, REPLY_MAX = 1 << 20 };

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition))                                                                \
            abort();                                                                     \
    } while (0)

struct run;

struct client {
    struct run *run;
    struct gd_h2_stream stream;
    struct gd_buf reply;
    enum gd_method method;
    bool over;
    bool complete;
};

struct run {
    struct gd_loop *loop;
    struct gd_stream stream;
    struct gd_h2 *h2;
    uint64_t values[GD_SERVER_STATS], *stats;
    struct client clients[STREAMS];
    int peer, ready, over;
};

static void on_socket_readable(void *arg)
{
    gd_h2_readable(((struct run *)arg)->h2);
}

static void on_socket_writable(void *arg)
{
    gd_h2_writable(((struct run *)arg)->h2);
}

/* A complete reply begins with a valid final head, maybe behind interim ones. */
static void check_reply(const struct client *client)
{
    static const struct gd_head_limits limits = {8192, GD_H2_HEAD_BYTES, GD_H2_FIELDS};
    struct gd_span rest = gd_buf_span(&client->reply);
    struct gd_field fields[GD_H2_FIELDS];
    struct gd_response_head head;

    do {
        struct gd_head_state state = {0};

        CHECK(gd_response_head_parse(&state, rest, &limits, client->method, fields,
                                     &head) == GD_PARSE_DONE);
        rest = (struct gd_span){rest.ptr + head.bytes, rest.len - head.bytes};
    } while (head.status < 200);
    CHECK(head.framing != GD_FRAMING_CHUNKED);
    CHECK(head.framing != GD_FRAMING_LENGTH || head.content_length == rest.len);
    CHECK(head.framing != GD_FRAMING_NONE || rest.len == 0);
}

static void on_readable(void *arg)
{
    struct client *client = arg;
    char bytes[1000];
    size_t n;

    CHECK(!client->over);
    for (;;) {
        switch (gd_h2_stream_read(&client->stream, bytes, sizeof(bytes), &n)) {
        case GD_IO_OK:
            CHECK(gd_buf_add(&client->reply, bytes, n));
            continue;
        case GD_IO_AGAIN:
            CHECK(!gd_h2_stream_ended(&client->stream));
            return;
        case GD_IO_EOF:
            client->complete = true;
            check_reply(client);
            break;
        case GD_IO_ERROR:
            CHECK(client->stream.why);
            break;
        }
        client->over = true;
        gd_h2_stream_close(&client->stream);
        return;
    }
}

static void on_writable(void *arg)
{
    abort(); /* all was taken at once */
}

static void ask(struct client *client)
{
    static const char *const heads[] = {
        "GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n",
    };
    const char *head = heads[client->method == GD_METHOD_HEAD   ? 1
                             : client->method == GD_METHOD_POST ? 2
                                                                : 0];
    struct iovec iov[2] = {{(char *)head, strlen(head)}, {(char *)"body", 4}};
    int count = client->method == GD_METHOD_POST ? 2 : 1;
    size_t n;

    gd_h2_stream_open(&client->stream, client->run->h2, on_readable, on_writable, client);
    CHECK(gd_h2_stream_write(&client->stream, iov, count, &n) == GD_IO_OK);
    gd_h2_stream_finish(&client->stream);
}

static void on_ready(void *arg)
{
    struct run *run = arg;

    CHECK(run->ready++ == 0);
    for (int i = 0; i < STREAMS; i++)
        if (gd_h2_room(run->h2) > 0)
            ask(&run->clients[i]);
        else
            run->clients[i].over = true;
}

static void on_room(void *arg)
{
    CHECK(((struct run *)arg)->ready == 1);
}

static void on_over(void *arg, enum gd_failure failure, const char *why)
{
    struct run *run = arg;

    CHECK(run->over++ == 0 && why);
    CHECK(failure == GD_FAIL_RESET || failure == GD_FAIL_PROTOCOL);
    CHECK(gd_h2_is_going(run->h2) && gd_h2_room(run->h2) == 0);
}

static bool is_over(void *arg)
{
    return ((struct run *)arg)->over > 0;
}

static void open_run(struct run *run, struct gd_loop *loop, uint8_t methods)
{
    static const struct gd_h2_handler handler = {on_ready, on_room, on_over};
    static const enum gd_method each[] = {GD_METHOD_GET, GD_METHOD_HEAD, GD_METHOD_POST,
                                          GD_METHOD_GET};
    int fds[2];

    *run = (struct run){.loop = loop};
    run->stats = run->values;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    run->peer = fds[0];
    for (int i = 0; i < STREAMS; i++) {
        run->clients[i] =
            (struct client){.run = run, .method = each[methods >> (2 * i) & 3]};
        gd_buf_init(&run->clients[i].reply, NULL, REPLY_MAX);
    }
    gd_stream_init(&run->stream, loop, on_socket_readable, on_socket_writable, run);
    gd_stream_open(&run->stream, fds[1], true);
    gd_stream_want_read(&run->stream, true);
    run->h2 = gd_h2_new(&(struct gd_h2_config){.loop = loop,
                                               .stream = &run->stream,
                                               .stats = &run->stats,
                                               .streams = STREAMS,
                                               .ping_ms = 60000,
                                               .answer_ms = 60000,
                                               .doubt_ms = 60000},
                        &handler, run);
}

/* Sends the settings and then the bytes in pieces, a turn of the loop for each, and ends.
 */
static void play(struct run *run, const uint8_t *bytes, size_t size, size_t piece)
{
    static const uint8_t settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    char seen[4096];

    CHECK(send(run->peer, settings, sizeof(settings), MSG_NOSIGNAL) == sizeof(settings));
    for (int i = 0; i < 3; i++)
        gd_loop_run_until(run->loop, is_over, run, 0);
    for (size_t at = 0; at < size && !run->over; at += piece) {
        size_t n = size - at < piece ? size - at : piece;

        if (send(run->peer, bytes + at, n, MSG_NOSIGNAL) < 0)
            break;
        gd_loop_run_until(run->loop, is_over, run, 0);
        while (recv(run->peer, seen, sizeof(seen), MSG_DONTWAIT) > 0)
            ;
    }
    shutdown(run->peer, SHUT_WR);
    CHECK(gd_loop_run_until(run->loop, is_over, run, 5000));
}

static void close_run(struct run *run)
{
    for (int i = 0; i < STREAMS; i++) {
        CHECK(run->clients[i].over || run->ready == 0);
        gd_h2_stream_close(&run->clients[i].stream);
        gd_buf_free(&run->clients[i].reply);
    }
    gd_h2_close(run->h2);
    gd_stream_close(&run->stream, false);
    close(run->peer);
    gd_loop_run_until(run->loop, is_over, run, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gd_loop *loop;
    static struct run run;

    if (size < 2 || size > ANSWER_MAX)
        return 0;
    if (loop == NULL)
        loop = gd_loop_new(NULL);
    open_run(&run, loop, data[0]);
    play(&run, data + 2, size - 2, data[1] ? data[1] : ANSWER_MAX);
    close_run(&run);
    return 0;
}
