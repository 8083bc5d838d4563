#ifndef GD_DAEMON_LOGS_H
#define GD_DAEMON_LOGS_H
/**
 * What the process writes down: its log of errors, the access log, and the recent
 * requests of each worker. All of it belongs to the main thread.
 */
#include "front/access.h"
#include "front/recent.h"

struct gd_logs {
    struct gd_access *access;
    struct gd_recent **recents; /* of each worker */
    unsigned worker_count;
};

/** Opens the logs as plan says. False with err. */
GD_MUST_CHECK bool gd_logs_open(struct gd_logs *logs, struct gd_plan *plan,
                                unsigned worker_count, struct gd_err *err);

/** Whether what plan names can be opened; before gd_logs_change. */
GD_MUST_CHECK bool gd_logs_try(const struct gd_plan *plan, struct gd_err *err);

/** Goes on as plan says; what cannot be opened after all stays as it was, and is told. */
void gd_logs_change(struct gd_logs *logs, struct gd_plan *plan);

/** Writes what is left of requests; when all workers have ended. Fine on a zeroed one. */
void gd_logs_close(struct gd_logs *logs);

#endif
