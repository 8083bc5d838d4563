#include "base/log_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

enum {
    /* A pipe that is writable has room for as much. */
    PIECE_MAX = 4096,
    FACILITY_DAEMON = 3 << 3,
    FILE_MODE = 0640,
};

struct gd_log_out {
    enum gd_log_kind kind;
    char *path;
    int fd;
    bool prefixed; /* standard error is the journal's: it reads <PRIORITY> there */
};

/* Opening -------------------------------------------------------------------------------
 */

static int open_file(const char *path, struct gd_err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, FILE_MODE);

    if (fd < 0)
        gd_err_errno(err, "cannot open the log %s", path);
    return fd;
}

/* systemd.exec(5): JOURNAL_STREAM tells which descriptor is the journal's. */
static bool is_journal(int fd)
{
    const char *told = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat stat;
    char *end;

    if (told == NULL || fstat(fd, &stat) != 0)
        return false;
    device = strtoull(told, &end, 10);
    if (*end != ':')
        return false;
    inode = strtoull(end + 1, &end, 10);
    return *end == '\0' && device == stat.st_dev && inode == stat.st_ino;
}

static int open_socket(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (strlen(path) < sizeof(to.sun_path)) {
        memcpy(to.sun_path, path, strlen(path) + 1);
        if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
            return fd;
    }
    close(fd);
    return -1;
}

struct gd_log_out *gd_log_out_new(const struct gd_log_place *place, struct gd_err *err)
{
    struct gd_log_out *out = gd_alloc(sizeof(*out));

    out->kind = place->kind;
    out->path = place->path ? gd_strdup(place->path) : NULL;
    out->fd = -1;
    if (place->kind == GD_LOG_JOURNAL || place->kind == GD_LOG_SYSLOG)
        out->fd = open_socket(out->path); /* or later */
    if (place->kind == GD_LOG_STDERR)
        out->prefixed = is_journal(STDERR_FILENO);
    if (place->kind == GD_LOG_FILE && (out->fd = open_file(out->path, err)) < 0) {
        gd_log_out_free(out);
        return NULL;
    }
    return out;
}

void gd_log_out_free(struct gd_log_out *out)
{
    if (out == NULL)
        return;
    if (out->fd >= 0)
        close(out->fd);
    gd_free(out->path);
    gd_free(out);
}

enum gd_log_kind gd_log_out_kind(const struct gd_log_out *out)
{
    return out->kind;
}

bool gd_log_out_reopen(struct gd_log_out *out, struct gd_err *err)
{
    int fd;

    if (out->kind != GD_LOG_FILE)
        return true;
    fd = open_file(out->path, err);
    if (fd < 0)
        return false;
    close(out->fd);
    out->fd = fd;
    return true;
}

/* Writing -------------------------------------------------------------------------------
 */

static unsigned count_lines(struct gd_span lines)
{
    unsigned count = 0;

    for (const char *at = lines.ptr, *end = at + lines.len;
         at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        count++;
    return count;
}

/* Takes the first line off, without its end. */
static struct gd_span next_line(struct gd_span *lines)
{
    const char *end = memchr(lines->ptr, '\n', lines->len);
    struct gd_span line = {lines->ptr, end ? (size_t)(end - lines->ptr) : lines->len};
    size_t used = line.len + (end != NULL);

    *lines = (struct gd_span){lines->ptr + used, lines->len - used};
    return line;
}

static bool has_room(int fd, int wait_ms)
{
    struct pollfd out = {.fd = fd, .events = POLLOUT};

    return poll(&out, 1, wait_ms) == 1 && (out.revents & POLLOUT);
}

/* All of it, or as much as is taken. A line that was begun is ended with the next write:
 * there is nothing better to do with a disk that is full in its middle. */
static size_t write_all(int fd, struct gd_span bytes)
{
    size_t done = 0;

    while (done < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static unsigned write_file(struct gd_log_out *out, struct gd_span lines)
{
    size_t done = write_all(out->fd, lines);

    return count_lines((struct gd_span){lines.ptr + done, lines.len - done});
}

/* As many whole lines as a pipe takes without waiting. */
static struct gd_span next_piece(struct gd_span *lines)
{
    struct gd_span piece = {lines->ptr, 0}, rest = *lines;

    do {
        next_line(&rest);
        if (piece.len && (size_t)(rest.ptr - piece.ptr) > PIECE_MAX)
            break;
        piece.len = (size_t)(rest.ptr - piece.ptr);
    } while (rest.len);
    *lines = (struct gd_span){lines->ptr + piece.len, lines->len - piece.len};
    return piece;
}

static unsigned write_stderr(struct gd_span lines, int wait_ms)
{
    unsigned lost = 0;

    while (lines.len) {
        struct gd_span piece = next_piece(&lines);

        if (!has_room(STDERR_FILENO, wait_ms))
            return lost + count_lines(piece) + count_lines(lines);
        if (write_all(STDERR_FILENO, piece) < piece.len)
            lost += count_lines(piece);
    }
    return lost;
}

static unsigned write_prefixed(struct gd_span lines, int severity, int wait_ms)
{
    char text[PIECE_MAX];
    unsigned lost = 0;

    while (lines.len) {
        struct gd_span line = next_line(&lines);
        int n = snprintf(text, sizeof(text), "<%d>%.*s\n", severity, GD_SPAN_ARG(line));

        if (n < 0 || (size_t)n >= sizeof(text)) {
            n = sizeof(text) - 1;
            text[n - 1] = '\n';
        }
        lost += write_stderr((struct gd_span){text, (size_t)n}, wait_ms);
    }
    return lost;
}

/* A service that was restarted has a socket of its own: one more try. */
static bool send_one(struct gd_log_out *out, struct iovec *iov, int count, int wait_ms)
{
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};

    for (int i = 0; i < 2; i++) {
        if (out->fd < 0 && (out->fd = open_socket(out->path)) < 0)
            return false;
        if (!has_room(out->fd, wait_ms) && errno == EAGAIN)
            return false;
        if (sendmsg(out->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return true;
        if (errno == EAGAIN || errno == EMSGSIZE)
            return false;
        close(out->fd);
        out->fd = -1;
    }
    return false;
}

static unsigned write_journal(struct gd_log_out *out, struct gd_span lines, int severity,
                              const char *area, int wait_ms)
{
    char head[128];
    unsigned lost = 0;
    int n = snprintf(head, sizeof(head),
                     "SYSLOG_IDENTIFIER=gatherd\nPRIORITY=%d\nGATHERD_AREA=%s\nMESSAGE=",
                     severity, area ? area : "access");

    while (lines.len) {
        struct gd_span line = next_line(&lines);
        struct iovec iov[3] = {
            {head, (size_t)n}, {(char *)line.ptr, line.len}, {(char *)"\n", 1}};

        lost += !send_one(out, iov, 3, wait_ms);
    }
    return lost;
}

static unsigned write_syslog(struct gd_log_out *out, struct gd_span lines, int severity,
                             int wait_ms)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(gd_wall_us() / 1000000);
    unsigned lost = 0;
    char head[96];
    struct tm tm;
    int n;

    localtime_r(&now, &tm);
    n = snprintf(head, sizeof(head),
                 "<%d>%s %2d %02d:%02d:%02d gatherd[%d]: ", FACILITY_DAEMON | severity,
                 months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                 (int)getpid());
    while (lines.len) {
        struct gd_span line = next_line(&lines);
        struct iovec iov[2] = {{head, (size_t)n}, {(char *)line.ptr, line.len}};

        lost += !send_one(out, iov, 2, wait_ms);
    }
    return lost;
}

unsigned gd_log_out_write(struct gd_log_out *out, struct gd_span lines,
                          enum gd_log_severity severity, const char *area, int wait_ms)
{
    switch (out->kind) {
    case GD_LOG_OFF:
        break;
    case GD_LOG_STDERR:
        return out->prefixed ? write_prefixed(lines, severity, wait_ms)
                             : write_stderr(lines, wait_ms);
    case GD_LOG_JOURNAL:
        return write_journal(out, lines, severity, area, wait_ms);
    case GD_LOG_SYSLOG:
        return write_syslog(out, lines, severity, wait_ms);
    case GD_LOG_FILE:
        return write_file(out, lines);
    }
    return 0;
}
