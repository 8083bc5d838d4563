#include "plan/loader.h"

enum { NETWORKS_MAX = 1000 };

struct reading {
    struct gd_loader *loader;
    struct gd_network *networks;
};

static bool is_there(const struct gd_trusted *trusted, const struct gd_network *network)
{
    for (unsigned i = 0; i < trusted->count; i++) {
        const struct gd_network *other = &trusted->networks[i];

        if (other->ip.high == network->ip.high && other->ip.low == network->ip.low &&
            other->mask.high == network->mask.high &&
            other->mask.low == network->mask.low)
            return true;
    }
    return false;
}

static void add_network(struct reading *r, const struct gd_yaml_node *node)
{
    struct gd_trusted *trusted = &r->loader->plan->trusted;
    struct gd_report *report = &r->loader->report;
    struct gd_network network;
    struct gd_words words;
    struct gd_err err;
    bool twice;

    if (node->broken)
        return;
    if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node)) {
        gd_report_value(report, node,
                        "expected an address, a network like 10.0.0.0/8, or unix, found "
                        "%s",
                        gd_words_found(&words, node));
        return;
    }
    if (gd_span_is(node->text, "unix")) {
        twice = trusted->unix_peers;
        trusted->unix_peers = true;
    } else if (gd_network_parse(node->text, &network, &err)) {
        twice = is_there(trusted, &network);
        r->networks[trusted->count++] = network;
    } else {
        gd_report_value(report, node, "%s", err.text);
        return;
    }
    if (twice)
        gd_report_value(report, node, "%s stands twice", node->text.ptr);
}

void gd_load_trusted(struct gd_loader *loader)
{
    const struct gd_yaml_node *node = loader->top.trusted;
    struct reading reading = {.loader = loader};
    unsigned room;

    loader->plan->trusted.chain = (enum gd_chain_field)loader->top.trusted_header;
    if (node == NULL)
        return;
    room = node->kind == GD_YAML_LIST ? node->count : 1;
    if (room > NETWORKS_MAX) {
        gd_report_value(&loader->report, node, "there can be %d networks, found %u",
                        NETWORKS_MAX, room);
        return;
    }
    reading.networks = gd_need(
        gd_arena_alloc(&loader->plan->arena, (room + 1) * sizeof(*reading.networks)));
    loader->plan->trusted.networks = reading.networks;
    if (node->kind == GD_YAML_LIST)
        for (node = node->first; node; node = node->next)
            add_network(&reading, node);
    else
        add_network(&reading, node);
}
