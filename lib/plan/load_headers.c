#include "base/suggest.h"
#include "http/forwarded.h"
#include "http/token.h"
#include "plan/expand.h"
#include "plan/loader.h"
#include "plan/template.h"

enum { VALUE_MAX = 8192 };

/* Fields that decide where a message ends, how it is read or which request it belongs to,
 * or say who sent it: gatherd writes them. */
static const char *const reserved[] = {
    "Accept-Encoding",
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Request-Id",
    "traceparent",
    "tracestate",
};

/* … and those of an answer. */
static const char *const reserved_answer[] = {
    "Connection", "Content-Length", "Content-Type",      "Date",    "Gather-Parts",
    "Keep-Alive", "Trailer",        "Transfer-Encoding", "Upgrade", "X-Request-Id",
};

static const char *find_in(const char *const *list, size_t count, struct gd_span name)
{
    for (size_t i = 0; i < count; i++)
        if (gd_span_ieq(name, gd_span_of(list[i])))
            return list[i];
    return NULL;
}

#define FIND_IN(list, name) find_in(list, sizeof(list) / sizeof((list)[0]), name)

bool gd_header_is_free(struct gd_span name)
{
    return gd_is_token(name) && !gd_header_is_reserved(name) &&
           !gd_span_ieq(name, GD_SPAN("Cookie")) &&
           !gd_span_ieq(name, GD_SPAN("Content-Type")) &&
           !gd_span_ieq(name, GD_SPAN("Content-Encoding"));
}

bool gd_header_is_reserved(struct gd_span name)
{
    return FIND_IN(reserved, name) != NULL || gd_is_forwarding_field(name);
}

static bool check_name(struct gd_loader *loader, const struct gd_yaml_node *node,
                       enum gd_headers_of whose)
{
    struct gd_span name = node->key->text;
    const char *taken = whose == GD_HEADERS_ANSWER ? FIND_IN(reserved_answer, name)
                                                   : FIND_IN(reserved, name);

    if (!gd_is_token(name))
        return gd_report_key(
            &loader->report, node,
            "a header name has letters, digits and !#$%%&'*+-.^_`|~ only");
    return taken == NULL ||
           gd_report_key(&loader->report, node,
                         "%s is set by gatherd and cannot be given", taken);
}

static bool say_too_long(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    return gd_report_value(&loader->report, node, "a header value has at most %d bytes",
                           VALUE_MAX);
}

/* The value with `{version}` replaced. Other placeholders stay where there may be some
 * (plain false then); without any, doubled braces become single ones. */
static bool expand_value(struct gd_loader *loader, const struct gd_yaml_node *node,
                         bool placeholders, struct gd_buf *out)
{
    struct gd_span version = GD_SPAN("{version}"), text = node->text;
    bool ok = true;

    for (size_t i = 0; ok && i < text.len;) {
        struct gd_span rest = {text.ptr + i, text.len - i};

        if (gd_span_starts(rest, GD_SPAN("{{")) || gd_span_starts(rest, GD_SPAN("}}"))) {
            ok = gd_buf_add(out, rest.ptr, placeholders ? 2 : 1);
            i += 2;
        } else if (gd_span_starts(rest, version)) {
            ok = gd_buf_add_text(out, GD_VERSION);
            i += version.len;
        } else if (!placeholders && (*rest.ptr == '{' || *rest.ptr == '}')) {
            return gd_report_inside(&loader->report, node, i,
                                    "{version} is the only placeholder here; literal "
                                    "braces are written {{ and }}");
        } else {
            ok = gd_buf_add(out, rest.ptr, 1);
            i++;
        }
    }
    return ok || say_too_long(loader, node);
}

static bool keep_value(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_span text, struct gd_span *out)
{
    *out = gd_span_trim(text, " \t");
    if (out->len > VALUE_MAX)
        return say_too_long(loader, node);
    if (out->len && !gd_is_field_value(*out))
        return gd_report_value(&loader->report, node,
                               "a header value cannot have line breaks or other control "
                               "characters");
    out->ptr = gd_need(gd_arena_text(&loader->plan->arena, *out));
    return true;
}

/* A value that may have placeholders: a template, or fixed text. */
static bool compile_value(struct gd_loader *loader, const struct gd_yaml_node *node,
                          struct gd_span text, const struct gd_names *names,
                          struct gd_span *value, const struct gd_template **out)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_span literal;
    struct gd_err err;

    *out = gd_template_header(arena, text, names, &err);
    if (*out == NULL)
        return gd_report_value(&loader->report, node, "%s", err.text);
    literal = gd_template_literal(*out);
    if (text.len && literal.ptr == NULL)
        return true;
    *out = NULL;
    return keep_value(loader, node, literal, value);
}

static bool read_value(struct gd_loader *loader, const struct gd_yaml_node *node,
                       const struct gd_names *names, struct gd_span *value,
                       const struct gd_template **template)
{
    struct gd_words words;
    struct gd_buf text;
    bool ok;

    *template = NULL;
    if (node->broken)
        return false;
    if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node))
        return gd_report_value(&loader->report, node, "expected text, found %s",
                               gd_words_found(&words, node));
    if (gd_expand_is_data(node))
        return keep_value(loader, node, node->text, value);
    gd_buf_init(&text, NULL, VALUE_MAX);
    ok = expand_value(loader, node, names != NULL, &text);
    if (ok && names)
        ok = compile_value(loader, node, gd_span_trim(gd_buf_span(&text), " \t"), names,
                           value, template);
    else if (ok)
        ok = keep_value(loader, node, gd_buf_span(&text), value);
    gd_buf_free(&text);
    return ok;
}

/* The map's own names, without regard to case, stand once. */
static bool check_once(struct gd_loader *loader, const struct gd_yaml_node *map,
                       const struct gd_yaml_node *node)
{
    for (const struct gd_yaml_node *other = map->first; other != node;
         other = other->next)
        if (gd_span_ieq(other->key->text, node->key->text) &&
            !gd_span_eq(other->key->text, node->key->text))
            return gd_report_key(&loader->report, node,
                                 "the same header as \"%s\": case does not count",
                                 other->key->text.ptr);
    return true;
}

static void set_header(struct gd_headers *headers, struct gd_plan_header header,
                       const struct gd_template *template, bool secret)
{
    unsigned i = 0;

    while (i < headers->count && !gd_span_ieq(headers->items[i].name, header.name))
        i++;
    headers->items[i] = header;
    headers->templates[i] = template;
    headers->secrets[i] = secret;
    headers->count += i == headers->count;
}

static struct gd_headers copy_headers(struct gd_arena *arena,
                                      const struct gd_headers *from, unsigned more)
{
    size_t most = from->count + more + 1;
    struct gd_headers all = {
        .items = gd_need(gd_arena_alloc(arena, most * sizeof(*all.items))),
        .templates = gd_need(gd_arena_alloc(arena, most * sizeof(*all.templates))),
        .secrets = gd_need(gd_arena_alloc(arena, most * sizeof(*all.secrets))),
        .count = from->count,
    };

    if (from->count) {
        memcpy(all.items, from->items, from->count * sizeof(*all.items));
        memcpy(all.templates, from->templates, from->count * sizeof(*all.templates));
        memcpy(all.secrets, from->secrets, from->count * sizeof(*all.secrets));
    }
    return all;
}

struct gd_headers gd_load_copy_headers(struct gd_loader *loader,
                                       const struct gd_headers *from)
{
    return copy_headers(&loader->plan->arena, from, 0);
}

void gd_load_headers(struct gd_loader *loader, const struct gd_yaml_node *map,
                     enum gd_headers_of whose, const struct gd_names *names,
                     struct gd_headers *headers)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_headers all;

    if (map == NULL)
        return;
    if (map->count > GD_HEADERS_MAX) {
        gd_report_value(&loader->report, map, "there can be %d headers, found %u",
                        GD_HEADERS_MAX, map->count);
        return;
    }
    all = copy_headers(arena, headers, map->count);
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        const struct gd_template *template;
        struct gd_plan_header header = {GD_SPAN_NONE, GD_SPAN_NONE};

        if (!check_name(loader, node, whose) || !check_once(loader, map, node) ||
            !read_value(loader, node, names, &header.value, &template))
            continue;
        header.name = gd_arena_copy(arena, node->key->text);
        gd_need(header.name.ptr);
        set_header(&all, header, template, node->source != NULL);
    }
    *headers = all;
}

void gd_load_refuse_made(struct gd_loader *loader,
                         const struct gd_plan_upstream *upstream,
                         const struct gd_yaml_node *map)
{
    for (const struct gd_yaml_node *node = map ? map->first : NULL; node;
         node = node->next) {
        if (upstream->cookies && gd_span_ieq(node->key->text, GD_SPAN("cookie")))
            gd_report_key(&loader->report, node,
                          "with cookies: on the upstream's jar makes this field");
        if (upstream->deadline_field.ptr &&
            gd_span_ieq(node->key->text, upstream->deadline_field))
            gd_report_key(&loader->report, node,
                          "this is the deadline_header of the upstream");
    }
}

void gd_load_set_header(struct gd_loader *loader, struct gd_span name,
                        struct gd_span value, struct gd_headers *headers)
{
    *headers = copy_headers(&loader->plan->arena, headers, 1);
    set_header(headers, (struct gd_plan_header){name, value}, NULL, false);
}

struct gd_plan_field *gd_load_fields(struct gd_loader *loader,
                                     const struct gd_headers *headers, bool all,
                                     unsigned *count)
{
    size_t size = (headers->count + 1) * sizeof(struct gd_plan_field);
    struct gd_plan_field *fields = gd_need(gd_arena_alloc(&loader->plan->arena, size));

    *count = 0;
    for (unsigned i = 0; i < headers->count; i++)
        if (all || headers->templates[i])
            fields[(*count)++] = (struct gd_plan_field){
                .name = headers->items[i].name,
                .value = headers->items[i].value,
                .template = headers->templates[i],
                .secret = headers->secrets[i],
            };
    return fields;
}

struct gd_span gd_load_header_lines(struct gd_loader *loader,
                                    const struct gd_headers *headers)
{
    struct gd_span lines;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, SIZE_MAX / 2);
    for (unsigned i = 0; i < headers->count; i++)
        if (headers->templates[i] == NULL &&
            !(gd_buf_add_span(&buf, headers->items[i].name) &&
              gd_buf_add_text(&buf, ": ") &&
              gd_buf_add_span(&buf, headers->items[i].value) &&
              gd_buf_add_text(&buf, "\r\n")))
            gd_need(NULL);
    lines = gd_arena_copy(&loader->plan->arena, gd_buf_span(&buf));
    gd_need(lines.ptr);
    gd_buf_free(&buf);
    return lines;
}
