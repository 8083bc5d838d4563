#include <stdatomic.h>

#include "base/mem.h"
#include "front/admin_inside.h"
#include "front/recent.h"
#include "front/sum.h"
#include "gather/explain.h"

void gd_admin_status(struct gd_admin *admin, struct gd_request *request,
                     const struct gd_match *match)
{
    struct gd_document *document = gd_document_new();
    uint64_t uptime_s = (gd_loop_now_us(admin->loop) - admin->start_us) / 1000000;

    gd_document_answer(request, 200, GD_SPAN("application/json"), document,
                       gd_sum_status(&document->text, &admin->source, uptime_s,
                                     gd_loop_wall_s(admin->loop)));
}

void gd_admin_metrics(struct gd_admin *admin, struct gd_request *request,
                      const struct gd_match *match)
{
    struct gd_document *document = gd_document_new();

    gd_document_answer(request, 200, GD_SPAN("text/plain; version=0.0.4; charset=utf-8"),
                       document, gd_sum_metrics(&document->text, &admin->source));
}

void gd_admin_requests(struct gd_admin *admin, struct gd_request *request,
                       const struct gd_match *match)
{
    struct gd_document *document = gd_document_new();
    unsigned count = admin->source.recents ? admin->source.worker_count : 0;

    gd_document_answer(request, 200, GD_SPAN("application/json"), document,
                       gd_recent_json(admin->source.recents, count, &document->text));
}

/* A parameter of the query, decoded. What is asked for is a path with its query, where
 * "+" has its own meaning. */
static struct gd_span parameter(struct gd_request *request, struct gd_span name)
{
    return gd_admin_decode(request->arena, gd_query_get(request->target.query, name));
}

void gd_admin_explain(struct gd_admin *admin, struct gd_request *request,
                      const struct gd_match *match)
{
    struct gd_fields none = {NULL, 0};
    struct gd_explain_request about = {
        .method = parameter(request, GD_SPAN("method")),
        .target = parameter(request, GD_SPAN("path")),
        .host = parameter(request, GD_SPAN("host")),
        .fields = &none,
    };
    json_t *json;

    if (about.method.ptr == NULL)
        about.method = GD_SPAN("GET");
    json = gd_explain(admin->source.plan, &about, NULL);
    if (json == NULL)
        gd_request_problem(request, 400,
                           "path, method and host have to be those of a request, as in "
                           "/explain?method=GET&path=/profile/7",
                           GD_SPAN(""), NULL, 0);
    else
        gd_admin_answer_json(request, 200, json);
}

static void answer_word(struct gd_request *request, int status, const char *word)
{
    struct gd_document *document = gd_document_new();
    bool whole = gd_buf_addf(&document->text, "%s\n", word);

    gd_document_answer(request, status, GD_SPAN("text/plain; charset=utf-8"), document,
                       whole);
}

void gd_admin_health(struct gd_admin *admin, struct gd_request *request,
                     const struct gd_match *match)
{
    answer_word(request, 200, "ok");
}

void gd_admin_readiness(struct gd_admin *admin, struct gd_request *request,
                        const struct gd_match *match)
{
    enum gd_life life = (enum gd_life)atomic_load(admin->source.life);

    answer_word(request, life == GD_LIFE_READY ? 200 : 503, gd_life_word(life));
}
