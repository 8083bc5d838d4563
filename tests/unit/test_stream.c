#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "net/listen.h"
#include "net/stream.h"

static const struct gd_plan_address loopback = {
    .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "http://127.0.0.1:0"};

/* One side of a connection, counting its events. */
struct side {
    struct gd_stream stream;
    int readable, writable;
};

static void on_readable(void *arg)
{
    struct side *side = arg;

    side->readable++;
    gd_stream_want_read(&side->stream, false);
}

static void on_writable(void *arg)
{
    struct side *side = arg;

    side->writable++;
    gd_stream_want_write(&side->stream, false);
}

static bool was_readable(void *arg)
{
    return ((struct side *)arg)->readable > 0;
}

static bool was_writable(void *arg)
{
    return ((struct side *)arg)->writable > 0;
}

static bool never(void *arg)
{
    return false;
}

static void side_init(struct side *side, struct gd_loop *loop)
{
    side->readable = side->writable = 0;
    gd_stream_init(&side->stream, loop, on_readable, on_writable, side);
}

static int open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

struct pair {
    struct gd_loop *loop;
    struct side client, server;
    int fds;
};

static void pair_open(struct pair *pair)
{
    struct gd_address at;
    struct gd_err err;
    int listener, fd;

    pair->fds = open_fds();
    pair->loop = gd_loop_new(NULL);
    listener = gd_listen_open(&loopback, 8, &at, &err);
    ck_assert_int_ge(listener, 0);
    side_init(&pair->client, pair->loop);
    side_init(&pair->server, pair->loop);
    ck_assert(gd_stream_connect(&pair->client.stream, &at));
    ck_assert_int_eq(pair->client.writable, 0);
    ck_assert(gd_loop_run_until(pair->loop, was_writable, &pair->client, 1000));
    ck_assert(gd_stream_connected(&pair->client.stream));
    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    close(listener);
    gd_stream_open(&pair->server.stream, fd, true);
}

static void pair_close(struct pair *pair)
{
    gd_stream_close(&pair->client.stream, false);
    gd_stream_close(&pair->client.stream, false);
    gd_stream_close(&pair->server.stream, true);
    gd_loop_free(pair->loop);
    ck_assert_int_eq(open_fds(), pair->fds);
}

START_TEST(bytes_arrive_and_the_end_is_told)
{
    struct pair pair;
    struct iovec iov[3] = {{(char *)"ab", 2}, {(char *)"", 0}, {(char *)"cde", 3}};
    char got[16];
    size_t n;

    pair_open(&pair);
    ck_assert_int_eq(gd_stream_read(&pair.server.stream, got, 16, &n), GD_IO_AGAIN);
    ck_assert_int_eq(gd_stream_write(&pair.client.stream, iov, 3, &n), GD_IO_OK);
    ck_assert_uint_eq(n, 5);
    gd_stream_shutdown(&pair.client.stream);
    gd_stream_want_read(&pair.server.stream, true);
    ck_assert(gd_loop_run_until(pair.loop, was_readable, &pair.server, 1000));
    ck_assert_int_eq(gd_stream_read(&pair.server.stream, got, 4, &n), GD_IO_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_int_eq(gd_stream_read(&pair.server.stream, got, 4, &n), GD_IO_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(gd_stream_read(&pair.server.stream, got, 4, &n), GD_IO_EOF);
    pair_close(&pair);
}
END_TEST

START_TEST(a_full_socket_says_again_and_then_writable)
{
    struct pair pair;
    static char block[65536];
    struct iovec iov = {block, sizeof(block)};
    size_t n, sent = 0, got = 0;
    enum gd_io io;

    pair_open(&pair);
    while ((io = gd_stream_write(&pair.client.stream, &iov, 1, &n)) == GD_IO_OK)
        sent += n;
    ck_assert_int_eq(io, GD_IO_AGAIN);
    pair.client.writable = 0;
    gd_stream_want_write(&pair.client.stream, true);
    ck_assert(!gd_loop_run_until(pair.loop, was_writable, &pair.client, 20));
    while (got < sent && !was_writable(&pair.client)) {
        pair.server.readable = 0;
        gd_stream_want_read(&pair.server.stream, true);
        ck_assert(gd_loop_run_until(pair.loop, was_readable, &pair.server, 1000));
        while (gd_stream_read(&pair.server.stream, block, sizeof(block), &n) == GD_IO_OK)
            got += n;
    }
    ck_assert(gd_loop_run_until(pair.loop, was_writable, &pair.client, 1000));
    pair_close(&pair);
}
END_TEST

START_TEST(an_aborted_close_resets_the_peer)
{
    struct pair pair;
    struct iovec iov = {(char *)"x", 1};
    char got[16];
    size_t n;

    pair_open(&pair);
    gd_stream_want_read(&pair.server.stream, true);
    gd_stream_close(&pair.client.stream, true);
    ck_assert(gd_loop_run_until(pair.loop, was_readable, &pair.server, 1000));
    ck_assert_int_eq(gd_stream_read(&pair.server.stream, got, 16, &n), GD_IO_ERROR);
    /* and writing to it raises no signal */
    ck_assert_int_eq(gd_stream_write(&pair.server.stream, &iov, 1, &n), GD_IO_ERROR);
    pair_close(&pair);
}
END_TEST

START_TEST(no_callback_follows_a_close)
{
    struct pair pair;
    struct iovec iov = {(char *)"x", 1};
    size_t n;

    pair_open(&pair);
    pair.server.writable = 0;
    gd_stream_want_read(&pair.server.stream, true);
    gd_stream_want_write(&pair.server.stream, true);
    ck_assert_int_eq(gd_stream_write(&pair.client.stream, &iov, 1, &n), GD_IO_OK);
    gd_stream_close(&pair.server.stream, false);
    ck_assert(!gd_loop_run_until(pair.loop, never, NULL, 20));
    ck_assert_int_eq(pair.server.readable + pair.server.writable, 0);
    pair_close(&pair);
}
END_TEST

START_TEST(a_refused_connect_is_told_by_connected)
{
    struct gd_loop *loop = gd_loop_new(NULL);
    struct gd_address at;
    struct side side;
    int listener = gd_listen_open(&loopback, 8, &at, NULL);

    close(listener);
    side_init(&side, loop);
    if (gd_stream_connect(&side.stream, &at)) {
        ck_assert(gd_loop_run_until(loop, was_writable, &side, 1000));
        ck_assert(!gd_stream_connected(&side.stream));
    }
    ck_assert_int_eq(errno, ECONNREFUSED);
    gd_stream_close(&side.stream, false);
    gd_loop_free(loop);
}
END_TEST

START_TEST(a_socket_connected_to_itself_counts_as_refused)
{
    struct gd_loop *loop = gd_loop_new(NULL);
    struct gd_address at;
    struct side side;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_uint_eq(gd_address_resolve(&loopback, &at, 1, NULL), 1);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at.sa, at.len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at.sa, &at.len), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at.sa, at.len), 0);
    side_init(&side, loop);
    gd_stream_open(&side.stream, fd, true);
    ck_assert(!gd_stream_connected(&side.stream));
    ck_assert_int_eq(errno, ECONNREFUSED);
    gd_stream_close(&side.stream, true);
    gd_loop_free(loop);
}
END_TEST

START_TEST(a_unix_socket_that_is_not_there_is_refused_at_once)
{
    struct gd_plan_address where = {
        .kind = GD_ADDRESS_UNIX, .path = "/no/such/socket", .text = "unix:x"};
    struct gd_loop *loop = gd_loop_new(NULL);
    struct gd_address at;
    struct side side;

    ck_assert_uint_eq(gd_address_resolve(&where, &at, 1, NULL), 1);
    side_init(&side, loop);
    ck_assert(!gd_stream_connect(&side.stream, &at));
    ck_assert_int_eq(errno, ENOENT);
    gd_stream_close(&side.stream, false);
    gd_loop_free(loop);
}
END_TEST

START_TEST(the_path_of_a_unix_socket_has_its_bounds)
{
    char path[200];
    struct gd_plan_address where = {
        .kind = GD_ADDRESS_UNIX, .path = path, .text = "unix:long"};
    struct gd_address at;
    struct gd_err err;

    memset(path, 'p', sizeof(path));
    path[108] = 0;
    ck_assert_uint_eq(gd_address_resolve(&where, &at, 1, &err), 0);
    ck_assert_str_eq(err.text, "unix:long: the path of a unix socket has 1 to 107 bytes");
    path[107] = 0;
    ck_assert_uint_eq(gd_address_resolve(&where, &at, 1, &err), 1);
    path[0] = 0;
    ck_assert_uint_eq(gd_address_resolve(&where, &at, 1, &err), 0);
}
END_TEST

START_TEST(a_borrowed_descriptor_stays_open)
{
    struct gd_loop *loop = gd_loop_new(NULL);
    struct side side;
    int fds[2];
    char got[4];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    side_init(&side, loop);
    gd_stream_open(&side.stream, fds[0], false);
    gd_stream_want_read(&side.stream, true);
    gd_stream_close(&side.stream, false);
    ck_assert_int_eq(write(fds[0], "ok", 2), 2);
    ck_assert_int_eq(read(fds[1], got, 4), 2);
    close(fds[0]);
    close(fds[1]);
    gd_loop_free(loop);
}
END_TEST

START_TEST(a_vector_advances_over_whole_and_part_entries)
{
    char text[] = "abcdef";
    struct iovec iov[3] = {{text, 2}, {text + 2, 3}, {text + 5, 1}}, *rest;
    int count = 3;

    rest = gd_iov_advance(iov, &count, 0);
    ck_assert_ptr_eq(rest, iov);
    rest = gd_iov_advance(rest, &count, 3);
    ck_assert_int_eq(count, 2);
    ck_assert_ptr_eq(rest->iov_base, text + 3);
    ck_assert_uint_eq(rest->iov_len, 2);
    rest = gd_iov_advance(rest, &count, 3);
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(addresses_are_written_as_people_write_them)
{
    const struct {
        const char *host, *text;
    } rows[] = {{"127.0.0.1", "127.0.0.1:80"},
                {"::1", "[::1]:80"},
                {"", "[::]:80"},
                {"::", "[::]:80"},
                {"::ffff:10.1.2.3", "10.1.2.3:80"}};
    char text[GD_ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gd_plan_address from = {
            .kind = GD_ADDRESS_TCP, .host = rows[i].host, .port = 80, .text = "x"};
        struct gd_address at;

        ck_assert_uint_eq(gd_address_resolve(&from, &at, 1, NULL), 1);
        ck_assert_str_eq(gd_address_text(&at, text), rows[i].text);
        ck_assert_uint_eq(gd_address_port(&at), 80);
    }
}
END_TEST

START_TEST(a_name_without_address_is_an_error)
{
    struct gd_plan_address from = {.kind = GD_ADDRESS_TCP,
                                   .host = "no..such..name",
                                   .text = "http://no..such..name"};
    struct gd_address at;
    struct gd_err err;

    ck_assert_uint_eq(gd_address_resolve(&from, &at, 1, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "http://no..such..name: no address found"));
}
END_TEST

/* A fresh folder for sockets, and a path in it. */
static char folder[] = "/tmp/gd-stream-XXXXXX";
static char socket_path[64];

static struct gd_plan_address unix_address(void)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
    return (struct gd_plan_address){
        .kind = GD_ADDRESS_UNIX, .path = socket_path, .text = "unix:s"};
}

START_TEST(a_stale_unix_socket_is_replaced_and_a_live_one_kept)
{
    struct gd_plan_address where = unix_address();
    char text[GD_ADDRESS_TEXT_MAX], want[80];
    struct gd_address at;
    struct gd_err err;
    int fd = gd_listen_open(&where, 8, &at, &err), again;

    ck_assert_int_ge(fd, 0);
    snprintf(want, sizeof(want), "unix:%s", socket_path);
    ck_assert_str_eq(gd_address_text(&at, text), want);
    ck_assert_int_eq(gd_listen_open(&where, 8, NULL, &err), -1);
    ck_assert_str_eq(err.text, "cannot listen on unix:s: another process does");
    close(fd);
    again = gd_listen_open(&where, 8, NULL, &err);
    ck_assert_int_ge(again, 0);
    close(again);
    unlink(socket_path);
    rmdir(folder);
}
END_TEST

START_TEST(a_file_in_the_place_of_a_unix_socket_is_not_removed)
{
    struct gd_plan_address where = unix_address();
    struct gd_err err;
    FILE *file = fopen(socket_path, "w");

    fclose(file);
    ck_assert_int_eq(gd_listen_open(&where, 8, NULL, &err), -1);
    ck_assert_str_eq(err.text,
                     "cannot listen on unix:s: the file exists and is no socket");
    ck_assert_int_eq(access(socket_path, F_OK), 0);
    unlink(socket_path);
    rmdir(folder);
}
END_TEST

START_TEST(a_port_in_use_is_an_error_that_names_it)
{
    struct gd_plan_address where = loopback;
    struct gd_address at;
    struct gd_err err;
    int fd = gd_listen_open(&loopback, 8, &at, &err);

    where.port = gd_address_port(&at);
    where.text = "http://127.0.0.1:PORT";
    ck_assert_int_eq(gd_listen_open(&where, 8, NULL, &err), -1);
    ck_assert_str_eq(err.text,
                     "cannot listen on http://127.0.0.1:PORT: Address already in use");
    close(fd);
}
END_TEST

START_TEST(the_empty_host_takes_both_families)
{
    struct gd_plan_address any = {.kind = GD_ADDRESS_TCP, .host = "", .text = "8080"};
    struct gd_plan_address to = loopback;
    struct gd_address at;
    int listener = gd_listen_open(&any, 8, &at, NULL), fd;

    ck_assert_int_ge(listener, 0);
    to.port = gd_address_port(&at);
    ck_assert_uint_eq(gd_address_resolve(&to, &at, 1, NULL), 1);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at.sa, at.len), 0);
    close(fd);
    close(listener);
}
END_TEST

GD_SUITE("stream", bytes_arrive_and_the_end_is_told,
         a_full_socket_says_again_and_then_writable, an_aborted_close_resets_the_peer,
         no_callback_follows_a_close, a_refused_connect_is_told_by_connected,
         a_socket_connected_to_itself_counts_as_refused,
         a_unix_socket_that_is_not_there_is_refused_at_once,
         the_path_of_a_unix_socket_has_its_bounds, a_borrowed_descriptor_stays_open,
         a_vector_advances_over_whole_and_part_entries,
         addresses_are_written_as_people_write_them, a_name_without_address_is_an_error,
         a_stale_unix_socket_is_replaced_and_a_live_one_kept,
         a_file_in_the_place_of_a_unix_socket_is_not_removed,
         a_port_in_use_is_an_error_that_names_it, the_empty_host_takes_both_families)
