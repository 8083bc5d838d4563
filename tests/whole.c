#include "whole.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "front/engine.h"
#include "http/body.h"
#include "http/head.h"
#include "plan/load.h"

enum {
    PEERS_MAX = 64,
    FIELDS = 128,
    TURNS_AT_REST = 4,
    SENT_MAX = 4 << 20,
    LIMIT_MS = 5000,
    TURN_MS = 5
};

static const struct gd_head_limits limits = {16384, 65536, FIELDS};

/* A connection of the gateway to the scripted upstream. */
struct peer {
    int fd;
    struct gd_buf got;
    size_t read; /* of it: requests that were answered */
};

struct whole {
    struct gd_loop *loop;
    struct gd_plan *plan;
    struct gd_stats *stats;
    struct gd_engine *engine;
    struct gd_address *addresses;
    struct sockaddr_un site, upstream;
    socklen_t site_len, upstream_len;
    int listener;
    const struct whole_script *script;
    struct peer peers[PEERS_MAX];
    unsigned peer_count, requests;
    int client;
    struct gd_buf answers;
    const char *complaint;
};

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "whole: %s\n", what);
    abort();
}

/* A listening socket that is nowhere in the file system. */
static int listen_abstract(struct sockaddr_un *at, socklen_t *len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    must(bind(fd, (struct sockaddr *)at, sizeof(at->sun_family)) == 0, "bind");
    *len = sizeof(*at);
    must(getsockname(fd, (struct sockaddr *)at, len) == 0, "getsockname");
    must(listen(fd, PEERS_MAX) == 0, "listen");
    return fd;
}

static struct gd_plan *load(const char *yaml)
{
    struct gd_findings findings = {0};
    struct gd_plan *plan =
        gd_plan_load_text("whole.yaml", gd_span_of(yaml), NULL, &findings);

    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "%s\n", findings.lines[i]);
    must(plan != NULL, "the configuration is wrong");
    gd_findings_free(&findings);
    return plan;
}

struct whole *whole_new(const char *yaml)
{
    struct whole *whole = calloc(1, sizeof(*whole));
    struct gd_engine_plan first;
    struct gd_err err;
    int fd;

    must(whole != NULL, "no memory");
    whole->client = -1;
    whole->plan = load(yaml);
    whole->loop = gd_loop_new(&err);
    whole->listener = listen_abstract(&whole->upstream, &whole->upstream_len);
    whole->stats = gd_stats_new(whole->plan->route_count, whole->plan->upstream_count,
                                whole->plan->server_count);
    whole->addresses = calloc(whole->plan->server_count + 1, sizeof(*whole->addresses));
    for (unsigned i = 0; i < whole->plan->server_count; i++) {
        memcpy(&whole->addresses[i].sa, &whole->upstream, sizeof(whole->upstream));
        whole->addresses[i].len = whole->upstream_len;
    }
    first = (struct gd_engine_plan){
        .plan = whole->plan, .stats = whole->stats, .addresses = whole->addresses};
    whole->engine = gd_engine_new(whole->loop, &first, &err);
    must(whole->engine != NULL, err.text);
    fd = listen_abstract(&whole->site, &whole->site_len);
    must(gd_engine_listen(whole->engine, fd, whole->plan->listens, &err) != NULL,
         err.text);
    close(fd);
    gd_buf_init(&whole->answers, NULL, SENT_MAX);
    return whole;
}

/* Reads what is there. Returns false at the end of the connection. */
static bool read_into(int fd, struct gd_buf *buf, bool *moved)
{
    char room[16384];
    ssize_t n;

    while ((n = recv(fd, room, sizeof(room), MSG_DONTWAIT)) > 0) {
        must(gd_buf_add(buf, room, (size_t)n), "more was sent than can be");
        *moved = true;
    }
    return n < 0;
}

static void complain(struct whole *whole, const char *what)
{
    if (whole->complaint == NULL)
        whole->complaint = what;
}

/* The length of the body at the start of bytes; SIZE_MAX while it is not complete. */
static size_t body_length(struct whole *whole, enum gd_framing framing, uint64_t length,
                          struct gd_span bytes)
{
    struct gd_span data;
    struct gd_body body;
    size_t at = 0, used;

    gd_body_init(&body, framing, length);
    while (!gd_body_complete(&body)) {
        struct gd_span rest = {bytes.ptr + at, bytes.len - at};
        enum gd_body_result result = gd_body_step(&body, rest, &used, &data);

        at += used;
        if (result == GD_BODY_BAD)
            complain(whole, "a body is no strict HTTP");
        if (result == GD_BODY_BAD || result == GD_BODY_MORE)
            return SIZE_MAX;
    }
    return at;
}

/* The length of the request at the start of bytes; 0 while it is not complete. */
static size_t request_length(struct whole *whole, struct gd_span bytes)
{
    struct gd_field fields[FIELDS];
    struct gd_head_state state = {0};
    struct gd_request_head head;
    enum gd_parse parse;
    size_t body;

    parse = gd_request_head_parse(&state, bytes, &limits, fields, &head);
    if (parse == GD_PARSE_REFUSED)
        complain(whole, "a request to an upstream is no strict HTTP");
    if (parse != GD_PARSE_DONE)
        return 0;
    body = body_length(whole, head.framing, head.content_length,
                       (struct gd_span){bytes.ptr + head.bytes, bytes.len - head.bytes});
    return body == SIZE_MAX ? 0 : head.bytes + body;
}

/* Answers what is complete; true when it has said something or closed. */
static bool answer(struct whole *whole, struct peer *peer)
{
    struct gd_span rest = {peer->got.data + peer->read, peer->got.len - peer->read};
    size_t length = rest.len ? request_length(whole, rest) : 0;
    struct gd_span reply = {0};

    if (length == 0)
        return false;
    peer->read += length;
    if (whole->requests < whole->script->reply_count)
        reply = whole->script->replies[whole->requests];
    whole->requests++;
    if (reply.len == 0 || send(peer->fd, reply.ptr, reply.len, MSG_NOSIGNAL) < 0) {
        close(peer->fd);
        peer->fd = -1;
    }
    return true;
}

static bool serve_upstream(struct whole *whole)
{
    bool moved = false;
    int fd;

    while (whole->peer_count < PEERS_MAX &&
           (fd = accept4(whole->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
               0) {
        struct peer *peer = &whole->peers[whole->peer_count++];

        *peer = (struct peer){.fd = fd};
        gd_buf_init(&peer->got, NULL, SENT_MAX);
        moved = true;
    }
    for (unsigned i = 0; i < whole->peer_count; i++) {
        struct peer *peer = &whole->peers[i];

        if (peer->fd < 0)
            continue;
        if (!read_into(peer->fd, &peer->got, &moved)) {
            close(peer->fd);
            peer->fd = -1;
            moved = true;
        }
        while (peer->fd >= 0 && answer(whole, peer))
            moved = true;
    }
    return moved;
}

/* Closes what upstreams still hold; true when there was anything. */
static bool close_upstreams(struct whole *whole)
{
    bool any = false;

    for (unsigned i = 0; i < whole->peer_count; i++)
        if (whole->peers[i].fd >= 0) {
            close(whole->peers[i].fd);
            whole->peers[i].fd = -1;
            any = true;
        }
    return any;
}

static void leave(struct whole *whole)
{
    if (whole->client >= 0)
        close(whole->client);
    whole->client = -1;
}

static bool read_client(struct whole *whole)
{
    bool moved = false;

    if (whole->client >= 0 && !read_into(whole->client, &whole->answers, &moved)) {
        leave(whole);
        moved = true;
    }
    return moved;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static bool turn(struct whole *whole, bool (*done)(void *arg), uint32_t limit_ms)
{
    bool result;

    if (whole->script->turn)
        whole->script->turn(true);
    result = gd_loop_run_until(whole->loop, done, whole, limit_ms);
    if (whole->script->turn)
        whole->script->turn(false);
    return result;
}

/* Turns until nothing moves any more. */
static void settle(struct whole *whole)
{
    for (int at_rest = 0; at_rest < TURNS_AT_REST; at_rest++) {
        turn(whole, never, 0);
        if (serve_upstream(whole) || (!whole->script->leaves && read_client(whole)))
            at_rest = -1;
    }
}

static bool at_rest(void *arg)
{
    const struct whole *whole = arg;
    const struct gd_stats *stats = whole->stats;

    if (stats->worker[GD_WORKER_IN_FLIGHT] || stats->worker[GD_WORKER_CONNECTIONS_OPEN])
        return false;
    for (size_t i = 0; i < stats->server_count; i++)
        if (stats->servers[i]->values[GD_SERVER_SESSIONS_LEASED] ||
            stats->servers[i]->values[GD_SERVER_QUEUED] ||
            stats->servers[i]->values[GD_SERVER_SESSIONS_DIALLING])
            return false;
    for (size_t i = 0; i < stats->upstream_count; i++)
        if (stats->upstreams[i]->values[GD_UPSTREAM_IN_FLIGHT])
            return false;
    for (size_t i = 0; i < stats->route_count; i++)
        if (stats->routes[i]->values[GD_ROUTE_IN_FLIGHT])
            return false;
    return true;
}

/* Waits for an answer to begin, which timers may have to bring. */
static void wait_for_answer(struct whole *whole)
{
    for (unsigned ms = 0;
         ms < whole->script->patience_ms && whole->client >= 0 && whole->answers.len == 0;
         ms += TURN_MS) {
        turn(whole, never, TURN_MS);
        settle(whole);
    }
}

/* Waits for the rest, which timers may have to bring. */
static bool come_to_rest(struct whole *whole)
{
    for (unsigned ms = 0; ms < LIMIT_MS; ms += TURN_MS) {
        if (turn(whole, at_rest, TURN_MS))
            return true;
        serve_upstream(whole);
        close_upstreams(whole);
        read_client(whole);
    }
    return false;
}

/* The methods of the client's requests, as far as they are strict: HEAD has no body. */
static unsigned methods_of(struct whole *whole, struct gd_span sent,
                           enum gd_method *methods, unsigned max)
{
    struct gd_field fields[FIELDS];
    unsigned count = 0;
    size_t at = 0;

    while (at < sent.len && count < max) {
        struct gd_head_state state = {0};
        struct gd_request_head head;
        struct gd_span rest = {sent.ptr + at, sent.len - at};
        const char *before = whole->complaint;
        size_t body;

        if (gd_request_head_parse(&state, rest, &limits, fields, &head) != GD_PARSE_DONE)
            break;
        methods[count++] = head.method;
        at += head.bytes;
        body = body_length(whole, head.framing, head.content_length,
                           (struct gd_span){sent.ptr + at, sent.len - at});
        whole->complaint = before; /* the client may say what it wants */
        if (body == SIZE_MAX)
            break;
        at += body;
    }
    return count;
}

/* Every answer is strict HTTP. Only the last one may be cut off. */
static void check_answers(struct whole *whole)
{
    enum { METHODS_MAX = 512 };
    static enum gd_method methods[METHODS_MAX];
    unsigned known = methods_of(whole, whole->script->client, methods, METHODS_MAX);
    struct gd_span got = gd_buf_span(&whole->answers);
    struct gd_field fields[FIELDS];
    size_t at = 0;

    for (unsigned i = 0; at < got.len && known < METHODS_MAX;) {
        struct gd_head_state state = {0};
        struct gd_response_head head;
        struct gd_span rest = {got.ptr + at, got.len - at};
        enum gd_method method = i < known ? methods[i] : GD_METHOD_GET;
        enum gd_parse parse =
            gd_response_head_parse(&state, rest, &limits, method, fields, &head);
        size_t body;

        if (parse == GD_PARSE_REFUSED)
            complain(whole, "an answer is no strict HTTP");
        if (parse != GD_PARSE_DONE || head.framing == GD_FRAMING_EOF)
            return;
        i += head.status >= 200;
        at += head.bytes;
        body = body_length(whole, head.framing, head.content_length,
                           (struct gd_span){got.ptr + at, got.len - at});
        if (body == SIZE_MAX)
            return;
        at += body;
    }
}

static void begin(struct whole *whole, const struct whole_script *script)
{
    whole->script = script;
    whole->complaint = NULL;
    whole->requests = 0;
    for (unsigned i = 0; i < whole->peer_count; i++)
        gd_buf_free(&whole->peers[i].got);
    whole->peer_count = 0;
    gd_buf_free(&whole->answers);
    gd_buf_init(&whole->answers, NULL, SENT_MAX);
    whole->client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    must(connect(whole->client, (struct sockaddr *)&whole->site, whole->site_len) == 0,
         "connect");
}

struct gd_span whole_play(struct whole *whole, const struct whole_script *script,
                          bool *ended)
{
    begin(whole, script);
    for (size_t at = 0; at < script->client.len && whole->client >= 0;) {
        size_t n = script->client.len - at < script->piece ? script->client.len - at
                                                           : script->piece;
        ssize_t sent = send(whole->client, script->client.ptr + at, n, MSG_NOSIGNAL);

        if (sent > 0)
            at += (size_t)sent;
        settle(whole);
        if (sent < 0)
            break;
    }
    if (script->leaves)
        leave(whole);
    settle(whole);
    wait_for_answer(whole);
    if (close_upstreams(whole))
        settle(whole);
    leave(whole);
    *ended = come_to_rest(whole);
    if (!*ended)
        complain(whole, "it does not come to rest");
    check_answers(whole);
    return gd_buf_span(&whole->answers);
}

const char *whole_complaint(const struct whole *whole)
{
    return whole->complaint;
}

unsigned whole_requests(const struct whole *whole)
{
    return whole->requests;
}

struct gd_stats *whole_stats(struct whole *whole)
{
    return whole->stats;
}

void whole_free(struct whole *whole)
{
    close_upstreams(whole);
    gd_engine_free(whole->engine);
    gd_loop_free(whole->loop);
    gd_stats_free(whole->stats);
    gd_plan_unref(whole->plan);
    for (unsigned i = 0; i < whole->peer_count; i++)
        gd_buf_free(&whole->peers[i].got);
    gd_buf_free(&whole->answers);
    close(whole->listener);
    free(whole->addresses);
    free(whole);
}
