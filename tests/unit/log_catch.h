#ifndef GD_TESTS_LOG_CATCH_H
#define GD_TESTS_LOG_CATCH_H
/**
 * What a test makes the log say: between catch_log and release_log standard error is a
 * pipe.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int real_stderr, reader;
static char log_text[1 << 17]; /* of logged() */

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

    while ((n = read(reader, log_text + len, sizeof(log_text) - 1 - len)) > 0)
        len += (size_t)n;
    log_text[len] = '\0';
    return log_text;
}

#endif
