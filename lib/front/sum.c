#include "front/sum_inside.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "front/access.h"
#include "json/text.h"
#include "plan/tls_context.h"
#include "upstream/jar.h"

const struct gd_sum_scope gd_sum_process = {gd_stat_process_rows, GD_PROCESS_STATS,
                                            "gatherd_"};
const struct gd_sum_scope gd_sum_worker = {gd_stat_worker_rows, GD_WORKER_STATS,
                                           "gatherd_"};
const struct gd_sum_scope gd_sum_route = {gd_stat_route_rows, GD_ROUTE_STATS,
                                          "gatherd_route_"};
const struct gd_sum_scope gd_sum_upstream = {gd_stat_upstream_rows, GD_UPSTREAM_STATS,
                                             "gatherd_upstream_"};
const struct gd_sum_scope gd_sum_server = {gd_stat_server_rows, GD_SERVER_STATS,
                                           "gatherd_server_"};
const struct gd_sum_scope gd_sum_name = {gd_stat_name_rows, GD_NAME_STATS,
                                         "gatherd_name_"};

static void sum_values(uint64_t *dst, const uint64_t *src, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        dst[i] += gd_stat_read(&src[i]);
}

/* Out until the last worker takes it in again. */
static void sum_server(struct gd_server_stats *dst, const struct gd_server_stats *src)
{
    uint64_t until_s = gd_stat_read(&src->out_until_s);

    sum_values(dst->values, src->values, GD_SERVER_STATS);
    if (gd_stat_read(&src->values[GD_SERVER_STATE_OUT]) && until_s > dst->out_until_s)
        dst->out_until_s = until_s;
}

struct gd_stats *gd_sum_stats(const struct gd_admin_source *source)
{
    const struct gd_plan *plan = source->plan;
    struct gd_stats *sum =
        gd_stats_new(plan->route_count, plan->upstream_count, plan->server_count);

    gd_access_count(source->access, sum->worker);
    for (unsigned w = 0; w < source->worker_count; w++) {
        const struct gd_stats *stats = source->stats[w];

        sum_values(sum->worker, stats->worker, GD_WORKER_STATS);
        for (size_t i = 0; i < sum->route_count; i++) {
            sum_values(sum->routes[i]->values, stats->routes[i]->values, GD_ROUTE_STATS);
            gd_hist_merge(&sum->routes[i]->latency, &stats->routes[i]->latency);
        }
        for (size_t i = 0; i < sum->upstream_count; i++) {
            sum_values(sum->upstreams[i]->values, stats->upstreams[i]->values,
                       GD_UPSTREAM_STATS);
            gd_hist_merge(&sum->upstreams[i]->latency, &stats->upstreams[i]->latency);
        }
        for (size_t i = 0; i < sum->server_count; i++)
            sum_server(sum->servers[i], stats->servers[i]);
    }
    return sum;
}

/* /status ------------------------------------------------------------------------------
 */

/* The value of a label `key="value"`. */
static struct gd_span label_value(const char *label)
{
    const char *from = strchr(label, '"');

    if (from == NULL)
        return GD_SPAN("");
    return (struct gd_span){from + 1, strlen(from + 1) - 1};
}

/* The metric's name in /status: without prefix and "_total". */
static struct gd_span status_key(const struct gd_sum_scope *scope,
                                 const struct gd_stat_row *row)
{
    struct gd_span key = gd_span_of(row->name + strlen(scope->prefix));
    const size_t total = strlen("_total");

    if (key.len > total && memcmp(key.ptr + key.len - total, "_total", total) == 0)
        key.len -= total;
    return key;
}

void gd_sum_add_rows(json_t *into, const struct gd_sum_scope *scope,
                     const uint64_t *values)
{
    for (unsigned i = 0; i < scope->count; i++) {
        const struct gd_stat_row *row = &scope->rows[i];
        struct gd_span key = status_key(scope, row);
        struct gd_span label = label_value(row->label);
        json_t *number = json_integer((json_int_t)values[i]);
        json_t *group;

        if (label.len == 0) {
            json_object_setn_new(into, key.ptr, key.len, number);
            continue;
        }
        group = json_object_getn(into, key.ptr, key.len);
        if (group == NULL) {
            group = json_object();
            json_object_setn_new(into, key.ptr, key.len, group);
        }
        json_object_setn_new(group, label.ptr, label.len, number);
    }
}

static json_t *latency_json(const struct gd_hist *hist)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:I}", "p50",
                     (double)gd_hist_quantile(hist, 0.50) / 1000, "p90",
                     (double)gd_hist_quantile(hist, 0.90) / 1000, "p99",
                     (double)gd_hist_quantile(hist, 0.99) / 1000, "max",
                     (double)hist->max_us / 1000, "count", (json_int_t)hist->count);
}

static json_t *routes_json(const struct gd_plan *plan, const struct gd_stats *sum)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < plan->route_count; i++) {
        json_t *route = json_pack("{s:s}", "route", plan->routes[i].pattern);

        gd_sum_add_rows(route, &gd_sum_route, sum->routes[i]->values);
        json_object_set_new(route, "latency_ms", latency_json(&sum->routes[i]->latency));
        json_array_append_new(list, route);
    }
    return list;
}

void gd_sum_add_time(json_t *into, const char *key, uint64_t wall_s)
{
    time_t seconds = (time_t)wall_s;
    char text[32];
    struct tm tm;

    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
    json_object_set_new(into, key, json_string(text));
}

static json_t *servers_json(const struct gd_admin_source *source,
                            const struct gd_plan_upstream *upstream,
                            const struct gd_stats *sum)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < upstream->server_count; i++) {
        const struct gd_plan_server *plan = &upstream->servers[i];
        const struct gd_server_stats *stats = sum->servers[plan->index];
        const char *name = gd_sum_server_name(source->names, plan, stats);
        json_t *server;

        if (name == NULL)
            continue;
        server = json_pack("{s:s}", "address", name);
        if (source->names)
            gd_sum_add_place(server, source->names, upstream, plan);
        gd_sum_add_rows(server, &gd_sum_server, stats->values);
        if (stats->out_until_s)
            gd_sum_add_time(server, "out_until", stats->out_until_s);
        json_array_append_new(list, server);
    }
    return list;
}

static json_t *tls_json(const struct gd_plan_tls *tls)
{
    return json_pack("{s:b, s:s}", "verify", tls->verify, "min_version",
                     tls->min_version == GD_TLS_1_3 ? "1.3" : "1.2");
}

/* What of the cookies is shown: not their values. */
struct jar_view {
    json_t *list;
    unsigned worker;
};

static void on_cookie(void *arg, const struct gd_jar_cookie *cookie)
{
    struct jar_view *view = arg;
    struct tm tm;
    time_t expires = (time_t)cookie->expires_s;
    char when[32] = "";
    json_t *json =
        json_pack("{s:i, s:s%, s:s%, s:s%}", "worker", (int)view->worker, "name",
                  cookie->name.ptr, cookie->name.len, "domain", cookie->domain.ptr,
                  cookie->domain.len, "path", cookie->path.ptr, cookie->path.len);

    if (json == NULL)
        return; /* bytes that are no text */
    if (cookie->persistent && gmtime_r(&expires, &tm))
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_object_set_new(json, "expires", *when ? json_string(when) : json_null());
    json_array_append_new(view->list, json);
}

/* The cookies of an upstream in all workers. */
static json_t *jar_json(const struct gd_admin_source *source, unsigned index,
                        int64_t wall_s)
{
    struct jar_view view = {.list = json_array()};

    for (; view.worker < source->worker_count; view.worker++)
        gd_jar_each(gd_stats_jar(source->stats[view.worker], index), wall_s, on_cookie,
                    &view);
    return view.list;
}

static json_t *upstreams_json(const struct gd_admin_source *source,
                              const struct gd_stats *sum, int64_t wall_s)
{
    const struct gd_plan *plan = source->plan;
    json_t *list = json_array();

    for (unsigned i = 0; i < plan->upstream_count; i++) {
        json_t *upstream = json_pack("{s:s, s:s}", "name", plan->upstreams[i].name,
                                     "http", gd_plan_http_word(plan->upstreams[i].http));

        gd_sum_add_rows(upstream, &gd_sum_upstream, sum->upstreams[i]->values);
        json_object_set_new(upstream, "latency_ms",
                            latency_json(&sum->upstreams[i]->latency));
        if (plan->upstreams[i].cookies)
            json_object_set_new(upstream, "jar", jar_json(source, i, wall_s));
        if (plan->upstreams[i].tls)
            json_object_set_new(upstream, "tls", tls_json(plan->upstreams[i].tls));
        if (source->names)
            gd_sum_add_names(upstream, source->names, &plan->upstreams[i]);
        json_object_set_new(upstream, "servers",
                            servers_json(source, &plan->upstreams[i], sum));
        json_array_append_new(list, upstream);
    }
    return list;
}

json_t *gd_sum_reload(const struct gd_reload_view *reload)
{
    static const char *const words[] = {"none", "running", "done", "refused"};
    json_t *lines = json_array();
    json_t *json = json_pack("{s:s}", "state", words[reload->state]);

    for (size_t i = 0; i < reload->line_count; i++)
        json_array_append_new(lines, json_string(reload->lines[i]));
    if (reload->state != GD_RELOAD_NONE)
        gd_sum_add_time(json, "at", (uint64_t)reload->at_s);
    json_object_set_new(json, reload->state == GD_RELOAD_REFUSED ? "errors" : "warnings",
                        lines);
    return json;
}

static int on_json(const char *bytes, size_t len, void *arg)
{
    return gd_buf_add(arg, bytes, len) ? 0 : -1;
}

bool gd_sum_status(struct gd_buf *out, const struct gd_admin_source *source,
                   uint64_t uptime_s, int64_t wall_s)
{
    struct gd_stats *sum = gd_sum_stats(source);
    enum gd_life life = (enum gd_life)atomic_load(source->life);
    json_t *process = json_object(), *worker = json_object();
    json_t *status;
    bool ok;

    gd_sum_add_rows(process, &gd_sum_process, source->process);
    gd_sum_add_rows(worker, &gd_sum_worker, sum->worker);
    status = json_pack("{s:s, s:s, s:I, s:i, s:o, s:o, s:o, s:o, s:o}", "version",
                       GD_VERSION, "state", gd_life_word(life), "uptime_s",
                       (json_int_t)uptime_s, "workers", (int)source->worker_count,
                       "reload", gd_sum_reload(source->reload), "process", process,
                       "worker", worker, "routes", routes_json(source->plan, sum),
                       "upstreams", upstreams_json(source, sum, wall_s));
    ok = status && json_dump_callback(status, on_json, out,
                                      JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(status);
    gd_stats_free(sum);
    return ok && gd_buf_add_text(out, "\n");
}
