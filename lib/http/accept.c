#include "http/accept.h"

#include <assert.h>
#include <limits.h>

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

/* Takes an element apart: what it names, and its weight. */
static struct gd_span read_name(struct gd_span element, unsigned *weight)
{
    struct gd_span name = next_parameter(&element);

    *weight = WEIGHT_ONE;
    while (element.len) {
        struct gd_span parameter = next_parameter(&element);

        if (parameter.len > 2 && (parameter.ptr[0] | 0x20) == 'q' &&
            parameter.ptr[1] == '=')
            *weight = weight_of((struct gd_span){parameter.ptr + 2, parameter.len - 2});
    }
    return name;
}

/* The index of the type an element names, `count` for none of them; and its weight. */
static unsigned read_element(struct gd_span element, const struct gd_span *types,
                             unsigned count, unsigned *weight)
{
    struct gd_span type = read_name(element, weight);
    unsigned index = 0;

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

enum { CODINGS_MAX = 8 };
static const unsigned UNSAID = UINT_MAX;

/* What an element says of a coding; "x-gzip" is the same as "gzip" (8.4.1.3). */
static void note_coding(struct gd_span name, unsigned weight,
                        const struct gd_span *codings, unsigned count, unsigned *weights)
{
    if (gd_span_ieq(name, GD_SPAN("x-gzip")))
        name = GD_SPAN("gzip");
    for (unsigned i = 0; i < count; i++)
        if (gd_span_ieq(name, codings[i]) && weights[i] == UNSAID)
            weights[i] = weight;
}

unsigned gd_accept_coding(const struct gd_fields *fields, const struct gd_span *codings,
                          unsigned count)
{
    unsigned weights[CODINGS_MAX], identity = UNSAID, others = UNSAID, best = count;

    assert(count <= CODINGS_MAX);
    for (unsigned i = 0; i < count; i++)
        weights[i] = UNSAID;
    for (unsigned i = 0; i < fields->count; i++) {
        struct gd_span rest = fields->items[i].value, element;

        if (!gd_span_ieq(fields->items[i].name, GD_SPAN("Accept-Encoding")))
            continue;
        while (gd_head_next_element(&rest, &element)) {
            unsigned weight;
            struct gd_span name = read_name(element, &weight);

            if (gd_span_is(name, "*"))
                others = weight;
            else if (gd_span_ieq(name, GD_SPAN("identity")))
                identity = weight;
            else
                note_coding(name, weight, codings, count, weights);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (weights[i] == UNSAID)
            weights[i] = others == UNSAID ? 0 : others;
        if (weights[i] > (best < count ? weights[best] : 0))
            best = i;
    }
    if (best < count && identity != UNSAID && identity > weights[best])
        return count;
    return best;
}
