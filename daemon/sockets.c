#include "daemon/sockets.h"

#include <errno.h>
#include <string.h>
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

/* The file goes first: once nobody listens, it may be a successor's. */
static void close_one(struct gd_socket *one, bool lent)
{
    if (one->path && !lent)
        unlink(one->path);
    if (!one->inherited)
        close(one->fd);
}

static void forget(struct gd_socket *one)
{
    gd_free(one->path);
    gd_free(one->text);
}

static struct gd_socket describe(const struct gd_plan_listen *listen, int fd, bool kept)
{
    return (struct gd_socket){
        .fd = fd,
        .inherited = listen->address.kind == GD_ADDRESS_SYSTEMD,
        .kept = kept,
        .path = path_of(listen),
        .text = gd_strdup(listen->address.text),
    };
}

/* Opening
 * ---------------------------------------------------------------------------------
 */

/* Takes those that have the address already; how many. */
static unsigned keep(const struct gd_socket *list, unsigned count,
                     const struct gd_plan_listen *listen, int fds[GD_INHERIT_MAX])
{
    unsigned kept = 0;

    for (unsigned i = 0; i < count && kept < GD_INHERIT_MAX; i++)
        if (list[i].fd >= 0 && strcmp(list[i].text, listen->address.text) == 0)
            fds[kept++] = list[i].fd;
    return kept;
}

static unsigned open_new(const struct gd_plan_listen *listen, const char *what,
                         int fds[GD_INHERIT_MAX], struct gd_err *err)
{
    unsigned count = 1;

    if (listen->address.kind == GD_ADDRESS_SYSTEMD)
        count = gd_inherit(listen->address.path, fds, err);
    else if ((fds[0] = gd_listen_open_as(listen, NULL, err)) < 0)
        count = 0;
    for (unsigned i = 0; i < count; i++)
        say(listen, fds[i], what);
    return count;
}

static bool next_listen(const struct gd_sockets *before, const struct gd_plan *plan,
                        unsigned index, struct gd_sockets *next, struct gd_err *err)
{
    const struct gd_plan_listen *listen = &plan->listens[index];
    int fds[GD_INHERIT_MAX];
    unsigned count = keep(before->all, before->count, listen, fds);
    bool kept = count > 0;

    if (!kept)
        count = open_new(listen, "listening", fds, err);
    for (unsigned i = 0; i < count; i++) {
        struct gd_socket one = describe(listen, fds[i], kept);

        one.listen = index;
        add(next, one);
    }
    return count > 0;
}

static bool next_admin(const struct gd_sockets *before, const struct gd_plan *plan,
                       struct gd_sockets *next, struct gd_err *err)
{
    struct gd_plan_listen listen = {.address = plan->admin,
                                    .backlog = ADMIN_BACKLOG,
                                    .owner = GD_ID_UNCHANGED,
                                    .group = GD_ID_UNCHANGED};
    int fds[GD_INHERIT_MAX];
    bool kept = keep(&before->admin, 1, &listen, fds) > 0;

    if (!kept && open_new(&listen, "admin", fds, err) == 0)
        return false;
    next->admin = describe(&listen, fds[0], kept);
    return true;
}

bool gd_sockets_next(const struct gd_sockets *before, const struct gd_plan *plan,
                     struct gd_sockets *next, struct gd_err *err)
{
    bool ok = true;

    *next = (struct gd_sockets){.admin = {.fd = -1}, .lent = before->lent};
    for (unsigned i = 0; ok && i < plan->listen_count; i++)
        ok = next_listen(before, plan, i, next, err);
    if (ok && plan->admin_on)
        ok = next_admin(before, plan, next, err);
    if (!ok)
        gd_sockets_drop(next);
    return ok;
}

static void empty(struct gd_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->count; i++)
        forget(&sockets->all[i]);
    gd_free(sockets->all);
    sockets->all = NULL;
    sockets->count = 0;
}

void gd_sockets_drop(struct gd_sockets *next)
{
    for (unsigned i = 0; i < next->count; i++)
        if (!next->all[i].kept)
            close_one(&next->all[i], false);
    empty(next);
    if (next->admin.fd < 0)
        return;
    if (!next->admin.kept)
        close_one(&next->admin, false);
    forget(&next->admin);
    next->admin.fd = -1;
}

static bool has(const struct gd_sockets *sockets, int fd)
{
    for (unsigned i = 0; i < sockets->count; i++)
        if (sockets->all[i].fd == fd)
            return true;
    return false;
}

/* What a kept socket is like may have changed. */
static void adjust(const struct gd_sockets *sockets, const struct gd_plan *plan)
{
    for (unsigned i = 0; i < sockets->count; i++) {
        const struct gd_socket *one = &sockets->all[i];

        if (one->kept && !one->inherited &&
            !gd_listen_adjust(one->fd, &plan->listens[one->listen]))
            gd_log(GD_LOG_WARN, "%s: backlog, mode, owner or group stay as they were: %s",
                   one->text, strerror(errno));
    }
}

void gd_sockets_take_over(struct gd_sockets *sockets, struct gd_sockets *next,
                          const struct gd_plan *plan)
{
    for (unsigned i = 0; i < sockets->count; i++)
        if (!has(next, sockets->all[i].fd))
            close_one(&sockets->all[i], sockets->lent);
    empty(sockets);
    if (sockets->admin.fd >= 0) {
        if (sockets->admin.fd != next->admin.fd)
            close_one(&sockets->admin, sockets->lent);
        forget(&sockets->admin);
    }
    *sockets = *next;
    *next = (struct gd_sockets){.admin = {.fd = -1}};
    adjust(sockets, plan);
}

bool gd_sockets_open(struct gd_sockets *sockets, const struct gd_plan *plan,
                     struct gd_err *err)
{
    struct gd_sockets next;

    if (!gd_sockets_next(sockets, plan, &next, err)) {
        gd_sockets_close(sockets);
        return false;
    }
    gd_sockets_take_over(sockets, &next, plan);
    return true;
}

/* Closing
 * ---------------------------------------------------------------------------------
 */

void gd_sockets_close_listens(struct gd_sockets *sockets)
{
    for (unsigned i = 0; i < sockets->count; i++)
        close_one(&sockets->all[i], sockets->lent);
    empty(sockets);
}

void gd_sockets_close(struct gd_sockets *sockets)
{
    gd_sockets_close_listens(sockets);
    if (sockets->admin.fd >= 0) {
        close_one(&sockets->admin, sockets->lent);
        forget(&sockets->admin);
    }
    sockets->admin.fd = -1;
}

struct gd_address *gd_addresses_of(const struct gd_plan *plan)
{
    struct gd_address *addresses = gd_alloc_array(plan->server_count, sizeof(*addresses));

    for (unsigned u = 0; u < plan->upstream_count; u++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[u];

        for (unsigned i = 0; upstream->mock == NULL && i < upstream->server_count; i++) {
            const struct gd_plan_server *server = &upstream->servers[i];

            if (!gd_address_literal(&server->address, &addresses[server->index]))
                addresses[server->index].len = 0;
        }
    }
    return addresses;
}
