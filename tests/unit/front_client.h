#ifndef GD_TESTS_FRONT_CLIENT_H
#define GD_TESTS_FRONT_CLIENT_H
/**
 * Clients on the loop of a rig: they write what they like, and look strictly at what
 * comes back.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "front_rig.h"

struct client {
    struct rig *rig;
    int fd;
    char *got;
    size_t len, cap;
    bool eof, reset;
    size_t want; /* bytes, of client_wait_bytes */
    int answers; /* complete ones in got, 1xx not counted */
    int wanted_answers;
    char verdict[512]; /* "200 200 cl": statuses, and cl when the connection is closed */
    struct gd_span last_body; /* in got */
    bool next_is_head;        /* the answers have no bodies */
};

static inline void client_open(struct client *client, struct rig *rig)
{
    int one = 1;

    *client = (struct client){.rig = rig};
    client->fd =
        socket(rig->address.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(client->fd, 0);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(client->fd, (struct sockaddr *)&rig->address.sa, rig->address.len) < 0)
        ck_assert_int_eq(errno, EINPROGRESS);
}

static inline void client_read(struct client *client)
{
    while (!client->eof && !client->reset) {
        ssize_t n;

        if (client->cap - client->len < 65536) {
            client->cap = client->cap * 2 + 131072;
            client->got = realloc(client->got, client->cap);
            ck_assert_ptr_nonnull(client->got);
        }
        n = recv(client->fd, client->got + client->len, client->cap - client->len, 0);
        if (n > 0)
            client->len += (size_t)n;
        else if (n == 0)
            client->eof = true;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            client->reset = true;
    }
}

/* Sends what the socket takes now. */
static inline size_t client_try_send(struct client *client, const char *bytes, size_t len)
{
    ssize_t n = send(client->fd, bytes, len, MSG_NOSIGNAL);

    return n > 0 ? (size_t)n : 0;
}

/* Sends all; false when the front has closed meanwhile. */
static inline bool client_send(struct client *client, const char *bytes, size_t len)
{
    for (int tries = 0; len > 0 && tries < 100000; tries++) {
        ssize_t n = send(client->fd, bytes, len, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) {
            return false;
        }
        if (len > 0)
            rig_run(client->rig, 1);
    }
    return len == 0;
}

static inline bool client_say(struct client *client, const char *text)
{
    return client_send(client, text, strlen(text));
}

/* Reads the answers received so far, by the strict parser. */
static inline void client_parse(struct client *client)
{
    static const struct gd_head_limits limits = {8192, 65536, 100};
    struct gd_span rest = {client->got, client->len};
    size_t n = 0;

    client->answers = 0;
    client->verdict[0] = '\0';
    while (rest.len) {
        struct gd_field fields[100];
        struct gd_response_head head;
        struct gd_head_state state = {0};
        enum gd_parse result = gd_response_head_parse(
            &state, rest, &limits, client->next_is_head ? GD_METHOD_HEAD : GD_METHOD_GET,
            fields, &head);

        ck_assert_msg(result != GD_PARSE_REFUSED, "an answer is refused: %s", state.why);
        if (result != GD_PARSE_DONE)
            break;
        ck_assert_int_ne(head.framing, GD_FRAMING_CHUNKED);
        ck_assert_int_ne(head.framing, GD_FRAMING_EOF);
        if (head.framing == GD_FRAMING_NONE)
            head.content_length = 0;
        if (rest.len - head.bytes < head.content_length)
            break;
        if (n < sizeof(client->verdict) - 20)
            n += (size_t)snprintf(client->verdict + n, 20, "%s%d", n ? " " : "",
                                  head.status);
        client->last_body =
            (struct gd_span){rest.ptr + head.bytes, (size_t)head.content_length};
        rest.ptr += head.bytes + head.content_length;
        rest.len -= head.bytes + head.content_length;
        if (head.status >= 200)
            client->answers++;
    }
    if (client->eof)
        snprintf(client->verdict + n, 20, "%scl", n ? " " : "");
}

static inline bool client_has_answers(void *arg)
{
    struct client *client = arg;

    client_read(client);
    client_parse(client);
    return client->answers >= client->wanted_answers || client->eof || client->reset;
}

/* Waits for n answers, or the end of the connection. */
static inline void client_wait(struct client *client, int n)
{
    client->wanted_answers = n;
    ck_assert_msg(gd_loop_run_until(client->rig->loop, client_has_answers, client, 5000),
                  "waited for %d answers and got \"%s\"", n, client->verdict);
}

static inline bool client_is_closed(void *arg)
{
    struct client *client = arg;

    client_read(client);
    client_parse(client);
    return client->eof || client->reset;
}

static inline void client_wait_closed(struct client *client)
{
    ck_assert_msg(gd_loop_run_until(client->rig->loop, client_is_closed, client, 5000),
                  "not closed, \"%s\"", client->verdict);
}

static inline void client_close(struct client *client)
{
    close(client->fd);
    free(client->got);
    client->got = NULL;
}

static inline void client_abort(struct client *client)
{
    struct linger linger = {1, 0};

    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    client_close(client);
}

#define ck_assert_body(client, text)                                                     \
    ck_assert_msg(gd_span_is((client)->last_body, text), "body is \"%.*s\"",             \
                  GD_SPAN_ARG((client)->last_body))

#endif
