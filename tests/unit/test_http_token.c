#include "suite.h"

#include "http/chars.h"
#include "http/token.h"

static bool in(const char *set, int c)
{
    return c != 0 && strchr(set, c) != NULL;
}

static bool is_alnum(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

START_TEST(character_classes_are_those_of_the_standards)
{
    static const char sub_delims[] = "!$&'()*+,;=";

    for (int c = 0; c < 256; c++) {
        bool unreserved = is_alnum(c) || in("-._~", c);
        bool host = unreserved || in(sub_delims, c);
        bool path = host || in(":@/", c);

        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_TOKEN),
                         is_alnum(c) || in("!#$%&'*+-.^_`|~", c));
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_UNRESERVED), unreserved);
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_HOST), host);
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_PATH), path);
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_PLAIN), path && c != '.');
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_QUERY), path || in("?[]\\^`{|}", c));
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_HEX),
                         in("0123456789abcdefABCDEF", c));
        ck_assert_int_eq(gd_char_is((char)c, GD_CHAR_DIGIT), c >= '0' && c <= '9');
    }
}
END_TEST

static const struct {
    enum gd_field_id id;
    const char *name;
} rows[] = {
#define X(id, name) {GD_FIELD_##id, name},
    GD_FIELD_ROWS(X)
#undef X
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

START_TEST(every_known_field_is_found_in_any_case)
{
    char name[32];

    for (size_t i = 0; i < ROWS; i++) {
        size_t len = strlen(rows[i].name);

        ck_assert_int_eq(gd_field_id_of(gd_span_of(rows[i].name)), rows[i].id);
        for (size_t n = 0; n < len; n++) {
            char c = rows[i].name[n];

            name[n] = c >= 'a' && c <= 'z' && n % 3 ? (char)(c - 'a' + 'A') : c;
        }
        ck_assert_int_eq(gd_field_id_of((struct gd_span){name, len}), rows[i].id);
    }
}
END_TEST

START_TEST(a_field_with_one_other_byte_is_not_a_known_one)
{
    char name[32];

    for (size_t i = 0; i < ROWS; i++) {
        size_t len = strlen(rows[i].name);

        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                memcpy(name, rows[i].name, len);
                name[at] = (char)c;
                if (gd_ascii_lower((char)c) != rows[i].name[at])
                    ck_assert_int_eq(gd_field_id_of((struct gd_span){name, len}),
                                     GD_FIELD_OTHER);
            }
        ck_assert_int_eq(gd_field_id_of((struct gd_span){rows[i].name, len - 1}),
                         GD_FIELD_OTHER);
    }
    ck_assert_int_eq(gd_field_id_of(GD_SPAN_NONE), GD_FIELD_OTHER);
}
END_TEST

START_TEST(methods_are_told_apart_by_case)
{
    for (int method = GD_METHOD_GET; method < GD_METHODS; method++) {
        const char *text = gd_method_text((enum gd_method)method);

        ck_assert_int_eq(gd_method_of(gd_span_of(text)), method);
        ck_assert_int_eq(gd_method_of((struct gd_span){text, strlen(text) - 1}),
                         GD_METHOD_OTHER);
    }
    ck_assert_int_eq(gd_method_of(GD_SPAN("get")), GD_METHOD_OTHER);
    ck_assert_int_eq(gd_method_of(GD_SPAN("GETS")), GD_METHOD_OTHER);
    ck_assert_int_eq(gd_method_of(GD_SPAN("PROPFIND")), GD_METHOD_OTHER);
    ck_assert_int_eq(gd_method_of(GD_SPAN("G")), GD_METHOD_OTHER);
    ck_assert_str_eq(gd_method_text(GD_METHOD_OTHER), "");
    ck_assert(gd_method_idempotent(GD_METHOD_GET) &&
              gd_method_idempotent(GD_METHOD_HEAD));
    ck_assert(gd_method_idempotent(GD_METHOD_PUT) &&
              gd_method_idempotent(GD_METHOD_DELETE));
    ck_assert(gd_method_idempotent(GD_METHOD_OPTIONS) &&
              gd_method_idempotent(GD_METHOD_TRACE));
    ck_assert(!gd_method_idempotent(GD_METHOD_POST));
    ck_assert(!gd_method_idempotent(GD_METHOD_PATCH));
    ck_assert(!gd_method_idempotent(GD_METHOD_OTHER));
}
END_TEST

START_TEST(every_status_has_a_reason)
{
    ck_assert_str_eq(gd_status_reason(200), "OK");
    ck_assert_str_eq(gd_status_reason(431), "Request Header Fields Too Large");
    ck_assert_str_eq(gd_status_reason(299), "Success");
    ck_assert_str_eq(gd_status_reason(499), "Client Error");
    ck_assert_str_eq(gd_status_reason(999), "Unknown");
    ck_assert_str_eq(gd_status_reason(-1), "Unknown");
}
END_TEST

START_TEST(tokens_and_values_hold_only_their_characters)
{
    char text[24];

    ck_assert(!gd_is_token(GD_SPAN("")));
    ck_assert(gd_is_field_value(GD_SPAN("")));
    for (size_t at = 0; at < sizeof(text); at++)
        for (int c = 0; c < 256; c++) {
            struct gd_span span = {text, sizeof(text)};

            memset(text, 'a', sizeof(text));
            text[at] = (char)c;
            ck_assert_int_eq(gd_is_token(span), gd_char_is((char)c, GD_CHAR_TOKEN));
            ck_assert_int_eq(gd_is_field_value(span),
                             c == '\t' || (c >= 0x20 && c != 0x7f));
        }
}
END_TEST

static const char *find_slowly(const char *at, const char *end, bool ascii_only)
{
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;

        if (c < 0x20 || c == 0x7f || (ascii_only && c > 0x7f))
            break;
    }
    return at;
}

START_TEST(fast_scans_agree_with_the_slow_one)
{
    char text[64];
    uint32_t random = 1;

    for (int run = 0; run < 5000; run++) {
        size_t len = (size_t)run % sizeof(text);

        for (size_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)(random % 29 ? 0x20 + (random >> 16) % 0xe0 : random >> 24);
            if (text[i] == 0x7f && random >> 28)
                text[i] = 'x';
        }
        for (int ascii = 0; ascii < 2; ascii++) {
            const char *found = find_slowly(text, text + len, ascii);

            ck_assert_ptr_eq(gd_find_control(text, text + len, ascii), found);
            ck_assert_ptr_eq(gd_find_control_portable(text, text + len, ascii), found);
        }
        const char *colon = len ? memchr(text, ':', len) : NULL;

        ck_assert_ptr_eq(gd_find_byte(text, text + len, ':'), colon ? colon : text + len);
    }
}
END_TEST

GD_SUITE("http_token", character_classes_are_those_of_the_standards,
         every_known_field_is_found_in_any_case,
         a_field_with_one_other_byte_is_not_a_known_one, methods_are_told_apart_by_case,
         every_status_has_a_reason, tokens_and_values_hold_only_their_characters,
         fast_scans_agree_with_the_slow_one)
