/* Draining servers and having them back. */
#include "front/admin_inside.h"
#include "front/engine.h"
#include "upstream/names.h"

/* Of one server; in the arena of its action. */
struct change {
    struct gd_admin_action *action;
    const char *upstream, *server;
    bool drained;
};

static bool is_drained(const struct gd_admin *admin, const struct gd_plan_server *server)
{
    const struct gd_server_stats *stats = admin->source.stats[0]->servers[server->index];

    return gd_stat_read(&stats->values[GD_SERVER_STATE_DRAINED]) != 0;
}

static const struct gd_plan_upstream *find_upstream(const struct gd_plan *plan,
                                                    struct gd_span name)
{
    for (unsigned i = 0; i < plan->upstream_count; i++)
        if (gd_span_is(name, plan->upstreams[i].name))
            return &plan->upstreams[i];
    return NULL;
}

/* What it is called now: that of a server that follows a name changes. */
static const char *find_server(const struct gd_admin *admin,
                               const struct gd_plan_upstream *upstream,
                               struct gd_span name)
{
    for (unsigned i = 0; i < upstream->server_count; i++) {
        const char *now = gd_names_server(admin->source.names, &upstream->servers[i]);

        if (now && gd_span_is(name, now))
            return now;
    }
    return NULL;
}

static bool has_server_left(const struct gd_admin *admin,
                            const struct gd_plan_upstream *upstream)
{
    for (unsigned i = 0; i < upstream->server_count; i++)
        if (gd_names_server(admin->source.names, &upstream->servers[i]) &&
            !is_drained(admin, &upstream->servers[i]))
            return true;
    return false;
}

/* In the thread of a worker. */
static void on_told(struct gd_engine *engine, void *arg)
{
    const struct change *change = arg;

    gd_engine_drain_server(engine, change->upstream, change->server, change->drained);
}

/* All workers have done it. */
static void on_done(void *arg)
{
    struct change *change = arg;
    struct gd_admin *admin = change->action->admin;
    const struct gd_plan_upstream *upstream =
        find_upstream(admin->source.plan, gd_span_of(change->upstream));
    json_t *json = json_pack("{s:s, s:s, s:b}", "upstream", change->upstream, "server",
                             change->server, "drained", change->drained);

    if (upstream && !has_server_left(admin, upstream))
        json_object_set_new(json, "warning",
                            json_sprintf("no server of %s is left: until one is resumed "
                                         "its calls fail with overload",
                                         upstream->name));
    gd_admin_end(change->action, 200, json);
}

static json_t *upstream_names(const struct gd_plan *plan)
{
    json_t *names = json_array();

    for (unsigned i = 0; i < plan->upstream_count; i++)
        json_array_append_new(names, json_string(plan->upstreams[i].name));
    return names;
}

static json_t *server_names(const struct gd_admin *admin,
                            const struct gd_plan_upstream *upstream)
{
    json_t *names = json_array();

    for (unsigned i = 0; i < upstream->server_count; i++) {
        const char *now = gd_names_server(admin->source.names, &upstream->servers[i]);

        if (now)
            json_array_append_new(names, json_string(now));
    }
    return names;
}

/* {name} and {server} of the path. */
static void change_server(struct gd_admin *admin, struct gd_request *request,
                          const struct gd_match *match, bool drained)
{
    const struct gd_plan *plan = admin->source.plan;
    const struct gd_plan_upstream *upstream =
        find_upstream(plan, gd_admin_decode(request->arena, match->params[0]));
    const char *server;
    struct gd_admin_action *action;
    struct change *change;

    if (upstream == NULL) {
        gd_admin_answer_unknown(request, "there is no such upstream",
                                upstream_names(plan));
        return;
    }
    server =
        find_server(admin, upstream, gd_admin_decode(request->arena, match->params[1]));
    if (server == NULL) {
        gd_admin_answer_unknown(request, "the upstream has no such server",
                                server_names(admin, upstream));
        return;
    }
    action = gd_admin_begin(admin, request);
    change = gd_arena_alloc(&action->arena, sizeof(*change));
    gd_loop_must(change != NULL);
    change->action = action;
    change->upstream = gd_arena_text(&action->arena, gd_span_of(upstream->name));
    change->server = gd_arena_text(&action->arena, gd_span_of(server));
    change->drained = drained;
    admin->source.tell(admin->source.teller, on_told, change, on_done);
}

void gd_admin_drain(struct gd_admin *admin, struct gd_request *request,
                    const struct gd_match *match)
{
    change_server(admin, request, match, true);
}

void gd_admin_resume(struct gd_admin *admin, struct gd_request *request,
                     const struct gd_match *match)
{
    change_server(admin, request, match, false);
}
