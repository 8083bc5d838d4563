#include "http/hops.h"

#include "http/head_lines.h"

bool gd_hops_read(struct gd_hops *hops, const struct gd_fields *fields)
{
    hops->count = 0;
    for (unsigned i = 0; i < fields->count; i++) {
        struct gd_span rest = fields->items[i].value, name;

        if (fields->items[i].id != GD_FIELD_CONNECTION)
            continue;
        while (gd_head_next_element(&rest, &name)) {
            if (name.len == 0 || gd_span_ieq(name, GD_SPAN("close")) ||
                gd_span_ieq(name, GD_SPAN("keep-alive")))
                continue;
            if (hops->count == GD_HOPS_NAMED_MAX)
                return false;
            hops->named[hops->count++] = name;
        }
    }
    return true;
}

/* Without an id of their own. Proxy-Connection is of no standard but sent. */
static bool is_proxy_field(struct gd_span name)
{
    return gd_span_ieq(name, GD_SPAN("Proxy-Connection")) ||
           gd_span_ieq(name, GD_SPAN("Proxy-Authorization")) ||
           gd_span_ieq(name, GD_SPAN("Proxy-Authenticate"));
}

bool gd_hops_has(const struct gd_hops *hops, const struct gd_field *field)
{
    switch ((int)field->id) {
    case GD_FIELD_CONNECTION:
    case GD_FIELD_CONTENT_LENGTH:
    case GD_FIELD_EXPECT:
    case GD_FIELD_HOST:
    case GD_FIELD_KEEP_ALIVE:
    case GD_FIELD_TE:
    case GD_FIELD_TRAILER:
    case GD_FIELD_TRANSFER_ENCODING:
    case GD_FIELD_UPGRADE:
        return true;
    default:
        break;
    }
    for (unsigned i = 0; i < hops->count; i++)
        if (gd_span_ieq(hops->named[i], field->name))
            return true;
    return field->id == GD_FIELD_OTHER && (field->name.ptr[0] | 0x20) == 'p' &&
           is_proxy_field(field->name);
}
