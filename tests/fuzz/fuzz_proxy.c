/*
 * PROXY headers: nothing is read beyond the bytes that are there, what is complete does
 * not depend on what comes behind it, and what is incomplete is not refused later than it
 * must.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"

static void must(int holds)
{
    if (!holds)
        abort();
}

static enum gd_proxy_result parse(const uint8_t *data, size_t size, struct gd_proxy *out)
{
    char *copy = malloc(size + !size);
    enum gd_proxy_result result;

    must(copy != NULL);
    memcpy(copy, data, size);
    result = gd_proxy_parse((struct gd_span){copy, size}, out);
    free(copy);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_proxy whole, part;
    enum gd_proxy_result result = parse(data, size, &whole);

    must(result != GD_PROXY_MORE || size < GD_PROXY_MAX_BYTES);
    if (result == GD_PROXY_DONE) {
        must(whole.bytes > 0 && whole.bytes <= size && whole.bytes <= GD_PROXY_MAX_BYTES);
        must(parse(data, whole.bytes, &part) == GD_PROXY_DONE);
        must(part.bytes == whole.bytes && part.source == whole.source &&
             part.port == whole.port && part.tls == whole.tls &&
             memcmp(part.address, whole.address, sizeof(part.address)) == 0);
        must(parse(data, whole.bytes - 1, &part) == GD_PROXY_MORE);
    }
    for (size_t n = 0; n < size && n < 300; n++) {
        enum gd_proxy_result now = parse(data, n, &part);

        must(now != GD_PROXY_BAD || result == GD_PROXY_BAD);
        must(now != GD_PROXY_DONE || result == GD_PROXY_DONE);
    }
    return 0;
}
