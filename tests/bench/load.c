/*
 * A fixed number of requests, for counting what each costs; wrk only knows durations.
 *
 *   bench_load PORT PATH CONNECTIONS REQUESTS [FIELD]   sends them, with this line in the
 *                                               head, and prints what came of it
 *   bench_load PORT PATH CONNECTIONS hold       one request on each, then keeps all open
 *                                               until standard input ends
 *
 * Prints one line of JSON: answers with 200, errors, seconds, latency in microseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, PIECE = 262144, HEAD_MAX = 4096, WAIT_MS = 20000 };

struct conn {
    int fd;
    size_t have;      /* bytes of the answer so far */
    size_t want;      /* of it in all; 0 while its head is not complete */
    bool chunked;     /* it ends with the last chunk */
    char tail[5];     /* its last bytes so far */
    uint64_t sent_us; /* when its request went out */
    char head[HEAD_MAX];
};

static struct conn *conns;
static uint32_t *latencies_us;
static size_t to_send, answered, good, failed;
static char request[4096];
static size_t request_len;
static int epoll_fd;

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void send_next(struct conn *conn)
{
    if (to_send == 0)
        return;
    to_send--;
    conn->have = conn->want = 0;
    conn->chunked = false;
    conn->sent_us = now_us();
    if (send(conn->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        failed++;
}

static void open_conn(struct conn *conn, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    int one = 1;

    conn->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (conn->fd < 0 ||
        connect(conn->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("connect");
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conn->fd, &event) != 0)
        die("epoll_ctl");
}

/* Where the answer ends, once its head is there. */
static void find_end(struct conn *conn)
{
    size_t kept = conn->have < HEAD_MAX - 1 ? conn->have : HEAD_MAX - 1;
    const char *end, *length;

    conn->head[kept] = '\0';
    end = strstr(conn->head, "\r\n\r\n");
    length = strcasestr(conn->head, "\r\ncontent-length:");
    if (end && length && length < end)
        conn->want = (size_t)(end + 4 - conn->head) + strtoul(length + 17, NULL, 10);
    else if (end && strcasestr(conn->head, "\r\ntransfer-encoding: chunked"))
        conn->chunked = true;
}

static void keep_tail(struct conn *conn, const char *bytes, size_t len)
{
    size_t kept = len < sizeof(conn->tail) ? sizeof(conn->tail) - len : 0;

    memmove(conn->tail, conn->tail + sizeof(conn->tail) - kept, kept);
    memcpy(conn->tail + kept, bytes + len - (sizeof(conn->tail) - kept),
           sizeof(conn->tail) - kept);
}

static bool is_complete(const struct conn *conn)
{
    if (conn->chunked)
        return memcmp(conn->tail, "0\r\n\r\n", sizeof(conn->tail)) == 0;
    return conn->want && conn->have >= conn->want;
}

static void end_conn(struct conn *conn)
{
    failed++;
    close(conn->fd);
    conn->fd = -1;
}

static void on_readable(struct conn *conn)
{
    static char piece[PIECE];
    ssize_t n = recv(conn->fd, piece, sizeof(piece), MSG_DONTWAIT);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            end_conn(conn);
        return;
    }
    if (!conn->want && conn->have < HEAD_MAX - 1) {
        size_t room = HEAD_MAX - 1 - conn->have;

        memcpy(conn->head + conn->have, piece, (size_t)n < room ? (size_t)n : room);
    }
    conn->have += (size_t)n;
    keep_tail(conn, piece, (size_t)n);
    if (!conn->want && !conn->chunked)
        find_end(conn);
    if (!is_complete(conn))
        return;
    latencies_us[answered++] = (uint32_t)(now_us() - conn->sent_us);
    good += strncmp(conn->head, "HTTP/1.1 200 ", 13) == 0;
    send_next(conn);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void print_result(uint64_t took_us)
{
    qsort(latencies_us, answered, sizeof(*latencies_us), by_value);
    printf(
        "{\"good\": %zu, \"failed\": %zu, \"seconds\": %.3f, \"p50\": %u, \"p99\": %u}\n",
        good, failed + answered - good, (double)took_us / 1e6,
        answered ? latencies_us[answered / 2] : 0,
        answered ? latencies_us[answered * 99 / 100] : 0);
    fflush(stdout);
}

static void run(size_t requests)
{
    struct epoll_event events[EVENTS];
    uint64_t start_us = now_us();

    while (answered + failed < requests) {
        int n = epoll_wait(epoll_fd, events, EVENTS, WAIT_MS);

        if (n == 0) {
            failed += requests - answered - failed;
            break;
        }
        for (int i = 0; i < n; i++)
            on_readable(events[i].data.ptr);
    }
    print_result(now_us() - start_us);
}

int main(int argc, char **argv)
{
    size_t count, requests;
    struct rlimit limit;
    bool hold;

    if (argc != 5 && argc != 6) {
        fputs("usage: bench_load PORT PATH CONNECTIONS REQUESTS|hold [FIELD]\n", stderr);
        return 64;
    }
    count = strtoul(argv[3], NULL, 10);
    hold = strcmp(argv[4], "hold") == 0;
    to_send = requests = hold ? count : strtoul(argv[4], NULL, 10);
    request_len = (size_t)snprintf(
        request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s\r\n",
        argv[2], argc == 6 ? argv[5] : "", argc == 6 ? "\r\n" : "");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    epoll_fd = epoll_create1(0);
    conns = calloc(count, sizeof(*conns));
    latencies_us = calloc(requests, sizeof(*latencies_us));
    if (epoll_fd < 0 || !conns || !latencies_us)
        die("start");
    for (size_t i = 0; i < count; i++)
        open_conn(&conns[i], (int)strtol(argv[1], NULL, 10));
    for (size_t i = 0; i < count; i++)
        send_next(&conns[i]);
    run(requests);
    if (hold)
        while (getchar() != EOF)
            ;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
