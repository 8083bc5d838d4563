/*
 * What the gateway does when the system does not do what it is asked: the nth call of
 * each kind fails, or does less than it could, for every n that a request comes to.
 * Afterwards nothing is lost: the request has an end, no descriptor is left open, and the
 * next request is answered as ever. The functions below stand before those of the C
 * library for the whole program, so that libevent's calls are tortured as well.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "../whole.h"
#include "base/mem.h"
#include "suite.h"

enum { AT_MOST = 200, TOO_LONG_MS = 2000 };

/* X(kind of call, what becomes of it, errno; 0: it does one byte, or has no
 * memory; whether nobody may notice) */
#define FAULT_ROWS(X)                                                                    \
    X(RECV, EINTR, true)                                                                 \
    X(RECV, EAGAIN, true)                                                                \
    X(RECV, ECONNRESET, false)                                                           \
    X(RECV, ENOMEM, false)                                                               \
    X(RECV, 0, true)                                                                     \
    X(SEND, EINTR, true)                                                                 \
    X(SEND, EAGAIN, true)                                                                \
    X(SEND, EPIPE, false)                                                                \
    X(SEND, ENOBUFS, false)                                                              \
    X(SEND, 0, true)                                                                     \
    X(SOCKET, EMFILE, false)                                                             \
    X(SOCKET, ENFILE, false)                                                             \
    X(SOCKET, ENOMEM, false)                                                             \
    X(CONNECT, ECONNREFUSED, false)                                                      \
    X(CONNECT, EAGAIN, false)                                                            \
    X(CONNECT, ENOMEM, false)                                                            \
    X(GETSOCKOPT, ENOBUFS, false)                                                        \
    X(SETSOCKOPT, ENOMEM, true)                                                          \
    X(ACCEPT, EMFILE, true)                                                              \
    X(ACCEPT, EINTR, true)                                                               \
    X(ACCEPT, ECONNABORTED, true)                                                        \
    X(ACCEPT, ENOMEM, true)                                                              \
    X(EPOLL_WAIT, EINTR, true)                                                           \
    X(MEMORY, 0, false)

enum call {
    CALL_RECV,
    CALL_SEND,
    CALL_SOCKET,
    CALL_CONNECT,
    CALL_GETSOCKOPT,
    CALL_SETSOCKOPT,
    CALL_ACCEPT,
    CALL_EPOLL_WAIT,
    CALL_MEMORY,
};

static const struct fault {
    enum call call;
    int error;
    bool harmless;
    const char *name;
} faults[] = {
#define X(call, error, harmless) {CALL_##call, error, harmless, #call " " #error},
    FAULT_ROWS(X)
#undef X
};

/* The fault at hand; left: calls of its kind until it comes, 0: it has come, or there is
 * none. */
static struct {
    const struct fault *fault;
    unsigned left;
    bool inside;
} plan;

static void on_turn(bool inside)
{
    plan.inside = inside;
}

/* Whether this call is the one. */
static bool is_hit(enum call call)
{
    if (!plan.inside || plan.left == 0 || plan.fault->call != call || --plan.left)
        return false;
    errno = plan.fault->error;
    return true;
}

#define REAL(name) (*(__typeof__(&name) *)&(void *){dlsym(RTLD_NEXT, #name)})

ssize_t recv(int fd, void *into, size_t room, int flags)
{
    if (!is_hit(CALL_RECV))
        return REAL(recv)(fd, into, room, flags);
    return plan.fault->error ? -1 : REAL(recv)(fd, into, 1, flags);
}

ssize_t send(int fd, const void *from, size_t len, int flags)
{
    if (!is_hit(CALL_SEND))
        return REAL(send)(fd, from, len, flags);
    return plan.fault->error ? -1 : REAL(send)(fd, from, 1, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    const struct iovec *first = message->msg_iov;

    if (!is_hit(CALL_SEND))
        return REAL(sendmsg)(fd, message, flags);
    if (plan.fault->error)
        return -1;
    while (first->iov_len == 0)
        first++;
    return REAL(send)(fd, first->iov_base, 1, flags);
}

int socket(int family, int type, int protocol)
{
    return is_hit(CALL_SOCKET) ? -1 : REAL(socket)(family, type, protocol);
}

int connect(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)
{
    return is_hit(CALL_CONNECT) ? -1 : REAL(connect)(fd, to, len);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    return is_hit(CALL_GETSOCKOPT) ? -1 : REAL(getsockopt)(fd, level, option, value, len);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
    return is_hit(CALL_SETSOCKOPT) ? -1 : REAL(setsockopt)(fd, level, option, value, len);
}

int accept4(int fd, __SOCKADDR_ARG peer, socklen_t *len, int flags)
{
    return is_hit(CALL_ACCEPT) ? -1 : REAL(accept4)(fd, peer, len, flags);
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    return is_hit(CALL_EPOLL_WAIT) ? -1 : REAL(epoll_wait)(fd, events, max, timeout);
}

void *__real_gd_try_alloc(size_t size);
void *__wrap_gd_try_alloc(size_t size);
void *__wrap_gd_try_alloc(size_t size)
{
    return is_hit(CALL_MEMORY) ? NULL : __real_gd_try_alloc(size);
}

static const char config[] =
    "log: {level: error}\n"
    "upstreams:\n"
    "  up: {servers: [http://10.0.0.1:1], retry: off, eject: off, timeout: 20s}\n"
    "defaults: {timeout: 30s}\n"
    "routes:\n"
    "  GET /gather: {calls: {a: up/a, b: 'up/b/{a.name}', c: {url: up/c, default: []}}}\n"
    "  GET /each: {calls: {a: up/a, e: {url: 'up/{item}', each: 'a.ids[*]'}}}\n"
    "  POST /body: {calls: {a: {url: up/a, json: {it: $body.it}}}}\n"
    "  /pass/{rest...}: {pass: 'up/{rest}'}\n"
    "  GET /fixed: {respond: {fixed: true}}\n";

#define REPLY(body_bytes, body)                                                          \
    "HTTP/1.1 200 OK\r\nContent-Length: " #body_bytes "\r\n\r\n" body
#define ADA REPLY(14, "{\"name\":\"ada\"}")
#define CHUNKS "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct play {
    const char *client;
    const char *replies[WHOLE_REPLIES_MAX];
    const char *answer; /* what the body of the answer is when nothing fails */
} plays[] = {
    {"GET /gather HTTP/1.1\r\nHost: x\r\n\r\n",
     {ADA, ADA, ADA},
     "\"b\":{\"name\":\"ada\"}"},
    {"GET /each HTTP/1.1\r\nHost: x\r\n\r\n",
     {REPLY(13, "{\"ids\":[1,2]}"), REPLY(1, "1"), REPLY(1, "1")},
     "\"e\":[1,1]"},
    {"GET /gather HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n",
     {ADA, ADA, ADA},
     "{\"complete\":true"},
    {"POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
     "Transfer-Encoding: chunked\r\n\r\n6\r\n{\"it\":\r\n2\r\n1}\r\n0\r\n\r\n",
     {REPLY(4, "true")},
     "{\"a\":true}"},
    {"PUT /pass/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
     {CHUNKS "5\r\nworld\r\n0\r\n\r\n"},
     "world"},
    {"GET /fixed HTTP/1.1\r\nHost: x\r\n\r\nGET /fixed HTTP/1.1\r\nHost: x\r\n\r\n"
     "GET /pass/x HTTP/1.1\r\nHost: x\r\n\r\n",
     {REPLY(4, "last")},
     "last"},
};

static unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Plays it once with the fault at hand. Returns whether the answer is what it should be.
 */
static bool play_once(struct whole *whole, const struct play *play, const char *what,
                      unsigned n)
{
    struct whole_script script = {.client = gd_span_of(play->client),
                                  .piece = 64,
                                  .patience_ms = 1000,
                                  .turn = on_turn};
    double start = now_ms();
    struct gd_span got;
    bool ended;

    while (script.reply_count < WHOLE_REPLIES_MAX && play->replies[script.reply_count]) {
        script.replies[script.reply_count] =
            gd_span_of(play->replies[script.reply_count]);
        script.reply_count++;
    }
    got = whole_play(whole, &script, &ended);
    ck_assert_msg(whole_complaint(whole) == NULL, "%s, call %u of\n%s\n%s\n%.*s", what, n,
                  play->client, whole_complaint(whole), GD_SPAN_ARG(got));
    ck_assert_msg(now_ms() - start < TOO_LONG_MS * 4, "%s, call %u of\n%s\nwaited", what,
                  n, play->client);
    return got.len && memmem(got.ptr, got.len, play->answer, strlen(play->answer));
}

/* Every n for one fault. Returns how many there were. */
static unsigned torture(struct whole *whole, const struct play *play,
                        const struct fault *fault)
{
    for (unsigned n = 1; n < AT_MOST; n++) {
        unsigned before = open_descriptors();
        bool right;

        plan.fault = fault;
        plan.left = n;
        right = play_once(whole, play, fault->name, n);
        if (plan.left) {
            plan.left = 0;
            return n - 1;
        }
        ck_assert_msg(right || !fault->harmless, "%s, call %u of\n%s\nwas noticed",
                      fault->name, n, play->client);
        ck_assert_msg(open_descriptors() <= before, "%s, call %u of\n%s\nleft one open",
                      fault->name, n, play->client);
        ck_assert_msg(play_once(whole, play, "afterwards", n), "after %s, call %u of\n%s",
                      fault->name, n, play->client);
    }
    ck_abort_msg("%s: there is no end of it", fault->name);
    return 0;
}

START_TEST(any_call_of_the_system_may_fail)
{
    struct whole *whole = whole_new(config);
    unsigned hits = 0;

    for (size_t p = 0; p < sizeof(plays) / sizeof(*plays); p++) {
        ck_assert(play_once(whole, &plays[p], "nothing", 0));
        ck_assert(play_once(whole, &plays[p], "nothing", 0));
        for (size_t f = 0; f < sizeof(faults) / sizeof(*faults); f++)
            hits += torture(whole, &plays[p], &faults[f]);
    }
    whole_free(whole);
    printf("# %u faults\n", hits);
    ck_assert_uint_gt(hits, 300);
}
END_TEST

GD_SUITE("torture", any_call_of_the_system_may_fail)
