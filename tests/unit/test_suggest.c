#include "suite.h"

#include "base/suggest.h"

static const char *const words[] = {"timeout", "upstreams", "routes",  NULL,
                                    "listen",  "id",        "max_body"};

static const char *suggest(const char *word)
{
    return gd_suggest(gd_span_of(word), words, sizeof(words) / sizeof(words[0]));
}

START_TEST(a_slip_of_the_finger_finds_the_word_meant)
{
    ck_assert_str_eq(suggest("timout"), "timeout");
    ck_assert_str_eq(suggest("timeoutt"), "timeout");
    ck_assert_str_eq(suggest("itmeout"), "timeout");
    ck_assert_str_eq(suggest("timepot"), "timeout");
    ck_assert_str_eq(suggest("upstream"), "upstreams");
    ck_assert_str_eq(suggest("listne"), "listen");
    ck_assert_str_eq(suggest("max-body"), "max_body");
    ck_assert_str_eq(suggest("maxbody"), "max_body");
    ck_assert_str_eq(suggest("ids"), "id");
}
END_TEST

START_TEST(case_does_not_count)
{
    ck_assert_str_eq(suggest("TimeOut"), "timeout");
    ck_assert_str_eq(suggest("ROUTE"), "routes");
}
END_TEST

START_TEST(a_word_unlike_all_others_gets_no_suggestion)
{
    ck_assert_ptr_null(suggest("zebra"));
    ck_assert_ptr_null(suggest("x"));
    ck_assert_ptr_null(suggest("xy"));
    ck_assert_ptr_null(suggest(""));
    ck_assert_ptr_null(gd_suggest(GD_SPAN("timeout"), words, 0));
}
END_TEST

START_TEST(the_nearest_wins_and_among_equals_the_first)
{
    static const char *const near[] = {"orders", "order", "ordre"};
    static const char *const equal[] = {"abcdef1", "abcdef2"};

    ck_assert_str_eq(gd_suggest(GD_SPAN("order"), near, 3), "order");
    ck_assert_str_eq(gd_suggest(GD_SPAN("abcdef3"), equal, 2), "abcdef1");
}
END_TEST

START_TEST(very_long_words_are_not_compared)
{
    char text[200];
    const char *known[] = {text};

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_ptr_null(gd_suggest(gd_span_of(text), known, 1));
    ck_assert_ptr_null(gd_suggest(GD_SPAN("aaaa"), known, 1));
    text[63] = '\0';
    ck_assert_ptr_eq(gd_suggest(gd_span_of(text), known, 1), text);
}
END_TEST

GD_SUITE("suggest", a_slip_of_the_finger_finds_the_word_meant, case_does_not_count,
         a_word_unlike_all_others_gets_no_suggestion,
         the_nearest_wins_and_among_equals_the_first, very_long_words_are_not_compared)
