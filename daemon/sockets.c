#include "daemon/sockets.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/inherit.h"
#include "net/listen.h"

enum { ADMIN_BACKLOG = 4096 };

static void say(const struct gd_plan_listen *listen, int fd, const char *what)
{
    const struct gd_plan_address *where = &listen->address;
    struct gd_address bound = {.len = sizeof(bound.sa)};
    char text[GD_ADDRESS_TEXT_MAX];
    const char *scheme = listen->tls ? "https://" : "http://";

    if (getsockname(fd, (struct sockaddr *)&bound.sa, &bound.len) < 0)
        return;
    gd_log(GD_LOG_INFO, "%s on %s%s%s%s", what,
           bound.sa.ss_family == AF_UNIX ? "" : scheme, gd_address_text(&bound, text),
           where->kind == GD_ADDRESS_SYSTEMD ? ", from systemd: " : "",
           where->kind == GD_ADDRESS_SYSTEMD ? where->path : "");
}

static char *path_of(const struct gd_plan_listen *listen)
{
    bool own = listen->address.kind == GD_ADDRESS_UNIX;

    return own ? gd_strdup(listen->address.path) : NULL;
}

static void add(struct gd_sockets *sockets, struct gd_socket one)
{
    sockets->all = gd_realloc(sockets->all, (sockets->count + 1) * sizeof(*sockets->all));
    sockets->all[sockets->count++] = one;
}

static bool open_listen(struct gd_sockets *sockets, const struct gd_plan *plan,
                        unsigned index, struct gd_err *err)
{
    const struct gd_plan_listen *listen = &plan->listens[index];
    bool inherited = listen->address.kind == GD_ADDRESS_SYSTEMD;
    int fds[GD_INHERIT_MAX];
    unsigned count = 1;

    if (inherited)
        count = gd_inherit(listen->address.path, fds, err);
    else if ((fds[0] = gd_listen_open_as(listen, NULL, err)) < 0)
        count = 0;
    for (unsigned i = 0; i < count; i++) {
        say(listen, fds[i], "listening");
        add(sockets, (struct gd_socket){fds[i], index, inherited, path_of(listen)});
    }
    return count > 0;
}

static bool open_admin(struct gd_sockets *sockets, const struct gd_plan *plan,
                       struct gd_err *err)
{
    struct gd_plan_listen listen = {.address = plan->admin,
                                    .backlog = ADMIN_BACKLOG,
                                    .owner = GD_ID_UNCHANGED,
                                    .group = GD_ID_UNCHANGED};
    struct gd_socket *admin = &sockets->admin;
    int fds[GD_INHERIT_MAX];

    admin->inherited = plan->admin.kind == GD_ADDRESS_SYSTEMD;
    if (!admin->inherited)
        admin->fd = gd_listen_open_as(&listen, NULL, err);
    else if (gd_inherit(plan->admin.path, fds, err))
        admin->fd = fds[0];
    if (admin->fd >= 0) {
        say(&listen, admin->fd, "admin");
        admin->path = path_of(&listen);
    }
    return admin->fd >= 0;
}

bool gd_sockets_open(struct gd_sockets *sockets, const struct gd_plan *plan,
                     struct gd_err *err)
{
    bool ok = true;

    *sockets = (struct gd_sockets){.admin = {.fd = -1}};
    for (unsigned i = 0; ok && i < plan->listen_count; i++)
        ok = open_listen(sockets, plan, i, err);
    if (ok && plan->admin_on)
        ok = open_admin(sockets, plan, err);
    if (!ok)
        gd_sockets_close(sockets);
    return ok;
}

/* The file goes first: once nobody listens, it may be a successor's. */
static void close_one(struct gd_socket *one)
{
    if (one->path)
        unlink(one->path);
    gd_free(one->path);
    if (!one->inherited)
        close(one->fd);
}

void gd_sockets_close_listens(struct gd_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->count; i++)
        close_one(&sockets->all[i]);
    gd_free(sockets->all);
    sockets->all = NULL;
    sockets->count = 0;
}

void gd_sockets_close(struct gd_sockets *sockets)
{
    gd_sockets_close_listens(sockets);
    if (sockets->admin.fd >= 0)
        close_one(&sockets->admin);
    sockets->admin.fd = -1;
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
