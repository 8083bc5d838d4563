#include "plan/expand.h"
#include "plan/loader.h"
#include "plan/render.h"
#include "plan/secret.h"
#include "plan/template.h"
#include "plan/url.h"

/* What is kept of the file for people who ask what a plan does. */

/* Options of a call that other members of the plan tell. */
static bool is_told(struct gd_span key)
{
    static const char *const told[] = {"url",     "method",   "headers", "forward",
                                       "timeout", "optional", "hidden"};

    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        if (gd_span_is(key, told[i]))
            return true;
    return false;
}

static bool add_member(struct gd_buf *out, struct gd_span key,
                       const struct gd_yaml_node *value)
{
    /* Of renames the names themselves are shown, not what they stand for. */
    bool by_name = !gd_span_is(key, "rename");

    return gd_buf_addf(out, "%s\"%.*s\":", out->len > 1 ? "," : "", GD_SPAN_ARG(key)) &&
           gd_render_written(value, by_name, out);
}

static struct gd_span keep(struct gd_loader *loader, struct gd_buf *text)
{
    struct gd_span kept = gd_arena_copy(&loader->plan->arena, gd_buf_span(text));

    gd_need(kept.ptr);
    gd_buf_free(text);
    return kept;
}

static struct gd_span options_of(struct gd_loader *loader,
                                 const struct gd_yaml_node *node)
{
    struct gd_buf out;
    bool ok;

    gd_buf_init(&out, NULL, SIZE_MAX / 2);
    ok = gd_buf_add_text(&out, "{");
    for (const struct gd_yaml_node *value = node->kind == GD_YAML_MAP ? node->first
                                                                      : NULL;
         value; value = value->next)
        if (!is_told(value->key->text))
            ok = ok && add_member(&out, value->key->text, value);
    if (!ok || !gd_buf_add_text(&out, "}"))
        gd_need(NULL);
    return keep(loader, &out);
}

/* The path in `[METHOD ]UPSTREAM/PATH` or a URL; empty where it cannot be told apart from
 * what is masked. */
static struct gd_span path_of(struct gd_span text)
{
    const char *slash = memchr(text.ptr, '/', text.len);
    const char *space = memchr(text.ptr, ' ', text.len);
    size_t skip =
        space && (slash == NULL || space < slash) ? (size_t)(space - text.ptr) + 1 : 0;

    text = (struct gd_span){text.ptr + skip, text.len - skip};
    if (gd_url_like(text)) {
        const char *host = strstr(text.ptr, "://") + 3;

        text.len -= (size_t)(host - text.ptr);
        text.ptr = host;
    }
    slash = memchr(text.ptr, '/', text.len);
    if (slash == NULL)
        return GD_SPAN("");
    return (struct gd_span){slash, text.len - (size_t)(slash - text.ptr)};
}

static const struct gd_template *masked_target(struct gd_loader *loader,
                                               const struct gd_yaml_node *url,
                                               const struct gd_names *names)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_template *target = NULL;
    struct gd_buf text;

    gd_buf_init(&text, NULL, SIZE_MAX / 2);
    if (gd_expand_masked(url, &text) && gd_buf_add(&text, "", 1)) {
        struct gd_span whole = {text.data, text.len - 1};

        target = gd_template_target(arena, path_of(whole), names, NULL);
    }
    gd_buf_free(&text);
    /* What a mask stands for may be half an escape, or all of it. */
    if (target == NULL)
        target = gd_template_target(arena, GD_SPAN("/" GD_SECRET_MASK), names, NULL);
    return gd_need(target);
}

void gd_load_written(struct gd_loader *loader, const struct gd_yaml_node *node,
                     const struct gd_names *names, struct gd_plan_call *call)
{
    const struct gd_yaml_node *url =
        node->kind == GD_YAML_MAP ? gd_yaml_get(node, "url") : node;

    call->written.options = options_of(loader, node);
    call->written.target =
        url && url->source ? masked_target(loader, url, names) : call->target;
}

struct gd_span gd_load_answer_written(struct gd_loader *loader,
                                      const struct gd_draft_route *draft)
{
    const struct gd_yaml_node *node = draft->respond ? draft->respond : draft->merge;
    const char *key = draft->respond ? "respond" : "merge";
    struct gd_buf out;

    gd_buf_init(&out, NULL, SIZE_MAX / 2);
    if (!gd_buf_add_text(&out, "{") ||
        (node && !add_member(&out, gd_span_of(key), node)) || !gd_buf_add_text(&out, "}"))
        gd_need(NULL);
    return keep(loader, &out);
}
