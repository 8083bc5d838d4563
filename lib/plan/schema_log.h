#ifndef GD_PLAN_SCHEMA_LOG_H
#define GD_PLAN_SCHEMA_LOG_H
/**
 * The rows of schema_table.h about logs.
 */

/* clang-format off */
#define GD_LOG_SECTION_ROWS(X)                                                            \
    X(LOG, struct gd_draft_log, "log", "The logs: of errors and of requests.")            \
    X(ERROR_LOG, struct gd_draft_error_log, "log.error", "The long form of `error`.")     \
    X(ACCESS_LOG, struct gd_draft_access_log, "log.access", "The long form of `access`.")

#define GD_ROUTE_LOG_SECTION_ROWS(X)                                                      \
    X(ROUTE_LOG, struct gd_draft_route_log, "routes.PATTERN.access_log",                  \
      "The long form of `access_log`.")

#define GD_LOG_OPTION_ROWS(X)                                                             \
    X(LOG, "level", ENUM, NONE, level, 0, 0, "info", "error|warn|info|debug", APPLIED,    \
      "The least important kind of line of the error log.")                               \
    X(LOG, "error", LOG, ERROR_LOG, error, 0, 0, "=stderr", "", APPLIED,                  \
      "Where errors and what happens to the process are written: `stderr`, `journal`, "   \
      "`syslog`, the full path of a file, or `off`.")                                     \
    X(LOG, "access", LOG, ACCESS_LOG, access, 0, 0, "=off", "", APPLIED,                  \
      "Where a line for each request is written, likewise.")                              \
    X(LOG, "slow", DURATION, NONE, slow_ms, 1, GD_MS_MAX, "1s", "", APPLIED,              \
      "A request that takes as long is slow: it is always in the access log, and "        \
      "remembered for `/requests`.")                                                      \
    X(LOG, "recent", INT, NONE, recent, 0, 1000, "64", "off", APPLIED,                    \
      "How many slow requests, and how many failed ones, are remembered for `/requests`, " \
      "per worker.")                                                                      \
    X(ERROR_LOG, "to", TEXT, NONE, to, 0, 0, "=stderr", "", APPLIED,                      \
      "Where it is written.")                                                             \
    X(ERROR_LOG, "level", ENUM, NONE, level, 0, 0, "=log.level",                          \
      "error|warn|info|debug", APPLIED, "As `log.level`, which it replaces.")             \
    X(ERROR_LOG, "levels", TEXTS, NONE, levels, 0, 0, "", "", APPLIED,                    \
      "Levels of their own for areas of the program: `daemon`, `front` (clients), "       \
      "`gather` (calls), `upstream` (servers and connections), `net`, `plan`, `base`.")   \
    X(ACCESS_LOG, "to", TEXT, NONE, to, 0, 0, "=stderr", "", APPLIED,                     \
      "Where it is written.")                                                             \
    X(ACCESS_LOG, "format", TEXT, NONE, format, 0, 0, "=json", "", APPLIED,               \
      "`json`, or a text with placeholders, as in `{ip} {method} {path} {status} {ms}`.") \
    X(ACCESS_LOG, "sample", PERCENT, NONE, sample, 0, 0, "100%", "", APPLIED,             \
      "How many of the successes are written; errors and slow ones always are.")          \
    X(ACCESS_LOG, "query", BOOL, NONE, query, 0, 0, "false", "", APPLIED,                 \
      "Whether JSON lines have the query, which may hold what is nobody's business.")     \
    X(ACCESS_LOG, "headers", NAMES, NONE, headers, 0, 0, "", "", APPLIED,                 \
      "Header fields of requests that JSON lines have as well; never those that hold "    \
      "secrets.")                                                                         \
    X(ACCESS_LOG, "buffer", SIZE, NONE, buffer, 65536, 67108864, "1MiB", "", RESTART,     \
      "How much may wait to be written, per worker; what finds no room is counted and "   \
      "left out.")                                                                        \
    X(ROUTE_LOG, "sample", PERCENT, NONE, sample, 0, 0, "=log.access.sample", "", APPLIED, \
      "As `log.access.sample`, for this route.")
/* clang-format on */

#endif
