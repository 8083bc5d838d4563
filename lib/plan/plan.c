#include "plan/plan.h"

#include <unistd.h>

#include "base/mem.h"
#include "plan/folder.h"
#include "plan/tls_context.h"
#include "plan/tls_server.h"

struct gd_plan *gd_plan_ref(struct gd_plan *plan)
{
    plan->refs++;
    return plan;
}

void gd_plan_unref(struct gd_plan *plan)
{
    if (plan == NULL || --plan->refs > 0)
        return;
    for (unsigned i = 0; plan->upstreams && i < plan->upstream_count; i++)
        if (plan->upstreams[i].tls)
            SSL_CTX_free(plan->upstreams[i].tls->context);
    for (unsigned i = 0; i < plan->listen_count; i++)
        gd_tls_server_unref(plan->listens[i].tls);
    gd_tickets_unref(plan->tickets);
    for (unsigned i = 0; plan->routes && i < plan->route_count; i++)
        if (plan->routes[i].folder && plan->routes[i].folder->fd >= 0)
            close(plan->routes[i].folder->fd);
    gd_arena_free(&plan->arena);
    gd_free(plan);
}

const char *gd_plan_http_word(enum gd_plan_http http)
{
    static const char *const words[] = {
        [GD_HTTP_1] = "1.1", [GD_HTTP_2] = "2", [GD_HTTP_AUTO] = "auto"};

    return words[http];
}
