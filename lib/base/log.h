#ifndef GD_BASE_LOG_H
#define GD_BASE_LOG_H
/**
 * The error log: one line a message, to standard error (the journal under systemd).
 *
 * For start, stop and trouble; requests are counted, not logged here. Peers cannot make
 * it grow without bound: lines a request could cause go through gd_log_limited.
 * Control bytes in a message are written as escapes, so that a line stays a line. Nobody
 * waits for whoever reads the log: lines that find no room are lost, and counted in it.
 */
#include <stdbool.h>
#include <stdint.h>

enum gd_log_level { GD_LOG_ERROR, GD_LOG_WARN, GD_LOG_INFO, GD_LOG_DEBUG };

/** Lines above this level are dropped; INFO at first. Set before threads start. */
void gd_log_set_level(enum gd_log_level level);

bool gd_log_enabled(enum gd_log_level level);

/** Writes one line `LEVEL message`. Safe from any thread. */
void gd_log(enum gd_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/** A place in the code that may log at most once a second; the next line tells how many
 *  were left out. One static object a place. */
struct gd_log_limit {
    _Atomic int64_t last_s;
    _Atomic unsigned dropped;
};

void gd_log_limited(struct gd_log_limit *limit, enum gd_log_level level, const char *fmt,
                    ...) __attribute__((format(printf, 3, 4)));

#endif
