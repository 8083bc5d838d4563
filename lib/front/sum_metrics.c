/* /metrics. */
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "front/sum_inside.h"

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

static bool add_scope(struct gd_buf *out, const struct gd_sum_scope *scope,
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
    ok = add_scope(out, &gd_sum_route, objects, plan->route_count) &&
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
    ok = add_scope(out, &gd_sum_upstream, objects, plan->upstream_count) &&
         add_histograms(out, "gatherd_upstream_seconds", "From start to end of a call",
                        objects, plan->upstream_count);
    objects_free(objects, plan->upstream_count);
    return ok;
}

static bool add_servers(struct gd_buf *out, const struct gd_admin_source *source,
                        const struct gd_stats *sum)
{
    const struct gd_plan *plan = source->plan;
    struct object *objects = objects_new(plan->server_count);
    unsigned count = 0;
    bool ok;

    for (unsigned u = 0; u < plan->upstream_count; u++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[u];

        for (unsigned i = 0; i < upstream->server_count; i++) {
            const struct gd_plan_server *server = &upstream->servers[i];
            const struct gd_server_stats *stats = sum->servers[server->index];
            const char *name = gd_sum_server_name(source->names, server, stats);

            if (name == NULL)
                continue;
            object_label(&objects[count], "upstream", upstream->name);
            object_label(&objects[count], "server", name);
            objects[count++].values = stats->values;
        }
    }
    ok = add_scope(out, &gd_sum_server, objects, count);
    objects_free(objects, plan->server_count);
    return ok;
}

struct name_objects {
    struct object *list; /* NULL: they are only counted */
    size_t count;
};

static void on_name(void *arg, const struct gd_name_view *view)
{
    struct name_objects *objects = arg;
    struct object *object;

    if (objects->list == NULL) {
        objects->count++;
        return;
    }
    object = &objects->list[objects->count++];
    object_label(object, "upstream", view->upstream->name);
    object_label(object, "name", view->shown);
    object->values = view->values;
}

static bool add_names(struct gd_buf *out, const struct gd_names *names)
{
    struct name_objects objects = {.list = NULL};
    size_t count;
    bool ok;

    if (names == NULL)
        return true;
    gd_names_each(names, on_name, &objects);
    count = objects.count;
    if (count == 0)
        return true;
    objects = (struct name_objects){.list = objects_new(count)};
    gd_names_each(names, on_name, &objects);
    ok = add_scope(out, &gd_sum_name, objects.list, count);
    objects_free(objects.list, count);
    return ok;
}

bool gd_sum_metrics(struct gd_buf *out, const struct gd_admin_source *source)
{
    struct gd_stats *sum = gd_sum_stats(source);
    struct object process = {.values = source->process};
    struct object worker = {.values = sum->worker};
    bool ok = add_head(out, "gatherd_ready", "gauge", "1 while requests are welcome") &&
              gd_buf_addf(out, "gatherd_ready %d\n",
                          atomic_load(source->life) == GD_LIFE_READY) &&
              add_scope(out, &gd_sum_process, &process, 1) &&
              add_scope(out, &gd_sum_worker, &worker, 1) &&
              add_routes(out, source->plan, sum) &&
              add_upstreams(out, source->plan, sum) && add_servers(out, source, sum) &&
              add_names(out, source->names);

    gd_stats_free(sum);
    return ok;
}
