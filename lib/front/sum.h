#ifndef GD_FRONT_SUM_H
#define GD_FRONT_SUM_H
/**
 * Printing the workers' counters: the rows of base/stat_table.h, summed, as JSON for
 * /status and as Prometheus text for /metrics.
 */
#include <jansson.h>

#include "base/bytes.h"
#include "base/stat.h"
#include "front/admin.h"

/** Appends the /status document. uptime_s: seconds since start; wall_s: since 1970. */
GD_MUST_CHECK bool gd_sum_status(struct gd_buf *out, const struct gd_admin_source *source,
                                 uint64_t uptime_s, int64_t wall_s);

/** What became of a reload, as /status has it; a new reference. */
json_t *gd_sum_reload(const struct gd_reload_view *reload);

/** Appends the /metrics text. */
GD_MUST_CHECK bool gd_sum_metrics(struct gd_buf *out,
                                  const struct gd_admin_source *source);

#endif
