#include "suite.h"

#include <jansson.h>
#include <stdio.h>

#include "http/target.h"
#include "plan/template.h"

static struct gd_span id_name = {"id", 2};
static const struct gd_names names = {.params = &id_name, .param_count = 1};

static struct gd_arena arena;
static struct gd_buf out;
static struct gd_err err;

/* Counts the bytes `c` of text. */
static unsigned count_of(struct gd_span text, char c)
{
    unsigned n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == c;
    return n;
}

/* Whether the expansion in `out` is /x/VALUE/y?k=VALUE&z=1 with nothing added. */
static void is_one_segment_and_one_parameter(const char *value, size_t len)
{
    char room[8192], decoded[4096];
    struct gd_target target;
    struct gd_span text = gd_buf_span(&out), segment, k;
    size_t n;

    ck_assert_uint_lt(text.len, sizeof(room));
    ck_assert(gd_target_parse(text, room, &target));
    ck_assert_int_eq(target.form, GD_TARGET_ORIGIN);
    ck_assert_uint_eq(count_of(text, '?'), 1);
    ck_assert_uint_eq(count_of(text, '#'), 0);
    ck_assert_uint_eq(count_of(target.path, '/'), 3);
    ck_assert(gd_span_starts(target.path, GD_SPAN("/x/")));
    segment = (struct gd_span){target.path.ptr + 3, target.path.len - 5};
    ck_assert(memcmp(segment.ptr + segment.len, "/y", 2) == 0);
    n = gd_percent_decode(segment, false, decoded);
    ck_assert(n == len && memcmp(decoded, value, len) == 0);
    ck_assert_uint_eq(count_of(target.query, '&'), 1);
    ck_assert_uint_eq(count_of(target.query, '='), 2);
    ck_assert(gd_span_is(gd_query_get(target.query, GD_SPAN("z")), "1"));
    k = gd_query_get(target.query, GD_SPAN("k"));
    n = gd_percent_decode(k, true, decoded);
    ck_assert(n == len && memcmp(decoded, value, len) == 0);
}

/* Whether the expansion in `out` is an object of one string; for ASCII the value. */
static void is_one_string(const char *value, size_t len)
{
    json_error_t error;
    json_t *root = json_loadb(out.data, out.len, JSON_ALLOW_NUL, &error);
    json_t *text = json_object_get(root, "k");
    bool ascii = true;

    ck_assert_msg(root != NULL, "%s in %.*s", error.text, GD_SPAN_ARG(gd_buf_span(&out)));
    ck_assert_uint_eq(json_object_size(root), 1);
    ck_assert(json_is_string(text));
    for (size_t i = 0; i < len; i++)
        ascii &= (unsigned char)value[i] < 0x80;
    if (ascii) {
        ck_assert_uint_eq(json_string_length(text), len);
        ck_assert(memcmp(json_string_value(text), value, len) == 0);
    }
    json_decref(root);
}

/* Sends `encoded`, which means `value`, as path parameter and as query value. Returns how
 * many of the two a request can have. */
static unsigned send_value(const char *encoded, const char *value, size_t len)
{
    char request[64], room[64];
    struct gd_target target;
    struct gd_span param;
    struct gd_facts facts = {.query = GD_SPAN_NONE};
    struct gd_values values = {.params = &param, .param_count = 1, .facts = &facts};
    unsigned sent = 0;

    for (int in_query = 0; in_query < 2; in_query++) {
        const char *tpl =
            in_query ? "/x/{query.q}/y?k={query.q}&z=1" : "/x/{id}/y?k={id}&z=1";
        const char *json = in_query ? "{\"k\":\"{query.q}\"}" : "{\"k\":\"{id}\"}";
        bool control = false;

        snprintf(request, sizeof(request), in_query ? "/?q=%s" : "/%s", encoded);
        if (!gd_target_parse(gd_span_of(request), room, &target))
            continue;
        if (in_query ? target.query.len != strlen(encoded) + 2 : target.query.ptr != NULL)
            continue;
        sent++;
        param = (struct gd_span){target.path.ptr + 1, target.path.len - 1};
        facts.query = target.query;
        for (size_t i = 0; i < len; i++)
            control |= (unsigned char)value[i] < 0x20 || value[i] == 0x7F;
        out.len = 0;
        if (control && in_query) {
            ck_assert_int_eq(
                gd_template_expand(
                    gd_template_target(&arena, gd_span_of(tpl), &names, &err), &values,
                    &out),
                GD_FAIL_UNRESOLVED);
        } else {
            ck_assert_int_eq(
                gd_template_expand(
                    gd_template_target(&arena, gd_span_of(tpl), &names, &err), &values,
                    &out),
                GD_OK);
            is_one_segment_and_one_parameter(value, len);
        }
        out.len = 0;
        ck_assert_int_eq(
            gd_template_expand(gd_template_json(&arena, gd_span_of(json), &names, &err),
                               &values, &out),
            GD_OK);
        is_one_string(value, len);
    }
    return sent;
}

START_TEST(no_byte_adds_a_segment_a_parameter_or_a_quote)
{
    unsigned escaped = 0, raw = 0;

    gd_arena_init(&arena, NULL, 4096, 16 << 20);
    gd_buf_init(&out, NULL, 65536);
    for (int byte = 0; byte < 256; byte++) {
        char value[3] = {'a', (char)byte, 'b'};
        char encoded[16];

        snprintf(encoded, sizeof(encoded), "a%%%02xb", (unsigned)byte);
        escaped += send_value(encoded, value, 3);
        /* As it is: where it ends or splits the value, it isn't the value's. */
        if (byte == 0 || memchr("%+/?&=#", byte, 7))
            continue;
        snprintf(encoded, sizeof(encoded), "a%cb", byte);
        raw += send_value(encoded, value, 3);
    }
    /* All that aren't control characters; visible ASCII but for quotes and the like. */
    ck_assert_uint_ge(escaped, 2 * (256 - 33));
    ck_assert_uint_ge(raw, 2 * 70);
    gd_buf_free(&out);
    gd_arena_free(&arena);
}
END_TEST

GD_SUITE("template_bytes", no_byte_adds_a_segment_a_parameter_or_a_quote)
