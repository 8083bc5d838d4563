#include "gather/explain_inside.h"

/* What a route makes of its answers, whatever kind it is. */

static json_t *fields_json(const struct gd_explaining *x)
{
    json_t *fields = json_array();

    for (unsigned i = 0; i < x->route->field_count; i++)
        json_array_append_new(fields, gd_explain_field(x, &x->route->fields[i]));
    return fields;
}

static json_t *compress_json(const struct gd_plan_compress *compress)
{
    json_t *codings = json_array();

    for (unsigned i = 0; i < compress->coding_count; i++)
        json_array_append_new(codings, gd_explain_span(compress->words[i]));
    return json_pack("{s:I, s:i, s:o}", "min_bytes", (json_int_t)compress->min, "level",
                     (int)compress->level, "codings", codings);
}

static json_t *cors_json(const struct gd_plan_cors *cors)
{
    json_t *origins = json_array();

    for (unsigned i = 0; i < cors->origin_count; i++)
        json_array_append_new(origins, gd_explain_span(cors->origins[i]));
    if (cors->any)
        json_array_append_new(origins, json_string("*"));
    return json_pack("{s:o, s:b}", "origins", origins, "credentials", cors->credentials);
}

void gd_explain_finish(const struct gd_explaining *x, json_t *answer)
{
    const struct gd_plan_finish *finish = &x->route->finish;
    bool composed =
        x->route->kind == GD_ROUTE_KIND_GATHER || x->route->kind == GD_ROUTE_KIND_RESPOND;

    if (x->route->field_count || composed)
        json_object_set_new(answer, "headers", fields_json(x));
    if (finish->cache_control.len)
        json_object_set_new(answer, "cache_control",
                            gd_explain_span(finish->cache_control));
    if (finish->etag)
        json_object_set_new(answer, "etag", json_true());
    if (finish->server_timing)
        json_object_set_new(answer, "server_timing", json_true());
    if (finish->compress)
        json_object_set_new(answer, "compress", compress_json(finish->compress));
    if (finish->cors)
        json_object_set_new(answer, "cors", cors_json(finish->cors));
}
