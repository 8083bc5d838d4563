#ifndef GD_BASE_LOG_OUT_H
#define GD_BASE_LOG_OUT_H
/**
 * Where lines of a log go: standard error, the journal, syslog, a file.
 *
 * Belongs to one thread at a time. Only a file can make its caller wait (a disk that
 * hangs); all others are given up after wait_ms.
 */
#include "base/bytes.h"
#include "base/err.h"

enum gd_log_kind {
    GD_LOG_OFF,
    GD_LOG_STDERR,
    GD_LOG_JOURNAL, /* its native protocol; path: the socket */
    GD_LOG_SYSLOG,  /* RFC 3164, facility daemon; path: the socket */
    GD_LOG_FILE,
};

struct gd_log_place {
    enum gd_log_kind kind;
    const char *path; /* NULL for OFF and STDERR */
};

#define GD_LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
#define GD_LOG_SYSLOG_SOCKET "/dev/log"

/** What syslog and the journal call it. */
enum gd_log_severity {
    GD_SEVERITY_ERROR = 3,
    GD_SEVERITY_WARNING = 4,
    GD_SEVERITY_INFO = 6,
    GD_SEVERITY_DEBUG = 7,
};

struct gd_log_out;

/** Returns owned, NULL with err: a file cannot be opened. Sockets need not be there yet.
 *  place: its path is copied. */
struct gd_log_out *gd_log_out_new(const struct gd_log_place *place, struct gd_err *err);
void gd_log_out_free(struct gd_log_out *out);

enum gd_log_kind gd_log_out_kind(const struct gd_log_out *out);

/** Writes whole lines, each with its line end; area: a word for the journal, or NULL.
 *  Returns how many of them were lost. */
unsigned gd_log_out_write(struct gd_log_out *out, struct gd_span lines,
                          enum gd_log_severity severity, const char *area, int wait_ms);

/** Opens a file anew, after a rotation; nothing for the others. False with err: lines go
 *  on into the file that was open. */
GD_MUST_CHECK bool gd_log_out_reopen(struct gd_log_out *out, struct gd_err *err);

#endif
