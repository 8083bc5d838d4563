#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/url.h"

/* Servers that come from a name, and who is asked about names. */

enum { NAMESERVERS_MAX = 8, NAMESERVERS_TEXT_MAX = 512, NAME_MAX_BYTES = 253 };

/* Nameservers ---------------------------------------------------------------------------
 */

/* An IPv6 address without a port may stand without brackets. */
static bool parse_nameserver(struct gd_span text, struct gd_url *out, struct gd_err *err)
{
    *out = (struct gd_url){.authority = text};
    if (gd_host_is_ip(text)) {
        out->host = text;
        out->ipv6 = memchr(text.ptr, ':', text.len) != NULL;
    } else if (!gd_url_check(out, err) || !gd_host_is_ip(out->host) ||
               (out->has_port && out->port == 0)) {
        return gd_err_set(err,
                          "expected the address of a nameserver like 10.0.0.2 or "
                          "127.0.0.1:5353, found \"%.*s\"",
                          text.len > 100 ? 100 : (int)text.len, text.ptr);
    }
    if (!out->has_port)
        out->port = 53;
    return true;
}

static void load_nameservers(struct gd_loader *loader, const struct gd_yaml_node *list,
                             struct gd_plan_resolver *out)
{
    struct gd_words words;
    struct gd_buf text;
    struct gd_url url;
    struct gd_err err;

    if (list->count == 0 || list->count > NAMESERVERS_MAX) {
        gd_report_value(&loader->report, list, "expected 1 to %d nameservers, found %u",
                        NAMESERVERS_MAX, list->count);
        return;
    }
    gd_buf_init(&text, NULL, NAMESERVERS_TEXT_MAX);
    for (const struct gd_yaml_node *node = list->first; node; node = node->next) {
        if (node->broken)
            continue;
        if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node))
            gd_report_value(&loader->report, node,
                            "expected the address of a nameserver, found %s",
                            gd_words_found(&words, node));
        else if (!parse_nameserver(node->text, &url, &err))
            gd_report_value(&loader->report, node, "%s", err.text);
        else if (!gd_buf_addf(&text, url.ipv6 ? "%s[%.*s]:%u" : "%s%.*s:%u",
                              text.len ? "," : "", GD_SPAN_ARG(url.host), url.port))
            gd_need(NULL);
    }
    out->servers = gd_need(gd_arena_text(&loader->plan->arena, gd_buf_span(&text)));
    gd_buf_free(&text);
}

void gd_load_resolver(struct gd_loader *loader)
{
    const struct gd_draft_resolver *draft = &loader->top.resolver;
    struct gd_plan_resolver *out = &loader->plan->resolver;

    *out = draft->plan;
    if (draft->servers)
        load_nameservers(loader, draft->servers, out);
    if (out->min_ttl_ms <= out->max_ttl_ms)
        return;
    for (unsigned i = 0; i < loader->root_count; i++) {
        const struct gd_yaml_node *map = gd_yaml_get(loader->roots[i], "resolver");
        const struct gd_yaml_node *node =
            map && map->kind == GD_YAML_MAP ? gd_yaml_get(map, "min_ttl") : NULL;

        if (node)
            gd_report_value(&loader->report, node, "min_ttl is more than max_ttl");
    }
}

/* Discovery -----------------------------------------------------------------------------
 */

/* Where `_service._proto.` ends; 0: the text is no name of a service. */
static size_t service_labels(struct gd_span name)
{
    size_t at = 0;

    for (int i = 0; i < 2; i++) {
        const char *dot;

        if (at >= name.len || name.ptr[at] != '_')
            return 0;
        dot = memchr(name.ptr + at, '.', name.len - at);
        if (dot == NULL || dot - name.ptr - at < 2)
            return 0;
        at = (size_t)(dot - name.ptr) + 1;
    }
    return at < name.len ? at : 0;
}

/* Adds a scheme to a name that has none; owned by the arena. */
static struct gd_span as_url(struct gd_loader *loader, struct gd_span text)
{
    bool https = gd_span_starts(text, GD_SPAN("_https."));
    struct gd_buf buf;
    struct gd_span url;

    if (gd_url_like(text))
        return text;
    gd_buf_init(&buf, NULL, SIZE_MAX / 2);
    if (!gd_buf_add_text(&buf, https ? "https://" : "http://") ||
        !gd_buf_add_span(&buf, text))
        gd_need(NULL);
    url = gd_arena_copy(&loader->plan->arena, gd_buf_span(&buf));
    gd_need(url.ptr);
    gd_buf_free(&buf);
    return url;
}

/* What stands behind `dns` or `srv` as a URL; false with something reported. */
static bool parse_name(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_url *url)
{
    struct gd_err err;

    if (!gd_url_parse(as_url(loader, node->text), url, &err))
        return gd_report_value(&loader->report, node, "%s", err.text);
    if (url->rest.len)
        return gd_report_value(&loader->report, node, "a name has no path and no query");
    if (gd_host_is_ip(url->host))
        return gd_report_value(&loader->report, node,
                               "%.*s is an address, not a name; use servers",
                               GD_SPAN_ARG(url->host));
    return url->host.len <= NAME_MAX_BYTES ||
           gd_report_value(&loader->report, node, "a name has at most %d bytes",
                           NAME_MAX_BYTES);
}

static bool parse_dns(struct gd_loader *loader, const struct gd_yaml_node *node,
                      struct gd_url *url)
{
    if (!parse_name(loader, node, url))
        return false;
    return url->port != 0 ||
           gd_report_value(&loader->report, node, "ports are 1 to 65535");
}

/* The servers are known, and verified, as the domain behind the service. */
static bool parse_srv(struct gd_loader *loader, const struct gd_yaml_node *node,
                      struct gd_url *url, struct gd_span *name)
{
    size_t labels;

    if (!parse_name(loader, node, url))
        return false;
    *name = url->host;
    labels = service_labels(url->host);
    if (labels == 0)
        return gd_report_value(&loader->report, node,
                               "expected the name of a service like "
                               "_http._tcp.users.consul, found \"%.*s\"",
                               GD_SPAN_ARG(url->host));
    if (url->has_port)
        return gd_report_value(&loader->report, node,
                               "a service has no port here: its records say it");
    url->host = (struct gd_span){url->host.ptr + labels, url->host.len - labels};
    return true;
}

void gd_load_discovery(struct gd_loader *loader, const struct gd_yaml_node *node,
                       enum gd_discovery kind, struct gd_plan_upstream *upstream)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_plan_server server;
    struct gd_span name;
    struct gd_url url;

    if (node->broken ||
        !(kind == GD_DISCOVERY_DNS ? parse_dns(loader, node, &url)
                                   : parse_srv(loader, node, &url, &name)))
        return;
    server = gd_load_server(loader, &url);
    if (kind == GD_DISCOVERY_DNS)
        name = url.host;
    else
        server.name = gd_need(gd_arena_text(arena, name));
    upstream->discovery = kind;
    upstream->discovered = gd_need(gd_arena_text(arena, name));
    upstream->server_count = GD_SLOTS;
    upstream->servers =
        gd_need(gd_arena_alloc(arena, GD_SLOTS * sizeof(*upstream->servers)));
    for (unsigned i = 0; i < GD_SLOTS; i++)
        upstream->servers[i] = server;
}
