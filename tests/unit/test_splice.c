#include "compose_rig.h"

#include "json/text.h"

static const char long_text[] =
    "a text of so many bytes that borrowing it is cheaper than copying it is, and more";

START_TEST(long_pieces_are_borrowed_and_short_ones_copied_together)
{
    struct rig rig;

    rig_open(&rig);
    ck_assert(gd_splice_add(&rig.splice, GD_SPAN("[")));
    ck_assert(gd_splice_add(&rig.splice, GD_SPAN("1")));
    ck_assert(gd_splice_copy(&rig.splice, GD_SPAN(",\"")));
    ck_assert(gd_splice_add(&rig.splice, gd_span_of(long_text)));
    ck_assert(gd_splice_add(&rig.splice, GD_SPAN("\"")));
    ck_assert(gd_splice_add(&rig.splice, GD_SPAN("]")));
    ck_assert_uint_eq(rig.splice.count, 3);
    ck_assert_ptr_eq(rig.splice.pieces[1].iov_base, long_text);
    ck_assert_uint_eq(rig.splice.bytes, strlen(long_text) + 6);
    rig_close(&rig);
}
END_TEST

START_TEST(pieces_that_touch_become_one)
{
    struct gd_span text = gd_span_of(long_text);
    struct rig rig;

    rig_open(&rig);
    ck_assert(gd_splice_add(&rig.splice, (struct gd_span){text.ptr, 70}));
    ck_assert(gd_splice_add(&rig.splice, (struct gd_span){text.ptr + 70, 1}));
    ck_assert(gd_splice_add(&rig.splice, (struct gd_span){text.ptr + 71, text.len - 71}));
    ck_assert_uint_eq(rig.splice.count, 1);
    ck_assert_ptr_eq(gd_splice_flat(&rig.splice).ptr, long_text);
    rig_expect(&rig, long_text);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_adds_nothing)
{
    struct rig rig;

    rig_open(&rig);
    ck_assert(gd_splice_add(&rig.splice, GD_SPAN_NONE));
    ck_assert(gd_splice_copy(&rig.splice, GD_SPAN("")));
    ck_assert_uint_eq(rig.splice.count, 0);
    rig_expect(&rig, "");
    rig_close(&rig);
}
END_TEST

START_TEST(many_pieces_keep_their_order)
{
    struct rig rig;
    struct gd_buf expected;

    rig_open(&rig);
    gd_buf_init(&expected, NULL, 1 << 20);
    for (unsigned i = 0; i < 2000; i++) {
        struct gd_span piece = {long_text, i % 3 ? i % 64 : 64 + i % 10};

        ck_assert(gd_splice_add(&rig.splice, piece));
        ck_assert(gd_buf_add_span(&expected, piece));
    }
    ck_assert_uint_eq(rig.splice.bytes, expected.len);
    ck_assert(gd_span_eq(gd_splice_flat(&rig.splice), gd_buf_span(&expected)));
    gd_buf_free(&expected);
    rig_close(&rig);
}
END_TEST

START_TEST(strings_are_escaped)
{
    struct rig rig;

    rig_open(&rig);
    ck_assert(gd_splice_string(&rig.splice, GD_SPAN("a\"\\\n\x01\xff")));
    rig_expect(&rig, "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\"");
    ck_assert(gd_splice_string(&rig.splice, GD_SPAN_NONE));
    rig_expect(&rig, "\"\"");
    rig_close(&rig);
}
END_TEST

/* A long string is escaped in slices; characters at their edges stay whole, and broken
 * ones are replaced as they are in one go. */
START_TEST(long_strings_are_escaped_as_short_ones)
{
    static const struct gd_span ends[] = {
        {"\xf0\x9f\x98\x80", 4},     {"\xc3\xa9", 2}, {"\xf0\x9f\x98", 3},
        {"\x80\x80\x80\x80\x80", 5}, {"\n\"", 2},
    };
    char text[1100];
    struct rig rig;
    struct gd_buf whole;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        for (size_t at = 1015; at < 1030; at++) {
            rig_open(&rig);
            gd_buf_init(&whole, NULL, 8000);
            memset(text, 'x', sizeof(text));
            memcpy(text + at, ends[i].ptr, ends[i].len);
            ck_assert(gd_json_add_string(&whole, (struct gd_span){text, sizeof(text)}));
            ck_assert(
                gd_splice_string(&rig.splice, (struct gd_span){text, sizeof(text)}));
            ck_assert(gd_span_eq(gd_splice_flat(&rig.splice), gd_buf_span(&whole)));
            gd_buf_free(&whole);
            rig_close(&rig);
        }
    }
}
END_TEST

START_TEST(an_arena_at_its_bound_is_told)
{
    struct rig rig;
    unsigned count = 0;

    rig_open_bounded(&rig, 4096);
    while (gd_splice_add(&rig.splice, (struct gd_span){long_text, 70}) && count < 1000)
        count++;
    ck_assert_uint_gt(count, 10);
    ck_assert_uint_lt(count, 1000);
    rig_close(&rig);
    rig_open_bounded(&rig, 4096);
    count = 0;
    while (gd_splice_copy(&rig.splice, GD_SPAN("some bytes")) && count < 1000)
        count++;
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_lt(count, 1000);
    ck_assert(!gd_splice_string(&rig.splice, (struct gd_span){long_text, 80}));
    rig_close(&rig);
}
END_TEST

START_TEST(what_does_not_fit_in_one_run_has_no_bytes)
{
    struct rig rig;

    rig_open_bounded(&rig, 2048);
    for (int i = 0; i < 16; i++)
        ck_assert(gd_splice_add(&rig.splice, (struct gd_span){long_text, 80}));
    ck_assert_ptr_null(gd_splice_flat(&rig.splice).ptr);
    rig_close(&rig);
}
END_TEST

START_TEST(what_was_appended_can_be_taken_back)
{
    for (size_t bytes = 0; bytes <= 190; bytes++) {
        struct rig rig;
        struct gd_buf expected;

        rig_open(&rig);
        gd_buf_init(&expected, NULL, 512);
        for (int i = 0; i < 2; i++) {
            ck_assert(gd_splice_add(&rig.splice, (struct gd_span){long_text, 80}));
            ck_assert(gd_splice_copy(&rig.splice, GD_SPAN("some bytes")));
            ck_assert(gd_splice_copy(&rig.splice, GD_SPAN("more")));
        }
        for (unsigned i = 0; i < rig.splice.count; i++)
            ck_assert(gd_buf_add(&expected, rig.splice.pieces[i].iov_base,
                                 rig.splice.pieces[i].iov_len));
        ck_assert_uint_eq(rig.splice.bytes, 188);
        gd_splice_shorten(&rig.splice, bytes);
        if (expected.len > bytes)
            expected.len = bytes;
        ck_assert(gd_splice_copy(&rig.splice, GD_SPAN("end")));
        ck_assert(gd_buf_add(&expected, "end", 3));
        ck_assert(gd_span_eq(gd_splice_flat(&rig.splice), gd_buf_span(&expected)));
        gd_buf_free(&expected);
        rig_close(&rig);
    }
}
END_TEST

GD_SUITE("splice", long_pieces_are_borrowed_and_short_ones_copied_together,
         pieces_that_touch_become_one, nothing_adds_nothing, many_pieces_keep_their_order,
         strings_are_escaped, long_strings_are_escaped_as_short_ones,
         what_was_appended_can_be_taken_back, an_arena_at_its_bound_is_told,
         what_does_not_fit_in_one_run_has_no_bytes)
