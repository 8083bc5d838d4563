#ifndef GD_TESTS_H2_RIG_H
#define GD_TESTS_H2_RIG_H
/**
 * A connection of lib/h2 before a scripted server, and clients with a stream each.
 */
#include <sys/socket.h>

#include "base/mem.h"
#include "base/stat.h"
#include "h2/h2.h"
#include "h2_server.h"

enum { CLIENTS = 8, LARGE = 1 << 20 };

struct rig {
    struct gd_loop *loop;
    struct gd_stream stream;
    struct h2_server server;
    struct gd_h2 *h2;
    uint64_t values[GD_SERVER_STATS], *stats;
    unsigned ready, rooms, over;
    enum gd_failure failure;
};

/* One stream, and what was read of it. */
struct client {
    struct gd_h2_stream stream;
    struct gd_buf reply;
    bool lazy; /* does not read by itself */
    bool complete, failed;
    unsigned writable;
};

static inline void on_socket_readable(void *arg)
{
    gd_h2_readable(((struct rig *)arg)->h2);
}

static inline void on_socket_writable(void *arg)
{
    gd_h2_writable(((struct rig *)arg)->h2);
}

static inline void on_ready(void *arg)
{
    ((struct rig *)arg)->ready++;
}

static inline void on_room(void *arg)
{
    ((struct rig *)arg)->rooms++;
}

static inline void on_over(void *arg, enum gd_failure failure, const char *why)
{
    struct rig *rig = arg;

    ck_assert_ptr_nonnull(why);
    rig->over++;
    rig->failure = failure;
}

static inline bool never(void *arg)
{
    (void)arg;
    return false;
}

static inline void run(struct rig *rig, uint32_t ms)
{
    gd_loop_run_until(rig->loop, never, NULL, ms);
}

static inline bool is_ready(void *arg)
{
    return ((struct rig *)arg)->ready > 0;
}

static inline bool is_over(void *arg)
{
    return ((struct rig *)arg)->over > 0;
}

static inline void rig_open(struct rig *rig, uint32_t streams, uint32_t window)
{
    static const struct gd_h2_handler handler = {on_ready, on_room, on_over};
    struct gd_h2_config config = {.stream = &rig->stream,
                                  .stats = &rig->stats,
                                  .streams = 100,
                                  .ping_ms = 60000,
                                  .answer_ms = 60000,
                                  .doubt_ms = 20};
    int fds[2];

    *rig = (struct rig){.loop = gd_loop_new(NULL)};
    rig->stats = rig->values;
    config.loop = rig->loop;
    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    gd_stream_init(&rig->stream, rig->loop, on_socket_readable, on_socket_writable, rig);
    gd_stream_open(&rig->stream, fds[0], true);
    gd_stream_want_read(&rig->stream, true);
    rig->h2 = gd_h2_new(&config, &handler, rig);
    ck_assert_uint_eq(gd_h2_room(rig->h2), 0);
    h2_open(&rig->server, rig->loop, fds[1], streams, window);
    ck_assert(gd_loop_run_until(rig->loop, is_ready, rig, 5000));
}

static inline void rig_close(struct rig *rig)
{
    gd_h2_close(rig->h2);
    gd_stream_close(&rig->stream, false);
    run(rig, 1);
    h2_close(&rig->server);
    gd_loop_free(rig->loop);
    ck_assert_uint_eq(rig->ready, 1);
    ck_assert_uint_le(rig->over, 1);
}

static inline void read_some(struct client *client, size_t most)
{
    char bytes[16384];
    size_t n;

    while (most > 0) {
        size_t room = most < sizeof(bytes) ? most : sizeof(bytes);

        switch (gd_h2_stream_read(&client->stream, bytes, room, &n)) {
        case GD_IO_OK:
            ck_assert(gd_buf_add(&client->reply, bytes, n));
            most -= n;
            continue;
        case GD_IO_AGAIN:
            return;
        case GD_IO_EOF:
            client->complete = true;
            return;
        case GD_IO_ERROR:
            client->failed = true;
            return;
        }
    }
}

static inline void on_readable(void *arg)
{
    struct client *client = arg;

    ck_assert(!client->complete && !client->failed);
    if (!client->lazy)
        read_some(client, SIZE_MAX);
}

static inline void on_writable(void *arg)
{
    ((struct client *)arg)->writable++;
}

static inline void open_client(struct rig *rig, struct client *client)
{
    *client = (struct client){.lazy = false};
    gd_buf_init(&client->reply, NULL, 2 * LARGE);
    gd_h2_stream_open(&client->stream, rig->h2, on_readable, on_writable, client);
}

/* How many bytes of head and body were taken. */
static inline size_t write_text(struct client *client, const char *head, const char *body,
                                size_t len)
{
    struct iovec iov[2] = {{(char *)head, strlen(head)}, {(char *)body, len}};
    size_t n;

    gd_h2_stream_write(&client->stream, iov, len ? 2 : 1, &n);
    return n;
}

static inline void get(struct rig *rig, struct client *client)
{
    open_client(rig, client);
    write_text(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", NULL, 0);
}

static inline void close_client(struct client *client)
{
    gd_h2_stream_close(&client->stream);
    gd_buf_free(&client->reply);
}

static inline bool is_settled(void *arg)
{
    struct client *client = arg;

    return client->complete || client->failed;
}

static inline void finish(struct rig *rig, struct client *client)
{
    ck_assert(gd_loop_run_until(rig->loop, is_settled, client, 5000));
}

#endif
