#include "base/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

/* The variables of the library: where a line goes is a fact of the process. */
static _Atomic int max_level = GD_LOG_INFO;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static unsigned lost; /* lines, since the last one that was written; under the lock */

void gd_log_set_level(enum gd_log_level level)
{
    atomic_store(&max_level, (int)level);
}

bool gd_log_enabled(enum gd_log_level level)
{
    return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

static size_t escape(const char *text, char *out, size_t room)
{
    size_t n = 0;

    for (; *text && n + 5 < room; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
    }
    return n;
}

/* A pipe is writable when it has room for a page, which is more than two lines. */
static bool has_room(void)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT);
}

/* Who reads the log may have stopped; that must not stop us, so lines may get lost. */
static void put_line(const char *line, size_t len)
{
    char text[128];
    ssize_t written;

    pthread_mutex_lock(&writing);
    if (has_room()) {
        if (lost) {
            int n = snprintf(text, sizeof(text),
                             "gatherd: warn: %u lines of the log were lost\n", lost);

            written = write(STDERR_FILENO, text, (size_t)n);
        }
        written = write(STDERR_FILENO, line, len);
        (void)written; /* nobody is left to tell */
        lost = 0;
    } else {
        lost++;
    }
    pthread_mutex_unlock(&writing);
}

__attribute__((format(printf, 3, 0))) static void
write_line(enum gd_log_level level, unsigned dropped, const char *fmt, va_list args)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 2];
    size_t n;

    vsnprintf(text, sizeof(text), fmt, args);
    n = (size_t)snprintf(line, sizeof(line), "gatherd: %s: ", words[level]);
    n += escape(text, line + n, sizeof(line) - n - 64);
    if (dropped)
        n += (size_t)snprintf(line + n, 63, " (%u more like this left out)", dropped);
    line[n++] = '\n';
    put_line(line, n);
}

void gd_log(enum gd_log_level level, const char *fmt, ...)
{
    va_list args;

    if (!gd_log_enabled(level))
        return;
    va_start(args, fmt);
    write_line(level, 0, fmt, args);
    va_end(args);
}

void gd_log_limited(struct gd_log_limit *limit, enum gd_log_level level, const char *fmt,
                    ...)
{
    struct timespec ts;
    int64_t last = atomic_load(&limit->last_s);
    va_list args;

    if (!gd_log_enabled(level))
        return;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    if (last == ts.tv_sec ||
        !atomic_compare_exchange_strong(&limit->last_s, &last, ts.tv_sec)) {
        atomic_fetch_add(&limit->dropped, 1);
        return;
    }
    va_start(args, fmt);
    write_line(level, atomic_exchange(&limit->dropped, 0), fmt, args);
    va_end(args);
}
