#ifndef GD_FRONT_SUM_INSIDE_H
#define GD_FRONT_SUM_INSIDE_H
/**
 * What /status and /metrics share. Private to the files of sum.h.
 */
#include <jansson.h>

#include "front/sum.h"
#include "upstream/names.h"

/** One metric scope: its rows, and the prefix that /status leaves out of names. */
struct gd_sum_scope {
    const struct gd_stat_row *rows;
    unsigned count;
    const char *prefix;
};

extern const struct gd_sum_scope gd_sum_process, gd_sum_worker, gd_sum_route,
    gd_sum_upstream, gd_sum_server, gd_sum_name;

/** All workers' sets added up. Returns owned. */
struct gd_stats *gd_sum_stats(const struct gd_admin_source *source);

/** Adds the rows of a scope; rows with a label are grouped under their metric's name. */
void gd_sum_add_rows(json_t *into, const struct gd_sum_scope *scope,
                     const uint64_t *values);

/** Adds a time of the wall clock. */
void gd_sum_add_time(json_t *into, const char *key, uint64_t wall_s);

/** What a server is called now; one that has gone is shown while something of it is left.
 *  NULL: it is not shown. names may be NULL. */
const char *gd_sum_server_name(const struct gd_names *names,
                               const struct gd_plan_server *server,
                               const struct gd_server_stats *stats);

/** Adds where a server that follows a name is. */
void gd_sum_add_place(json_t *into, const struct gd_names *names,
                      const struct gd_plan_upstream *upstream,
                      const struct gd_plan_server *server);

/** Adds the names of an upstream, if it has some. */
void gd_sum_add_names(json_t *into, const struct gd_names *names,
                      const struct gd_plan_upstream *upstream);

#endif
