/*
 * What a request costs the front alone: one keep-alive client in a child process, a
 * handler that answers 1 KiB at once (or, with "later", from deferred work).
 *
 *     bench_front [requests] [later]
 *     bench_front connections idle      memory of a connection that has had an answer
 *     bench_front connections waiting   … and of one whose request is in flight
 *
 * Two runs of different lengths under strace -c, valgrind or callgrind give the system
 * calls, allocations and instructions of one request as their difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "front/front.h"
#include "net/listen.h"

static const char question[] =
    "GET /profile/7?full=1 HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: bench/1.0\r\n"
    "Accept: application/json\r\nAccept-Encoding: gzip\r\n\r\n";

struct bench {
    struct gd_loop *loop;
    struct gd_request *waiting;
    struct gd_work work;
    bool later, never;
    unsigned asked, answered, wanted;
    char body[1024];
};

static void answer(struct bench *bench, struct gd_request *request)
{
    struct iovec iov = {bench->body, sizeof(bench->body)};
    struct gd_answer answer = {.status = 200,
                               .content_type = GD_SPAN("application/json"),
                               .body = &iov,
                               .body_count = 1,
                               .body_bytes = sizeof(bench->body)};

    gd_request_answer(request, &answer);
    bench->answered++;
}

static void on_work(void *arg)
{
    struct bench *bench = arg;

    answer(bench, bench->waiting);
}

static void on_request(void *arg, struct gd_request *request)
{
    struct bench *bench = arg;

    bench->asked++;
    if (bench->never)
        return;
    if (!bench->later) {
        answer(bench, request);
        return;
    }
    bench->waiting = request;
    gd_loop_defer(bench->loop, &bench->work, on_work, bench);
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_front: %s failed\n", what);
    exit(1);
}

static void run_client(const struct gd_address *to, unsigned requests)
{
    static char into[8192];
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    must(connect(fd, (const struct sockaddr *)&to->sa, to->len) == 0, "connect");
    for (unsigned i = 0; i < requests; i++) {
        size_t got = 0, want = SIZE_MAX;

        must(send(fd, question, sizeof(question) - 1, 0) > 0, "send");
        while (got < want) {
            ssize_t n = recv(fd, into + got, sizeof(into) - got, 0);
            char *end;

            must(n > 0, "recv");
            got += (size_t)n;
            end = memmem(into, got, "\r\n\r\n", 4);
            if (end)
                want = (size_t)(end - into) + 4 + sizeof(((struct bench *)0)->body);
        }
    }
    close(fd);
}

/* Opens connections, asks once on each, and keeps them until its parent is done. */
static void run_crowd(const struct gd_address *to, unsigned connections, int parent)
{
    char byte;

    for (unsigned i = 0; i < connections; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        must(fd >= 0 && connect(fd, (const struct sockaddr *)&to->sa, to->len) == 0,
             "connect");
        must(send(fd, question, sizeof(question) - 1, 0) > 0, "send");
    }
    must(read(parent, &byte, 1) == 0, "read");
}

static long resident_kib(void)
{
    long pages = 0, unused;
    FILE *file = fopen("/proc/self/statm", "r");

    must(file && fscanf(file, "%ld %ld", &unused, &pages) == 2, "statm");
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool is_over(void *arg)
{
    struct bench *bench = arg;

    return (bench->never ? bench->asked : bench->answered) == bench->wanted;
}

static void measure(struct bench *bench, const char *what, bool crowd)
{
    long kib = resident_kib();
    double seconds = cpu_seconds();

    must(gd_loop_run_until(bench->loop, is_over, bench, 50000), "run");
    if (crowd)
        printf("front %s: %.2f KiB a connection\n", what,
               (double)(resident_kib() - kib) / bench->wanted);
    else
        printf("front %s: %.3f CPU seconds per 100,000 requests\n", what,
               (cpu_seconds() - seconds) * 1e5 / bench->wanted);
}

static void run_front(struct bench *bench, int listener, const char *what, bool crowd)
{
    static const struct gd_plan_limits limits = {.request_line = 8192,
                                                 .header_bytes = 32768,
                                                 .header_fields = 100,
                                                 .header_timeout_ms = 10000,
                                                 .body_timeout_ms = 30000,
                                                 .idle_timeout_ms = 75000,
                                                 .write_timeout_ms = 30000,
                                                 .connections = 100000,
                                                 .request_memory = 1 << 20};
    static uint64_t stats[GD_WORKER_STATS];
    struct gd_err err;
    struct gd_front_config config = {.limits = &limits,
                                     .max_body = 1 << 20,
                                     .stats = stats,
                                     .arg = bench,
                                     .handler = {.on_request = on_request}};
    struct gd_front *front;

    memset(bench->body, 'x', sizeof(bench->body));
    config.loop = bench->loop = gd_loop_new(&err);
    must(bench->loop != NULL, "loop");
    front = gd_front_new(&config, &err);
    must(front && gd_front_listen(front, listener, NULL, &err), "front");
    measure(bench, what, crowd);
    gd_front_free(front);
    gd_loop_free(bench->loop);
}

int main(int argc, char **argv)
{
    struct gd_plan_address where = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "http://127.0.0.1:0"};
    const char *what = argc > 2 ? argv[2] : "at once";
    struct bench bench = {
        .wanted = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000,
        .later = strcmp(what, "later") == 0,
        .never = strcmp(what, "waiting") == 0,
    };
    bool crowd = bench.never || strcmp(what, "idle") == 0;
    struct gd_err err;
    struct gd_address address;
    int listener = gd_listen_open(&where, 1024, &address, &err), ends[2];
    pid_t child;

    must(listener >= 0 && pipe(ends) == 0, "listen");
    child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        close(ends[1]);
        if (crowd)
            run_crowd(&address, bench.wanted, ends[0]);
        else
            run_client(&address, bench.wanted);
        _exit(0);
    }
    close(ends[0]);
    run_front(&bench, listener, what, crowd);
    close(ends[1]);
    close(listener);
    waitpid(child, NULL, 0);
    return 0;
}
