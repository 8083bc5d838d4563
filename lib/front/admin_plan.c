/* Pages about the plan at work: the configuration in effect, and the routes. */
#include <stdlib.h>

#include "base/mem.h"
#include "front/admin_inside.h"
#include "gather/explain.h"
#include "plan/effective.h"

void gd_admin_config(struct gd_admin *admin, struct gd_request *request,
                     const struct gd_match *match)
{
    gd_admin_answer_json(request, 200, gd_effective_config(admin->source.plan));
}

/* The order in which routes are preferred
 * ------------------------------------------------
 */

static struct gd_span next_segment(struct gd_span *path)
{
    struct gd_span segment = {path->ptr + 1, path->len - 1};
    const char *end = segment.len ? memchr(segment.ptr, '/', segment.len) : NULL;

    if (end)
        segment.len = (size_t)(end - segment.ptr);
    path->ptr += 1 + segment.len;
    path->len -= 1 + segment.len;
    return segment;
}

/* 0 for a literal, 1 for {x}, 2 for {x...}: the lower one wins. */
static int looseness(struct gd_span segment)
{
    if (segment.len == 0 || *segment.ptr != '{')
        return 0;
    return segment.len > 5 && memcmp(segment.ptr + segment.len - 4, "...}", 4) == 0 ? 2
                                                                                    : 1;
}

static int compare_text(struct gd_span a, struct gd_span b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_paths(struct gd_span a, struct gd_span b)
{
    while (a.len && b.len) {
        struct gd_span of_a = next_segment(&a), of_b = next_segment(&b);
        int order = looseness(of_a) - looseness(of_b);

        if (order == 0 && looseness(of_a) == 0)
            order = compare_text(of_a, of_b);
        if (order)
            return order;
    }
    return (a.len > 0) - (b.len > 0);
}

/* Of two routes that take the same request the one that wins comes first: for a host
 * before for any, more specific before less, for a method before for any. */
static int compare_routes(const void *left, const void *right)
{
    const struct gd_plan_route *a = *(const struct gd_plan_route *const *)left;
    const struct gd_plan_route *b = *(const struct gd_plan_route *const *)right;
    int order = (a->host.len == 0) - (b->host.len == 0);

    if (order == 0 && a->host.len)
        order = compare_text(a->host, b->host);
    if (order == 0)
        order = compare_paths(a->path, b->path);
    if (order == 0)
        order = (a->method_text.len == 0) - (b->method_text.len == 0);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Routes --------------------------------------------------------------------------------
 */

static void add_once(json_t *names, const char *name)
{
    json_t *known;
    size_t i;

    json_array_foreach(names, i, known)
    {
        if (strcmp(json_string_value(known), name) == 0)
            return;
    }
    json_array_append_new(names, json_string(name));
}

static json_t *route_json(const struct gd_plan_route *route)
{
    json_t *calls = json_array(), *upstreams = json_array();
    json_t *json = json_pack("{s:s, s:s}", "route", route->pattern, "kind",
                             gd_explain_kind(route->kind));

    for (unsigned i = 0; i < route->call_count; i++) {
        const struct gd_plan_call *call = &route->calls[i];

        json_array_append_new(calls, json_pack("{s:s, s:s}", "name", call->name,
                                               "upstream", call->upstream->name));
        add_once(upstreams, call->upstream->name);
    }
    if (route->pass)
        add_once(upstreams, route->pass->upstream->name);
    json_object_set_new(json, "calls", calls);
    json_object_set_new(json, "upstreams", upstreams);
    return json;
}

void gd_admin_routes(struct gd_admin *admin, struct gd_request *request,
                     const struct gd_match *match)
{
    const struct gd_plan *plan = admin->source.plan;
    const struct gd_plan_route **routes =
        gd_alloc_array(plan->route_count + 1, sizeof(const void *));
    json_t *list = json_array();

    for (unsigned i = 0; i < plan->route_count; i++)
        routes[i] = &plan->routes[i];
    qsort(routes, plan->route_count, sizeof(const void *), compare_routes);
    for (unsigned i = 0; i < plan->route_count; i++)
        json_array_append_new(list, route_json(routes[i]));
    gd_free(routes);
    gd_admin_answer_json(request, 200, json_pack("{s:o}", "routes", list));
}
