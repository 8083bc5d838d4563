#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_out.h"
#include "base/loop.h"

enum { LINE_MAX_BYTES = 1024, KEPT_MAX_BYTES = 64 * 1024, FRONT_ROOM = 80 };

/* The variables of the library: where a line goes is a fact of the process. */
static _Atomic int levels[GD_LOG_AREAS] = {
#define X(id, word) GD_LOG_INFO,
    GD_LOG_AREA_ROWS(X)
#undef X
};
static _Atomic int highest = GD_LOG_INFO; /* of levels: most questions end here */

/* All below is under this lock. The thread that writes to a file does so under another
 * one, so that nobody who logs waits for the disk. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static struct gd_log_out *out; /* NULL: standard error */
static unsigned lost;          /* lines, since the last one that was written */
static void (*wake_writer)(void *arg);
static void *wake_arg;
static char kept[KEPT_MAX_BYTES];
static size_t kept_len;

static const char *const area_words[] = {
#define X(id, word) word,
    GD_LOG_AREA_ROWS(X)
#undef X
};

const char *gd_log_area_word(enum gd_log_area area)
{
    return area_words[area];
}

/* The area of `…/lib/upstream/pool.c` is upstream. */
static enum gd_log_area area_of(const char *file)
{
    const char *slash = strrchr(file, '/'), *from = slash;

    while (from && from > file && from[-1] != '/')
        from--;
    for (unsigned i = 0; slash && i < GD_LOG_AREAS; i++)
        if (strlen(area_words[i]) == (size_t)(slash - from) &&
            memcmp(area_words[i], from, (size_t)(slash - from)) == 0)
            return (enum gd_log_area)i;
    return GD_LOG_AREA_BASE;
}

/* Levels --------------------------------------------------------------------------------
 */

void gd_log_set_area_level(enum gd_log_area area, enum gd_log_level level)
{
    int most = GD_LOG_ERROR;

    atomic_store(&levels[area], (int)level);
    for (unsigned i = 0; i < GD_LOG_AREAS; i++)
        if (atomic_load(&levels[i]) > most)
            most = atomic_load(&levels[i]);
    atomic_store(&highest, most);
}

void gd_log_set_level(enum gd_log_level level)
{
    for (unsigned i = 0; i < GD_LOG_AREAS; i++)
        gd_log_set_area_level((enum gd_log_area)i, level);
}

bool gd_log_enabled_in(const char *file, enum gd_log_level level)
{
    return (int)level <= atomic_load_explicit(&highest, memory_order_relaxed) &&
           (int)level <=
               atomic_load_explicit(&levels[area_of(file)], memory_order_relaxed);
}

/* Where lines go ------------------------------------------------------------------------
 */

bool gd_log_open(const struct gd_log_place *place, struct gd_err *err)
{
    struct gd_log_out *next = gd_log_out_new(place, err), *old;

    if (next == NULL)
        return false;
    gd_log_flush();
    pthread_mutex_lock(&writing);
    pthread_mutex_lock(&lock);
    old = out;
    out = next;
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&writing);
    gd_log_out_free(old);
    return true;
}

void gd_log_reopen(void)
{
    struct gd_log_out *now;
    struct gd_err err;
    bool ok;

    gd_log_flush();
    pthread_mutex_lock(&writing);
    pthread_mutex_lock(&lock);
    now = out;
    pthread_mutex_unlock(&lock);
    ok = now == NULL || gd_log_out_reopen(now, &err);
    pthread_mutex_unlock(&writing);
    if (!ok)
        gd_log(GD_LOG_ERROR, "%s", err.text);
}

void gd_log_set_writer(void (*wake)(void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    wake_writer = wake;
    wake_arg = arg;
    pthread_mutex_unlock(&lock);
}

void gd_log_flush(void)
{
    static char batch[KEPT_MAX_BYTES]; /* under the lock `writing` */
    size_t len;

    pthread_mutex_lock(&writing);
    pthread_mutex_lock(&lock);
    len = kept_len;
    memcpy(batch, kept, len);
    kept_len = 0;
    pthread_mutex_unlock(&lock);
    if (len) {
        unsigned left = gd_log_out_write(out, (struct gd_span){batch, len},
                                         GD_SEVERITY_INFO, NULL, 0);

        pthread_mutex_lock(&lock);
        lost += left;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_unlock(&writing);
}

/* Under the lock. */
static bool keep(struct gd_span line)
{
    if (kept_len + line.len > sizeof(kept))
        return false;
    memcpy(kept + kept_len, line.ptr, line.len);
    kept_len += line.len;
    wake_writer(wake_arg);
    return true;
}

/* Under the lock. Who reads the log may have stopped; that must not stop us, so lines may
 * get lost. */
static bool write_out(struct gd_span line, enum gd_log_severity severity,
                      enum gd_log_area area)
{
    static const struct gd_log_place usual = {GD_LOG_STDERR, NULL};
    struct gd_err err;

    if (out == NULL)
        out = gd_log_out_new(&usual, &err);
    if (out && wake_writer && gd_log_out_kind(out) == GD_LOG_FILE)
        return keep(line);
    return out && gd_log_out_write(out, line, severity, area_words[area], 0) == 0;
}

/* The journal and syslog say by themselves when and by whom; the journal how bad, too. */
static size_t write_front(char *text, size_t room, enum gd_log_level level)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    enum gd_log_kind kind = out ? gd_log_out_kind(out) : GD_LOG_STDERR;
    int64_t now_us = gd_wall_us();
    time_t now = (time_t)(now_us / 1000000);
    char when[32];
    struct tm tm;

    if (kind == GD_LOG_JOURNAL)
        return 0;
    if (kind == GD_LOG_SYSLOG)
        return (size_t)snprintf(text, room, "%s: ", words[level]);
    if (kind == GD_LOG_STDERR)
        return (size_t)snprintf(text, room, "gatherd: %s: ", words[level]);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
    return (size_t)snprintf(text, room, "%s.%03dZ gatherd: %s: ", when,
                            (int)(now_us % 1000000 / 1000), words[level]);
}

/* Under the lock; body: escaped. */
static bool put(enum gd_log_area area, enum gd_log_level level, struct gd_span body)
{
    static const enum gd_log_severity severities[] = {
        GD_SEVERITY_ERROR, GD_SEVERITY_WARNING, GD_SEVERITY_INFO, GD_SEVERITY_DEBUG};
    char line[FRONT_ROOM + LINE_MAX_BYTES * 2 + 1];
    size_t n = write_front(line, FRONT_ROOM, level);

    memcpy(line + n, body.ptr, body.len);
    n += body.len;
    line[n++] = '\n';
    return write_out((struct gd_span){line, n}, severities[level], area);
}

static void put_line(enum gd_log_area area, enum gd_log_level level, struct gd_span body)
{
    char text[64];
    int n;

    pthread_mutex_lock(&lock);
    if (lost) {
        n = snprintf(text, sizeof(text), "%u lines of the log were lost", lost);
        if (put(GD_LOG_AREA_BASE, GD_LOG_WARN, (struct gd_span){text, (size_t)n}))
            lost = 0;
    }
    if (lost || !put(area, level, body))
        lost++;
    pthread_mutex_unlock(&lock);
}

/* Messages ------------------------------------------------------------------------------
 */

static size_t escape(const char *text, char *to, size_t room)
{
    size_t n = 0;

    for (; *text && n + 5 < room; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != 0x7f)
            to[n++] = (char)c;
        else
            n += (size_t)snprintf(to + n, 5, "\\x%02x", c);
    }
    return n;
}

__attribute__((format(printf, 4, 0))) static void
write_line(const char *file, enum gd_log_level level, unsigned dropped, const char *fmt,
           va_list args)
{
    char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES * 2];
    size_t n;

    vsnprintf(text, sizeof(text), fmt, args);
    n = escape(text, line, sizeof(line) - FRONT_ROOM);
    if (dropped)
        n += (size_t)snprintf(line + n, FRONT_ROOM - 1, " (%u more like this left out)",
                              dropped);
    put_line(area_of(file), level, (struct gd_span){line, n});
}

void gd_log_from(const char *file, enum gd_log_level level, const char *fmt, ...)
{
    va_list args;

    if (!gd_log_enabled_in(file, level))
        return;
    va_start(args, fmt);
    write_line(file, level, 0, fmt, args);
    va_end(args);
}

void gd_log_limited_from(const char *file, struct gd_log_limit *limit,
                         enum gd_log_level level, const char *fmt, ...)
{
    struct timespec ts;
    int64_t last = atomic_load(&limit->last_s);
    va_list args;

    if (!gd_log_enabled_in(file, level))
        return;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    if (last == ts.tv_sec ||
        !atomic_compare_exchange_strong(&limit->last_s, &last, ts.tv_sec)) {
        atomic_fetch_add(&limit->dropped, 1);
        return;
    }
    va_start(args, fmt);
    write_line(file, level, atomic_exchange(&limit->dropped, 0), fmt, args);
    va_end(args);
}
