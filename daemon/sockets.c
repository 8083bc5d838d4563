#include "daemon/sockets.h"

#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/listen.h"

enum { BACKLOG = 4096 };

static int open_one(const struct gd_plan_address *where, const char *what,
                    struct gd_err *err)
{
    char text[GD_ADDRESS_TEXT_MAX];
    struct gd_address bound;
    int fd = gd_listen_open(where, BACKLOG, &bound, err);

    if (fd >= 0)
        gd_log(GD_LOG_INFO, "%s on %s%s", what,
               where->kind == GD_ADDRESS_TCP ? "http://" : "",
               gd_address_text(&bound, text));
    return fd;
}

bool gd_sockets_open(struct gd_sockets *sockets, const struct gd_plan *plan,
                     struct gd_err *err)
{
    sockets->fds = gd_alloc_array(plan->listen_count, sizeof(*sockets->fds));
    sockets->count = 0;
    sockets->admin_fd = -1;
    for (unsigned i = 0; i < plan->listen_count; i++) {
        int fd = open_one(&plan->listens[i], "listening", err);

        if (fd < 0) {
            gd_sockets_close(sockets, plan);
            return false;
        }
        sockets->fds[sockets->count++] = fd;
    }
    if (plan->admin_on) {
        sockets->admin_fd = open_one(&plan->admin, "admin", err);
        if (sockets->admin_fd < 0) {
            gd_sockets_close(sockets, plan);
            return false;
        }
    }
    return true;
}

/* The file goes first: once nobody listens, it may be a successor's. */
static void close_one(int fd, const struct gd_plan_address *where)
{
    if (where->kind == GD_ADDRESS_UNIX)
        unlink(where->path);
    close(fd);
}

void gd_sockets_close_listens(struct gd_sockets *sockets, const struct gd_plan *plan)
{
    for (unsigned i = 0; i < sockets->count; i++)
        close_one(sockets->fds[i], &plan->listens[i]);
    gd_free(sockets->fds);
    sockets->fds = NULL;
    sockets->count = 0;
}

void gd_sockets_close(struct gd_sockets *sockets, const struct gd_plan *plan)
{
    gd_sockets_close_listens(sockets, plan);
    if (sockets->admin_fd >= 0)
        close_one(sockets->admin_fd, &plan->admin);
    sockets->admin_fd = -1;
}

struct gd_address *gd_addresses_resolve(const struct gd_plan *plan)
{
    struct gd_address *addresses = gd_alloc_array(plan->server_count, sizeof(*addresses));

    for (unsigned u = 0; u < plan->upstream_count; u++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[u];

        if (upstream->mock)
            continue;
        for (unsigned i = 0; i < upstream->server_count; i++) {
            const struct gd_plan_server *server = &upstream->servers[i];
            struct gd_err err;

            if (gd_address_resolve(&server->address, &addresses[server->index], 1,
                                   &err) == 0)
                gd_log(GD_LOG_ERROR, "upstream %s: %s: its calls will fail",
                       upstream->name, err.text);
        }
    }
    return addresses;
}
