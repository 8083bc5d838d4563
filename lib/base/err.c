#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool gd_err_set(struct gd_err *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return false;
    err->offset = 0;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    return false;
}

bool gd_err_errno(struct gd_err *err, const char *fmt, ...)
{
    int saved = errno;
    char reason[128];
    size_t used;
    va_list args;

    if (err == NULL)
        return false;
    err->offset = 0;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used, ": %s",
             strerror_r(saved, reason, sizeof(reason)));
    return false;
}
