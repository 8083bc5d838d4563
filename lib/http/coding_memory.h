#ifndef GD_HTTP_CODING_MEMORY_H
#define GD_HTTP_CODING_MEMORY_H
/**
 * Memory of decoders and encoders: blocks of the thread's cache, which count against a
 * budget. In the forms that zlib and brotli ask for; arg is a struct gd_coding_memory.
 * Private to lib/http.
 */
#include <zlib.h>

#include "base/blocks.h"

struct gd_coding_memory {
    struct gd_blocks *blocks; /* borrowed, may be NULL */
    size_t *budget;           /* borrowed, may be NULL: bytes left */
};

void *gd_coding_memory_get(void *arg, size_t size);
void gd_coding_memory_put(void *arg, void *memory);
voidpf gd_coding_memory_array(voidpf arg, uInt count, uInt size);

/** What a piece takes in all. */
size_t gd_coding_memory_size(const void *memory);

#endif
