#include "base/suggest.h"
#include "http/token.h"
#include "plan/loader.h"

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

static bool check_name(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    struct gd_span name = node->key->text;

    if (!gd_is_token(name))
        return gd_report_key(
            &loader->report, node,
            "a header name has letters, digits and !#$%%&'*+-.^_`|~ only");
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (gd_span_ieq(name, gd_span_of(reserved[i])))
            return gd_report_key(&loader->report, node,
                                 "%s is set by gatherd and cannot be given", reserved[i]);
    return true;
}

/* Writes the value with its placeholders; there is one name. */
static bool expand_value(struct gd_loader *loader, const struct gd_yaml_node *node,
                         struct gd_buf *out)
{
    struct gd_span version = GD_SPAN("{version}"), text = node->text;
    bool ok = true;

    for (size_t i = 0; ok && i < text.len;) {
        struct gd_span rest = {text.ptr + i, text.len - i};

        if (gd_span_starts(rest, GD_SPAN("{{")) || gd_span_starts(rest, GD_SPAN("}}"))) {
            ok = gd_buf_add(out, rest.ptr, 1);
            i += 2;
        } else if (gd_span_starts(rest, version)) {
            ok = gd_buf_add_text(out, GD_VERSION);
            i += version.len;
        } else if (*rest.ptr == '{' || *rest.ptr == '}') {
            return gd_report_inside(&loader->report, node, i,
                                    "{version} is the only placeholder here; literal "
                                    "braces are written {{ and }}");
        } else {
            ok = gd_buf_add(out, rest.ptr, 1);
            i++;
        }
    }
    return ok || gd_report_value(&loader->report, node,
                                 "a header value has at most %d bytes", VALUE_MAX);
}

static bool read_value(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_span *out)
{
    struct gd_words words;
    struct gd_buf value;
    bool ok;

    if (node->broken)
        return false;
    if (node->kind != GD_YAML_SCALAR || gd_yaml_is_null(node))
        return gd_report_value(&loader->report, node, "expected text, found %s",
                               gd_words_found(&words, node));
    gd_buf_init(&value, NULL, VALUE_MAX);
    ok = expand_value(loader, node, &value);
    if (ok) {
        *out = gd_span_trim(gd_buf_span(&value), " \t");
        ok = out->len == 0 || gd_is_field_value(*out) ||
             gd_report_value(&loader->report, node,
                             "a header value cannot have line breaks or other control "
                             "characters");
        out->ptr = gd_need(gd_arena_text(&loader->plan->arena, *out));
    }
    gd_buf_free(&value);
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

static void set_header(struct gd_headers *headers, struct gd_plan_header header)
{
    for (unsigned i = 0; i < headers->count; i++)
        if (gd_span_ieq(headers->items[i].name, header.name)) {
            headers->items[i] = header;
            return;
        }
    headers->items[headers->count++] = header;
}

void gd_load_headers(struct gd_loader *loader, const struct gd_yaml_node *map,
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
    all.items = gd_need(
        gd_arena_alloc(arena, (headers->count + map->count + 1) * sizeof(*all.items)));
    all.count = headers->count;
    if (headers->count)
        memcpy(all.items, headers->items, headers->count * sizeof(*all.items));
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_plan_header header;

        if (!check_name(loader, node) || !check_once(loader, map, node) ||
            !read_value(loader, node, &header.value))
            continue;
        header.name = gd_arena_copy(arena, node->key->text);
        gd_need(header.name.ptr);
        set_header(&all, header);
    }
    *headers = all;
}

struct gd_span gd_load_header_lines(struct gd_loader *loader,
                                    const struct gd_headers *headers)
{
    struct gd_span lines;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, SIZE_MAX / 2);
    for (unsigned i = 0; i < headers->count; i++)
        if (!gd_buf_add_span(&buf, headers->items[i].name) ||
            !gd_buf_add_text(&buf, ": ") ||
            !gd_buf_add_span(&buf, headers->items[i].value) ||
            !gd_buf_add_text(&buf, "\r\n"))
            gd_need(NULL);
    lines = gd_arena_copy(&loader->plan->arena, gd_buf_span(&buf));
    gd_need(lines.ptr);
    gd_buf_free(&buf);
    return lines;
}
