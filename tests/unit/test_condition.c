#include "http/accept.h"
#include "http/condition.h"
#include "suite.h"

/* What clients say of what they have (conditions), want (ranges) and read (codings). */

enum { SOME_S = 1700000000 }; /* Tue, 14 Nov 2023 22:13:20 GMT */

#define SOME_DATE "Tue, 14 Nov 2023 22:13:20 GMT"
#define BEFORE "Tue, 14 Nov 2023 22:13:19 GMT"
#define AFTER "Tue, 14 Nov 2023 22:13:21 GMT"

/* Up to four fields, as name and value by turns, ended by NULL. */
struct said {
    const char *words[9];
};

static void read_fields(const struct said *said, struct gd_field items[4],
                        struct gd_fields *fields)
{
    fields->items = items;
    fields->count = 0;
    for (int i = 0; said->words[i]; i += 2) {
        struct gd_span name = gd_span_of(said->words[i]);

        items[fields->count++] =
            (struct gd_field){gd_field_id_of(name), name, gd_span_of(said->words[i + 1])};
    }
}

static enum gd_condition check_said(struct said said, enum gd_method method,
                                    const char *etag, int64_t modified_s)
{
    struct gd_validators validators = {gd_span_of(etag), modified_s};
    struct gd_field items[4];
    struct gd_fields fields;

    read_fields(&said, items, &fields);
    return gd_condition_check(&fields, method, &validators);
}

#define SAID(...) ((struct said){{__VA_ARGS__}})
#define GET_IS(want, ...)                                                                \
    ck_assert_int_eq(check_said(SAID(__VA_ARGS__), GD_METHOD_GET, "\"abc\"", SOME_S),    \
                     want)

START_TEST(a_tag_is_of_the_bytes_however_they_are_cut)
{
    struct iovec whole = {(char *)"hello world", 11};
    struct iovec cut[] = {{(char *)"hel", 3}, {NULL, 0}, {(char *)"lo world", 8}};
    struct iovec other = {(char *)"hello worle", 11};
    char a[GD_ETAG_BYTES], b[GD_ETAG_BYTES];

    ck_assert(gd_span_eq(gd_etag_of(&whole, 1, a), gd_etag_of(cut, 3, b)));
    /* The canonical XXH3 of 128 bits, as `xxhsum -H2` prints it: the same everywhere. */
    ck_assert(gd_span_is((struct gd_span){a, sizeof(a)},
                         "\"df8d09e93f874900a99b8775cc15b6c7\""));
    ck_assert(!gd_span_eq(gd_etag_of(&whole, 1, a), gd_etag_of(&other, 1, b)));
}
END_TEST

START_TEST(lists_of_tags_are_compared_weakly_or_strongly)
{
    static const struct {
        const char *list, *etag;
        bool weak, strong;
    } cases[] = {
        {"\"abc\"", "\"abc\"", true, true},
        {"W/\"abc\"", "\"abc\"", true, false},
        {"\"abc\"", "W/\"abc\"", true, false},
        {"W/\"abc\"", "W/\"abc\"", true, false},
        {"*", "\"abc\"", true, true},
        {" * ", "\"abc\"", true, true},
        {"\"x\", \"y\",\"abc\"", "\"abc\"", true, true},
        {",, \"abc\"", "\"abc\"", true, true},
        {"\"a,b\", \"abc\"", "\"abc\"", true, true},
        {"\"abc\"", "\"ab\"", false, false},
        {"abc", "\"abc\"", false, false},
        {"\"abc", "\"abc\"", false, false},
        {"w/\"abc\"", "\"abc\"", false, false},
        {"W/ \"abc\"", "\"abc\"", false, false},
        {"\"x\" \"abc\"", "\"abc\"", false, false},
        {"\"x y\", \"abc\"", "\"abc\"", false, false},
        {"*, \"x\"", "\"abc\"", false, false},
        {"\"\"", "\"\"", true, true},
        {"", "\"abc\"", false, false},
        {"\"abc\"", "", false, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gd_span list = gd_span_of(cases[i].list), etag = gd_span_of(cases[i].etag);

        ck_assert_msg(gd_etag_listed(list, etag, true) == cases[i].weak &&
                          gd_etag_listed(list, etag, false) == cases[i].strong,
                      "%s in %s", cases[i].etag, cases[i].list);
    }
}
END_TEST

START_TEST(what_a_client_has_is_not_sent_again)
{
    GET_IS(GD_CONDITION_HOLDS, NULL);
    GET_IS(GD_CONDITION_NOT_MODIFIED, "If-None-Match", "\"abc\"");
    GET_IS(GD_CONDITION_NOT_MODIFIED, "if-none-match", "W/\"abc\"");
    GET_IS(GD_CONDITION_NOT_MODIFIED, "If-None-Match", "\"x\"", "If-None-Match", "*");
    GET_IS(GD_CONDITION_HOLDS, "If-None-Match", "\"x\"");
    GET_IS(GD_CONDITION_NOT_MODIFIED, "If-Modified-Since", SOME_DATE);
    GET_IS(GD_CONDITION_NOT_MODIFIED, "If-Modified-Since", AFTER);
    GET_IS(GD_CONDITION_HOLDS, "If-Modified-Since", BEFORE);
    GET_IS(GD_CONDITION_HOLDS, "If-Modified-Since", "yesterday");
}
END_TEST

START_TEST(a_tag_counts_more_than_a_date)
{
    GET_IS(GD_CONDITION_HOLDS, "If-None-Match", "\"x\"", "If-Modified-Since", AFTER);
    GET_IS(GD_CONDITION_NOT_MODIFIED, "If-None-Match", "\"abc\"", "If-Modified-Since",
           BEFORE);
    GET_IS(GD_CONDITION_HOLDS, "If-Match", "\"abc\"", "If-Unmodified-Since", BEFORE);
    GET_IS(GD_CONDITION_FAILED, "If-Match", "\"x\"", "If-Unmodified-Since", AFTER);
}
END_TEST

START_TEST(what_has_changed_fails_a_condition)
{
    GET_IS(GD_CONDITION_FAILED, "If-Match", "\"x\"");
    GET_IS(GD_CONDITION_FAILED, "If-Match", "W/\"abc\"");
    GET_IS(GD_CONDITION_HOLDS, "If-Match", "*");
    GET_IS(GD_CONDITION_FAILED, "If-Unmodified-Since", BEFORE);
    GET_IS(GD_CONDITION_HOLDS, "If-Unmodified-Since", SOME_DATE);
    GET_IS(GD_CONDITION_NOT_MODIFIED, "If-Match", "\"abc\"", "If-None-Match", "*");
    ck_assert_int_eq(check_said(SAID("If-None-Match", "*"), GD_METHOD_PUT, "\"a\"", -1),
                     GD_CONDITION_FAILED);
}
END_TEST

START_TEST(dates_say_nothing_where_the_last_change_is_unknown)
{
    ck_assert_int_eq(
        check_said(SAID("If-Modified-Since", AFTER), GD_METHOD_GET, "\"a\"", -1),
        GD_CONDITION_HOLDS);
    ck_assert_int_eq(
        check_said(SAID("If-Unmodified-Since", BEFORE), GD_METHOD_GET, "\"a\"", -1),
        GD_CONDITION_HOLDS);
}
END_TEST

static void range_is(enum gd_range_result want, uint64_t first, uint64_t bytes,
                     uint64_t size, struct said said)
{
    struct gd_validators validators = {GD_SPAN("\"abc\""), SOME_S};
    struct gd_range range = {0, 0};
    struct gd_field items[4];
    struct gd_fields fields;
    enum gd_range_result result;

    read_fields(&said, items, &fields);
    result = gd_range_check(&fields, size, &validators, SOME_S + 10, &range);
    ck_assert_msg(result == want && range.first == first && range.bytes == bytes,
                  "%s of %u: %d, %u+%u", said.words[1], (unsigned)size, (int)result,
                  (unsigned)range.first, (unsigned)range.bytes);
}

#define RANGE_IS(want, first, bytes, size, text)                                         \
    range_is(want, first, bytes, size, SAID("Range", text))

START_TEST(one_range_is_cut_to_what_is_there)
{
    RANGE_IS(GD_RANGE_PART, 0, 10, 100, "bytes=0-9");
    RANGE_IS(GD_RANGE_PART, 90, 10, 100, "bytes=90-");
    RANGE_IS(GD_RANGE_PART, 90, 10, 100, "bytes=90-1000");
    RANGE_IS(GD_RANGE_PART, 95, 5, 100, "bytes=-5");
    RANGE_IS(GD_RANGE_PART, 0, 100, 100, "bytes=-500");
    RANGE_IS(GD_RANGE_PART, 99, 1, 100, "BYTES=99-99");
    RANGE_IS(GD_RANGE_PART, 0, 100, 100, "bytes=0-99999999999999999999999999");
}
END_TEST

START_TEST(a_range_behind_the_end_cannot_be_had)
{
    RANGE_IS(GD_RANGE_NONE, 0, 0, 100, "bytes=100-");
    RANGE_IS(GD_RANGE_NONE, 0, 0, 100, "bytes=99999999999999999999999999-");
    RANGE_IS(GD_RANGE_NONE, 0, 0, 100, "bytes=-0");
    RANGE_IS(GD_RANGE_NONE, 0, 0, 0, "bytes=0-");
}
END_TEST

START_TEST(other_ranges_are_as_if_there_was_none)
{
    static const char *const texts[] = {"bytes=",      "bytes",      "bytes=-",
                                        "bytes=a-b",   "bytes=5-4",  "bytes=1",
                                        "bytes=1-2-3", "lines=1-2",  "bytes=0-1,4-5",
                                        "bytes =0-1",  "bytes=+1-2", "bytes=1 -2"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        RANGE_IS(GD_RANGE_ALL, 0, 0, 100, texts[i]);
    RANGE_IS(GD_RANGE_ALL, 0, 0, 0, "bytes=-5");
    range_is(GD_RANGE_ALL, 0, 0, 100, SAID("Range", "bytes=0-1", "Range", "bytes=2-3"));
}
END_TEST

START_TEST(a_range_of_something_else_is_not_sent)
{
    range_is(GD_RANGE_PART, 0, 2, 9, SAID("Range", "bytes=0-1", "If-Range", "\"abc\""));
    range_is(GD_RANGE_ALL, 0, 0, 9, SAID("Range", "bytes=0-1", "If-Range", "W/\"abc\""));
    range_is(GD_RANGE_ALL, 0, 0, 9, SAID("Range", "bytes=0-1", "If-Range", "\"x\""));
    range_is(GD_RANGE_PART, 0, 2, 9, SAID("Range", "bytes=0-1", "If-Range", SOME_DATE));
    range_is(GD_RANGE_ALL, 0, 0, 9, SAID("Range", "bytes=0-1", "If-Range", AFTER));
    range_is(GD_RANGE_ALL, 0, 0, 9, SAID("Range", "bytes=0-1", "If-Range", "?"));
}
END_TEST

START_TEST(a_date_of_this_second_proves_nothing)
{
    struct gd_validators validators = {GD_SPAN("\"abc\""), SOME_S};
    struct said said = SAID("Range", "bytes=0-1", "If-Range", SOME_DATE);
    struct gd_range range;
    struct gd_field items[4];
    struct gd_fields fields;

    read_fields(&said, items, &fields);
    ck_assert_int_eq(gd_range_check(&fields, 9, &validators, SOME_S, &range),
                     GD_RANGE_ALL);
}
END_TEST

START_TEST(codings_are_chosen_by_weight_then_by_order)
{
    static const struct gd_span codings[] = {{"br", 2}, {"gzip", 4}};
    static const struct {
        const char *text;
        unsigned want; /* 2: identity */
    } cases[] = {
        {"gzip, br", 0},
        {"gzip", 1},
        {"x-gzip", 1},
        {"GZIP", 1},
        {"gzip;q=1.0, br;q=0.9", 1},
        {"gzip ; q=0.5 , br ; q=0.5", 0},
        {"*", 0},
        {"br;q=0, *", 1},
        {"*;q=0", 2},
        {"identity", 2},
        {"", 2},
        {"deflate, zstd", 2},
        {"gzip;q=0", 2},
        {"gzip;q=0.001", 1},
        {"gzip;q=0.5, identity;q=0.6", 2},
        {"gzip;q=0.5, identity;q=0.5", 1},
        {"gzip, identity", 1},
        {"identity;q=0", 2},
        {"identity;q=0, *", 0},
        {"gzip;level=9;q=0.2, br;q=0.1", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct said said = SAID("Accept-Encoding", cases[i].text);
        struct gd_field items[4];
        struct gd_fields fields;

        read_fields(&said, items, &fields);
        ck_assert_msg(gd_accept_coding(&fields, codings, 2) == cases[i].want, "%s",
                      cases[i].text);
        fields.count = 0;
        ck_assert_uint_eq(gd_accept_coding(&fields, codings, 2), 2);
    }
}
END_TEST

GD_SUITE("condition", a_tag_is_of_the_bytes_however_they_are_cut,
         lists_of_tags_are_compared_weakly_or_strongly,
         what_a_client_has_is_not_sent_again, a_tag_counts_more_than_a_date,
         what_has_changed_fails_a_condition,
         dates_say_nothing_where_the_last_change_is_unknown,
         one_range_is_cut_to_what_is_there, a_range_behind_the_end_cannot_be_had,
         other_ranges_are_as_if_there_was_none, a_range_of_something_else_is_not_sent,
         a_date_of_this_second_proves_nothing, codings_are_chosen_by_weight_then_by_order)
