#include "http/encode.h"
#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/template.h"

/* What a route makes of its answers, whatever kind it is. */

/* Lists ---------------------------------------------------------------------------------
 */

/* The elements of a list, or a text alone as the only one. */
static const struct gd_yaml_node *first_of(const struct gd_yaml_node *node)
{
    return node->kind == GD_YAML_LIST ? node->first : node;
}

static const struct gd_yaml_node *next_of(const struct gd_yaml_node *list,
                                          const struct gd_yaml_node *node)
{
    return node == list ? NULL : node->next;
}

static bool is_star(const struct gd_yaml_node *node)
{
    return node->kind == GD_YAML_SCALAR && gd_span_is(node->text, "*");
}

/* `GET, POST` of a list of tokens; empty for `*` and for no list. */
static struct gd_span load_tokens(struct gd_loader *loader,
                                  const struct gd_yaml_node *list, const char *what)
{
    struct gd_span text = GD_SPAN_NONE;
    struct gd_words words;
    struct gd_buf out;
    bool ok = true;

    if (list == NULL || is_star(list))
        return GD_SPAN("");
    gd_buf_init(&out, NULL, SIZE_MAX / 2);
    for (const struct gd_yaml_node *node = first_of(list); node;
         node = next_of(list, node)) {
        if (node->kind != GD_YAML_SCALAR || !gd_is_token(node->text) || is_star(node)) {
            gd_report_value(&loader->report, node, "expected %s, found %s", what,
                            gd_words_found(&words, node));
            continue;
        }
        ok = ok && (out.len == 0 || gd_buf_add_text(&out, ", ")) &&
             gd_buf_add_span(&out, node->text);
    }
    if (ok)
        text = gd_arena_copy(&loader->plan->arena, gd_buf_span(&out));
    gd_need(text.ptr);
    gd_buf_free(&out);
    return text;
}

/* CORS ----------------------------------------------------------------------------------
 */

static void load_origins(struct gd_loader *loader, const struct gd_yaml_node *list,
                         struct gd_plan_cors *out)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_span *origins;
    struct gd_words words;
    struct gd_err err;

    if (list == NULL || list->broken)
        return;
    out->any = is_star(list);
    if (out->any)
        return;
    origins = gd_need(gd_arena_alloc(arena, (list->count + 1) * sizeof(*origins)));
    out->origins = origins;
    for (const struct gd_yaml_node *node = first_of(list); node;
         node = next_of(list, node)) {
        if (is_star(node)) {
            gd_report_value(&loader->report, node,
                            "\"*\" stands alone, without a list, for all origins");
        } else if (node->kind != GD_YAML_SCALAR) {
            gd_report_value(&loader->report, node,
                            "expected an origin like https://a.example, found %s",
                            gd_words_found(&words, node));
        } else if (!gd_cors_check(node->text, &err)) {
            gd_report_value(&loader->report, node, "%s", err.text);
        } else {
            origins[out->origin_count] = gd_arena_copy(arena, node->text);
            gd_need(origins[out->origin_count++].ptr);
        }
    }
}

static const struct gd_plan_cors *load_cors(struct gd_loader *loader,
                                            const struct gd_yaml_node *node)
{
    struct gd_draft_cors draft = {.origins = NULL};
    struct gd_plan_cors *cors;
    struct gd_words words;

    if (node == NULL || (node->kind == GD_YAML_SCALAR && gd_span_is(node->text, "off")))
        return NULL;
    if (node->kind != GD_YAML_MAP) {
        gd_report_value(&loader->report, node, "expected %s, found %s",
                        gd_type_words(GD_TYPE_SWITCH), gd_words_found(&words, node));
        return NULL;
    }
    gd_schema_defaults(GD_SECTION_CORS, &draft);
    gd_schema_read(&loader->report, GD_SECTION_CORS, node, &draft);
    cors = gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*cors)));
    load_origins(loader, draft.origins, cors);
    cors->credentials = draft.credentials;
    cors->max_age_s = draft.max_age_ms / 1000;
    cors->methods = load_tokens(loader, draft.methods, "a method like GET");
    cors->headers = load_tokens(loader, draft.headers, "the name of a header field");
    cors->expose = load_tokens(loader, draft.expose, "the name of a header field");
    if (draft.expose == NULL)
        cors->expose = GD_SPAN("Gather-Parts, Retry-After, X-Request-Id");
    else if (is_star(draft.expose) && !cors->credentials)
        cors->expose = GD_SPAN("*");
    if (draft.expose && is_star(draft.expose) && cors->credentials)
        gd_report_value(&loader->report, draft.expose,
                        "with credentials: true fields are named one by one");
    if (cors->any && cors->credentials)
        gd_report_value(&loader->report, draft.origins,
                        "\"*\" cannot go with credentials: true; name the origins");
    return cors;
}

/* Caches --------------------------------------------------------------------------------
 */

static bool has_field(const struct gd_plan_route *route, struct gd_span name)
{
    for (unsigned i = 0; i < route->field_count; i++)
        if (gd_span_ieq(route->fields[i].name, name))
            return true;
    return false;
}

static void load_cache_control(struct gd_loader *loader, const struct gd_yaml_node *node,
                               struct gd_plan_route *route)
{
    struct gd_span text = node ? gd_span_trim(node->text, " \t") : GD_SPAN("");
    struct gd_words words;

    if (node == NULL)
        return;
    if (text.len == 0 || !gd_is_field_value(text))
        gd_report_value(&loader->report, node,
                        "expected directives like \"public, max-age=60\", found %s",
                        gd_words_found(&words, node));
    else if (has_field(route, GD_SPAN("Cache-Control")))
        gd_report_value(&loader->report, node,
                        "response_headers have a Cache-Control already; remove one");
    route->finish.cache_control = gd_arena_copy(&loader->plan->arena, text);
    gd_need(route->finish.cache_control.ptr);
}

static void load_etag(struct gd_loader *loader, const struct gd_draft_route *draft,
                      const struct gd_yaml_node *node, struct gd_plan_route *route)
{
    const struct gd_yaml_node *own = gd_yaml_get(node, "etag");
    bool whole =
        route->kind == GD_ROUTE_KIND_GATHER || route->kind == GD_ROUTE_KIND_RESPOND;

    route->finish.etag = draft->etag && whole;
    if (own && !whole)
        gd_report_key(&loader->report, own,
                      "has no effect here: only answers that are made of calls or of "
                      "respond get one");
    else if (route->finish.etag && has_field(route, GD_SPAN("ETag")))
        gd_report_key(&loader->report, own ? own : draft->response_headers,
                      "response_headers have an ETag, and etag: on makes one");
}

/* Content codings -----------------------------------------------------------------------
 */

static void add_coding(struct gd_plan_compress *out, enum gd_content_coding coding)
{
    out->words[out->coding_count] = gd_coding_word(coding);
    out->codings[out->coding_count++] = (uint8_t)coding;
}

static void load_codings(struct gd_loader *loader, const struct gd_yaml_node *list,
                         struct gd_plan_compress *out)
{
    struct gd_words words;

    if (list == NULL) {
        add_coding(out, GD_CODING_BR);
        add_coding(out, GD_CODING_GZIP);
        return;
    }
    for (const struct gd_yaml_node *node = first_of(list); node;
         node = next_of(list, node)) {
        bool br = gd_span_is(node->text, "br"), gzip = gd_span_is(node->text, "gzip");

        if (node->kind == GD_YAML_SCALAR && (br || gzip) &&
            out->coding_count < GD_COMPRESS_CODINGS_MAX)
            add_coding(out, br ? GD_CODING_BR : GD_CODING_GZIP);
        else
            gd_report_value(&loader->report, node, "expected br or gzip, found %s",
                            gd_words_found(&words, node));
    }
}

/* `type/subtype`, where the latter may be a star. */
static bool is_type(struct gd_span text)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    size_t group = slash ? (size_t)(slash - text.ptr) : 0;

    return slash && gd_is_token((struct gd_span){text.ptr, group}) && *text.ptr != '*' &&
           gd_is_token((struct gd_span){slash + 1, text.len - group - 1});
}

static void load_types(struct gd_loader *loader, const struct gd_yaml_node *list,
                       struct gd_plan_compress *out)
{
    static const struct gd_span usual[] = {
        {"text/*", 6},
        {"application/json", 16},
        {"application/problem+json", 24},
        {"application/ld+json", 19},
        {"application/manifest+json", 25},
        {"application/javascript", 22},
        {"application/xml", 15},
        {"application/rss+xml", 19},
        {"application/atom+xml", 20},
        {"application/xhtml+xml", 21},
        {"application/wasm", 16},
        {"image/svg+xml", 13},
        {"image/x-icon", 12},
        {"font/ttf", 8},
        {"font/otf", 8},
    };
    struct gd_span *types;
    struct gd_words words;

    out->types = usual;
    out->type_count = sizeof(usual) / sizeof(usual[0]);
    if (list == NULL)
        return;
    types =
        gd_need(gd_arena_alloc(&loader->plan->arena, (list->count + 1) * sizeof(*types)));
    out->types = types;
    out->type_count = 0;
    for (const struct gd_yaml_node *node = first_of(list); node;
         node = next_of(list, node)) {
        if (node->kind != GD_YAML_SCALAR || !is_type(node->text)) {
            gd_report_value(&loader->report, node,
                            "expected a type like application/json or text/*, found %s",
                            gd_words_found(&words, node));
            continue;
        }
        types[out->type_count] = gd_arena_copy(&loader->plan->arena, node->text);
        gd_need(types[out->type_count++].ptr);
    }
}

static bool is_word(const struct gd_yaml_node *node, const char *word, const char *other)
{
    return node->kind == GD_YAML_SCALAR &&
           (gd_span_is(node->text, word) || gd_span_is(node->text, other));
}

static const struct gd_plan_compress *load_compress(struct gd_loader *loader,
                                                    const struct gd_yaml_node *node)
{
    struct gd_draft_compress draft = {.types = NULL};
    struct gd_plan_compress *compress;
    struct gd_words words;

    if (node == NULL || is_word(node, "off", "false"))
        return NULL;
    gd_schema_defaults(GD_SECTION_COMPRESS, &draft);
    if (node->kind == GD_YAML_MAP)
        gd_schema_read(&loader->report, GD_SECTION_COMPRESS, node, &draft);
    else if (!is_word(node, "on", "true"))
        gd_report_value(&loader->report, node, "expected %s, found %s",
                        gd_type_words(GD_TYPE_ACCESS), gd_words_found(&words, node));
    compress = gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*compress)));
    compress->min = draft.min;
    compress->level = draft.level;
    load_codings(loader, draft.codings, compress);
    load_types(loader, draft.types, compress);
    return compress;
}

/* What is streamed through and what has no content are not coded. */
static void check_compress(struct gd_loader *loader, const struct gd_yaml_node *node,
                           struct gd_plan_route *route)
{
    const struct gd_yaml_node *own = gd_yaml_get(node, "compress");
    bool never =
        route->kind == GD_ROUTE_KIND_PASS || route->kind == GD_ROUTE_KIND_REDIRECT;

    if (own && never && route->finish.compress)
        gd_report_key(&loader->report, own,
                      "has no effect here: answers of calls, of respond and files are "
                      "compressed");
    if (never)
        route->finish.compress = NULL;
}

/* Fields --------------------------------------------------------------------------------
 */

/* Fields that speak of a content or its place, so that a problem must not have them. */
static bool is_about_content(struct gd_span name)
{
    static const char *const names[] = {
        "Age",
        "Cache-Control",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Language",
        "Content-Location",
        "Content-Range",
        "ETag",
        "Expires",
        "Last-Modified",
        "Link",
        "Location",
        "Pragma",
        "Set-Cookie",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (gd_span_ieq(name, gd_span_of(names[i])))
            return true;
    return false;
}

/* The fields of every answer among these, as lines. */
static struct gd_span lines_of(struct gd_loader *loader, const struct gd_headers *all)
{
    struct gd_headers every = gd_load_copy_headers(loader, all);

    every.count = 0;
    for (unsigned i = 0; i < all->count; i++)
        if (all->templates[i] == NULL && !is_about_content(all->items[i].name)) {
            every.items[every.count] = all->items[i];
            every.templates[every.count++] = NULL;
        }
    return gd_load_header_lines(loader, &every);
}

static void keep_fields(struct gd_loader *loader, const struct gd_headers *headers,
                        struct gd_plan_route *route)
{
    struct gd_plan_field *fields =
        gd_load_fields(loader, headers, true, &route->field_count);

    route->fields = fields;
    for (unsigned i = 0; i < route->field_count; i++) {
        const struct gd_template *template = fields[i].template;

        fields[i].every = template == NULL && !is_about_content(fields[i].name);
        route->own_fields += !fields[i].every;
        if (template == NULL)
            continue;
        route->mentioned |= gd_template_needs(template);
        route->reads_body |= gd_template_reads_body(template);
    }
}

/* What streams does not wait for the body. */
static void check_fields(struct gd_loader *loader, const struct gd_draft_route *draft,
                         const struct gd_plan_route *route)
{
    bool waits =
        route->kind == GD_ROUTE_KIND_GATHER || route->kind == GD_ROUTE_KIND_RESPOND;

    if (route->reads_body && !waits)
        gd_report_key(&loader->report, draft->response_headers,
                      "this route does not wait for the body, so nothing can be taken "
                      "from it");
}

/* The fields of `defaults`, and those of the route in their place or beside them. */
static void load_fields(struct gd_loader *loader, const struct gd_draft_route *draft,
                        const struct gd_names *names, struct gd_plan_route *route)
{
    const struct gd_yaml_node *usual = loader->defaults.response_headers;
    struct gd_headers headers = {0};

    gd_load_headers(loader, usual, GD_HEADERS_ANSWER, names, &headers);
    if (!loader->finished)
        loader->plan->unrouted.lines = lines_of(loader, &headers);
    if (draft->response_headers != usual)
        gd_load_headers(loader, draft->response_headers, GD_HEADERS_ANSWER, names,
                        &headers);
    route->finish.lines = lines_of(loader, &headers);
    keep_fields(loader, &headers, route);
    check_fields(loader, draft, route);
}

void gd_load_finish(struct gd_loader *loader, const struct gd_yaml_node *node,
                    const struct gd_draft_route *draft, const struct gd_names *names,
                    struct gd_plan_route *route)
{
    const struct gd_yaml_node *usual = loader->defaults.cors;
    struct gd_plan_finish *finish = &route->finish;

    load_fields(loader, draft, names, route);
    if (!loader->finished)
        loader->plan->unrouted.cors = load_cors(loader, usual);
    route->finish.cors = draft->cors == usual ? loader->plan->unrouted.cors
                                              : load_cors(loader, draft->cors);
    if (!loader->finished)
        loader->plan->unrouted.compress =
            load_compress(loader, loader->defaults.compress);
    finish->compress = draft->compress == loader->defaults.compress
                           ? loader->plan->unrouted.compress
                           : load_compress(loader, draft->compress);
    check_compress(loader, node, route);
    load_cache_control(loader, draft->cache_control, route);
    load_etag(loader, draft, node, route);
    finish->server_timing = draft->server_timing;
    finish->any = finish->cache_control.len || finish->etag || finish->server_timing ||
                  finish->compress;
    loader->finished = true;
}
