/*
 * Content codings. The first byte picks the coding, the rest is coded. Whatever comes,
 * the content keeps to its bound, all memory is given back to the budget, and a second
 * time has the same end; a content that was decoded fits a bound of its own size, and no
 * smaller one.
 */
#include <stdint.h>
#include <stdlib.h>

#include "http/coding.h"

enum { CONTENT_MAX = 256 * 1024, BUDGET = 32 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum gd_coding_result decode(uint8_t coding, struct gd_span coded, size_t max,
                                    size_t *len)
{
    size_t budget = BUDGET;
    enum gd_coding_result result;
    struct gd_buf out;

    gd_buf_init(&out, NULL, max);
    out.budget = &budget;
    result = gd_coding_decode(coding, coded, &out);
    *len = out.len;
    if (out.len > max || budget != BUDGET - out.cap)
        abort();
    gd_buf_free(&out);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span coded = {(const char *)data + 1, size - 1};
    enum gd_coding_result result;
    size_t len, again;
    uint8_t coding;

    if (size == 0)
        return 0;
    coding = data[0] % (GD_CODING_BR + 1);
    result = decode(coding, coded, CONTENT_MAX, &len);
    if (decode(coding, coded, CONTENT_MAX, &again) != result || again != len)
        abort();
    if (result != GD_CODING_DONE)
        return 0;
    if (decode(coding, coded, len, &again) != GD_CODING_DONE || again != len)
        abort();
    if (len && decode(coding, coded, len - 1, &again) != GD_CODING_TOO_LARGE)
        abort();
    return 0;
}
