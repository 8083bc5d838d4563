/* The names of upstreams in /status, and where servers are that follow one. */
#include "front/sum_inside.h"

const char *gd_sum_server_name(const struct gd_names *names,
                               const struct gd_plan_server *server,
                               const struct gd_server_stats *stats)
{
    const char *name = gd_names_server(names, server);
    const struct gd_site *site;
    bool gone;

    if (name || !gd_names_site(names, server->index, &site, &gone) || !gone)
        return name;
    return stats->values[GD_SERVER_SESSIONS_LEASED] ||
                   stats->values[GD_SERVER_SESSIONS_DIALLING]
               ? site->name
               : NULL;
}

void gd_sum_add_place(json_t *into, const struct gd_names *names,
                      const struct gd_plan_upstream *upstream,
                      const struct gd_plan_server *server)
{
    const struct gd_site *site;
    json_t *addresses;
    bool gone;

    if (!gd_names_site(names, server->index, &site, &gone))
        return;
    addresses = json_array();
    for (unsigned i = 0; site && !gone && i < site->count; i++) {
        char text[GD_ADDRESS_TEXT_MAX];

        json_array_append_new(addresses,
                              json_string(gd_address_text(&site->addresses[i], text)));
    }
    json_object_set_new(into, "addresses", addresses);
    if (gone)
        json_object_set_new(into, "gone", json_true());
    if (site && upstream->discovery == GD_DISCOVERY_SRV) {
        json_object_set_new(into, "priority", json_integer(site->priority));
        json_object_set_new(into, "weight",
                            json_integer(site->weight / GD_SITE_WEIGHT_UNIT));
    }
}

struct listing {
    const struct gd_plan_upstream *upstream;
    json_t *list;
};

static void on_name(void *arg, const struct gd_name_view *view)
{
    struct listing *listing = arg;
    json_t *name;

    if (view->upstream != listing->upstream)
        return;
    name = json_pack("{s:s}", "name", view->shown);
    gd_sum_add_rows(name, &gd_sum_name, view->values);
    json_object_set_new(name, "resolved", json_null());
    if (view->resolved_s)
        gd_sum_add_time(name, "resolved", (uint64_t)view->resolved_s);
    json_object_set_new(name, "next", json_null());
    if (view->next_s)
        gd_sum_add_time(name, "next", (uint64_t)view->next_s);
    json_object_set_new(name, "error",
                        view->error ? json_string(view->error) : json_null());
    json_array_append_new(listing->list, name);
}

void gd_sum_add_names(json_t *into, const struct gd_names *names,
                      const struct gd_plan_upstream *upstream)
{
    struct listing listing = {.upstream = upstream, .list = json_array()};

    gd_names_each(names, on_name, &listing);
    if (json_array_size(listing.list))
        json_object_set(into, "names", listing.list);
    json_decref(listing.list);
}
