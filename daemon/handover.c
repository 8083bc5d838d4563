#include "daemon/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"

#define SOCKETS "GATHERD_SOCKETS"
#define READY "GATHERD_READY"

enum { TEXT_MAX_BYTES = 1024 * 1024 };

/* The successor's side
 * --------------------------------------------------------------------
 */

static int ready_fd = -1;

/* A line of the list; false when it is none. */
static bool read_line(char *line, struct gd_sockets *sockets)
{
    bool admin = strncmp(line, "admin ", 6) == 0;
    char *fd_text = strchr(line, ' '), *text;
    struct gd_socket one = {.fd = -1};

    if (fd_text == NULL)
        return false;
    one.fd = (int)strtol(fd_text + 1, &text, 10);
    if (*text != ' ' || one.fd < 3 || fcntl(one.fd, F_SETFD, FD_CLOEXEC) != 0)
        return false;
    one.text = gd_strdup(text + 1);
    if (admin) {
        sockets->admin = one;
        return true;
    }
    sockets->all = gd_realloc(sockets->all, (sockets->count + 1) * sizeof(*sockets->all));
    sockets->all[sockets->count++] = one;
    return true;
}

static bool is_wanted(const struct gd_sockets *sockets, int fd)
{
    if (fd == ready_fd || fd == sockets->admin.fd)
        return true;
    for (unsigned i = 0; i < sockets->count; i++)
        if (sockets->all[i].fd == fd)
            return true;
    return false;
}

/* A connection that the process before had just accepted may have come along. */
static void close_others(const struct gd_sockets *sockets)
{
    long most = sysconf(_SC_OPEN_MAX);
    int highest = 3;

    for (unsigned i = 0; i < sockets->count; i++)
        if (sockets->all[i].fd > highest)
            highest = sockets->all[i].fd;
    if (sockets->admin.fd > highest)
        highest = sockets->admin.fd;
    if (ready_fd > highest)
        highest = ready_fd;
    for (int fd = 3; fd <= highest && fd < most; fd++)
        if (!is_wanted(sockets, fd))
            close(fd);
    closefrom(highest + 1);
}

void gd_handover_receive(struct gd_sockets *sockets)
{
    const char *list = getenv(SOCKETS), *ready = getenv(READY);
    char *copy, *rest, *line;

    if (list == NULL || ready == NULL)
        return;
    ready_fd = (int)strtol(ready, NULL, 10);
    if (ready_fd < 3 || fcntl(ready_fd, F_SETFD, FD_CLOEXEC) != 0)
        ready_fd = -1;
    copy = rest = gd_strdup(list);
    while ((line = strsep(&rest, "\n")) != NULL)
        sockets->lent |= read_line(line, sockets);
    gd_free(copy);
    unsetenv(SOCKETS);
    unsetenv(READY);
    close_others(sockets);
}

bool gd_handover_tell(void)
{
    bool told;

    if (ready_fd < 0)
        return false;
    told = write(ready_fd, "r", 1) == 1;
    close(ready_fd);
    ready_fd = -1;
    return told;
}

/* The predecessor's side
 * ------------------------------------------------------------------
 */

static bool add_socket(struct gd_buf *out, const char *what, const struct gd_socket *one)
{
    return gd_buf_addf(out, "%s %d %s\n", what, one->fd, one->text);
}

static bool write_list(struct gd_buf *out, const struct gd_sockets *sockets)
{
    bool ok = gd_buf_add_text(out, SOCKETS "=");

    for (unsigned i = 0; ok && i < sockets->count; i++)
        ok = add_socket(out, "listen", &sockets->all[i]);
    if (ok && sockets->admin.fd >= 0)
        ok = add_socket(out, "admin", &sockets->admin);
    return ok && gd_buf_add(out, "", 1);
}

/* What is about this very process, and must not be taken for the successor's. */
static bool is_own(const char *variable)
{
    static const char *const own[] = {"WATCHDOG_PID=",   "LISTEN_PID=", "LISTEN_FDS=",
                                      "LISTEN_FDNAMES=", SOCKETS "=",   READY "="};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(variable, own[i], strlen(own[i])) == 0)
            return true;
    return false;
}

extern char **environ;

/* Returns an owned list; its texts are borrowed. */
static char **environment(char *list, char *ready)
{
    size_t count = 0, n = 0;
    char **all;

    while (environ[count])
        count++;
    all = gd_alloc_array(count + 3, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        if (!is_own(environ[i]))
            all[n++] = environ[i];
    all[n++] = list;
    all[n++] = ready;
    return all;
}

/* A dup onto itself lets a descriptor stay open. */
static int pass(posix_spawn_file_actions_t *actions, const struct gd_sockets *sockets,
                int ready)
{
    int rc = posix_spawn_file_actions_adddup2(actions, ready, ready);

    for (unsigned i = 0; rc == 0 && i < sockets->count; i++)
        rc = posix_spawn_file_actions_adddup2(actions, sockets->all[i].fd,
                                              sockets->all[i].fd);
    if (rc == 0 && sockets->admin.fd >= 0)
        rc = posix_spawn_file_actions_adddup2(actions, sockets->admin.fd,
                                              sockets->admin.fd);
    return rc;
}

static pid_t spawn(char *const *argv, const struct gd_sockets *sockets, int ready,
                   struct gd_err *err)
{
    posix_spawn_file_actions_t actions;
    struct gd_buf list;
    char number[32];
    char **all;
    pid_t pid = -1;
    int rc = ENOMEM;

    snprintf(number, sizeof(number), READY "=%d", ready);
    gd_buf_init(&list, NULL, TEXT_MAX_BYTES);
    posix_spawn_file_actions_init(&actions);
    if (write_list(&list, sockets) && pass(&actions, sockets, ready) == 0) {
        all = environment(list.data, number);
        rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, all);
        gd_free(all);
    }
    posix_spawn_file_actions_destroy(&actions);
    gd_buf_free(&list);
    errno = rc;
    if (rc)
        gd_err_errno(err, "%s cannot be started", argv[0]);
    return rc ? -1 : pid;
}

pid_t gd_handover_start(char *const *argv, const struct gd_sockets *sockets, int *ready,
                        struct gd_err *err)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        gd_err_errno(err, "no pipe");
        return -1;
    }
    pid = spawn(argv, sockets, ends[1], err);
    close(ends[1]);
    *ready = ends[0];
    if (pid < 0)
        close(ends[0]);
    return pid;
}
