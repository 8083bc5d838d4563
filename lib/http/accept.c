#include "http/accept.h"

#include "http/head_lines.h"

enum { WEIGHT_ONE = 1000 };

/* `0.75` in thousandths (RFC 9110 12.4.2); what is malformed counts as 1. */
static unsigned weight_of(struct gd_span text)
{
    unsigned weight = 0, unit = 100;

    if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
        (text.len > 1 && text.ptr[1] != '.'))
        return WEIGHT_ONE;
    if (text.ptr[0] == '1')
        return WEIGHT_ONE;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return WEIGHT_ONE;
        weight += (unsigned)(text.ptr[i] - '0') * unit;
    }
    return weight;
}

/* Takes what stands before the next `;` from *rest, trimmed. */
static struct gd_span next_parameter(struct gd_span *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, ';', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    struct gd_span item = {rest->ptr, len};

    len += end != NULL;
    rest->ptr += len;
    rest->len -= len;
    return gd_span_trim(item, " \t");
}

/* The index of the type an element names, `count` for none of them; and its weight. */
static unsigned read_element(struct gd_span element, const struct gd_span *types,
                             unsigned count, unsigned *weight)
{
    struct gd_span type = next_parameter(&element);
    unsigned index = 0;

    *weight = WEIGHT_ONE;
    while (element.len) {
        struct gd_span parameter = next_parameter(&element);

        if (parameter.len > 2 && (parameter.ptr[0] | 0x20) == 'q' &&
            parameter.ptr[1] == '=')
            *weight = weight_of((struct gd_span){parameter.ptr + 2, parameter.len - 2});
    }
    while (index < count && !gd_span_ieq(type, types[index]))
        index++;
    if (index == count && type.len > 2 && memcmp(type.ptr + type.len - 2, "/*", 2) == 0)
        return 0;
    return index;
}

unsigned gd_accept_choose(const struct gd_fields *fields, const struct gd_span *types,
                          unsigned count)
{
    unsigned best = 0, best_weight = 0;

    for (unsigned i = 0; i < fields->count; i++) {
        struct gd_span rest = fields->items[i].value, element;

        if (fields->items[i].id != GD_FIELD_ACCEPT)
            continue;
        while (gd_head_next_element(&rest, &element)) {
            unsigned weight, index = read_element(element, types, count, &weight);

            if (index == count || weight <= best_weight)
                continue;
            best = index;
            best_weight = weight;
        }
    }
    return best;
}
