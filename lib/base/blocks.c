#include "base/blocks.h"

#include <stdbool.h>

#include "base/mem.h"

/* What a cache keeps per class: enough for a few hundred requests in flight, little
 * enough (about 3 MiB in all) that an idle process stays small. */
static const size_t class_size[GD_BLOCK_SMALL] = {1024, 4096, 16384, 65536};
static const size_t class_keep[GD_BLOCK_SMALL] = {1024, 256, 32, 8};

/* Of large blocks: new ones cost a page fault for every 4 KiB, more than the bytes that
 * are read into them. */
enum { LARGE_STEP = 64 * 1024, LARGE_KEEP_BYTES = 8 * 1024 * 1024 };

struct gd_block_free {
    struct gd_block_free *next;
};

static size_t size_of(int i)
{
    return i < GD_BLOCK_SMALL ? class_size[i]
                              : (size_t)(i - GD_BLOCK_SMALL + 2) * LARGE_STEP;
}

static int class_of(size_t want)
{
    for (int i = 0; i < GD_BLOCK_SMALL; i++)
        if (want <= class_size[i])
            return i;
    if (want > size_of(GD_BLOCK_CLASSES - 1))
        return -1;
    return (int)((want + LARGE_STEP - 1) / LARGE_STEP) - 2 + GD_BLOCK_SMALL;
}

void gd_blocks_init(struct gd_blocks *blocks)
{
    *blocks = (struct gd_blocks){0};
}

static void *take(struct gd_blocks *blocks, int i)
{
    struct gd_block_free *block = blocks->free[i];
    size_t left = --blocks->cached[i];

    blocks->free[i] = block->next;
    if (i >= GD_BLOCK_SMALL) {
        blocks->large_bytes -= size_of(i);
        if (left < blocks->unused[i - GD_BLOCK_SMALL])
            blocks->unused[i - GD_BLOCK_SMALL] = left;
    }
    return block;
}

static void drop(struct gd_blocks *blocks, int i, size_t count)
{
    while (count-- > 0)
        gd_free(take(blocks, i));
}

void gd_blocks_clear(struct gd_blocks *blocks)
{
    for (int i = 0; i < GD_BLOCK_CLASSES; i++)
        drop(blocks, i, blocks->cached[i]);
}

void gd_blocks_age(struct gd_blocks *blocks)
{
    for (int i = GD_BLOCK_SMALL; i < GD_BLOCK_CLASSES; i++) {
        drop(blocks, i, blocks->unused[i - GD_BLOCK_SMALL]);
        blocks->unused[i - GD_BLOCK_SMALL] = blocks->cached[i];
    }
}

void *gd_blocks_get(struct gd_blocks *blocks, size_t want, size_t *cap)
{
    int i = class_of(want);

    *cap = i < 0 ? want : size_of(i);
    if (i >= 0 && blocks && blocks->free[i])
        return take(blocks, i);
    return gd_try_alloc(*cap);
}

static bool is_kept(const struct gd_blocks *blocks, int i)
{
    if (i < GD_BLOCK_SMALL)
        return blocks->cached[i] < class_keep[i];
    return blocks->large_bytes + size_of(i) <= LARGE_KEEP_BYTES;
}

void gd_blocks_put(struct gd_blocks *blocks, void *ptr, size_t cap)
{
    int i = class_of(cap);
    struct gd_block_free *block = ptr;

    if (ptr == NULL)
        return;
    if (i < 0 || blocks == NULL || size_of(i) != cap || !is_kept(blocks, i)) {
        gd_free(ptr);
        return;
    }
    block->next = blocks->free[i];
    blocks->free[i] = block;
    blocks->cached[i]++;
    if (i >= GD_BLOCK_SMALL)
        blocks->large_bytes += cap;
}
