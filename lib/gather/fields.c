#include "gather/fields.h"

#include "plan/template.h"

/* A head has room for this and for what gatherd adds. */
enum { FIELDS_MAX_BYTES = 32 * 1024 };

/* The value; ptr NULL when there is none. */
static enum gd_failure expand(const struct gd_plan_field *field,
                              const struct gd_values *values, struct gd_arena *arena,
                              struct gd_buf *scratch, struct gd_span *out)
{
    *out = field->value;
    if (field->template == NULL)
        return GD_OK;
    *out = GD_SPAN_NONE;
    scratch->len = 0;
    if (gd_template_expand(field->template, values, scratch))
        return GD_OK;
    *out = gd_arena_copy(arena, gd_buf_span(scratch));
    return out->ptr ? GD_OK : GD_FAIL_TOO_LARGE;
}

bool gd_answer_fields(const struct gd_plan_route *route, const struct gd_values *values,
                      struct gd_arena *arena, struct gd_buf *scratch,
                      struct gd_plan_header *out, unsigned *count)
{
    size_t bytes = 0;

    *count = 0;
    for (unsigned i = 0; i < route->field_count; i++) {
        const struct gd_plan_field *field = &route->fields[i];
        struct gd_span value;

        if (field->every)
            continue;
        if (expand(field, values, arena, scratch, &value))
            return false;
        if (value.ptr == NULL)
            continue;
        bytes += field->name.len + value.len;
        if (bytes > FIELDS_MAX_BYTES)
            return false;
        out[(*count)++] = (struct gd_plan_header){field->name, value};
    }
    return true;
}
