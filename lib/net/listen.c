#include "net/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int open_socket(const struct gd_address *at)
{
    return socket(at->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static bool is_any6(const struct gd_address *at)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&at->sa;

    return at->sa.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

/* Opens a TCP socket for *at; where the system has no IPv6, the dual-stack wildcard
 * becomes that of IPv4. */
static int open_tcp(struct gd_address *at)
{
    const int one = 1, zero = 0;
    int fd = open_socket(at);

    if (fd < 0 && errno == EAFNOSUPPORT && is_any6(at)) {
        struct sockaddr_in *in = (struct sockaddr_in *)&at->sa;
        uint16_t port = gd_address_port(at);

        *at = (struct gd_address){.len = sizeof(*in)};
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        fd = open_socket(at);
    }
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (is_any6(at))
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    return fd;
}

/* Whether the path is free to bind: nothing there, or a socket nobody accepts on, which
 * is removed. */
static bool clear_path(const struct gd_address *at, const char *text, struct gd_err *err)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&at->sa;
    struct stat file;
    int fd, rc, error;

    if (lstat(un->sun_path, &file) < 0)
        return errno == ENOENT || gd_err_errno(err, "cannot listen on %s", text);
    if (!S_ISSOCK(file.st_mode))
        return gd_err_set(err, "cannot listen on %s: the file exists and is no socket",
                          text);
    fd = open_socket(at);
    if (fd < 0)
        return gd_err_errno(err, "cannot listen on %s", text);
    rc = connect(fd, (const struct sockaddr *)&at->sa, at->len);
    error = errno;
    close(fd);
    errno = error;
    if (rc == 0 || error == EAGAIN)
        return gd_err_set(err, "cannot listen on %s: another process does", text);
    if (error != ECONNREFUSED || (unlink(un->sun_path) < 0 && errno != ENOENT))
        return gd_err_errno(err, "cannot listen on %s", text);
    return true;
}

static bool dress_file(const struct gd_plan_listen *listen)
{
    const char *path = listen->address.path;

    if (listen->address.kind != GD_ADDRESS_UNIX)
        return true;
    if (listen->mode && chmod(path, listen->mode) < 0)
        return false;
    return (listen->owner == GD_ID_UNCHANGED && listen->group == GD_ID_UNCHANGED) ||
           chown(path, listen->owner, listen->group) == 0;
}

/* Between bind and listen nobody can connect yet: the time to dress the file. */
static bool bind_and_listen(int fd, const struct gd_plan_listen *settings,
                            const struct gd_address *at, struct gd_address *bound)
{
    bool is_unix = at->sa.ss_family == AF_UNIX;
    int error;

    if (bind(fd, (const struct sockaddr *)&at->sa, at->len) < 0)
        return false;
    if (!dress_file(settings) || listen(fd, (int)settings->backlog) < 0) {
        error = errno;
        if (is_unix)
            unlink(settings->address.path);
        errno = error;
        return false;
    }
    if (bound == NULL)
        return true;
    *bound = (struct gd_address){.len = sizeof(bound->sa)};
    return getsockname(fd, (struct sockaddr *)&bound->sa, &bound->len) == 0;
}

int gd_listen_open_as(const struct gd_plan_listen *listen, struct gd_address *bound,
                      struct gd_err *err)
{
    const struct gd_plan_address *where = &listen->address;
    struct gd_address at;
    int fd, error;

    if (gd_address_resolve(where, &at, 1, err) == 0)
        return -1;
    if (where->kind == GD_ADDRESS_UNIX && !clear_path(&at, where->text, err))
        return -1;
    fd = where->kind == GD_ADDRESS_UNIX ? open_socket(&at) : open_tcp(&at);
    if (fd >= 0 && bind_and_listen(fd, listen, &at, bound))
        return fd;
    error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    gd_err_errno(err, "cannot listen on %s", where->text);
    return -1;
}

int gd_listen_open(const struct gd_plan_address *where, int backlog,
                   struct gd_address *bound, struct gd_err *err)
{
    struct gd_plan_listen listen = {.address = *where,
                                    .backlog = (unsigned)backlog,
                                    .owner = GD_ID_UNCHANGED,
                                    .group = GD_ID_UNCHANGED};

    return gd_listen_open_as(&listen, bound, err);
}

bool gd_listen_adjust(int fd, const struct gd_plan_listen *settings)
{
    return dress_file(settings) && listen(fd, (int)settings->backlog) == 0;
}
