#include "http/coding_memory.h"

#include <stdalign.h>

/* Each piece has its size in front. */
struct held {
    alignas(max_align_t) size_t cap;
};

void *gd_coding_memory_get(void *arg, size_t size)
{
    const struct gd_coding_memory *from = arg;
    struct held *held;
    size_t cap;

    held = gd_blocks_get(from->blocks, sizeof(*held) + size, &cap);
    if (held == NULL)
        return NULL;
    if (from->budget && cap > *from->budget) {
        gd_blocks_put(from->blocks, held, cap);
        return NULL;
    }
    if (from->budget)
        *from->budget -= cap;
    held->cap = cap;
    return held + 1;
}

void gd_coding_memory_put(void *arg, void *memory)
{
    const struct gd_coding_memory *from = arg;
    struct held *held = memory;

    if (held == NULL)
        return;
    held--;
    if (from->budget)
        *from->budget += held->cap;
    gd_blocks_put(from->blocks, held, held->cap);
}

voidpf gd_coding_memory_array(voidpf arg, uInt count, uInt size)
{
    size_t bytes;

    return __builtin_mul_overflow((size_t)count, (size_t)size, &bytes)
               ? NULL
               : gd_coding_memory_get(arg, bytes);
}

size_t gd_coding_memory_size(const void *memory)
{
    return ((const struct held *)memory - 1)->cap;
}
