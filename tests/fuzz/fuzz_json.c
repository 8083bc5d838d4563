/*
 * The JSON check against its portable twin and against jansson, and what we write as JSON
 * against the check.
 */
#include <stdio.h>

#include "../json_oracle.h"
#include "json/text.h"

static void stop(const char *what)
{
    fprintf(stderr, "json: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span text = {(const char *)data, size};
    const char *wrong = json_check(text);
    struct gd_buf buf;
    struct gd_span value;

    if (wrong)
        stop(wrong);
    gd_buf_init(&buf, NULL, 6 * size + 2);
    if (!gd_json_add_string(&buf, text))
        stop("a string did not fit six times its room");
    if (!gd_json_scan(gd_buf_span(&buf), 1, &value, NULL) || value.len != buf.len)
        stop("a written string is not valid");
    gd_buf_free(&buf);
    return 0;
}
