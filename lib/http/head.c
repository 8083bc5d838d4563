#include "http/head.h"

#include "http/head_lines.h"

const struct gd_field *gd_fields_get(const struct gd_fields *fields, enum gd_field_id id)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (fields->items[i].id == id)
            return &fields->items[i];
    return NULL;
}

const struct gd_field *gd_fields_find(const struct gd_fields *fields, struct gd_span name)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (gd_span_ieq(fields->items[i].name, name))
            return &fields->items[i];
    return NULL;
}

struct gd_span gd_fields_only(const struct gd_fields *fields, struct gd_span name)
{
    struct gd_span value = GD_SPAN_NONE;

    for (unsigned i = 0; i < fields->count; i++) {
        if (!gd_span_ieq(fields->items[i].name, name))
            continue;
        if (value.ptr)
            return GD_SPAN_NONE;
        value = fields->items[i].value;
    }
    return value;
}

static bool has_token(struct gd_span list, struct gd_span token)
{
    struct gd_span element;

    while (gd_head_next_element(&list, &element))
        if (gd_span_ieq(element, token))
            return true;
    return false;
}

bool gd_fields_has_token(const struct gd_fields *fields, enum gd_field_id id,
                         const char *token)
{
    const struct gd_span wanted = gd_span_of(token);

    for (unsigned i = 0; i < fields->count; i++)
        if (fields->items[i].id == id && has_token(fields->items[i].value, wanted))
            return true;
    return false;
}

int gd_refusal_status(enum gd_refusal refusal)
{
    static const int statuses[GD_REFUSALS] = {[GD_REFUSE_NONE] = 200,
#define X(id, status, text) [GD_REFUSE_##id] = status,
                                              GD_REFUSAL_ROWS(X)
#undef X
    };

    return statuses[refusal];
}

const char *gd_refusal_text(enum gd_refusal refusal)
{
    static const char *const texts[GD_REFUSALS] = {[GD_REFUSE_NONE] = "",
#define X(id, status, text) [GD_REFUSE_##id] = text,
                                                   GD_REFUSAL_ROWS(X)
#undef X
    };

    return texts[refusal];
}
