/*
 * Any bytes as a configuration: a plan, or findings that each start with the name of the
 * file; never both, never neither. A plan that was accepted is whole.
 */
#include <stdlib.h>

#include "plan/effective.h"
#include "plan/load.h"
#include "plan/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *no_env(void *arg, const char *name)
{
    return strcmp(name, "SET") == 0 ? "7" : NULL;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_calls(const struct gd_plan *plan, const struct gd_plan_route *route)
{
    for (unsigned i = 0; i < route->call_count; i++) {
        const struct gd_plan_call *call = &route->calls[i];

        must(call->target && call->index == i && call->fallback.len > 0);
        must(call->upstream >= plan->upstreams &&
             call->upstream < plan->upstreams + plan->upstream_count);
        must(call->upstream->server_count > 0 && call->header_lines.len > 0);
        must(call->optional == !(route->required >> i & 1));
    }
}

static void check_plan(const struct gd_plan *plan)
{
    unsigned servers = 0;

    must(plan->listen_count > 0 && (!plan->admin_on || plan->admin.text));
    for (unsigned i = 0; i < plan->upstream_count; i++) {
        must(plan->upstreams[i].index == i);
        for (unsigned j = 0; j < plan->upstreams[i].server_count; j++)
            must(plan->upstreams[i].servers[j].index == servers++);
    }
    must(servers == plan->server_count);
    for (unsigned i = 0; i < plan->route_count; i++) {
        must(plan->routes[i].index == i && plan->routes[i].call_count > 0);
        check_calls(plan, &plan->routes[i]);
    }
}

static bool mentions(const uint8_t *data, size_t size, const char *word)
{
    return data && size && memmem(data, size, word, strlen(word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gd_load_options options = {.env = no_env};
    struct gd_span text = {(const char *)data, size};
    struct gd_findings findings;
    struct gd_plan *plan;

    /* What stands in other files is none of the fuzzer's business. */
    if (mentions(data, size, "include") || mentions(data, size, "file:"))
        return 0;
    plan = gd_plan_load_text("gw.yaml", text, &options, &findings);
    must((plan == NULL) == (findings.count > 0));
    must(findings.count <= 100);
    for (size_t i = 0; i < findings.count; i++)
        must(strncmp(findings.lines[i], i == 99 ? "and " : "gw.yaml:", i == 99 ? 4 : 8) ==
             0);
    if (plan) {
        json_t *config = gd_effective_config(plan);

        must(json_object_size(json_object_get(config, "routes")) == plan->route_count);
        json_decref(config);
        check_plan(plan);
    }
    gd_findings_free(&findings);
    gd_plan_unref(plan);
    return 0;
}
