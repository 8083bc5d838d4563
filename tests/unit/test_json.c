#include "suite.h"

#include "../json_oracle.h"
#include "json_texts.h"
#include "json/scan.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static uint64_t seed;

static size_t draw(size_t below)
{
    return json_draw(&seed, below);
}

/* Checks text in a block that ends where it ends, at the given place in a cache line. */
static struct json_verdict check_at(struct gd_span text, size_t shift)
{
    struct json_verdict got;
    void *block = NULL;
    const char *wrong;
    char *copy;

    ck_assert_int_eq(posix_memalign(&block, 64, shift + text.len + !(shift + text.len)),
                     0);
    copy = (char *)block + shift;
    memcpy(copy, text.len ? text.ptr : "", text.len);
    wrong = json_check((struct gd_span){copy, text.len});
    if (wrong)
        ck_abort_msg("%s, at shift %zu: '%.*s'", wrong, shift, GD_SPAN_ARG(text));
    got = json_verdict_of((struct gd_span){copy, text.len}, false);
    if (got.valid)
        got.value.ptr = text.ptr + (got.value.ptr - copy);
    free(block);
    return got;
}

static struct json_verdict check(struct gd_span text)
{
    return check_at(text, 0);
}

static bool valid(struct gd_span text)
{
    return check(text).valid;
}

START_TEST(every_valid_text_is_accepted_at_every_alignment)
{
    for (size_t i = 0; i < COUNT(valid_texts); i++)
        for (size_t shift = 0; shift < 64; shift++)
            if (!check_at(valid_texts[i], shift).valid)
                ck_abort_msg("refused: %s", valid_texts[i].ptr);
}
END_TEST

START_TEST(every_invalid_text_is_refused_at_every_alignment)
{
    for (size_t i = 0; i < COUNT(invalid_texts); i++)
        for (size_t shift = 0; shift < 64; shift++)
            if (check_at(invalid_texts[i], shift).valid)
                ck_abort_msg("accepted: %s", invalid_texts[i].ptr);
}
END_TEST

/* The text as an element, behind a string of `pad` bytes. */
static struct gd_span embedded(struct gd_buf *buf, size_t pad, struct gd_span text)
{
    buf->len = 0;
    ck_assert(
        gd_buf_addf(buf, "{\"first\":[1,2.5,\"%*s\"],\"second\": [", (int)pad, "") &&
        gd_buf_add_span(buf, text) &&
        gd_buf_add_text(buf, " ], \"last\":{\"a\":\"b\",\"c\":[],\"d\":12345678901}}"));
    return gd_buf_span(buf);
}

START_TEST(texts_are_judged_the_same_wherever_they_are_in_a_document)
{
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 4096);
    for (size_t i = 0; i < COUNT(valid_texts); i++)
        for (size_t pad = 0; pad < 66; pad++)
            ck_assert(valid(embedded(&buf, pad, valid_texts[i])));
    for (size_t i = 0; i < COUNT(invalid_texts); i++) {
        bool empty = gd_span_trim(invalid_texts[i], " \n\r\t").len == 0;

        for (size_t pad = 0; pad < 66 && !empty; pad++)
            ck_assert_msg(!valid(embedded(&buf, pad, invalid_texts[i])), "%s",
                          invalid_texts[i].ptr);
    }
    gd_buf_free(&buf);
}
END_TEST

START_TEST(the_value_is_the_text_without_the_white_space_around_it)
{
    struct gd_span text = GD_SPAN(" \t\r\n{\"a\": 1 } \n");
    struct json_verdict got = check(text);

    ck_assert(got.valid);
    ck_assert_ptr_eq(got.value.ptr, text.ptr + 4);
    ck_assert(gd_span_is(got.value, "{\"a\": 1 }"));
    ck_assert(gd_span_is(check(GD_SPAN("  12 ")).value, "12"));
    ck_assert(gd_span_is(check(GD_SPAN("\"]\"")).value, "\"]\""));
}
END_TEST

START_TEST(a_refused_text_leaves_the_value_alone)
{
    struct gd_span value = GD_SPAN("before");

    ck_assert(!gd_json_scan(GD_SPAN("[] x"), 8, &value, NULL));
    ck_assert(!gd_json_scan(GD_SPAN("1 x"), 8, &value, NULL));
    ck_assert(gd_span_is(value, "before"));
}
END_TEST

static void refuses(struct gd_span text, size_t offset, const char *reason)
{
    struct json_verdict got = check(text);

    ck_assert(!got.valid);
    ck_assert_uint_eq(got.fault.offset, offset);
    ck_assert_str_eq(got.fault.reason, reason);
}

START_TEST(a_fault_tells_the_first_wrong_byte_and_why)
{
    refuses(GD_SPAN_NONE, 0, "unexpected end");
    refuses(GD_SPAN(" \n "), 3, "unexpected end");
    refuses(GD_SPAN("[1, 2,  "), 8, "unexpected end");
    refuses(GD_SPAN("[\"abc]  "), 8, "unexpected end");
    refuses(GD_SPAN("[1,]"), 3, "expected a value");
    refuses(GD_SPAN("{\"a\":1,}"), 7, "expected a name in quotes");
    refuses(GD_SPAN("{\"a\" 1}"), 5, "expected ':' after a name");
    refuses(GD_SPAN("{\"a\":1 \"b\":2}"), 7, "expected ',' or '}'");
    refuses(GD_SPAN("[1 2]"), 3, "expected ',' or ']'");
    refuses(GD_SPAN("[[1] 2]"), 5, "expected ',' or ']'");
    refuses(GD_SPAN("{\"a\":{} 2}"), 8, "expected ',' or '}'");
    refuses(GD_SPAN("[] []"), 3, "unexpected byte after the value");
    refuses(GD_SPAN("[truE]"), 4, "invalid literal");
    refuses(GD_SPAN("[-x]"), 2, "invalid number");
    refuses(GD_SPAN("[012]"), 2, "expected ',' or ']'");
    refuses(GD_SPAN("[1.e]"), 3, "invalid number");
    refuses(GD_SPAN("[\"\\u12x4\"]"), 6, "invalid escape in a string");
    refuses(GD_SPAN("[\"\\q\"]"), 3, "invalid escape in a string");
    refuses(GD_SPAN("[\"a\x01\"]"), 3, "control character in a string");
    refuses(GD_SPAN("[\"\xe2\x82\"]"), 4, "invalid UTF-8");
    refuses(GD_SPAN("[\"\xed\xa0\x80\"]"), 3, "invalid UTF-8");
    refuses(GD_SPAN("[\"\xf5\x80\"]"), 2, "invalid UTF-8");
    refuses(GD_SPAN("\xef\xbb\xbf[]"), 0, "expected a value");
}
END_TEST

/* The text of valid_texts[i] without white space around it, if it is a container. */
static struct gd_span container(size_t i)
{
    struct gd_span text = gd_span_trim(valid_texts[i], " \n\r\t");

    return *text.ptr == '{' || *text.ptr == '[' ? text : GD_SPAN_NONE;
}

START_TEST(every_prefix_of_a_valid_text_ends_unexpectedly)
{
    for (size_t i = 0; i < COUNT(valid_texts); i++) {
        struct gd_span text = container(i);

        for (size_t len = 0; len < text.len; len++)
            refuses((struct gd_span){text.ptr, len}, len, "unexpected end");
    }
}
END_TEST

static struct gd_span nested(struct gd_buf *buf, const char *open, const char *inner,
                             const char *close, unsigned depth)
{
    buf->len = 0;
    for (unsigned i = 0; i < depth; i++)
        ck_assert(gd_buf_add_text(buf, open));
    ck_assert(gd_buf_add_text(buf, inner));
    for (unsigned i = 0; i < depth; i++)
        ck_assert(gd_buf_add_text(buf, close));
    return gd_buf_span(buf);
}

START_TEST(nesting_is_allowed_to_the_limit_and_no_deeper)
{
    static const unsigned limits[] = {1, 2, 63, 64, 65, 128, 1023, 1024};
    struct gd_json_fault fault;
    struct gd_span value;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 1 << 20);
    for (size_t i = 0; i < COUNT(limits); i++) {
        unsigned max = limits[i];

        ck_assert(gd_json_scan(nested(&buf, "[", "", "]", max), max, &value, NULL));
        ck_assert(
            gd_json_scan(nested(&buf, "{\"a\":", "1", "}", max), max, &value, NULL));
        ck_assert(
            !gd_json_scan(nested(&buf, "[", "", "]", max + 1), max, &value, &fault));
        ck_assert_str_eq(fault.reason, "nested too deep");
        ck_assert_uint_eq(fault.offset, max);
        ck_assert(!gd_json_scan(nested(&buf, "{\"a\":", "1", "}", max + 1), max, &value,
                                &fault));
        ck_assert_uint_eq(fault.offset, 5 * max);
    }
    ck_assert(valid(nested(&buf, "[{\"a\":", "[ ]", "}]", 511)));
    refuses(nested(&buf, "[", "1", "", 100000), 1024, "nested too deep");
    ck_assert(gd_json_scan(GD_SPAN("1"), 1, &value, NULL));
    gd_buf_free(&buf);
}
END_TEST

/* "[" + sign + digits, a point at `point` when below count, + "]" */
static struct gd_span number(struct gd_buf *buf, size_t count, size_t point)
{
    buf->len = 0;
    ck_assert(gd_buf_add_text(buf, "[-"));
    for (size_t i = 1; i < count; i++)
        ck_assert(gd_buf_add_text(buf, i == point ? "." : "7"));
    ck_assert(gd_buf_add_text(buf, "]"));
    return gd_buf_span(buf);
}

START_TEST(numbers_are_allowed_to_their_longest_and_no_longer)
{
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 1 << 20);
    ck_assert(valid(number(&buf, GD_JSON_NUMBER_MAX, SIZE_MAX)));
    ck_assert(valid(number(&buf, GD_JSON_NUMBER_MAX, 500)));
    refuses(number(&buf, GD_JSON_NUMBER_MAX + 1, SIZE_MAX), 1025, "number too long");
    refuses(number(&buf, GD_JSON_NUMBER_MAX + 1, 17), 1025, "number too long");
    refuses(number(&buf, 50000, SIZE_MAX), 1025, "number too long");
    refuses(number(&buf, 50000, 49999), 1025, "number too long");
    for (size_t count = 2; count < 60; count++)
        for (size_t point = 2; point < count; point++)
            ck_assert_int_eq(valid(number(&buf, count, point)), point + 1 < count);
    gd_buf_free(&buf);
}
END_TEST

static void add_plain(struct gd_buf *buf, size_t len)
{
    static const char plain[] =
        "]},:[{ abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUV "
        "01234567890-+.~!#$%&'()*;<=>?@^_`|WXYZ";

    for (; len; len -= len < 64 ? len : 64)
        ck_assert(gd_buf_add(buf, plain + len % 16, len < 64 ? len : 64));
}

/* Every kind of byte at every place of strings up to a few blocks long. */
START_TEST(strings_are_checked_at_every_place)
{
    static const struct {
        struct gd_span piece;
        bool good;
    } pieces[] = {
        {TEXT("\\\""), true},         {TEXT("\xc3\xa9"), true},
        {TEXT("\xe6\x97\xa5"), true}, {TEXT("\\u00e9"), true},
        {TEXT("\x7f"), true},         {TEXT("\xf0\x9f\x98\x80"), true},
        {TEXT("\x1f"), false},        {TEXT("\0"), false},
        {TEXT("\x80"), false},        {TEXT("\xe6\x97"), false},
        {TEXT("\""), false},          {TEXT("\\"), false},
        {TEXT("\\u00g0"), false},     {TEXT("\xff"), false},
    };
    static const size_t rests[] = {0, 1, 2, 15, 16, 17, 47, 62, 63, 64, 65, 100};
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 1024);
    for (size_t i = 0; i < COUNT(pieces); i++)
        for (size_t before = 0; before < 140; before++)
            for (size_t j = 0; j < COUNT(rests); j++) {
                buf.len = 0;
                ck_assert(gd_buf_add_text(&buf, "{\""));
                add_plain(&buf, before);
                ck_assert(gd_buf_add_span(&buf, pieces[i].piece));
                add_plain(&buf, rests[j]);
                ck_assert(gd_buf_add_text(&buf, "\": \"x\"}"));
                ck_assert_int_eq(valid(gd_buf_span(&buf)), pieces[i].good);
            }
    gd_buf_free(&buf);
}
END_TEST

START_TEST(white_space_is_checked_at_every_place)
{
    static const char white[] =
        "\n                                                       ";
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 1024);
    for (int len = 0; len < 50; len++)
        for (int at = 0; at <= len; at++) {
            buf.len = 0;
            ck_assert(gd_buf_addf(&buf, "[1,%.*s%c%.*s2]", at, white,
                                  at % 4 ? '\t' : '\r', len - at, white));
            ck_assert(valid(gd_buf_span(&buf)));
            buf.data[3 + at] = at % 2 ? '\v' : '\x01';
            ck_assert(!valid(gd_buf_span(&buf)));
        }
    gd_buf_free(&buf);
}
END_TEST

static void mutate(struct gd_buf *buf)
{
    static const char bytes[] =
        "\"\"\\{}[]:,,0123456789-+.eE truefalsnd\n\t\xc3\xa9\xe6\xf0\0\x80";
    size_t at = draw(buf->len + 1);
    size_t from = draw(buf->len + 1);
    char piece[12];
    size_t len = draw(sizeof(piece));

    if (buf->len == 0)
        return;
    switch (draw(5)) {
    case 0:
        buf->data[at % buf->len] = bytes[draw(sizeof(bytes))];
        break;
    case 1:
        buf->data[at % buf->len] = (char)draw(256);
        break;
    case 2:
        buf->len = at;
        break;
    case 3:
        memmove(buf->data + buf->len - at, buf->data + buf->len - at + (at > 0),
                at - (at > 0));
        buf->len -= at > 0;
        break;
    default:
        len = len < buf->len - from ? len : buf->len - from;
        memcpy(piece, buf->data + from, len);
        ck_assert(gd_buf_reserve(buf, len));
        memmove(buf->data + at + len, buf->data + at, buf->len - at);
        memcpy(buf->data + at, piece, len);
        buf->len += len;
    }
}

START_TEST(mutated_texts_are_judged_as_jansson_judges_them)
{
    size_t accepted = 0;
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 1 << 16);
    seed = 42;
    for (int round = 0; round < 25000; round++) {
        buf.len = 0;
        ck_assert(gd_buf_add_text(&buf, "[0,"));
        for (size_t parts = draw(4); parts--;)
            ck_assert(gd_buf_add_span(&buf, valid_texts[draw(COUNT(valid_texts))]) &&
                      gd_buf_add_text(&buf, ","));
        ck_assert(gd_buf_add_span(&buf, valid_texts[draw(COUNT(valid_texts))]) &&
                  gd_buf_add_text(&buf, "]"));
        for (size_t times = draw(3); times--;)
            mutate(&buf);
        accepted += valid(gd_buf_span(&buf));
    }
    ck_assert_uint_gt(accepted, 8000);
    ck_assert_uint_lt(accepted, 20000);
    gd_buf_free(&buf);
}
END_TEST

GD_SUITE("json", every_valid_text_is_accepted_at_every_alignment,
         every_invalid_text_is_refused_at_every_alignment,
         texts_are_judged_the_same_wherever_they_are_in_a_document,
         the_value_is_the_text_without_the_white_space_around_it,
         a_refused_text_leaves_the_value_alone,
         a_fault_tells_the_first_wrong_byte_and_why,
         every_prefix_of_a_valid_text_ends_unexpectedly,
         nesting_is_allowed_to_the_limit_and_no_deeper,
         numbers_are_allowed_to_their_longest_and_no_longer,
         strings_are_checked_at_every_place, white_space_is_checked_at_every_place,
         mutated_texts_are_judged_as_jansson_judges_them)
