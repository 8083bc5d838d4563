#ifndef GD_BASE_BLOCKS_H
#define GD_BASE_BLOCKS_H
/**
 * A thread's cache of memory blocks in a few sizes.
 *
 * Requests, parts and arenas live for milliseconds; taking their memory from here makes
 * the steady path free of heap calls. What is cached is bounded, so memory goes back to
 * the heap after a burst; large blocks all do when they are not used for a while. Not
 * thread-safe: one cache a loop.
 */
#include <stddef.h>

enum {
    GD_BLOCK_SMALL = 4,  /* 1, 4, 16 and 64 KiB */
    GD_BLOCK_LARGE = 15, /* 128 KiB to 1 MiB, in steps of 64 KiB */
    GD_BLOCK_CLASSES = GD_BLOCK_SMALL + GD_BLOCK_LARGE,
};

struct gd_block_free;

struct gd_blocks {
    struct gd_block_free *free[GD_BLOCK_CLASSES];
    size_t cached[GD_BLOCK_CLASSES]; /* blocks in each list */
    size_t large_bytes;              /* of all large blocks cached */
    size_t unused[GD_BLOCK_LARGE];   /* the fewest cached since gd_blocks_age */
};

/** Makes an empty cache in caller's memory. */
void gd_blocks_init(struct gd_blocks *blocks);

/** Gives all cached memory back to the heap. */
void gd_blocks_clear(struct gd_blocks *blocks);

/** Returns owned memory of at least `want` bytes, its true size in *cap; NULL when there
 * is none. More than 1 MiB comes straight from the heap. blocks may be NULL (heap only).
 */
void *gd_blocks_get(struct gd_blocks *blocks, size_t want, size_t *cap);

/** Takes back memory of gd_blocks_get with the cap it told; NULL is fine. */
void gd_blocks_put(struct gd_blocks *blocks, void *ptr, size_t cap);

/** Gives the large blocks that nobody has needed since the last call back to the heap.
 */
void gd_blocks_age(struct gd_blocks *blocks);

#endif
