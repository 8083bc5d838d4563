#include "base/blocks.h"

#include "base/mem.h"

/* What a cache keeps per class: enough for a few hundred requests in flight, little
 * enough (about 3 MiB in all) that an idle process stays small. */
static const size_t class_size[GD_BLOCK_CLASSES] = {1024, 4096, 16384, 65536};
static const size_t class_keep[GD_BLOCK_CLASSES] = {1024, 256, 32, 8};

struct gd_block_free {
    struct gd_block_free *next;
};

static int class_of(size_t want)
{
    for (int i = 0; i < GD_BLOCK_CLASSES; i++)
        if (want <= class_size[i])
            return i;
    return -1;
}

void gd_blocks_init(struct gd_blocks *blocks)
{
    *blocks = (struct gd_blocks){0};
}

void gd_blocks_clear(struct gd_blocks *blocks)
{
    for (int i = 0; i < GD_BLOCK_CLASSES; i++) {
        while (blocks->free[i]) {
            struct gd_block_free *block = blocks->free[i];

            blocks->free[i] = block->next;
            gd_free(block);
        }
        blocks->cached[i] = 0;
    }
}

void *gd_blocks_get(struct gd_blocks *blocks, size_t want, size_t *cap)
{
    int i = class_of(want);

    *cap = i < 0 ? want : class_size[i];
    if (i >= 0 && blocks && blocks->free[i]) {
        struct gd_block_free *block = blocks->free[i];

        blocks->free[i] = block->next;
        blocks->cached[i]--;
        return block;
    }
    return gd_try_alloc(*cap);
}

void gd_blocks_put(struct gd_blocks *blocks, void *ptr, size_t cap)
{
    int i = class_of(cap);
    struct gd_block_free *block = ptr;

    if (ptr == NULL)
        return;
    if (i < 0 || blocks == NULL || class_size[i] != cap ||
        blocks->cached[i] >= class_keep[i]) {
        gd_free(ptr);
        return;
    }
    block->next = blocks->free[i];
    blocks->free[i] = block;
    blocks->cached[i]++;
}
