/*
 * What a call costs on a pooled session, and on a connection of its own: CPU time of this
 * process for each, and how many times more the second takes. The server is a forked
 * child that answers whatever it reads, so that its work is not counted.
 *
 *   bench_exchange [pooled calls] [fresh calls] [calls at a time] [body bytes]
 *
 * Instructions and system calls don't depend on the machine; take the difference of two
 * runs that differ in the number of calls:
 *   valgrind --tool=callgrind bench_exchange 2000 0
 *   strace -c bench_exchange 2000 0
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/listen.h"
#include "upstream/exchange.h"

enum { SLOTS = 64, BODY_MAX = 1 << 20 };

static const char request[] = "GET /users/42 HTTP/1.1\r\n"
                              "Host: 127.0.0.1:8001\r\n"
                              "User-Agent: gatherd\r\n"
                              "Accept: application/json\r\n\r\n";

/* The server ----------------------------------------------------------------------- */

struct server {
    struct pollfd fds[SLOTS + 1]; /* the listener, and the connections */
    nfds_t count;
    char answer[BODY_MAX + 256];
    size_t len;
};

static void server_accept(struct server *server)
{
    int fd = accept4(server->fds[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        server->fds[server->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* False when the connection has ended. */
static bool server_answer(struct server *server, int fd)
{
    char bytes[4096];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

    return n > 0 &&
           send(fd, server->answer, server->len, MSG_NOSIGNAL) == (ssize_t)server->len;
}

static void server_run(int listener, unsigned body)
{
    static struct server server = {.count = 1};

    server.len = (size_t)snprintf(server.answer, sizeof(server.answer),
                                  "HTTP/1.1 200 OK\r\nServer: bench\r\n"
                                  "Date: Mon, 23 Nov 2026 21:58:00 GMT\r\n"
                                  "Content-Type: application/json\r\n"
                                  "Content-Length: %u\r\n\r\n%0*d",
                                  body, (int)body, 7);
    server.fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        server.fds[0].events = server.count <= SLOTS ? POLLIN : 0;
        if (poll(server.fds, server.count, -1) < 0)
            return;
        for (nfds_t i = server.count - 1; i > 0; i--) {
            if (server.fds[i].revents == 0 || server_answer(&server, server.fds[i].fd))
                continue;
            close(server.fds[i].fd);
            server.fds[i] = server.fds[--server.count];
        }
        if (server.fds[0].revents)
            server_accept(&server);
    }
}

/* The calls ------------------------------------------------------------------------ */

struct bench {
    struct gd_loop *loop;
    struct gd_upstreams *upstreams;
    bool pooled;
    unsigned to_start, running, body;
};

struct call {
    struct bench *bench;
    struct gd_lease lease;
    struct gd_exchange exchange;
};

static void call_next(struct call *call);

static void on_done(void *arg, enum gd_failure failure)
{
    struct call *call = arg;

    if (failure != GD_OK || call->exchange.body.len != call->bench->body) {
        fprintf(stderr, "a call failed: %s\n", gd_failure_word(failure));
        exit(EXIT_FAILURE);
    }
    gd_exchange_free(&call->exchange);
    gd_lease_end(&call->lease, call->bench->pooled && call->exchange.reusable);
    call->bench->running--;
    call_next(call);
}

static void on_ready(void *arg, enum gd_failure failure)
{
    struct call *call = arg;
    struct gd_buf bytes;

    gd_buf_init(&bytes, gd_loop_blocks(call->bench->loop), sizeof(request));
    if (failure != GD_OK || !gd_buf_add_span(&bytes, GD_SPAN(request))) {
        fprintf(stderr, "no session: %s\n", gd_failure_word(failure));
        exit(EXIT_FAILURE);
    }
    gd_exchange_start(&call->exchange, call->lease.session, GD_METHOD_GET, &bytes,
                      BODY_MAX, on_done, call);
}

static void call_next(struct call *call)
{
    struct bench *bench = call->bench;

    if (bench->to_start == 0)
        return;
    bench->to_start--;
    bench->running++;
    if (gd_upstream_lease(bench->upstreams, 0, false, &call->lease, on_ready, call) ==
        GD_LEASE_READY)
        on_ready(call, GD_OK);
}

static bool is_over(void *arg)
{
    const struct bench *bench = arg;

    return bench->running == 0 && bench->to_start == 0;
}

static double cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Returns CPU microseconds a call. */
static double run(struct bench *bench, struct call *calls, unsigned at_a_time,
                  bool pooled, unsigned count)
{
    double before = cpu_us();

    bench->pooled = pooled;
    bench->to_start = count;
    for (unsigned i = 0; i < at_a_time; i++)
        call_next(&calls[i]);
    if (!gd_loop_run_until(bench->loop, is_over, bench, 300000))
        exit(EXIT_FAILURE);
    return count ? (cpu_us() - before) / count : 0;
}

static void run_all(const struct gd_address *server, unsigned pooled, unsigned fresh,
                    unsigned at_a_time, unsigned body)
{
    struct gd_plan_server plan_server = {.name = "bench", .weight = 1};
    struct gd_plan_upstream upstream = {
        .name = "bench",
        .servers = &plan_server,
        .server_count = 1,
        .timeout_ms = 10000,
        .connect_timeout_ms = 10000,
        .pool = {.max = at_a_time,
                 .idle = at_a_time,
                 .queue = at_a_time,
                 .max_requests = UINT32_MAX,
                 .idle_timeout_ms = 60000,
                 .max_age_ms = 600000},
    };
    struct gd_plan plan = {
        .upstreams = &upstream, .upstream_count = 1, .server_count = 1, .refs = 1};
    struct bench bench = {.loop = gd_loop_new(NULL), .body = body};
    struct gd_upstream_context context = {
        .loop = bench.loop, .stats = gd_stats_new(0, 1, 1), .addresses = server};
    struct call *calls = calloc(at_a_time, sizeof(*calls));
    double pooled_us, fresh_us;

    bench.upstreams = gd_upstreams_new(&context, &plan);
    for (unsigned i = 0; i < at_a_time; i++)
        calls[i].bench = &bench;
    run(&bench, calls, at_a_time, true, pooled / 10);
    pooled_us = run(&bench, calls, at_a_time, true, pooled);
    fresh_us = run(&bench, calls, at_a_time, false, fresh);
    printf("pooled session   %7.2f us CPU a call (%u calls, %u at a time, %u bytes)\n",
           pooled_us, pooled, at_a_time, body);
    printf("own connection   %7.2f us CPU a call (%u calls)\n", fresh_us, fresh);
    if (pooled && fresh)
        printf("ratio            %7.2f\n", fresh_us / pooled_us);
    gd_upstreams_free(bench.upstreams);
    gd_stats_free(context.stats);
    gd_loop_free(bench.loop);
    free(calls);
}

static unsigned number(const char *text, unsigned most)
{
    uint64_t n;

    if (!gd_span_u64(gd_span_of(text), &n) || n > most) {
        fprintf(stderr, "not a number up to %u: %s\n", most, text);
        exit(EXIT_FAILURE);
    }
    return (unsigned)n;
}

int main(int argc, char **argv)
{
    const struct gd_plan_address any = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "127.0.0.1"};
    unsigned pooled = argc > 1 ? number(argv[1], 10000000) : 50000;
    unsigned fresh = argc > 2 ? number(argv[2], 20000) : 5000;
    unsigned at_a_time = argc > 3 ? number(argv[3], SLOTS / 2) : 8;
    unsigned body = argc > 4 ? number(argv[4], BODY_MAX) : 1024;
    struct gd_address address;
    struct gd_err err;
    int listener = gd_listen_open(&any, 128, &address, &err);
    pid_t child;

    if (listener < 0 || at_a_time == 0 || body == 0) {
        fprintf(stderr, "%s\n", listener < 0 ? err.text : "no calls, or no body");
        return EXIT_FAILURE;
    }
    child = fork();
    if (child == 0) {
        server_run(listener, body);
        _exit(EXIT_FAILURE);
    }
    close(listener);
    run_all(&address, pooled, fresh, at_a_time, body);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return EXIT_SUCCESS;
}
