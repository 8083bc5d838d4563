#include "plan/loader.h"

enum { WAY_MAX = 350 };

/* The first call that `at` waits for among those that are left. */
static unsigned next_left(const struct gd_plan_route *route, unsigned at, uint64_t left)
{
    return (unsigned)__builtin_ctzll(route->calls[at].needs & left);
}

void gd_load_check_cycles(struct gd_loader *loader, const struct gd_yaml_node *map,
                          const struct gd_plan_route *route)
{
    uint64_t left = gd_route_all(route), before;
    const struct gd_yaml_node *node = map->first;
    struct gd_buf way;
    unsigned start, at;

    do {
        before = left;
        for (unsigned i = 0; i < route->call_count; i++)
            if ((route->calls[i].needs & left) == 0)
                left &= ~(UINT64_C(1) << i);
    } while (left != before);
    if (left == 0)
        return;
    /* Each of those left waits for one of them, so that many steps end on the circle. */
    start = (unsigned)__builtin_ctzll(left);
    for (unsigned i = 0; i < route->call_count; i++)
        start = next_left(route, start, left);
    gd_buf_init(&way, NULL, WAY_MAX);
    at = start;
    do {
        if (!gd_buf_addf(&way, "%s → ", route->calls[at].name))
            break;
        at = next_left(route, at, left);
    } while (at != start);
    while (node->index != start)
        node = node->next;
    gd_report_key(&loader->report, node, "waits for itself: %.*s%s",
                  GD_SPAN_ARG(gd_buf_span(&way)), route->calls[start].name);
    gd_buf_free(&way);
}
