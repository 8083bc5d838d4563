#include "gather/explain_inside.h"
#include "plan/folder.h"
#include "plan/redirect.h"
#include "plan/secret.h"

/* Routes that make no calls of their own: passes and redirects. */

/* The target of a template, or of the request, with secrets masked. */
static bool write_target(const struct gd_explaining *x, const struct gd_template *tpl,
                         bool adds_query, struct gd_buf *out)
{
    struct gd_template_gaps gaps;
    struct gd_buf target;
    bool ok;

    gd_buf_init(&target, NULL, GD_EXPLAIN_TEXT_MAX);
    ok = (tpl ? gd_template_show(tpl, &x->values, &target, &gaps)
              : gd_buf_add_span(&target, x->facts.path)) &&
         (!adds_query || x->facts.query.ptr == NULL ||
          (gd_buf_add_text(&target, "?") && gd_buf_add_span(&target, x->facts.query))) &&
         gd_secret_add_target(out, gd_buf_span(&target));
    gd_buf_free(&target);
    return ok;
}

void gd_explain_pass(struct gd_explaining *x, json_t *document)
{
    const struct gd_plan_pass *pass = x->route->pass;
    struct gd_span host = gd_explain_host(&pass->upstream->servers[0]);
    json_t *json = json_object();
    struct gd_buf url;

    gd_buf_init(&url, NULL, GD_EXPLAIN_TEXT_MAX);
    json_object_set_new(json, "method", gd_explain_span(x->facts.method));
    if (gd_buf_addf(&url, "http%s://%.*s", pass->upstream->servers[0].https ? "s" : "",
                    GD_SPAN_ARG(host)) &&
        write_target(x, pass->target, pass->adds_query, &url))
        json_object_set_new(json, "url", gd_explain_span(gd_buf_span(&url)));
    json_object_set_new(json, "upstream", gd_explain_upstream(pass->upstream));
    json_object_set_new(document, "pass", json);
    gd_buf_free(&url);
}

void gd_explain_redirect(struct gd_explaining *x, json_t *document)
{
    const struct gd_plan_redirect *redirect = x->route->redirect;
    json_t *answer = json_pack("{s:i}", "status", redirect->status);
    struct gd_buf location;

    gd_buf_init(&location, NULL, GD_EXPLAIN_TEXT_MAX);
    if (gd_buf_add_span(&location, redirect->origin) &&
        write_target(x, redirect->target, false, &location))
        json_object_set_new(answer, "location", gd_explain_span(gd_buf_span(&location)));
    json_object_set_new(document, "answer", answer);
    gd_buf_free(&location);
}

void gd_explain_files(struct gd_explaining *x, json_t *document)
{
    const struct gd_plan_folder *folder = x->route->folder;
    struct gd_span rest = x->match.params[x->match.param_count - 1];
    bool is_folder = rest.len == 0 || rest.ptr[rest.len - 1] == '/';
    json_t *files = json_pack("{s:s}", "dir", folder->dir);
    struct gd_buf path;

    gd_buf_init(&path, NULL, GD_EXPLAIN_TEXT_MAX);
    if (gd_buf_add_span(&path, rest) &&
        (!is_folder || folder->index == NULL || gd_buf_add_text(&path, folder->index)))
        json_object_set_new(files, "path", gd_explain_span(gd_buf_span(&path)));
    if (folder->fallback)
        json_object_set_new(files, "fallback", json_string(folder->fallback));
    json_object_set_new(files, "precompressed", json_boolean(folder->precompressed));
    json_object_set_new(files, "dotfiles", json_boolean(folder->dotfiles));
    json_object_set_new(document, "files", files);
    gd_buf_free(&path);
}
