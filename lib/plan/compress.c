#include "plan/finish.h"

/* The type and subtype of a Content-Type. */
static struct gd_span essence_of(struct gd_span type)
{
    const char *end = type.len ? memchr(type.ptr, ';', type.len) : NULL;

    if (end)
        type.len = (size_t)(end - type.ptr);
    return gd_span_trim(type, " \t");
}

static bool is_type(struct gd_span pattern, struct gd_span type)
{
    size_t group = pattern.len - 1; /* without its star */

    if (pattern.ptr[group] != '*')
        return gd_span_ieq(pattern, type);
    /* A stream of events is coded only when it is named: its readers wait for each. */
    return type.len > group && !gd_span_ieq(type, GD_SPAN("text/event-stream")) &&
           gd_span_ieq((struct gd_span){pattern.ptr, group},
                       (struct gd_span){type.ptr, group});
}

bool gd_compress_has(const struct gd_plan_compress *compress, struct gd_span type)
{
    struct gd_span essence = essence_of(type);

    for (unsigned i = 0; i < compress->type_count; i++)
        if (is_type(compress->types[i], essence))
            return true;
    return false;
}
