/* What arrives at standard error, which is a pipe here while a test runs. */
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static int real_stderr, reader;
static char text[1 << 17];

static void catch_log(void)
{
    int ends[2];

    fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    ck_assert(real_stderr >= 0 && pipe(ends) == 0);
    ck_assert(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
    fcntl(reader, F_SETFL, O_NONBLOCK);
}

static void release_log(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(reader);
}

/* What has been written since the last call. */
static const char *logged(void)
{
    size_t len = 0;
    ssize_t n;

    while ((n = read(reader, text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    return text;
}

START_TEST(a_message_stays_one_line_whatever_is_in_it)
{
    catch_log();
    gd_log(GD_LOG_WARN, "%s", "a\nb\r\x1b[2J\x7f \xc3\xa9");
    ck_assert_str_eq(logged(), "gatherd: warn: a\\x0ab\\x0d\\x1b[2J\\x7f \xc3\xa9\n");
    gd_log(GD_LOG_INFO, "%5000d", 1);
    ck_assert_uint_lt(strlen(logged()), 2048);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
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
    snprintf(text + 65536, 128,
             "gatherd: warn: %d lines of the log were lost\n"
             "gatherd: info: back\n",
             5000 - written);
    ck_assert_str_eq(logged(), text + 65536);
    release_log();
}
END_TEST

GD_SUITE("log", a_message_stays_one_line_whatever_is_in_it,
         lines_below_the_level_are_not_written, what_is_left_out_is_counted,
         a_reader_that_stopped_holds_nobody_up)
