/* What befalls the answers of mocks: numbers that look like chance, and are the same at
 * each start, so that what was seen once can be seen again. */
#include "upstream/mock_parts.h"

/* One of a sequence: splitmix64. */
static uint64_t mixed(uint64_t seed, uint64_t place)
{
    uint64_t x = seed + place * 0x9E3779B97F4A7C15;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
}

/* The same, from 0 to less than 1. */
static double chance(uint64_t seed, uint64_t place)
{
    return (double)(mixed(seed, place) >> 11) * 0x1p-53;
}

uint64_t gd_mock_seed(const struct gd_mock_server *server, unsigned index)
{
    uint64_t name = 0;

    for (const char *c = server->upstream->name; *c; c++)
        name = mixed(name, (unsigned char)*c);
    return mixed(mixed(name, server->plan->mock_seed), index);
}

void gd_mock_draw(struct gd_mock_answer *answer, struct gd_mock_fate *fate)
{
    const struct gd_plan_mock_route *route = answer->route;
    uint64_t place = 2 * ++answer->asked;
    double width = (double)(route->delay.high_ms - route->delay.low_ms) + 1;
    double share = chance(answer->seed, place);
    double reset = route->fail_share + route->reset_share;

    fate->delay_ms =
        route->delay.low_ms + (uint32_t)(chance(answer->seed, place + 1) * width);
    fate->fail = share < route->fail_share;
    fate->drip_ms = fate->fail ? 0 : route->drip_ms;
    fate->reset = !fate->fail && share < reset;
    fate->cut = !fate->fail && !fate->reset && share < reset + route->truncate_share;
}
