#include "gather/choose.h"

#include "http/target.h"

/* The bit of a visible call, by its name as it stands in a query; 0 when there is none.
 */
static uint64_t bit_of(const struct gd_plan_route *route, struct gd_span encoded)
{
    char room[GD_CALL_NAME_MAX * 3];
    struct gd_span name = {room, 0};

    if (encoded.len > sizeof(room))
        return 0;
    name.len = gd_percent_decode(encoded, true, room);
    for (unsigned i = 0; i < route->call_count; i++)
        if (!route->calls[i].hidden && gd_span_is(name, route->calls[i].name))
            return UINT64_C(1) << i;
    return 0;
}

/* The next name of a list whose commas may be escaped. */
static struct gd_span next_name(struct gd_span *rest)
{
    struct gd_span name = {rest->ptr, 0};
    size_t comma = 0;

    while (name.len < rest->len && comma == 0) {
        const char *at = rest->ptr + name.len;

        if (*at == ',')
            comma = 1;
        else if (rest->len - name.len >= 3 &&
                 gd_span_ieq((struct gd_span){at, 3}, GD_SPAN("%2c")))
            comma = 3;
        else
            name.len++;
    }
    rest->ptr += name.len + comma;
    rest->len -= name.len + comma;
    return name;
}

bool gd_choose(const struct gd_plan_route *route, struct gd_span query, uint64_t *chosen,
               struct gd_span *unknown)
{
    struct gd_span rest = GD_SPAN_NONE;

    *chosen = 0;
    if (route->parts)
        rest = gd_query_get(query, GD_SPAN("parts"));
    while (rest.len) {
        struct gd_span name = next_name(&rest);
        uint64_t bit = bit_of(route, name);

        if (bit == 0) {
            *unknown = name;
            return false;
        }
        *chosen |= bit;
    }
    return true;
}

uint64_t gd_choose_wanted(const struct gd_plan_route *route, uint64_t chosen)
{
    uint64_t wanted = chosen, before;

    do {
        before = wanted;
        for (unsigned i = 0; i < route->call_count; i++)
            if (wanted >> i & 1)
                wanted |= route->calls[i].needs;
    } while (wanted != before);
    return wanted;
}
