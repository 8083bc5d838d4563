#include "plan/loader.h"
#include "plan/redirect.h"
#include "plan/schema.h"
#include "plan/template.h"
#include "plan/url.h"

/* The statuses, in the order of the words of the option's row. */
static const int statuses[] = {301, 302, 303, 307, 308};

/* Takes `https://HOST[:PORT]` off the front of *text. */
static bool take_origin(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_span *text, struct gd_span *origin)
{
    struct gd_report *report = &loader->report;
    struct gd_words words;
    struct gd_url url;
    struct gd_err err;

    if (!gd_url_split(*text, &url, &err))
        return gd_report_value(report, node, "%s", err.text);
    if (gd_template_has_brace(url.authority))
        return gd_report_value(report, node,
                               "a placeholder cannot stand in the host of a redirect");
    if (!gd_url_check(&url, &err))
        return gd_report_value(report, node, "%s", err.text);
    if (url.has_port && url.port == 0)
        return gd_report_value(report, node, "ports are 1 to 65535");
    if (url.rest.len == 0 || url.rest.ptr[0] != '/')
        return gd_report_value(report, node, "%s has no path; the root is written %.*s/",
                               gd_words_quote(&words, *text),
                               (int)(text->len - url.rest.len), text->ptr);
    *origin = gd_arena_copy(&loader->plan->arena,
                            (struct gd_span){text->ptr, text->len - url.rest.len});
    gd_need(origin->ptr);
    *text = url.rest;
    return true;
}

/* `//host/path` is a host to browsers, not a path. */
static bool check_path(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_span text)
{
    struct gd_words words;

    if (text.len == 0 || text.ptr[0] != '/')
        return gd_report_value(&loader->report, node,
                               "expected /PATH or https://HOST/PATH, found %s",
                               gd_words_quote(&words, text));
    if (gd_span_starts(text, GD_SPAN("//")))
        return gd_report_value(&loader->report, node,
                               "%s would lead to another host; write https:%.*s if that "
                               "is meant",
                               gd_words_quote(&words, text), GD_SPAN_ARG(text));
    return true;
}

static void load_to(struct gd_loader *loader, const struct gd_yaml_node *node,
                    const struct gd_names *names, struct gd_plan_redirect *redirect)
{
    struct gd_span text = node->text;
    struct gd_err err;

    if (gd_url_like(text) ? !take_origin(loader, node, &text, &redirect->origin)
                          : !check_path(loader, node, text))
        return;
    redirect->target = gd_template_target(&loader->plan->arena, text, names, &err);
    if (redirect->target == NULL)
        gd_report_value(&loader->report, node, "%s", err.text);
    else if (gd_template_reads_body(redirect->target))
        gd_report_value(&loader->report, node,
                        "a redirect does not wait for the body, so nothing can be taken "
                        "from it");
}

void gd_load_redirect(struct gd_loader *loader, const struct gd_yaml_node *node,
                      const struct gd_names *names, struct gd_plan_route *route)
{
    struct gd_draft_redirect draft = {.to = node};
    struct gd_words words;

    gd_schema_defaults(GD_SECTION_REDIRECT, &draft);
    if (node->kind == GD_YAML_MAP) {
        draft.to = NULL;
        gd_schema_read(&loader->report, GD_SECTION_REDIRECT, node, &draft);
        node = draft.to;
    }
    route->redirect =
        gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*route->redirect)));
    route->redirect->status = statuses[draft.status];
    if (node == NULL || node->broken)
        return;
    if (node->kind == GD_YAML_SCALAR)
        load_to(loader, node, names, route->redirect);
    else
        gd_report_value(&loader->report, node,
                        "expected /PATH, https://HOST/PATH, or a map with to, found %s",
                        gd_words_found(&words, node));
}
