/*
 * An upstream for measuring: as little work as an HTTP server can do.
 *
 *   bench_origin [DELAY_MS]
 *
 * Listens on a free port of 127.0.0.1 and prints it. `GET /SIZE...` is answered with SIZE
 * bytes of JSON, at once or after DELAY_MS. One thread, keep-alive, no checks beyond what
 * finding the end of a head needs: only gatherd and its like are to talk to it.
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

enum { FDS_MAX = 65536, HEAD_MAX = 8192, BODIES_MAX = 16, EVENTS = 256 };

struct body {
    size_t size, len;
    char *bytes; /* head and body */
};

struct conn {
    size_t have; /* bytes of an unfinished head */
    char *head;
    const struct body *reply; /* what is being sent, from `sent` on */
    size_t sent;
};

/* Replies wait in the order they fall due, since the delay is the same for all. */
struct waiting {
    int fd;
    const struct body *reply;
    uint64_t due_us;
};

static struct conn conns[FDS_MAX];
static struct body bodies[BODIES_MAX];
static struct waiting queue[FDS_MAX];
static size_t queue_head, queue_tail;
static uint64_t delay_us;
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

/* Objects like those of real services: names, numbers, some text. */
static void fill_json(char *out, size_t size)
{
    static const char item[] =
        "{\"id\":184467,\"name\":\"Ada Lovelace\",\"email\":\"ada@example.org\","
        "\"tags\":[\"first\",\"second\"],\"score\":12.75,\"active\":true,\"note\":null},";
    size_t at = 0;

    out[at++] = '[';
    while (at + sizeof(item) + 3 < size) {
        memcpy(out + at, item, sizeof(item) - 1);
        at += sizeof(item) - 1;
    }
    out[at++] = '"';
    while (at < size - 2)
        out[at++] = 'x';
    out[at++] = '"';
    out[at] = ']';
}

static const struct body *body_of(size_t size)
{
    struct body *body = bodies;
    int head;

    while (body < bodies + BODIES_MAX - 1 && body->size && body->size != size)
        body++;
    if (body->size == size)
        return body;
    body->size = size;
    body->bytes = malloc(size + 256);
    if (!body->bytes)
        die("malloc");
    head = snprintf(body->bytes, 256,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n",
                    size);
    fill_json(body->bytes + head, size);
    body->len = (size_t)head + size;
    return body;
}

static void drop(int fd)
{
    struct conn *conn = &conns[fd];

    close(fd);
    free(conn->head);
    *conn = (struct conn){0};
}

/* Sends what is left of the reply; waits for the socket where it must. */
static void flush_reply(int fd)
{
    struct conn *conn = &conns[fd];
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.fd = fd};
    ssize_t n = send(fd, conn->reply->bytes + conn->sent, conn->reply->len - conn->sent,
                     MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN) {
        drop(fd);
        return;
    }
    conn->sent += n > 0 ? (size_t)n : 0;
    if (conn->sent == conn->reply->len) {
        if (conn->sent > (size_t)n || n < 0) {
            event.events = EPOLLIN;
            epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
        }
        conn->reply = NULL;
        return;
    }
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

static void start_reply(int fd, const struct body *reply)
{
    conns[fd].reply = reply;
    conns[fd].sent = 0;
    flush_reply(fd);
}

static void take_request(int fd, const char *head)
{
    const char *slash = strchr(head, '/');
    size_t size = slash ? strtoul(slash + 1, NULL, 10) : 0;
    const struct body *reply = body_of(size < 16 ? 16 : size);

    if (!delay_us) {
        start_reply(fd, reply);
        return;
    }
    queue[queue_tail++ % FDS_MAX] = (struct waiting){fd, reply, now_us() + delay_us};
}

static void on_readable(int fd)
{
    struct conn *conn = &conns[fd];
    ssize_t n;

    if (!conn->head && !(conn->head = malloc(HEAD_MAX + 1)))
        die("malloc");
    n = recv(fd, conn->head + conn->have, HEAD_MAX - conn->have, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            drop(fd);
        return;
    }
    conn->have += (size_t)n;
    conn->head[conn->have] = '\0';
    if (conn->have >= 4 && memcmp(conn->head + conn->have - 4, "\r\n\r\n", 4) == 0) {
        conn->have = 0;
        take_request(fd, conn->head);
    } else if (conn->have == HEAD_MAX) {
        drop(fd);
    }
}

static void on_connection(int listener)
{
    int fd, one = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        if (fd >= FDS_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

/* Starts what has fallen due; returns how long epoll may wait, in milliseconds. */
static int run_queue(void)
{
    while (queue_head != queue_tail) {
        struct waiting *next = &queue[queue_head % FDS_MAX];
        uint64_t now = now_us();

        if (next->due_us > now)
            return (int)((next->due_us - now + 999) / 1000);
        queue_head++;
        start_reply(next->fd, next->reply);
    }
    return -1;
}

static int open_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        listen(fd, 16384) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    struct rlimit limit;
    int listener = open_listener();

    if (argc > 1)
        delay_us = strtoul(argv[1], NULL, 10) * 1000;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    epoll_fd = epoll_create1(0);
    event.data.fd = listener;
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) != 0)
        die("epoll");
    for (;;) {
        int n = epoll_wait(epoll_fd, events, EVENTS, run_queue());

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == listener)
                on_connection(fd);
            else if (conns[fd].reply)
                flush_reply(fd);
            else
                on_readable(fd);
        }
    }
}
