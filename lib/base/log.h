#ifndef GD_BASE_LOG_H
#define GD_BASE_LOG_H
/**
 * The error log: one line a message, to standard error at first.
 *
 * For start, stop and trouble; requests have a log of their own (front/access.h). Peers
 * cannot make it grow without bound: lines a request could cause go through
 * gd_log_limited. Control bytes in a message are written as escapes, so that a line stays
 * a line. Nobody waits for whoever reads the log, nor for a disk: lines that find no room
 * are lost, and counted in it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct gd_log_place;

enum gd_log_level { GD_LOG_ERROR, GD_LOG_WARN, GD_LOG_INFO, GD_LOG_DEBUG };

/** The areas of the program, each with a level of its own: the folders of the source,
 *  X(id, word). */
#define GD_LOG_AREA_ROWS(X)                                                              \
    X(DAEMON, "daemon")                                                                  \
    X(FRONT, "front")                                                                    \
    X(GATHER, "gather")                                                                  \
    X(UPSTREAM, "upstream")                                                              \
    X(NET, "net")                                                                        \
    X(PLAN, "plan")                                                                      \
    X(BASE, "base")

enum gd_log_area {
#define X(id, word) GD_LOG_AREA_##id,
    GD_LOG_AREA_ROWS(X)
#undef X
        GD_LOG_AREAS
};

const char *gd_log_area_word(enum gd_log_area area);

/** Lines above this level are dropped, in all areas; INFO at first. From any thread. */
void gd_log_set_level(enum gd_log_level level);

/** The same for one area. */
void gd_log_set_area_level(enum gd_log_area area, enum gd_log_level level);

/** Where lines go from now on. False with err: as before. */
GD_MUST_CHECK bool gd_log_open(const struct gd_log_place *place, struct gd_err *err);

/** Opens a file anew, after a rotation. */
void gd_log_reopen(void);

/** With a thread to write (wake(arg) asks it for gd_log_flush, from any thread) lines to
 * a file are kept, up to a bound, until it does; NULL: there is none any more. */
void gd_log_set_writer(void (*wake)(void *arg), void *arg);
void gd_log_flush(void);

/** Whether a line of the calling file would be written. */
#define gd_log_enabled(level) gd_log_enabled_in(__FILE__, level)
bool gd_log_enabled_in(const char *file, enum gd_log_level level);

/** Writes one line `LEVEL message`. Safe from any thread. */
#define gd_log(level, ...) gd_log_from(__FILE__, level, __VA_ARGS__)
void gd_log_from(const char *file, enum gd_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** A place in the code that may log at most once a second; the next line tells how many
 *  were left out. One static object a place. */
struct gd_log_limit {
    _Atomic int64_t last_s;
    _Atomic unsigned dropped;
};

#define gd_log_limited(limit, level, ...)                                                \
    gd_log_limited_from(__FILE__, limit, level, __VA_ARGS__)
void gd_log_limited_from(const char *file, struct gd_log_limit *limit,
                         enum gd_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
