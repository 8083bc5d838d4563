#include "daemon/logs.h"

#include "base/log.h"
#include "base/mem.h"

static bool open_error_log(const struct gd_plan_log *log, struct gd_err *err)
{
    if (!gd_log_open(&log->error_place, err))
        return false;
    for (unsigned i = 0; i < GD_LOG_AREAS; i++)
        gd_log_set_area_level((enum gd_log_area)i, log->levels[i]);
    return true;
}

bool gd_logs_open(struct gd_logs *logs, struct gd_plan *plan, unsigned worker_count,
                  struct gd_err *err)
{
    logs->worker_count = worker_count;
    logs->recents = gd_alloc_array(worker_count, sizeof(struct gd_recent *));
    for (unsigned i = 0; i < worker_count; i++)
        logs->recents[i] = gd_recent_new();
    logs->access = gd_access_new(worker_count, plan->log.access.buffer);
    return open_error_log(&plan->log, err) &&
           gd_access_configure(logs->access, plan, err);
}

static bool try_place(const struct gd_log_place *place, struct gd_err *err)
{
    struct gd_log_out *out = gd_log_out_new(place, err);

    gd_log_out_free(out);
    return out != NULL;
}

bool gd_logs_try(const struct gd_plan *plan, struct gd_err *err)
{
    return try_place(&plan->log.error_place, err) &&
           try_place(&plan->log.access.place, err);
}

void gd_logs_change(struct gd_logs *logs, struct gd_plan *plan)
{
    struct gd_err err;

    if (!open_error_log(&plan->log, &err) ||
        !gd_access_configure(logs->access, plan, &err))
        gd_log(GD_LOG_ERROR, "%s", err.text);
}

void gd_logs_close(struct gd_logs *logs)
{
    gd_access_free(logs->access);
    for (unsigned i = 0; i < logs->worker_count; i++)
        gd_recent_free(logs->recents[i]);
    gd_free(logs->recents);
}
