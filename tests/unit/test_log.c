#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "log_catch.h"

START_TEST(a_message_stays_one_line_whatever_is_in_it)
{
    catch_log();
    gd_log(GD_LOG_WARN, "%s", "a\nb\r\x1b[2J\x7f \xc3\xa9");
    ck_assert_str_eq(logged(), "gatherd: warn: a\\x0ab\\x0d\\x1b[2J\\x7f \xc3\xa9\n");
    gd_log(GD_LOG_INFO, "%5000d", 1);
    ck_assert_uint_lt(strlen(logged()), 2048);
    ck_assert_ptr_eq(strchr(log_text, '\n'), log_text + strlen(log_text) - 1);
    release_log();
}
END_TEST

START_TEST(lines_below_the_level_are_not_written)
{
    static struct gd_log_limit limit;

    catch_log();
    gd_log_set_level(GD_LOG_WARN);
    gd_log(GD_LOG_INFO, "unheard");
    gd_log_limited(&limit, GD_LOG_INFO, "unheard");
    gd_log(GD_LOG_ERROR, "heard");
    gd_log_set_level(GD_LOG_INFO);
    ck_assert_str_eq(logged(), "gatherd: error: heard\n");
    release_log();
}
END_TEST

START_TEST(what_is_left_out_is_counted)
{
    static struct gd_log_limit limit;
    const struct timespec moment = {.tv_nsec = 10000000};
    bool counted = false;

    catch_log();
    for (int i = 0; i < 1000; i++)
        gd_log_limited(&limit, GD_LOG_WARN, "again");
    for (int i = 0; i < 500 && !counted; i++) {
        nanosleep(&moment, NULL); /* a second has to begin */
        gd_log_limited(&limit, GD_LOG_WARN, "again");
        counted = strstr(logged(), " more like this left out)\n") != NULL;
    }
    ck_assert(counted);
    release_log();
}
END_TEST

START_TEST(a_reader_that_stopped_holds_nobody_up)
{
    int written = 0;

    catch_log();
    /* It would wait here for ever. */
    for (int i = 0; i < 5000; i++)
        gd_log(GD_LOG_INFO, "%100d", i);
    for (const char *at = logged(); (at = strchr(at, '\n')) != NULL; at++)
        written++;
    ck_assert_int_gt(written, 100);
    ck_assert_int_lt(written, 5000);
    gd_log(GD_LOG_INFO, "back");
    snprintf(log_text + 65536, 128,
             "gatherd: warn: %d lines of the log were lost\n"
             "gatherd: info: back\n",
             5000 - written);
    ck_assert_str_eq(logged(), log_text + 65536);
    release_log();
}
END_TEST

GD_SUITE("log", a_message_stays_one_line_whatever_is_in_it,
         lines_below_the_level_are_not_written, what_is_left_out_is_counted,
         a_reader_that_stopped_holds_nobody_up)
