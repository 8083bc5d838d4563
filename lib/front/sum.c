#include "front/sum.h"

#include <jansson.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "json/text.h"
#include "plan/tls_context.h"
#include "upstream/jar.h"

/* One metric scope: its rows, and the prefix that /status leaves out of names. */
struct scope {
    const struct gd_stat_row *rows;
    unsigned count;
    const char *prefix;
};

static const struct scope process_scope = {gd_stat_process_rows, GD_PROCESS_STATS,
                                           "gatherd_"};
static const struct scope worker_scope = {gd_stat_worker_rows, GD_WORKER_STATS,
                                          "gatherd_"};
static const struct scope route_scope = {gd_stat_route_rows, GD_ROUTE_STATS,
                                         "gatherd_route_"};
static const struct scope upstream_scope = {gd_stat_upstream_rows, GD_UPSTREAM_STATS,
                                            "gatherd_upstream_"};
static const struct scope server_scope = {gd_stat_server_rows, GD_SERVER_STATS,
                                          "gatherd_server_"};

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

/* All workers' sets added up. Returns owned. */
static struct gd_stats *sum_stats(const struct gd_admin_source *source)
{
    const struct gd_plan *plan = source->plan;
    struct gd_stats *sum =
        gd_stats_new(plan->route_count, plan->upstream_count, plan->server_count);

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
static struct gd_span status_key(const struct scope *scope, const struct gd_stat_row *row)
{
    struct gd_span key = gd_span_of(row->name + strlen(scope->prefix));
    const size_t total = strlen("_total");

    if (key.len > total && memcmp(key.ptr + key.len - total, "_total", total) == 0)
        key.len -= total;
    return key;
}

/* Adds the rows of a scope; rows with a label are grouped under their metric's name. */
static void add_rows(json_t *into, const struct scope *scope, const uint64_t *values)
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

        add_rows(route, &route_scope, sum->routes[i]->values);
        json_object_set_new(route, "latency_ms", latency_json(&sum->routes[i]->latency));
        json_array_append_new(list, route);
    }
    return list;
}

static void add_time(json_t *into, const char *key, uint64_t wall_s)
{
    time_t seconds = (time_t)wall_s;
    char text[32];
    struct tm tm;

    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
    json_object_set_new(into, key, json_string(text));
}

static json_t *servers_json(const struct gd_plan_upstream *upstream,
                            const struct gd_stats *sum)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < upstream->server_count; i++) {
        const struct gd_plan_server *plan = &upstream->servers[i];
        json_t *server = json_pack("{s:s}", "address", plan->name);

        add_rows(server, &server_scope, sum->servers[plan->index]->values);
        if (sum->servers[plan->index]->out_until_s)
            add_time(server, "out_until", sum->servers[plan->index]->out_until_s);
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

        add_rows(upstream, &upstream_scope, sum->upstreams[i]->values);
        json_object_set_new(upstream, "latency_ms",
                            latency_json(&sum->upstreams[i]->latency));
        if (plan->upstreams[i].cookies)
            json_object_set_new(upstream, "jar", jar_json(source, i, wall_s));
        if (plan->upstreams[i].tls)
            json_object_set_new(upstream, "tls", tls_json(plan->upstreams[i].tls));
        json_object_set_new(upstream, "servers", servers_json(&plan->upstreams[i], sum));
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
        add_time(json, "at", (uint64_t)reload->at_s);
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
    struct gd_stats *sum = sum_stats(source);
    enum gd_life life = (enum gd_life)atomic_load(source->life);
    json_t *process = json_object(), *worker = json_object();
    json_t *status;
    bool ok;

    add_rows(process, &process_scope, source->process);
    add_rows(worker, &worker_scope, sum->worker);
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

/* /metrics -----------------------------------------------------------------------------
 */

/* Escapes a label's value (Prometheus text format). */
static bool add_label_text(struct gd_buf *out, const char *text)
{
    bool ok = true;

    for (; ok && *text; text++) {
        if (*text == '\n') {
            ok = gd_buf_add_text(out, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\')
            ok = gd_buf_add(out, "\\", 1);
        ok = ok && gd_buf_add(out, text, 1);
    }
    return ok;
}

/* The labels that name an object of a scope, rendered: `route="GET /x"`. */
struct object {
    struct gd_buf labels;
    const uint64_t *values;
    const struct gd_hist *latency; /* or NULL */
};

static void object_label(struct object *object, const char *key, const char *value)
{
    bool ok = (object->labels.len == 0 || gd_buf_add(&object->labels, ",", 1)) &&
              gd_buf_add_text(&object->labels, key) &&
              gd_buf_add_text(&object->labels, "=\"") &&
              add_label_text(&object->labels, value) &&
              gd_buf_add(&object->labels, "\"", 1);

    if (!ok)
        gd_buf_free(&object->labels);
}

static struct object *objects_new(size_t count)
{
    struct object *objects = gd_alloc_array(count, sizeof(*objects));

    for (size_t i = 0; i < count; i++)
        gd_buf_init(&objects[i].labels, NULL, 65536);
    return objects;
}

static void objects_free(struct object *objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gd_buf_free(&objects[i].labels);
    gd_free(objects);
}

static bool add_head(struct gd_buf *out, const char *name, const char *type,
                     const char *help)
{
    return gd_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static bool add_sample(struct gd_buf *out, const char *name, const struct object *object,
                       const char *label, uint64_t value)
{
    bool both = object->labels.len && label[0];
    bool any = object->labels.len || label[0];

    return gd_buf_add_text(out, name) && (!any || gd_buf_add(out, "{", 1)) &&
           gd_buf_add_span(out, gd_buf_span(&object->labels)) &&
           (!both || gd_buf_add(out, ",", 1)) && gd_buf_add_text(out, label) &&
           (!any || gd_buf_add(out, "}", 1)) && gd_buf_add(out, " ", 1) &&
           gd_buf_add_u64(out, value) && gd_buf_add(out, "\n", 1);
}

static bool add_scope(struct gd_buf *out, const struct scope *scope,
                      const struct object *objects, size_t count)
{
    bool ok = true;

    for (unsigned i = 0; ok && i < scope->count; i++) {
        const struct gd_stat_row *row = &scope->rows[i];

        if (i == 0 || strcmp(row->name, scope->rows[i - 1].name) != 0)
            ok = add_head(out, row->name,
                          row->kind == GD_STAT_COUNTER ? "counter" : "gauge", row->help);
        for (size_t k = 0; ok && k < count; k++)
            ok =
                add_sample(out, row->name, &objects[k], row->label, objects[k].values[i]);
    }
    return ok;
}

/* A histogram with a bucket for every second power of two: enough for quantiles in
 * graphs, few enough for thousands of routes. */
static bool add_histogram(struct gd_buf *out, const char *name,
                          const struct object *object)
{
    uint64_t seen = 0;
    bool ok = true;
    struct gd_span labels = gd_buf_span(&object->labels);

    for (unsigned i = 0; ok && i < GD_HIST_BUCKETS - 1; i++) {
        seen += object->latency->buckets[i];
        if (i % 16 == 0)
            ok = gd_buf_addf(out, "%s_bucket{%.*s,le=\"%.6f\"} %llu\n", name,
                             GD_SPAN_ARG(labels), (double)(gd_hist_bound_us(i) + 1) / 1e6,
                             (unsigned long long)seen);
    }
    seen += object->latency->buckets[GD_HIST_BUCKETS - 1];
    return ok && gd_buf_addf(out,
                             "%s_bucket{%.*s,le=\"+Inf\"} %llu\n%s_sum{%.*s} %.6f\n"
                             "%s_count{%.*s} %llu\n",
                             name, GD_SPAN_ARG(labels), (unsigned long long)seen, name,
                             GD_SPAN_ARG(labels), (double)object->latency->sum_us / 1e6,
                             name, GD_SPAN_ARG(labels), (unsigned long long)seen);
}

static bool add_histograms(struct gd_buf *out, const char *name, const char *help,
                           const struct object *objects, size_t count)
{
    bool ok = add_head(out, name, "histogram", help);

    for (size_t i = 0; ok && i < count; i++)
        ok = add_histogram(out, name, &objects[i]);
    return ok;
}

static bool add_routes(struct gd_buf *out, const struct gd_plan *plan,
                       const struct gd_stats *sum)
{
    struct object *objects = objects_new(plan->route_count);
    bool ok;

    for (unsigned i = 0; i < plan->route_count; i++) {
        object_label(&objects[i], "route", plan->routes[i].pattern);
        objects[i].values = sum->routes[i]->values;
        objects[i].latency = &sum->routes[i]->latency;
    }
    ok = add_scope(out, &route_scope, objects, plan->route_count) &&
         add_histograms(out, "gatherd_route_seconds", "From head to answer", objects,
                        plan->route_count);
    objects_free(objects, plan->route_count);
    return ok;
}

static bool add_upstreams(struct gd_buf *out, const struct gd_plan *plan,
                          const struct gd_stats *sum)
{
    struct object *objects = objects_new(plan->upstream_count);
    bool ok;

    for (unsigned i = 0; i < plan->upstream_count; i++) {
        object_label(&objects[i], "upstream", plan->upstreams[i].name);
        objects[i].values = sum->upstreams[i]->values;
        objects[i].latency = &sum->upstreams[i]->latency;
    }
    ok = add_scope(out, &upstream_scope, objects, plan->upstream_count) &&
         add_histograms(out, "gatherd_upstream_seconds", "From start to end of a call",
                        objects, plan->upstream_count);
    objects_free(objects, plan->upstream_count);
    return ok;
}

static bool add_servers(struct gd_buf *out, const struct gd_plan *plan,
                        const struct gd_stats *sum)
{
    struct object *objects = objects_new(plan->server_count);
    bool ok;

    for (unsigned u = 0; u < plan->upstream_count; u++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[u];

        for (unsigned i = 0; i < upstream->server_count; i++) {
            struct object *object = &objects[upstream->servers[i].index];

            object_label(object, "upstream", upstream->name);
            object_label(object, "server", upstream->servers[i].name);
            object->values = sum->servers[upstream->servers[i].index]->values;
        }
    }
    ok = add_scope(out, &server_scope, objects, plan->server_count);
    objects_free(objects, plan->server_count);
    return ok;
}

bool gd_sum_metrics(struct gd_buf *out, const struct gd_admin_source *source)
{
    struct gd_stats *sum = sum_stats(source);
    struct object process = {.values = source->process};
    struct object worker = {.values = sum->worker};
    bool ok =
        add_head(out, "gatherd_ready", "gauge", "1 while requests are welcome") &&
        gd_buf_addf(out, "gatherd_ready %d\n",
                    atomic_load(source->life) == GD_LIFE_READY) &&
        add_scope(out, &process_scope, &process, 1) &&
        add_scope(out, &worker_scope, &worker, 1) && add_routes(out, source->plan, sum) &&
        add_upstreams(out, source->plan, sum) && add_servers(out, source->plan, sum);

    gd_stats_free(sum);
    return ok;
}
