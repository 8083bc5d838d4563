#ifndef GD_TESTS_SUITE_H
#define GD_TESTS_SUITE_H
/**
 * What every unit test program shares: a list of tests and a main that runs them.
 * A test is `START_TEST(behaviour_in_words) { … } END_TEST`.
 */
#include <check.h>
#include <stdlib.h>

#define GD_SUITE(name, ...)                                                              \
    int main(void)                                                                       \
    {                                                                                    \
        const TTest *const tests[] = {__VA_ARGS__};                                      \
        Suite *suite = suite_create(name);                                               \
        TCase *tcase = tcase_create(name);                                               \
        SRunner *runner;                                                                 \
        int failed;                                                                      \
                                                                                         \
        tcase_set_timeout(tcase, 50);                                                    \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)                    \
            tcase_add_test(tcase, tests[i]);                                             \
        suite_add_tcase(suite, tcase);                                                   \
        runner = srunner_create(suite);                                                  \
        srunner_run_all(runner, CK_NORMAL);                                              \
        failed = srunner_ntests_failed(runner);                                          \
        srunner_free(runner);                                                            \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                     \
    }

#endif
