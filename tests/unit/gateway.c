#include "gateway.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "front/admin.h"
#include "front/engine.h"
#include "net/listen.h"
#include "plan/load.h"
#include "upstream/mock.h"

struct gateway {
    pthread_t thread;
    struct gd_loop *loop;
    struct gd_plan *plan;
    struct gd_mocks *mocks;
    struct gd_engine *engine;
    struct gd_admin *admin;
    struct gd_stats *stats;
    struct gd_address *addresses;
    struct gd_address site, admin_site;
    _Atomic int life;
    atomic_bool drained;
};

double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void *run_loop(void *arg)
{
    gd_loop_run(arg);
    return NULL;
}

static struct gd_plan *load(const char *yaml)
{
    struct gd_findings findings = {0};
    struct gd_plan *plan =
        gd_plan_load_text("test.yaml", gd_span_of(yaml), NULL, &findings);

    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "%s\n", findings.lines[i]);
    ck_assert_ptr_nonnull(plan);
    gd_findings_free(&findings);
    return plan;
}

static int listen_any(struct gd_address *bound)
{
    struct gd_plan_address where = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .port = 0, .text = "test"};
    struct gd_err err;
    int fd = gd_listen_open(&where, 128, bound, &err);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static void resolve_servers(struct gateway *gateway)
{
    struct gd_plan *plan = gateway->plan;

    gateway->addresses = calloc(plan->server_count + 1, sizeof(*gateway->addresses));
    for (unsigned u = 0; u < plan->upstream_count; u++)
        for (unsigned i = 0; i < plan->upstreams[u].server_count; i++) {
            struct gd_plan_server *server = &plan->upstreams[u].servers[i];

            if (plan->upstreams[u].mock == NULL)
                ck_assert_uint_eq(gd_address_resolve(&server->address,
                                                     &gateway->addresses[server->index],
                                                     1, NULL),
                                  1);
        }
}

static void tell(void *teller, gd_tell_fn *fn, void *arg, void (*done)(void *arg))
{
    struct gateway *gateway = teller;

    fn(gateway->engine, arg);
    gd_loop_post(gateway->loop, done, arg);
}

static const char *reload_now(void *gateway, void (*done)(void *arg), void *arg)
{
    return "there is no file to read again";
}

struct gateway *gateway_start(const char *yaml)
{
    struct gateway *gateway = calloc(1, sizeof(*gateway));
    struct gd_err err = {.text = ""};
    static const struct gd_reload_view no_reload;
    static const uint64_t no_process[GD_PROCESS_STATS];
    struct gd_admin_source source;
    struct gd_engine_plan first;
    int fd, admin_fd;

    gateway->plan = load(yaml);
    gateway->loop = gd_loop_new(&err);
    gateway->life = GD_LIFE_READY;
    gateway->stats =
        gd_stats_new(gateway->plan->route_count, gateway->plan->upstream_count,
                     gateway->plan->server_count);
    resolve_servers(gateway);
    gateway->mocks = gd_mocks_new(gateway->loop, gateway->plan, gateway->addresses, &err);
    ck_assert_msg(gateway->mocks != NULL, "%s", err.text);
    first = (struct gd_engine_plan){
        .plan = gateway->plan, .stats = gateway->stats, .addresses = gateway->addresses};
    gateway->engine = gd_engine_new(gateway->loop, &first, &err);
    ck_assert_msg(gateway->engine != NULL, "%s", err.text);
    source = (struct gd_admin_source){.plan = gateway->plan,
                                      .stats = &gateway->stats,
                                      .worker_count = 1,
                                      .life = &gateway->life,
                                      .reload = &no_reload,
                                      .process = no_process,
                                      .reload_now = reload_now,
                                      .tell = tell,
                                      .teller = gateway};
    gateway->admin = gd_admin_new(gateway->loop, &source, &err);
    fd = listen_any(&gateway->site);
    admin_fd = listen_any(&gateway->admin_site);
    ck_assert(gd_engine_listen(gateway->engine, fd, gateway->plan->listens, &err));
    ck_assert(gd_admin_listen(gateway->admin, admin_fd, &err));
    close(fd);
    close(admin_fd);
    pthread_create(&gateway->thread, NULL, run_loop, gateway->loop);
    return gateway;
}

static void on_drained(void *arg)
{
    atomic_store(&((struct gateway *)arg)->drained, true);
}

static void on_drain(void *arg)
{
    struct gateway *gateway = arg;

    gd_engine_drain(gateway->engine, on_drained, gateway);
}

static void check_idle(const struct gd_stats *stats)
{
    ck_assert_uint_eq(stats->worker[GD_WORKER_IN_FLIGHT], 0);
    ck_assert_uint_eq(stats->worker[GD_WORKER_CONNECTIONS_OPEN], 0);
    for (size_t i = 0; i < stats->route_count; i++)
        ck_assert_uint_eq(stats->routes[i]->values[GD_ROUTE_IN_FLIGHT], 0);
    for (size_t i = 0; i < stats->upstream_count; i++)
        ck_assert_uint_eq(stats->upstreams[i]->values[GD_UPSTREAM_IN_FLIGHT], 0);
    for (size_t i = 0; i < stats->server_count; i++) {
        ck_assert_uint_eq(stats->servers[i]->values[GD_SERVER_SESSIONS_LEASED], 0);
        ck_assert_uint_eq(stats->servers[i]->values[GD_SERVER_QUEUED], 0);
    }
}

void gateway_end(struct gateway *gateway)
{
    double limit = now_ms() + 5000;

    gd_loop_post(gateway->loop, on_drain, gateway);
    while (!atomic_load(&gateway->drained) && now_ms() < limit)
        usleep(500);
    ck_assert(atomic_load(&gateway->drained));
    gd_loop_stop(gateway->loop);
    pthread_join(gateway->thread, NULL);
    gd_admin_free(gateway->admin);
    gd_engine_free(gateway->engine);
    gd_mocks_free(gateway->mocks);
    check_idle(gateway->stats);
    gd_loop_free(gateway->loop);
    gd_stats_free(gateway->stats);
    gd_plan_unref(gateway->plan);
    free(gateway->addresses);
    free(gateway);
}

static int connect_to(const struct gd_address *to)
{
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to->sa, to->len), 0);
    return fd;
}

int gateway_connect(struct gateway *gateway)
{
    return connect_to(&gateway->site);
}

int gateway_connect_admin(struct gateway *gateway)
{
    return connect_to(&gateway->admin_site);
}

void client_send(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

const char *client_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return end ? end + 4 : "";
}

const char *client_field(const char *answer, const char *name)
{
    static char value[512];
    size_t len = strlen(name);

    for (const char *line = strstr(answer, "\r\n"); line && line[2] != '\r';
         line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
            snprintf(value, sizeof(value), "%.*s",
                     (int)(strstr(line + 2, "\r\n") - (line + 4 + len)), line + 4 + len);
            return value;
        }
    return NULL;
}

/* Byte by byte up to the end of the head, so that nothing of the next answer is taken. */
int client_read(int fd, bool head_only, char *room, size_t size)
{
    size_t n = 0, body = 0;
    const char *length;
    int status;

    room[0] = '\0';
    while (strstr(room, "\r\n\r\n") == NULL) {
        ssize_t got = recv(fd, room + n, 1, 0);

        if (got <= 0)
            return 0;
        room[++n] = '\0';
        ck_assert_uint_lt(n, size - 1);
    }
    ck_assert_int_eq(sscanf(room, "HTTP/1.1 %d ", &status), 1);
    length = client_field(room, "Content-Length");
    if (length && !head_only)
        body = strtoul(length, NULL, 10);
    ck_assert_uint_lt(n + body, size);
    while (body) {
        ssize_t got = recv(fd, room + n, body, 0);

        ck_assert_int_gt(got, 0);
        n += (size_t)got;
        body -= (size_t)got;
    }
    room[n] = '\0';
    return status;
}

int client_ask(struct gateway *gateway, const char *method, const char *target,
               char *room, size_t size)
{
    char request[2048];
    int fd = gateway_connect(gateway);
    int status;

    snprintf(request, sizeof(request),
             "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", method, target);
    client_send(fd, request);
    status = client_read(fd, strcmp(method, "HEAD") == 0, room, size);
    close(fd);
    return status;
}

bool gateway_counts(struct gateway *gateway, const uint64_t *value, uint64_t wanted)
{
    double limit = now_ms() + 2000;

    (void)gateway;
    while (gd_stat_read(value) != wanted) {
        if (now_ms() > limit)
            return false;
        usleep(200);
    }
    return true;
}

struct gd_stats *gateway_stats(struct gateway *gateway)
{
    return gateway->stats;
}
