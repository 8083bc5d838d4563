#include "http/target.h"
#include "plan/expand.h"
#include "plan/loader.h"
#include "plan/shape.h"

/* Forwarding ----------------------------------------------------------------------------
 */

static bool is_cookie_name(struct gd_span name)
{
    return gd_is_token(name);
}

static bool is_query_name(struct gd_span name)
{
    return name.len > 0 && name.len <= 256;
}

/* What one list may hold, and what a message says when it does not. */
static const struct kind {
    bool (*fits)(struct gd_span name);
    const char *wrong;
    bool any_case; /* names that differ in case only are the same */
} kinds[] = {
    /* Cookies are forwarded by name, and what describes a body goes with the body. */
    {gd_header_is_free, "is no header field that can be forwarded", true},
    {is_query_name, "is no name of a query parameter", false},
    {is_cookie_name, "is no name of a cookie", false},
};

/* A name twice in one list would be passed on twice. */
static bool is_known(const struct kind *kind, const struct gd_span *names, unsigned count,
                     struct gd_span name)
{
    for (unsigned i = 0; i < count; i++)
        if (kind->any_case ? gd_span_ieq(names[i], name) : gd_span_eq(names[i], name))
            return true;
    return false;
}

static bool load_names(struct gd_loader *loader, const struct gd_yaml_node *list,
                       const struct kind *kind, const struct gd_span **out,
                       unsigned *count)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_words words;
    struct gd_span *names;
    bool ok = true;

    *count = 0;
    if (list == NULL)
        return true;
    names = gd_need(gd_arena_alloc(arena, (list->count + 1) * sizeof(*names)));
    for (const struct gd_yaml_node *node = list->first; node; node = node->next) {
        if (node->kind != GD_YAML_SCALAR || !kind->fits(node->text)) {
            ok = gd_report_value(&loader->report, node, "%s %s",
                                 gd_words_found(&words, node), kind->wrong);
            continue;
        }
        if (is_known(kind, names, *count, node->text)) {
            ok = gd_report_value(&loader->report, node, "%s stands twice in the list",
                                 gd_words_found(&words, node));
            continue;
        }
        names[*count] = gd_arena_copy(arena, node->text);
        gd_need(names[(*count)++].ptr);
    }
    *out = names;
    return ok;
}

bool gd_load_forward(struct gd_loader *loader, const struct gd_draft_forward *draft,
                     struct gd_plan_forward *out)
{
    bool headers =
        load_names(loader, draft->headers, &kinds[0], &out->headers, &out->header_count);
    bool query =
        load_names(loader, draft->query, &kinds[1], &out->query, &out->query_count);
    bool cookies =
        load_names(loader, draft->cookies, &kinds[2], &out->cookies, &out->cookie_count);

    return headers && query && cookies;
}

void gd_load_prefer_query(struct gd_loader *loader, struct gd_span url,
                          struct gd_plan_forward *forward)
{
    const char *mark = url.len ? memchr(url.ptr, '?', url.len) : NULL;
    struct gd_span own = GD_SPAN_NONE, *kept;
    unsigned count = 0;

    if (mark == NULL)
        return;
    own = (struct gd_span){mark + 1, url.len - (size_t)(mark + 1 - url.ptr)};
    kept = gd_need(
        gd_arena_alloc(&loader->plan->arena, (forward->query_count + 1) * sizeof(*kept)));
    for (unsigned i = 0; i < forward->query_count; i++)
        if (gd_query_get(own, forward->query[i]).ptr == NULL)
            kept[count++] = forward->query[i];
    forward->query = kept;
    forward->query_count = count;
}

/* Payloads ------------------------------------------------------------------------------
 */

/* Appends the literal text of a value escaped and its placeholders as they are. */
static bool add_form_value(struct gd_buf *out, struct gd_span text)
{
    size_t i = 0;

    while (i < text.len) {
        struct gd_span rest = {text.ptr + i, text.len - i};
        const char *end = *rest.ptr == '{' ? memchr(rest.ptr, '}', rest.len) : NULL;
        size_t len = 1;

        if (gd_span_starts(rest, GD_SPAN("{{")) || gd_span_starts(rest, GD_SPAN("}}")))
            len = 2;
        else if (end)
            len = (size_t)(end - rest.ptr) + 1;
        rest.len = len;
        if (!(*rest.ptr == '{' || *rest.ptr == '}' ? gd_buf_add_span(out, rest)
                                                   : gd_percent_encode(out, rest)))
            return false;
        i += len;
    }
    return true;
}

static bool add_form_pair(struct gd_buf *out, const struct gd_yaml_node *node)
{
    struct gd_span text = node->text;
    bool dollar = gd_span_starts(text, GD_SPAN("$")) && node->source == NULL;

    if (!gd_buf_add_text(out, out->len > 2 ? "&" : "") ||
        !gd_percent_encode(out, node->key->text) || !gd_buf_add_text(out, "="))
        return false;
    if (gd_expand_is_data(node))
        return gd_percent_encode(out, text);
    if (dollar && gd_span_starts(text, GD_SPAN("$$"))) {
        text = (struct gd_span){text.ptr + 1, text.len - 1};
        dollar = false;
    }
    if (!dollar)
        return add_form_value(out, text);
    return gd_buf_addf(out, "{%.*s}", (int)text.len - 1, text.ptr + 1);
}

/* A form is a query in the body, so it is compiled as one. */
static bool load_form(struct gd_loader *loader, const struct gd_yaml_node *map,
                      const struct gd_names *names, struct gd_plan_call *call)
{
    struct gd_words words;
    struct gd_buf text;
    struct gd_err err;
    bool ok =
        map->count > 0 || gd_report_value(&loader->report, map, "a form has fields");

    gd_buf_init(&text, NULL, SIZE_MAX / 2);
    ok = ok && gd_buf_add_text(&text, "/?");
    for (const struct gd_yaml_node *node = map->first; ok && node; node = node->next)
        ok = (node->kind == GD_YAML_SCALAR ||
              gd_report_value(&loader->report, node, "expected text, found %s",
                              gd_words_found(&words, node))) &&
             (node->broken || add_form_pair(&text, node));
    if (ok) {
        call->payload = GD_PAYLOAD_FORM;
        call->form =
            gd_template_target(&loader->plan->arena, gd_buf_span(&text), names, &err);
        ok = call->form || gd_report_value(&loader->report, map, "%s", err.text);
    }
    gd_buf_free(&text);
    return ok;
}

bool gd_load_payload(struct gd_loader *loader, const struct gd_draft_call *draft,
                     const struct gd_names *names, struct gd_plan_call *call)
{
    const struct gd_yaml_node *second = draft->form ? draft->form : draft->json;
    unsigned count = (draft->json != NULL) + (draft->form != NULL) + (draft->body != 0);

    if (count > 1)
        return gd_report_key(&loader->report, second,
                             "a call has one body: json, form or body: forward");
    if (draft->body)
        call->payload = GD_PAYLOAD_FORWARD;
    if (draft->form)
        return load_form(loader, draft->form, names, call);
    if (draft->json == NULL)
        return true;
    call->payload = GD_PAYLOAD_JSON;
    call->json = gd_shape_load(loader, draft->json, names);
    return call->json != NULL;
}
