/*
 * A battery of malformed, ambiguous and unusual requests, each read in one piece, byte by
 * byte and in random pieces: the verdict and all that was read must be the same.
 */
#include "suite.h"

#include "http_cases.h"
#include "http_walker.h"

enum { RANDOM_RUNS = 200 };

static void check_same(const struct request_case *test, const struct walker *whole,
                       size_t max_piece, uint32_t *seed)
{
    struct walker walker;

    walker_run(&walker, test->bytes, test->len, max_piece, seed);
    ck_assert_msg(strcmp(walker.verdict, whole->verdict) == 0,
                  "%s: \"%s\" in pieces up to %zu, \"%s\" in one", test->name,
                  walker.verdict, max_piece, whole->verdict);
    ck_assert_msg(walker.trace_len == whole->trace_len &&
                      (walker.trace_len == 0 ||
                       memcmp(walker.trace, whole->trace, walker.trace_len) == 0),
                  "%s: read differently in pieces:\n%.*s\nthan in one:\n%.*s", test->name,
                  (int)walker.trace_len, walker.trace, (int)whole->trace_len,
                  whole->trace);
    walker_free(&walker);
}

static void check_case(const struct request_case *test)
{
    static const size_t pieces[] = {2, 3, 7, 20, 60};
    struct walker whole;
    uint32_t seed = 88172645;

    walker_run(&whole, test->bytes, test->len, 0, &seed);
    ck_assert_msg(strcmp(whole.verdict, test->verdict) == 0,
                  "%s: \"%s\", not \"%s\" (%s)", test->name, whole.verdict, test->verdict,
                  whole.state.why ? whole.state.why : "-");
    check_same(test, &whole, 1, &seed);
    for (int i = 0; i < RANDOM_RUNS; i++)
        check_same(test, &whole, pieces[i % 5], &seed);
    walker_free(&whole);
}

#define CHECK_ALL(cases)                                                                 \
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)                        \
    check_case(&cases[i])

START_TEST(ambiguous_framing_is_refused)
{
    CHECK_ALL(framing_cases);
}
END_TEST

START_TEST(malformed_chunks_are_refused)
{
    CHECK_ALL(chunk_cases);
}
END_TEST

START_TEST(malformed_fields_are_refused)
{
    CHECK_ALL(field_cases);
}
END_TEST

START_TEST(malformed_request_lines_are_refused)
{
    CHECK_ALL(line_cases);
}
END_TEST

GD_SUITE("http_battery", ambiguous_framing_is_refused, malformed_chunks_are_refused,
         malformed_fields_are_refused, malformed_request_lines_are_refused)
