#include "upstream/mock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/listen.h"
#include "upstream/mock_parts.h"

enum {
    BACKLOG = 1024,
    ACCEPTS_PER_TURN = 64,
    PAUSE_MS = 100, /* accepting, when there are no descriptors left */
    SWEEP_MS = 500,
    ARENA_MAX = 64 << 20,
};

static void pause_accepting(struct gd_mock_server *server)
{
    event_del(&server->accepting);
    gd_timer_arm(&server->resume, PAUSE_MS);
}

static void on_resume(void *arg)
{
    struct gd_mock_server *server = arg;

    event_add(&server->accepting, NULL);
}

static void on_sweep(void *arg)
{
    struct gd_mocks *mocks = arg;

    gd_mock_conns_sweep(mocks, gd_loop_now_us(mocks->loop));
    if (mocks->conn_count)
        gd_timer_arm(&mocks->sweep, SWEEP_MS);
}

/* Whether accept may just be tried again: the connection was gone before. */
static bool is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
    struct gd_mock_server *server = arg;
    struct gd_mocks *mocks = server->mocks;
    static const int one = 1;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd;

        if (mocks->conn_count >= GD_MOCK_CONNECTIONS_MAX) {
            pause_accepting(server);
            return;
        }
        fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (is_passing(errno))
                continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                pause_accepting(server);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        gd_mock_conn_open(server, fd);
        if (!gd_timer_armed(&mocks->sweep))
            gd_timer_arm(&mocks->sweep, SWEEP_MS);
    }
}

/* Servers -------------------------------------------------------------------------------
 */

static void server_leave(struct gd_mock_server *server)
{
    if (--server->users > 0)
        return;
    gd_mock_conns_free(server);
    gd_timer_disarm(&server->resume);
    if (server->fd >= 0) {
        event_del(&server->accepting);
        close(server->fd);
    }
    gd_arena_free(&server->arena);
    gd_plan_unref(server->plan);
    gd_free(server);
}

static bool server_open(struct gd_mock_server *server, struct gd_err *err)
{
    static const struct gd_plan_address where = {
        .kind = GD_ADDRESS_TCP, .host = "127.0.0.1", .text = "127.0.0.1"};

    server->fd = gd_listen_open(&where, BACKLOG, &server->address, err);
    if (server->fd < 0)
        return false;
    event_assign(&server->accepting, gd_loop_base(server->mocks->loop), server->fd,
                 EV_READ | EV_PERSIST, on_accept, server);
    event_add(&server->accepting, NULL);
    return gd_mock_render(server, err);
}

static struct gd_mock_server *server_new(struct gd_mocks *mocks, struct gd_plan *plan,
                                         const struct gd_plan_upstream *upstream,
                                         struct gd_err *err)
{
    struct gd_mock_server *server = gd_alloc(sizeof(*server));

    assert(upstream->server_count == 1);
    server->mocks = mocks;
    server->plan = gd_plan_ref(plan);
    server->upstream = upstream;
    server->users = 1;
    gd_arena_init(&server->arena, NULL, 4096, ARENA_MAX);
    gd_timer_init(&server->resume, mocks->loop, on_resume, server);
    if (server_open(server, err))
        return server;
    server_leave(server);
    return NULL;
}

/* Sets
 * ------------------------------------------------------------------------------------
 */

static void set_free(struct gd_mock_set *set)
{
    for (unsigned i = 0; i < set->plan->upstream_count; i++)
        if (set->servers[i])
            server_leave(set->servers[i]);
    gd_plan_unref(set->plan);
    gd_free(set->servers);
    gd_free(set);
}

bool gd_mocks_next(struct gd_mocks *mocks, struct gd_plan *plan, const int *kept,
                   struct gd_address *addresses, struct gd_err *err)
{
    struct gd_mock_set *set = gd_alloc(sizeof(*set));
    bool ok = true;

    set->plan = gd_plan_ref(plan);
    set->servers = gd_alloc_array(plan->upstream_count, sizeof(*set->servers));
    for (unsigned i = 0; ok && i < plan->upstream_count; i++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[i];

        if (upstream->mock == NULL)
            continue;
        if (kept && kept[i] >= 0) {
            set->servers[i] = mocks->newest->servers[kept[i]];
            set->servers[i]->users++;
        } else {
            set->servers[i] = server_new(mocks, plan, upstream, err);
        }
        ok = set->servers[i] != NULL;
        if (ok)
            addresses[upstream->servers[0].index] = set->servers[i]->address;
    }
    if (!ok) {
        set_free(set);
        return false;
    }
    set->next = mocks->newest;
    mocks->newest = set;
    return true;
}

void gd_mocks_leave(struct gd_mocks *mocks, const struct gd_plan *plan)
{
    struct gd_mock_set **at = &mocks->newest;
    struct gd_mock_set *set;

    while ((*at)->plan != plan)
        at = &(*at)->next;
    set = *at;
    *at = set->next;
    set_free(set);
}

struct gd_mocks *gd_mocks_new(struct gd_loop *loop, struct gd_plan *plan,
                              struct gd_address *addresses, struct gd_err *err)
{
    struct gd_mocks *mocks = gd_alloc(sizeof(*mocks));

    mocks->loop = loop;
    gd_buf_init(&mocks->body, NULL, GD_MOCK_BODY_MAX);
    gd_timer_init(&mocks->sweep, loop, on_sweep, mocks);
    if (gd_mocks_next(mocks, plan, NULL, addresses, err))
        return mocks;
    gd_mocks_free(mocks);
    return NULL;
}

void gd_mocks_free(struct gd_mocks *mocks)
{
    if (mocks == NULL)
        return;
    while (mocks->newest)
        gd_mocks_leave(mocks, mocks->newest->plan);
    gd_timer_disarm(&mocks->sweep);
    gd_buf_free(&mocks->body);
    gd_free(mocks);
}
