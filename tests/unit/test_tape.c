#include "compose_rig.h"

#include "json_texts.h"

static void decodes(const char *text, struct gd_span expected)
{
    struct rig rig;
    struct gd_buf buf;
    struct gd_json_value value;

    rig_open(&rig);
    value = rig_value(&rig, text);
    gd_buf_init(&buf, NULL, 256);
    ck_assert(gd_tape_decode(value.tape, value.node, &buf));
    ck_assert_uint_eq(buf.len, expected.len);
    if (expected.len)
        ck_assert_mem_eq(buf.data, expected.ptr, expected.len);
    ck_assert(gd_tape_string_is(value.tape, value.node, expected));
    gd_buf_free(&buf);
    rig_close(&rig);
}

START_TEST(every_kind_of_value_is_told_with_its_bytes)
{
    static const struct {
        const char *text;
        enum gd_json_kind kind;
    } cases[] = {
        {"null", GD_JSON_NULL},
        {"true", GD_JSON_TRUE},
        {"false", GD_JSON_FALSE},
        {"0", GD_JSON_NUMBER},
        {"-1.5e+10", GD_JSON_NUMBER},
        {"7E-2", GD_JSON_NUMBER},
        {"0.25", GD_JSON_NUMBER},
        {"-0", GD_JSON_NUMBER},
        {"\"\"", GD_JSON_STRING},
        {"\"a,]}\\\"\"", GD_JSON_STRING},
        {"\"\\\\\"", GD_JSON_STRING},
        {"[]", GD_JSON_ARRAY},
        {"[1,{\"a\":[ ]}]", GD_JSON_ARRAY},
        {"{}", GD_JSON_OBJECT},
        {"{ \"}\" : [] }", GD_JSON_OBJECT},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char list[128];
        struct rig rig;
        struct gd_json_value value;

        rig_open(&rig);
        value = rig_value(&rig, cases[i].text);
        ck_assert_int_eq(gd_tape_kind(value.tape, value.node), cases[i].kind);
        ck_assert(gd_span_is(gd_tape_text(value.tape, value.node), cases[i].text));
        snprintf(list, sizeof(list), "[1, %s ,2]", cases[i].text);
        value = rig_value(&rig, list);
        value.node = gd_tape_next(value.tape, gd_tape_first(value.tape, value.node));
        ck_assert_int_eq(gd_tape_kind(value.tape, value.node), cases[i].kind);
        ck_assert(gd_span_is(gd_tape_text(value.tape, value.node), cases[i].text));
        value.node = gd_tape_next(value.tape, value.node);
        ck_assert(gd_span_is(gd_tape_text(value.tape, value.node), "2"));
        ck_assert_uint_eq(gd_tape_next(value.tape, value.node), GD_NODE_NONE);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(members_are_walked_in_order)
{
    struct rig rig;
    struct gd_json_value value;
    const struct gd_tape *tape;
    gd_node name;

    rig_open(&rig);
    value = rig_value(&rig, "{\"a\" : {\"x\":[1,2]}, \"\":[], \"b\":\"c\"}");
    tape = value.tape;
    name = gd_tape_first(tape, value.node);
    ck_assert(gd_tape_string_is(tape, name, GD_SPAN("a")));
    ck_assert(gd_span_is(gd_tape_text(tape, gd_tape_value(tape, name)), "{\"x\":[1,2]}"));
    name = gd_tape_next_name(tape, name);
    ck_assert(gd_tape_string_is(tape, name, GD_SPAN("")));
    ck_assert_uint_eq(gd_tape_first(tape, gd_tape_value(tape, name)), GD_NODE_NONE);
    name = gd_tape_next_name(tape, name);
    ck_assert(gd_span_is(gd_tape_text(tape, name), "\"b\""));
    ck_assert_uint_eq(gd_tape_first(tape, gd_tape_value(tape, name)), GD_NODE_NONE);
    ck_assert_uint_eq(gd_tape_next_name(tape, name), GD_NODE_NONE);
    ck_assert_uint_eq(gd_tape_next(tape, GD_NODE_ROOT), GD_NODE_NONE);
    rig_close(&rig);
}
END_TEST

START_TEST(of_a_name_that_stands_twice_the_last_one_counts)
{
    struct rig rig;
    struct gd_json_value value;
    gd_node found;

    rig_open(&rig);
    value = rig_value(&rig, "{\"a\":1,\"b\":{\"a\":9},\"\\u0061\":2,\"aa\":3}");
    found = gd_tape_get(value.tape, value.node, GD_SPAN("a"));
    ck_assert(gd_span_is(gd_tape_text(value.tape, found), "2"));
    ck_assert_uint_eq(gd_tape_get(value.tape, value.node, GD_SPAN("c")), GD_NODE_NONE);
    ck_assert_uint_eq(gd_tape_get(value.tape, found, GD_SPAN("a")), GD_NODE_NONE);
    rig_close(&rig);
}
END_TEST

START_TEST(escapes_are_decoded)
{
    decodes("\"\"", GD_SPAN(""));
    decodes("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", GD_SPAN("\"\\/\b\f\n\r\t"));
    decodes("\"a\\u0041\\u00e9\\u65e5z\"", GD_SPAN("aA\xc3\xa9\xe6\x97\xa5z"));
    decodes("\"\\u0000\"", GD_SPAN("\0"));
    decodes("\"\\uD83D\\uDe00\"", GD_SPAN("\xf0\x9f\x98\x80"));
    decodes("\"\\ud800\\udc00\\udbff\\udfff\"",
            GD_SPAN("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
}
END_TEST

#define LOST "\xef\xbf\xbd"

START_TEST(surrogates_without_their_other_half_are_replaced)
{
    decodes("\"\\ud800\"", GD_SPAN(LOST));
    decodes("\"\\udc00\\ud800x\"", GD_SPAN(LOST LOST "x"));
    decodes("\"\\ud800\\ud800\\udc00\"", GD_SPAN(LOST "\xf0\x90\x80\x80"));
    decodes("\"\\ud800\\n\"", GD_SPAN(LOST "\n"));
    decodes("\"\\ud800\\u0041\"", GD_SPAN(LOST "A"));
}
END_TEST

START_TEST(strings_are_compared_decoded_and_whole)
{
    struct rig rig;
    struct gd_json_value value;

    rig_open(&rig);
    value = rig_value(&rig, "\"a\\u0062c\"");
    ck_assert(gd_tape_string_is(value.tape, value.node, GD_SPAN("abc")));
    ck_assert(!gd_tape_string_is(value.tape, value.node, GD_SPAN("ab")));
    ck_assert(!gd_tape_string_is(value.tape, value.node, GD_SPAN("abcd")));
    ck_assert(!gd_tape_string_is(value.tape, value.node, GD_SPAN("a\\u0062c")));
    ck_assert(!gd_tape_string_is(value.tape, value.node, GD_SPAN("")));
    value = rig_value(&rig, "7");
    ck_assert(!gd_tape_string_is(value.tape, value.node, GD_SPAN("7")));
    rig_close(&rig);
}
END_TEST

START_TEST(decoding_past_the_bound_leaves_the_buffer_as_it_was)
{
    struct rig rig;
    struct gd_json_value value;
    struct gd_buf buf;

    rig_open(&rig);
    value = rig_value(&rig, "\"abc\\u00e9\"");
    gd_buf_init(&buf, NULL, 6);
    ck_assert(gd_buf_add(&buf, "xy", 2));
    ck_assert(!gd_tape_decode(value.tape, value.node, &buf));
    ck_assert(gd_span_is(gd_buf_span(&buf), "xy"));
    buf.max = 7;
    ck_assert(gd_tape_decode(value.tape, value.node, &buf));
    gd_buf_free(&buf);
    rig_close(&rig);
}
END_TEST

static bool same_tape(const struct gd_tape *a, const struct gd_tape *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->words, b->words, a->count * 8) == 0);
}

static void twins_agree(struct gd_span value)
{
    struct gd_tape fast, twin;

    gd_tape_init(&fast, NULL, NULL);
    gd_tape_init(&twin, NULL, NULL);
    ck_assert(gd_tape_build(&fast, value));
    ck_assert(gd_tape_build_portable(&twin, value));
    ck_assert(same_tape(&fast, &twin));
    ck_assert(gd_span_eq(gd_tape_text(&fast, GD_NODE_ROOT), value));
    gd_tape_free(&fast);
    gd_tape_free(&twin);
}

/* Checked in the same pass the tape is the same, for both twins; of a scalar there is
 * none. */
static void one_pass_agrees(struct gd_span text)
{
    struct gd_tape tape, twin, later;
    struct gd_span value, other;

    gd_tape_init(&tape, NULL, NULL);
    gd_tape_init(&twin, NULL, NULL);
    gd_tape_init(&later, NULL, NULL);
    ck_assert(gd_tape_scan(&tape, text, GD_JSON_DEPTH_MAX, &value, NULL));
    ck_assert(gd_tape_scan_portable(&twin, text, GD_JSON_DEPTH_MAX, &other, NULL));
    ck_assert_ptr_eq(value.ptr, other.ptr);
    ck_assert_uint_eq(value.len, other.len);
    ck_assert(same_tape(&tape, &twin));
    ck_assert_int_eq(gd_tape_is_empty(&tape), (*value.ptr | 0x20) != '{');
    ck_assert(gd_tape_build(&later, value));
    ck_assert(gd_tape_is_empty(&tape) || same_tape(&tape, &later));
    gd_tape_free(&tape);
    gd_tape_free(&twin);
    gd_tape_free(&later);
}

START_TEST(both_twins_write_the_same_tape)
{
    struct gd_span value;
    char text[1200];

    for (size_t i = 0; i < sizeof(valid_texts) / sizeof(valid_texts[0]); i++) {
        ck_assert(gd_json_scan(valid_texts[i], GD_JSON_DEPTH_MAX, &value, NULL));
        twins_agree(value);
        one_pass_agrees(valid_texts[i]);
    }
    /* What is odd is moved over all places in a block, and over its edges. */
    for (int pad = 0; pad < 140; pad++) {
        snprintf(
            text, sizeof(text),
            "{\"%*s\":\"\\\\\\\"\",%*s\"\\\\\":[%*d,-2e5,true ,{}],\"x\":\"%*s\\n\"}",
            pad, "a", pad, "", pad + 1, 7, pad, "b");
        ck_assert(gd_json_scan(gd_span_of(text), GD_JSON_DEPTH_MAX, &value, NULL));
        twins_agree(value);
    }
}
END_TEST

START_TEST(nesting_of_any_depth_the_check_allows_is_indexed)
{
    char text[2 * GD_JSON_DEPTH_MAX];
    struct rig rig;
    struct gd_json_value value;
    gd_node node = GD_NODE_ROOT;
    int depth = 1;

    memset(text, '[', GD_JSON_DEPTH_MAX);
    memset(text + GD_JSON_DEPTH_MAX, ']', GD_JSON_DEPTH_MAX);
    rig_open(&rig);
    value = rig_value_of(&rig, (struct gd_span){text, sizeof(text)});
    while (gd_tape_first(value.tape, node) != GD_NODE_NONE) {
        node = gd_tape_first(value.tape, node);
        depth++;
    }
    ck_assert_int_eq(depth, GD_JSON_DEPTH_MAX);
    ck_assert(gd_span_is(gd_tape_text(value.tape, node), "[]"));
    ck_assert_uint_eq(gd_tape_next(value.tape, node), GD_NODE_NONE);
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_composed_may_be_deeper_than_what_is_checked)
{
    enum { DEPTH = GD_JSON_DEPTH_MAX + 100 };
    char text[2 * DEPTH];
    struct gd_span value = {text, sizeof(text)};
    struct gd_tape tape;

    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    gd_tape_init(&tape, NULL, NULL);
    ck_assert(gd_tape_build(&tape, value));
    ck_assert_uint_eq(tape.count, sizeof(text));
    ck_assert(!gd_tape_scan(&tape, value, DEPTH, &value, NULL));
    ck_assert(gd_tape_is_empty(&tape));
    ck_assert(!gd_tape_scan(&tape, GD_SPAN("[[1]]"), 1, &value, NULL));
    ck_assert(gd_tape_scan(&tape, GD_SPAN("[[1]]"), 2, &value, NULL));
    gd_tape_free(&tape);
}
END_TEST

START_TEST(a_text_that_is_not_valid_leaves_an_empty_tape_and_its_fault)
{
    size_t all = 1 << 20, budget = all;
    struct gd_json_fault fault;
    struct gd_span value;
    struct gd_tape tape;

    gd_tape_init(&tape, NULL, &budget);
    ck_assert(!gd_tape_scan(&tape, GD_SPAN(" [1,{\"a\":tru}] "), 9, &value, &fault));
    ck_assert_uint_eq(fault.offset, 12);
    ck_assert_str_eq(fault.reason, "invalid literal");
    ck_assert(gd_tape_is_empty(&tape));
    ck_assert_uint_eq(budget, all);
}
END_TEST

START_TEST(a_valid_text_without_memory_for_its_tape_stays_valid)
{
    size_t budget = 0;
    struct gd_span value;
    struct gd_tape tape;

    gd_tape_init(&tape, NULL, &budget);
    ck_assert(gd_tape_scan(&tape, GD_SPAN(" [1,2]\n"), 9, &value, NULL));
    ck_assert(gd_span_is(value, "[1,2]"));
    ck_assert(gd_tape_is_empty(&tape));
    ck_assert(!gd_tape_build(&tape, value));
}
END_TEST

START_TEST(texts_of_too_many_bytes_are_refused)
{
    struct gd_tape tape;

    gd_tape_init(&tape, NULL, NULL);
    ck_assert(!gd_tape_build(&tape, (struct gd_span){"[]", GD_TAPE_TEXT_MAX + 1}));
    ck_assert_uint_eq(tape.count, 0);
    ck_assert(!gd_tape_build(&tape, GD_SPAN("")));
    ck_assert(gd_tape_build(&tape, GD_SPAN("[]")));
    gd_tape_free(&tape);
}
END_TEST

/* [0,0,0,…]: a word for every byte but the commas. */
static struct gd_span zeros(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? '0' : ',';
    text[0] = '[';
    text[len - 1] = ']';
    return (struct gd_span){text, len};
}

START_TEST(memory_is_bounded_by_the_text_and_taken_from_the_budget)
{
    static char text[100001];
    struct gd_span value = zeros(text, sizeof(text));
    size_t all = 4 << 20, budget = all;
    struct gd_blocks blocks;
    struct gd_tape tape;

    gd_blocks_init(&blocks);
    gd_tape_init(&tape, &blocks, &budget);
    ck_assert(gd_tape_build(&tape, value));
    ck_assert_uint_eq(tape.count, 50002);
    ck_assert_uint_eq(budget, all - tape.bytes);
    ck_assert_uint_le(tape.bytes, 8 * sizeof(text) + 65536);
    ck_assert(gd_tape_build(&tape, GD_SPAN("[1]")));
    ck_assert_uint_le(all - budget, 1024);
    gd_tape_free(&tape);
    ck_assert_uint_eq(budget, all);
    gd_blocks_clear(&blocks);
}
END_TEST

START_TEST(a_budget_that_is_used_up_leaves_an_empty_tape)
{
    static char text[100001];
    struct gd_span value = zeros(text, sizeof(text));
    struct gd_tape tape;

    for (size_t all = 0; all < 400000; all += 40000) {
        size_t budget = all;

        gd_tape_init(&tape, NULL, &budget);
        ck_assert(!gd_tape_build(&tape, value));
        ck_assert_uint_eq(budget, all);
        ck_assert_uint_eq(tape.count, 0);
        ck_assert_ptr_null(tape.words);
        gd_tape_free(&tape);
    }
}
END_TEST

START_TEST(an_empty_tape_can_be_freed)
{
    struct gd_tape tape = {.count = 0};

    gd_tape_free(&tape);
    ck_assert_ptr_null(tape.words);
}
END_TEST

GD_SUITE("tape", every_kind_of_value_is_told_with_its_bytes, members_are_walked_in_order,
         of_a_name_that_stands_twice_the_last_one_counts, escapes_are_decoded,
         surrogates_without_their_other_half_are_replaced,
         strings_are_compared_decoded_and_whole,
         decoding_past_the_bound_leaves_the_buffer_as_it_was,
         both_twins_write_the_same_tape, nesting_of_any_depth_the_check_allows_is_indexed,
         what_is_composed_may_be_deeper_than_what_is_checked,
         a_text_that_is_not_valid_leaves_an_empty_tape_and_its_fault,
         a_valid_text_without_memory_for_its_tape_stays_valid,
         texts_of_too_many_bytes_are_refused,
         memory_is_bounded_by_the_text_and_taken_from_the_budget,
         a_budget_that_is_used_up_leaves_an_empty_tape, an_empty_tape_can_be_freed)
