#include "http/coding.h"
#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/url.h"

enum { NAME_MAX_BYTES = 64 };

static bool check_name(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_span name = node->key->text;
    bool ok = name.len > 0 && name.len <= NAME_MAX_BYTES && name.ptr[0] != '.';

    for (size_t i = 0; ok && i < name.len; i++) {
        char c = name.ptr[i];

        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '.';
    }
    return ok ||
           gd_report_key(&loader->report, node,
                         "the name of an upstream has 1 to %d letters, digits, _, - "
                         "and ., and does not start with .",
                         NAME_MAX_BYTES);
}

static struct gd_upstream_draft *upstream_new(struct gd_loader *loader,
                                              struct gd_span name)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_upstream_draft *draft = gd_need(gd_arena_alloc(arena, sizeof(*draft)));
    struct gd_draft_upstream fresh = {.servers = NULL};

    gd_schema_defaults(GD_SECTION_UPSTREAM, &fresh);
    draft->plan = fresh.plan;
    gd_load_resilience(loader, &fresh, &draft->plan);
    draft->plan.name = gd_need(gd_arena_text(arena, name));
    draft->plan.index = loader->plan->upstream_count++;
    draft->headers.items =
        gd_need(gd_arena_alloc(arena, 2 * sizeof(*draft->headers.items)));
    draft->headers.items[0] =
        (struct gd_plan_header){GD_SPAN("User-Agent"), GD_SPAN("gatherd/" GD_VERSION)};
    draft->headers.items[1] =
        (struct gd_plan_header){GD_SPAN("Accept"), GD_SPAN("application/json")};
    draft->headers.templates =
        gd_need(gd_arena_alloc(arena, 2 * sizeof(*draft->headers.templates)));
    draft->headers.secrets =
        gd_need(gd_arena_alloc(arena, 2 * sizeof(*draft->headers.secrets)));
    draft->headers.count = 2;
    *loader->last_upstream = draft;
    loader->last_upstream = &draft->next;
    gd_dict_put(&loader->upstreams, gd_span_of(draft->plan.name), draft);
    return draft;
}

static struct gd_span host_line(struct gd_arena *arena, const struct gd_url *url)
{
    struct gd_span line;
    struct gd_buf buf;
    bool ok;

    gd_buf_init(&buf, NULL, 1024);
    ok = gd_buf_addf(&buf, url->ipv6 ? "Host: [%.*s]" : "Host: %.*s",
                     GD_SPAN_ARG(url->host)) &&
         (url->port == (url->https ? 443 : 80) || gd_buf_addf(&buf, ":%u", url->port)) &&
         gd_buf_add_text(&buf, "\r\n");
    line = gd_arena_copy(arena, ok ? gd_buf_span(&buf) : GD_SPAN_NONE);
    gd_need(line.ptr);
    gd_buf_free(&buf);
    return line;
}

struct gd_plan_server gd_load_server(struct gd_loader *loader, const struct gd_url *url)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_plan_server server = {.address = gd_url_address(arena, url),
                                    .host_line = host_line(arena, url),
                                    .weight = 1,
                                    .https = url->https};

    server.name = server.address.text + (url->https ? 0 : strlen("http://"));
    return server;
}

static void say_twice(struct gd_loader *loader, const struct gd_yaml_node *node,
                      const char *name)
{
    gd_report_value(&loader->report, node,
                    "the server %s stands twice; give it a weight instead", name);
}

static void add_server(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_upstream *upstream)
{
    struct gd_draft_server draft = {.url = node};
    struct gd_words words;
    struct gd_plan_server server;
    struct gd_url url;
    struct gd_err err;

    gd_schema_defaults(GD_SECTION_SERVER, &draft);
    if (node->kind == GD_YAML_MAP) {
        draft.url = NULL;
        if (!gd_schema_read(&loader->report, GD_SECTION_SERVER, node, &draft))
            return;
    }
    node = draft.url;
    if (node->broken)
        return;
    if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node)) {
        gd_report_value(&loader->report, node,
                        "expected a URL like http://10.0.0.5:8001, found %s",
                        gd_words_found(&words, node));
        return;
    }
    if (!gd_url_parse(node->text, &url, &err)) {
        gd_report_value(&loader->report, node, "%s", err.text);
        return;
    }
    if (url.rest.len || url.port == 0) {
        gd_report_value(&loader->report, node,
                        url.rest.len ? "the URL of a server has no path and no query"
                                     : "ports are 1 to 65535");
        return;
    }
    server = gd_load_server(loader, &url);
    server.weight = draft.weight;
    for (unsigned i = 0; i < upstream->server_count; i++)
        if (strcmp(upstream->servers[i].name, server.name) == 0) {
            say_twice(loader, node, server.name);
            return;
        }
    upstream->servers[upstream->server_count++] = server;
}

static void load_servers(struct gd_loader *loader, const struct gd_yaml_node *node,
                         struct gd_plan_upstream *upstream)
{
    unsigned room = node->kind == GD_YAML_LIST ? node->count : 1;

    if (room > GD_SERVERS_MAX) {
        gd_report_value(&loader->report, node, "an upstream has at most %d servers",
                        GD_SERVERS_MAX);
        return;
    }
    upstream->servers = gd_need(
        gd_arena_alloc(&loader->plan->arena, (room + 1) * sizeof(*upstream->servers)));
    if (node->kind != GD_YAML_LIST) {
        add_server(loader, node, upstream);
        return;
    }
    if (node->count == 0)
        gd_report_value(&loader->report, node, "expected at least one server");
    for (node = node->first; node; node = node->next)
        add_server(loader, node, upstream);
}

/* What is more than it can be is only wrong where both were asked for. */
static void check_pool(struct gd_loader *loader, const struct gd_yaml_node *map,
                       struct gd_plan_pool *pool)
{
    const struct gd_yaml_node *node = gd_yaml_get(map, "pool");
    const struct gd_yaml_node *idle = node ? gd_yaml_get(node, "idle") : NULL;

    if (pool->min > pool->max)
        gd_report_value(&loader->report, gd_yaml_get(node, "min"),
                        "min is more than max, which is %u", pool->max);
    else if (idle && pool->idle > pool->max)
        gd_report_value(&loader->report, idle, "idle is more than max, which is %u",
                        pool->max);
    else if (idle && pool->idle < pool->min)
        gd_report_value(&loader->report, idle, "idle is less than min, which is %u",
                        pool->min);
    if (pool->idle > pool->max)
        pool->idle = pool->max;
    if (pool->idle < pool->min)
        pool->idle = pool->min;
}

/* What is only for connections that speak HTTP/2, where none does. */
static void check_http(struct gd_loader *loader, const struct gd_yaml_node *map,
                       const struct gd_plan_upstream *upstream)
{
    static const char *const names[] = {"streams", "ping"};
    const struct gd_yaml_node *http = gd_yaml_get(map, "http");
    const struct gd_yaml_node *pool = gd_yaml_get(map, "pool");

    if (upstream->mock && upstream->http != GD_HTTP_1)
        gd_report_value(&loader->report, http, "a mock speaks HTTP/1.1");
    if (pool == NULL || pool->kind != GD_YAML_MAP || upstream->http != GD_HTTP_1 ||
        (http && http->broken))
        return;
    for (unsigned i = 0; i < 2; i++) {
        const struct gd_yaml_node *node = gd_yaml_get(pool, names[i]);

        if (node)
            gd_report_key(&loader->report, node,
                          "has no effect: it is for http: 2 or auto");
    }
}

static void load_deadline(struct gd_loader *loader, const struct gd_yaml_node *node,
                          struct gd_plan_upstream *upstream)
{
    if (!gd_header_is_free(node->text) ||
        gd_span_ieq(node->text, GD_SPAN("User-Agent")) ||
        gd_span_ieq(node->text, GD_SPAN("Accept"))) {
        gd_report_value(&loader->report, node,
                        "\"%s\" is no header field that can be set to a number",
                        node->text.ptr);
        return;
    }
    upstream->deadline_field = gd_arena_copy(&loader->plan->arena, node->text);
    gd_need(upstream->deadline_field.ptr);
}

/* What answers: exactly one of these. What is wrong in itself is reported already. */
static bool has_one_source(struct gd_loader *loader, const struct gd_yaml_node *map,
                           const struct gd_draft_upstream *draft)
{
    const struct {
        const char *key;
        const struct gd_yaml_node *node;
    } sources[] = {{"servers", draft->servers},
                   {"dns", draft->dns},
                   {"srv", draft->srv},
                   {"mock", draft->mock}};
    const char *first = NULL;
    bool any = false;

    for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        any = any || gd_yaml_get(map, sources[i].key);
        if (sources[i].node && first)
            return gd_report_key(&loader->report, sources[i].node,
                                 "an upstream has either %s or %s, not both", first,
                                 sources[i].key);
        if (sources[i].node)
            first = sources[i].key;
    }
    return any || gd_report_value(&loader->report, map,
                                  "servers (or dns, srv, mock) is missing");
}

static void load_source(struct gd_loader *loader, const struct gd_draft_upstream *draft,
                        struct gd_upstream_draft *upstream)
{
    if (draft->servers)
        load_servers(loader, draft->servers, &upstream->plan);
    if (draft->dns)
        gd_load_discovery(loader, draft->dns, GD_DISCOVERY_DNS, &upstream->plan);
    if (draft->srv)
        gd_load_discovery(loader, draft->srv, GD_DISCOVERY_SRV, &upstream->plan);
    if (draft->mock)
        gd_load_mock(loader, draft->mock, upstream);
}

static void load_long(struct gd_loader *loader, const struct gd_yaml_node *map,
                      struct gd_upstream_draft *upstream)
{
    struct gd_draft_upstream draft = {.plan = upstream->plan};

    gd_schema_defaults(GD_SECTION_TLS, &draft.tls);
    gd_schema_read(&loader->report, GD_SECTION_UPSTREAM, map, &draft);
    upstream->plan = draft.plan;
    gd_load_resilience(loader, &draft, &upstream->plan);
    check_pool(loader, map, &upstream->plan.pool);
    gd_load_headers(loader, draft.headers, GD_HEADERS_REQUEST, NULL, &upstream->headers);
    if (draft.deadline_header)
        load_deadline(loader, draft.deadline_header, &upstream->plan);
    gd_load_refuse_made(loader, &upstream->plan, draft.headers);
    if (upstream->plan.accept_encoding)
        gd_load_set_header(loader, GD_SPAN("Accept-Encoding"), GD_SPAN(GD_CODINGS_TEXT),
                           &upstream->headers);
    if (has_one_source(loader, map, &draft))
        load_source(loader, &draft, upstream);
    check_http(loader, map, &upstream->plan);
    gd_load_tls(loader, map, &draft.tls, &upstream->plan);
}

static void load_default_tls(struct gd_loader *loader, struct gd_plan_upstream *upstream)
{
    struct gd_draft_tls draft = {.ca = NULL};

    gd_schema_defaults(GD_SECTION_TLS, &draft);
    gd_load_tls(loader, NULL, &draft, upstream);
}

static void load_short(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_upstream *upstream)
{
    load_servers(loader, node, upstream);
    load_default_tls(loader, upstream);
}

/* Of the rest of the file only the seed of mocks has to do with an upstream. */
static void end_digest(struct gd_loader *loader, struct gd_upstream_draft *upstream)
{
    if (upstream->plan.mock)
        gd_digest_bytes(loader->digest,
                        (struct gd_span){(const char *)&loader->plan->mock_seed,
                                         sizeof(loader->plan->mock_seed)});
    gd_digest_end(loader->digest, upstream->plan.digest);
    loader->digest = NULL;
}

static void load_upstream(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_upstream_draft *upstream;
    struct gd_words words;

    if (!check_name(loader, node))
        return;
    upstream = gd_dict_get(&loader->upstreams, node->key->text);
    if (upstream) {
        /* In one file the key that stands twice is reported already. */
        if (upstream->node->file != node->file)
            gd_report_key(&loader->report, node,
                          "this upstream is declared twice, first at %s",
                          gd_words_place(&words, &loader->report, upstream->node));
        return;
    }
    upstream = upstream_new(loader, node->key->text);
    upstream->node = node;
    loader->digest = gd_digest_new();
    gd_digest_node(loader->digest, node);
    if (node->kind == GD_YAML_MAP)
        load_long(loader, node, upstream);
    else if (gd_yaml_is_null(node))
        gd_report_value(&loader->report, node,
                        "expected a URL, a list of URLs or a map of options, found "
                        "nothing");
    else
        load_short(loader, node, &upstream->plan);
    upstream->plan.header_lines = gd_load_header_lines(loader, &upstream->headers);
    upstream->plan.written = gd_load_upstream_written(loader, node);
    end_digest(loader, upstream);
}

void gd_load_upstreams(struct gd_loader *loader)
{
    gd_load_each(loader, "upstreams", load_upstream);
}

static bool has_scheme(const struct gd_upstream_draft *upstream, const struct gd_url *url)
{
    return upstream->node == NULL && upstream->plan.servers[0].https == url->https;
}

/* `https://HOST[:PORT]` */
static struct gd_span full_name(const struct gd_url *url)
{
    size_t scheme = strlen(url->https ? "https://" : "http://");

    return (struct gd_span){url->authority.ptr - scheme, url->authority.len + scheme};
}

static struct gd_upstream_draft *
new_literal(struct gd_loader *loader, struct gd_span name, const struct gd_url *url)
{
    struct gd_upstream_draft *upstream = upstream_new(loader, name);

    upstream->plan.servers =
        gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*upstream->plan.servers)));
    upstream->plan.servers[0] = gd_load_server(loader, url);
    upstream->plan.server_count = 1;
    upstream->plan.header_lines = gd_load_header_lines(loader, &upstream->headers);
    upstream->plan.written = gd_load_json_key(loader, full_name(url), "");
    load_default_tls(loader, &upstream->plan);
    loader->digest = gd_digest_new();
    gd_digest_bytes(loader->digest, name);
    gd_digest_bytes(loader->digest, url->https ? GD_SPAN("https") : GD_SPAN("http"));
    end_digest(loader, upstream);
    return upstream;
}

struct gd_upstream_draft *gd_load_literal_upstream(struct gd_loader *loader,
                                                   const struct gd_url *url)
{
    struct gd_upstream_draft *upstream = gd_dict_get(&loader->upstreams, url->authority);
    struct gd_span full = full_name(url);

    if (upstream == NULL)
        return new_literal(loader, url->authority, url);
    if (upstream->node)
        return NULL;
    if (has_scheme(upstream, url))
        return upstream;
    /* The host is called both ways: the second one has its scheme in the name. */
    upstream = gd_dict_get(&loader->upstreams, full);
    return upstream ? upstream : new_literal(loader, full, url);
}

void gd_load_settle_upstreams(struct gd_loader *loader)
{
    struct gd_plan *plan = loader->plan;

    plan->upstreams = gd_need(gd_arena_alloc(&plan->arena, (plan->upstream_count + 1) *
                                                               sizeof(*plan->upstreams)));
    for (struct gd_upstream_draft *draft = loader->first_upstream; draft;
         draft = draft->next) {
        struct gd_plan_upstream *upstream = &plan->upstreams[draft->plan.index];

        *upstream = draft->plan;
        for (unsigned i = 0; i < upstream->server_count; i++)
            upstream->servers[i].index = plan->server_count++;
    }
    gd_load_settle_passes(loader);
    for (unsigned i = 0; i < plan->route_count; i++)
        for (unsigned j = 0; j < plan->routes[i].call_count; j++) {
            struct gd_plan_call *call = &plan->routes[i].calls[j];

            if (call->upstream)
                call->upstream = &plan->upstreams[call->upstream->index];
        }
}
