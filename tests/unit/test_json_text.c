#include "suite.h"

#include "../json_oracle.h"
#include "json/text.h"

static void writes(struct gd_span text, const char *expected)
{
    struct gd_span value;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 4096);
    ck_assert(gd_json_add_string(&buf, text));
    ck_assert_uint_eq(buf.len, strlen(expected));
    ck_assert_mem_eq(buf.data, expected, buf.len);
    ck_assert(gd_json_scan(gd_buf_span(&buf), 1, &value, NULL));
    gd_buf_free(&buf);
}

START_TEST(text_is_written_with_its_escapes)
{
    writes(GD_SPAN(""), "\"\"");
    writes(GD_SPAN_NONE, "\"\"");
    writes(GD_SPAN("plain text, longer than one block"),
           "\"plain text, longer than one block\"");
    writes(GD_SPAN("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    writes(GD_SPAN("\0\x01\x1f\x7f/"), "\"\\u0000\\u0001\\u001f\x7f/\"");
    writes(GD_SPAN("caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80"),
           "\"caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80\"");
}
END_TEST

#define LOST "\xef\xbf\xbd"

START_TEST(bytes_that_are_not_utf8_become_one_replacement_a_broken_character)
{
    writes(GD_SPAN("a\xff"
                   "b"),
           "\"a" LOST "b\"");
    writes(GD_SPAN("\x80\x80"), "\"" LOST LOST "\"");
    writes(GD_SPAN("\xe6\x97"), "\"" LOST "\"");
    writes(GD_SPAN("\xe6\x97\"x"), "\"" LOST "\\\"x\"");
    writes(GD_SPAN("\xf0\x9f\x98\xc3\xa9"), "\"" LOST "\xc3\xa9\"");
    writes(GD_SPAN("\xed\xa0\x80"), "\"" LOST LOST LOST "\"");
    writes(GD_SPAN("\xc0\xaf"), "\"" LOST LOST "\"");
}
END_TEST

START_TEST(text_that_does_not_fit_leaves_the_buffer_as_it_was)
{
    struct gd_buf buf;

    for (size_t max = 2; max < 14; max++) {
        gd_buf_init(&buf, NULL, max);
        ck_assert(gd_buf_add(&buf, "ab", 2));
        ck_assert(!gd_json_add_string(&buf, GD_SPAN("xyz\n\x01")));
        ck_assert(!gd_json_add_escaped(&buf, GD_SPAN("xyz\n\x01\x02\x03")));
        ck_assert_uint_eq(buf.len, 2);
        gd_buf_free(&buf);
    }
    gd_buf_init(&buf, NULL, 13);
    ck_assert(gd_json_add_string(&buf, GD_SPAN("xyz\n\x01")));
    ck_assert(gd_span_is(gd_buf_span(&buf), "\"xyz\\n\\u0001\""));
    gd_buf_free(&buf);
}
END_TEST

START_TEST(whatever_is_written_can_be_read_back)
{
    struct gd_buf buf;
    uint64_t seed = 7;
    char text[64];

    gd_buf_init(&buf, NULL, 1024);
    for (int round = 0; round < 20000; round++) {
        size_t len = json_draw(&seed, sizeof(text));
        json_t *back;

        for (size_t i = 0; i < len; i++)
            text[i] = (char)json_draw(&seed, round % 2 ? 0x80 : 0x100);
        buf.len = 0;
        ck_assert(gd_json_add_string(&buf, (struct gd_span){text, len}));
        ck_assert_ptr_null(json_check(gd_buf_span(&buf)));
        back = json_loadb(buf.data, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        ck_assert_ptr_nonnull(back);
        if (round % 2) {
            ck_assert_uint_eq(json_string_length(back), len);
            ck_assert_mem_eq(json_string_value(back), text, len);
        }
        json_decref(back);
    }
    gd_buf_free(&buf);
}
END_TEST

GD_SUITE("json text", text_is_written_with_its_escapes,
         bytes_that_are_not_utf8_become_one_replacement_a_broken_character,
         text_that_does_not_fit_leaves_the_buffer_as_it_was,
         whatever_is_written_can_be_read_back)
