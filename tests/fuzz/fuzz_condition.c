/*
 * What clients say of what they have and want: tags, dates, ranges, codings. The input is
 * an entity tag, the size of a content, and fields. What is decided is possible, and the
 * same as by the simplest reading.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/accept.h"
#include "http/condition.h"

enum { NOW = 1700000000, FIELDS_MAX = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gd_span next_line(struct gd_span *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct gd_span line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};

    rest->ptr += line.len + (end != NULL);
    rest->len -= line.len + (end != NULL);
    return line;
}

static bool has(const struct gd_fields *fields, const char *name)
{
    return gd_fields_find(fields, gd_span_of(name)) != NULL;
}

static void check_condition(const struct gd_fields *fields,
                            const struct gd_validators *validators)
{
    enum gd_condition got = gd_condition_check(fields, GD_METHOD_GET, validators);
    enum gd_condition put = gd_condition_check(fields, GD_METHOD_PUT, validators);

    if (got != gd_condition_check(fields, GD_METHOD_HEAD, validators))
        abort();
    if (put == GD_CONDITION_NOT_MODIFIED ||
        (got == GD_CONDITION_FAILED && put != GD_CONDITION_FAILED))
        abort();
    if (got == GD_CONDITION_NOT_MODIFIED && !has(fields, "If-None-Match") &&
        !has(fields, "If-Modified-Since"))
        abort();
    if (got == GD_CONDITION_FAILED && !has(fields, "If-Match") &&
        !has(fields, "If-Unmodified-Since"))
        abort();
}

static void check_range(const struct gd_fields *fields, uint64_t size,
                        const struct gd_validators *validators)
{
    struct gd_range range = {0, 0};

    switch (gd_range_check(fields, size, validators, NOW, &range)) {
    case GD_RANGE_PART:
        if (range.bytes == 0 || range.first >= size || range.bytes > size - range.first)
            abort();
        break;
    case GD_RANGE_NONE:
    case GD_RANGE_ALL:
        break;
    }
}

static void check_tags(const struct gd_fields *fields, struct gd_span etag)
{
    for (unsigned i = 0; i < fields->count; i++) {
        struct gd_span list = fields->items[i].value;
        bool strong = gd_etag_listed(list, etag, false);

        if (strong && !gd_etag_listed(list, etag, true))
            abort();
    }
}

static void check_codings(const struct gd_fields *fields)
{
    static const struct gd_span codings[] = {{"br", 2}, {"gzip", 4}};
    unsigned one = gd_accept_coding(fields, codings + 1, 1);
    unsigned best = gd_accept_coding(fields, codings, 2);

    if (one > 1 || best > 2 || (!has(fields, "Accept-Encoding") && best != 2))
        abort();
    if (one == 0 && best == 2) /* with more to choose from there is something as well */
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span rest = {(const char *)data, size};
    struct gd_field items[FIELDS_MAX];
    struct gd_fields fields = {items, 0};
    struct gd_validators validators = {.etag = next_line(&rest), .modified_s = NOW - 60};
    uint64_t bytes;

    if (!gd_span_u64(next_line(&rest), &bytes))
        bytes = 1000;
    while (rest.len && fields.count < FIELDS_MAX) {
        struct gd_span line = next_line(&rest);
        const char *colon = line.len ? memchr(line.ptr, ':', line.len) : NULL;
        struct gd_span name = {line.ptr, colon ? (size_t)(colon - line.ptr) : 0};
        struct gd_span value = {colon ? colon + 1 : line.ptr,
                                colon ? line.len - name.len - 1 : 0};

        value = gd_span_trim(value, " \t");
        if (gd_is_token(name) && (value.len == 0 || gd_is_field_value(value)))
            items[fields.count++] = (struct gd_field){gd_field_id_of(name), name, value};
    }
    check_condition(&fields, &validators);
    check_range(&fields, bytes, &validators);
    check_tags(&fields, validators.etag);
    check_codings(&fields);
    return 0;
}
