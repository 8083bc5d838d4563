/*
 * An upstream for measuring: as little work as an HTTP server can do.
 *
 *   bench_origin [DELAY_MS]
 *
 * Listens on a free port of 127.0.0.1 and prints it. Answers, at once or after DELAY_MS:
 *
 *   GET /SIZE...          SIZE bytes of JSON
 *   GET /records/SIZE...  the same as a list of records, 12 members of mixed types each
 *   GET /record/SIZE...   one record
 *   GET /ids/COUNT...     {"ids":[1,2,...]}
 *
 * One thread, keep-alive, no checks beyond what finding the end of a head needs: only
 * gatherd and its like are to talk to it.
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

enum kind { KIND_PLAIN, KIND_RECORDS, KIND_RECORD, KIND_IDS, KINDS };

struct body {
    enum kind kind;
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

/* Record `number`, with a note that makes it `size` bytes; 0: one of some length. Returns
 * its bytes. */
static size_t put_record(FILE *out, unsigned number, size_t size)
{
    static const char *const names[] = {"Ada Lovelace", "Alan Turing", "Grace Hopper",
                                        "Kurt Gödel", "Emmy Noether"};
    static const char *const logins[] = {"ada", "turing", "amazing-grace", "kurt",
                                         "emmy"};
    unsigned seed = number * 2654435761u, who = number % 5;
    size_t len = 2;

    len += (size_t)fprintf(
        out,
        "{\"id\":%u,\"name\":\"%s\",\"email\":\"%s@example.org\",\"active\":%s,"
        "\"score\":%u.%02u,\"visits\":%u,\"tags\":[\"first\",\"new\"],"
        "\"owner\":{\"login\":\"%s\",\"id\":%u},"
        "\"created\":\"2024-%02u-%02uT10:22:31Z\",\"parent\":%s,\"link\":\"/r/%u\","
        "\"note\":\"",
        100000 + number, names[who], logins[who], number % 2 ? "true" : "false",
        seed % 90, seed / 100 % 100, seed / 7 % 500, logins[(who + 2) % 5], seed % 10000,
        1 + number % 12, 1 + number % 28, number % 3 ? "17" : "null", number);
    if (size == 0)
        size = len + seed % 40;
    for (; len < size; len++)
        fputc("a word or two of text "[len % 22], out);
    fputs("\"}", out);
    return len;
}

static void put_records(FILE *out, size_t size)
{
    enum { RECORD_MAX = 300 };
    unsigned number = 0;

    fputc('[', out);
    size -= 2;
    while (size > 2 * RECORD_MAX) {
        size -= put_record(out, number++, 0) + 1;
        fputc(',', out);
    }
    put_record(out, number, size);
    fputc(']', out);
}

static void put_ids(FILE *out, size_t count)
{
    fputs("{\"ids\":[", out);
    for (size_t i = 1; i <= count; i++)
        fprintf(out, "%zu%s", i, i < count ? "," : "]}");
}

static char *make_json(enum kind kind, size_t size, size_t *len)
{
    char *json = NULL;
    FILE *out;

    if (kind == KIND_PLAIN) {
        json = malloc(size);
        if (!json)
            die("malloc");
        fill_json(json, size);
        *len = size;
        return json;
    }
    out = open_memstream(&json, len);
    if (!out)
        die("open_memstream");
    if (kind == KIND_IDS)
        put_ids(out, size);
    else if (kind == KIND_RECORD)
        put_record(out, 1, size);
    else
        put_records(out, size);
    fclose(out);
    return json;
}

static const struct body *body_of(enum kind kind, size_t size)
{
    struct body *body = bodies;
    size_t len;
    char *json;
    int head;

    while (body < bodies + BODIES_MAX - 1 && body->size &&
           (body->size != size || body->kind != kind))
        body++;
    if (body->size == size && body->kind == kind)
        return body;
    body->kind = kind;
    body->size = size;
    json = make_json(kind, size, &len);
    body->bytes = malloc(len + 256);
    if (!body->bytes)
        die("malloc");
    head = snprintf(body->bytes, 256,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n",
                    len);
    memcpy(body->bytes + head, json, len);
    free(json);
    body->len = (size_t)head + len;
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

static const struct body *reply_to(const char *head)
{
    static const struct {
        const char *prefix;
        size_t least;
    } kinds[KINDS] = {
        {"GET /", 16}, {"GET /records/", 512}, {"GET /record/", 256}, {"GET /ids/", 1}};

    for (enum kind kind = KINDS; kind-- > 0;) {
        size_t len = strlen(kinds[kind].prefix), size;

        if (strncmp(head, kinds[kind].prefix, len) != 0)
            continue;
        size = strtoul(head + len, NULL, 10);
        return body_of(kind, size < kinds[kind].least ? kinds[kind].least : size);
    }
    return body_of(KIND_PLAIN, 16);
}

static void take_request(int fd, const char *head)
{
    const struct body *reply = reply_to(head);

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
