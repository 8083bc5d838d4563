#include "suite.h"

#include "json/scan.h"
#include "plan/expr.h"

static const struct gd_span params[] = {{"id", 2}};
static const struct gd_span calls[] = {{"user", 4}, {"in", 2}};
static const struct gd_names names = {
    .params = params, .param_count = 1, .calls = calls, .call_count = 2, .request = true};

static struct gd_arena arena;
static struct gd_yield yields[2];

static void setup(void)
{
    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    for (int i = 0; i < 2; i++) {
        yields[i] = (struct gd_yield){.status = i == 0 ? 200 : 0};
        yields[i].shown = &yields[i].whole;
        gd_tape_init(&yields[i].whole.tape, NULL, NULL);
    }
}

static void teardown(void)
{
    for (int i = 0; i < 2; i++)
        gd_doc_free(&yields[i].whole);
    gd_arena_free(&arena);
}

static const char *const user =
    "{\"n\":7,\"f\":1.50,\"zero\":0,\"s\":\"text\",\"seven\":\"7\",\"e\":\"\",\"t\":true,"
    "\"no\":false,\"nil\":null,\"l\":[1,\"a\",null,[1]],\"o\":{},\"u\":\"\\u00e9\\\"\"}";

static enum gd_truth eval(const char *text)
{
    static const struct gd_span values_of_params[] = {{"a%20b", 5}};
    struct gd_fields fields = {NULL, 0};
    struct gd_facts facts = {.method = GD_SPAN("GET"),
                             .query = GD_SPAN("q=7&e=&t=a+b&v=1.10&x=true"),
                             .fields = &fields};
    struct gd_values values = {
        .params = values_of_params, .param_count = 1, .facts = &facts, .yields = yields};
    struct gd_err err;
    size_t offset;
    struct gd_expr *expr = gd_expr_parse(&arena, gd_span_of(text), &names, &offset, &err);

    ck_assert_msg(expr != NULL, "%s: %s", text, err.text);
    ck_assert(gd_json_scan(gd_span_of(user), 8, &yields[0].whole.text, NULL));
    return gd_expr_eval(expr, &values, NULL);
}

static void all_are(const char *const *texts, enum gd_truth want)
{
    setup();
    for (; *texts; texts++)
        ck_assert_msg(eval(*texts) == want, "%s is not %s", *texts,
                      want == GD_TRUE ? "true" : "false");
    teardown();
}

START_TEST(values_by_themselves_are_true_unless_empty)
{
    static const char *const yes[] = {
        "user.n",         "user.s", "user.t", "user.l", "user.o", "user",
        "query.q",        "id",     "1",      "'a'",    "true",   "user:status",
        "request.method", NULL};
    static const char *const no[] = {"user.zero", "user.e",    "user.no",    "user.nil",
                                     "user.nope", "query.e",   "query.nope", "0",
                                     "''",        "false",     "null",       "in",
                                     "in.x",      "in:status", NULL};

    all_are(yes, GD_TRUE);
    all_are(no, GD_FALSE);
}
END_TEST

START_TEST(values_are_equal_by_text_and_numbers_by_value)
{
    static const char *const yes[] = {"query.q == 7",
                                      "query.q == \"7\"",
                                      "user.n == query.q",
                                      "user.seven == 7",
                                      "user.f == 1.5",
                                      "user.n == 7.0",
                                      "query.t == 'a b'",
                                      "id == \"a b\"",
                                      "user.t == true",
                                      "query.x == true",
                                      "user.nil == null",
                                      "user.nope == null",
                                      "user.u == '\xc3\xa9\"'",
                                      "user.u == \"\xc3\xa9\\\"\"",
                                      "query.v != '1.1'",
                                      "query.v == 1.1",
                                      "user.l != user.l",
                                      "user.e != null",
                                      NULL};
    static const char *const no[] = {
        "user.n == 8",      "user.s == 'Text'", "user.e == null", "user.no == null",
        "user.l == user.l", "user.o == '{}'",   "user.n != 7",    NULL};

    all_are(yes, GD_TRUE);
    all_are(no, GD_FALSE);
}
END_TEST

START_TEST(whole_numbers_count_with_all_their_digits)
{
    static const char *const yes[] = {
        "9007199254740992 != 9007199254740993",
        "9007199254740992 < 9007199254740993",
        "-9007199254740993 < -9007199254740992",
        "-1 < 0",
        "-0 == 0",
        "0 >= -0",
        "9 < 10",
        "-10 < -9",
        "-10 < 9",
        "100000000000000000000 == 1e20",
        "1541815603606036480 in [1541815603606036480]",
        NULL,
    };
    static const char *const no[] = {
        "1541815603606036480 in [1541815603606036481]",
        "9007199254740993 <= 9007199254740992",
        "-0 < 0",
        NULL,
    };

    all_are(yes, GD_TRUE);
    all_are(no, GD_FALSE);
}
END_TEST

START_TEST(order_is_that_of_numbers_or_of_bytes)
{
    static const char *const yes[] = {
        "user.n < 10", "query.q<10",    "query.q >= 7", "user.n <= 7", "user.f > 1.4",
        "-1 < 0",      "'abc' < 'abd'", "'ab' < 'abc'", "'10' < '9'",  "1e2 > 99",
        NULL};
    static const char *const no[] = {
        "user.nope < 1", "user.nil >= 0", "user.l > 0", "user.n > 7",
        "null < 1",      "null >= null",  NULL};

    all_are(yes, GD_TRUE);
    all_are(no, GD_FALSE);
}
END_TEST

START_TEST(a_value_is_looked_for_in_lists)
{
    static const char *const yes[] = {"user.n in [1, 7]",        "query.q in [\"7\"]",
                                      "'a' in user.l",           "1 in user.l",
                                      "null in user.l",          "'a' in user.l[*]",
                                      "user.s in ['x', user.s]", NULL};
    static const char *const no[] = {"user.n in []",
                                     "user.n in [1, 2]",
                                     "'b' in user.l",
                                     "1 in user.o",
                                     "1 in user.nope",
                                     "1 in user.s",
                                     NULL};

    all_are(yes, GD_TRUE);
    all_are(no, GD_FALSE);
}
END_TEST

START_TEST(not_binds_most_and_or_least)
{
    static const char *const yes[] = {"true || false && false",
                                      "!(true && false)",
                                      "!false && true",
                                      "!user.nope",
                                      "!!user.n",
                                      "(true || false) && user.n == 7 && !(user.n == 8)",
                                      "false || (false || (true))",
                                      "!user.no == true || true",
                                      NULL};
    static const char *const no[] = {"(true || false) && false", "!true || false",
                                     "false && true || false", NULL};

    all_are(yes, GD_TRUE);
    all_are(no, GD_FALSE);
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_place)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *says;
    } cases[] = {
        {"", 0, "expected a value"},
        {"usr.n == 1", 0, "did you mean user.n?"},
        {"user.n = 1", 7, "comparisons are =="},
        {"user.n == ", 10, "expected a value"},
        {"user.n == 1 and true", 12, "expected && or ||"},
        {"(user.n == 1", 12, "expected )"},
        {"user.n in 7", 11, "behind `in` stands a list"},
        {"user.n in [1, 2", 15, "expected , or ]"},
        {"user.s == 'x", 12, "is not closed"},
        {"user.n == 01", 10, "no number"},
        {"item.x", 0, "item belongs to calls with each"},
        {"user.n == 1 ||", 14, "expected a value"},
        {"!", 1, "expected a value"},
    };
    struct gd_err err;
    size_t offset;

    setup();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(gd_expr_parse(&arena, gd_span_of(cases[i].text), &names, &offset,
                                    &err) == NULL,
                      "%s is taken", cases[i].text);
        ck_assert_msg(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].text,
                      err.text);
        ck_assert_msg(offset == cases[i].offset, "%s: at %zu", cases[i].text, offset);
    }
    teardown();
}
END_TEST

START_TEST(conditions_are_bounded)
{
    char deep[200], wide[4096];
    struct gd_err err;
    size_t offset;

    setup();
    memset(deep, '(', 100);
    deep[100] = '\0';
    ck_assert(gd_expr_parse(&arena, gd_span_of(deep), &names, &offset, &err) == NULL);
    ck_assert(strstr(err.text, "too deep") != NULL);
    memset(deep, '!', 100);
    ck_assert(gd_expr_parse(&arena, gd_span_of(deep), &names, &offset, &err) == NULL);
    ck_assert(strstr(err.text, "too deep") != NULL);
    for (size_t i = 0; i < sizeof(wide); i++)
        wide[i] = "1||"[i % 3];
    ck_assert(gd_expr_parse(&arena, (struct gd_span){wide, 4000}, &names, &offset,
                            &err) == NULL);
    ck_assert(strstr(err.text, "too long") != NULL);
    teardown();
}
END_TEST

START_TEST(what_a_condition_mentions_is_known)
{
    struct gd_err err;
    size_t offset;
    struct gd_expr *expr;

    setup();
    expr = gd_expr_parse(&arena, GD_SPAN("id == 1 && (in.x in [user.n] || !query.q)"),
                         &names, &offset, &err);
    ck_assert(expr != NULL);
    ck_assert_uint_eq(gd_expr_needs(expr), 3);
    ck_assert(!gd_expr_reads_body(expr));
    expr = gd_expr_parse(&arena, GD_SPAN("1 in [body.x]"), &names, &offset, &err);
    ck_assert(expr != NULL && gd_expr_reads_body(expr));
    ck_assert_uint_eq(gd_expr_needs(expr), 0);
    teardown();
}
END_TEST

GD_SUITE("expr", values_by_themselves_are_true_unless_empty,
         values_are_equal_by_text_and_numbers_by_value,
         whole_numbers_count_with_all_their_digits, order_is_that_of_numbers_or_of_bytes,
         a_value_is_looked_for_in_lists, not_binds_most_and_or_least,
         what_is_wrong_is_told_with_its_place, conditions_are_bounded,
         what_a_condition_mentions_is_known)
