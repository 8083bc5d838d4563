#ifndef GD_BASE_ARENA_H
#define GD_BASE_ARENA_H
/**
 * An arena: memory that is handed out piece by piece and released all at once.
 *
 * A gather's arena owns everything of one request; a plan's arena owns the whole plan.
 * Pieces are aligned for any type. The bound counts the bytes of the blocks held.
 */
#include <stddef.h>

#include "base/blocks.h"
#include "base/bytes.h"

struct gd_arena_block;

struct gd_arena {
    struct gd_arena_block *first; /* newest block */
    char *cur, *end;              /* free room in it */
    size_t held;                  /* bytes of all blocks */
    size_t max;                   /* bound on held */
    size_t step;                  /* size of an ordinary block */
    struct gd_blocks *blocks;     /* borrowed, may be NULL */
    size_t *budget; /* borrowed: bytes left to it and others together, or NULL. May be set
                       while it is empty */
};

/** Makes an empty arena. blocks: borrowed, NULL for the heap; step: the size of a block
 *  (1024, 4096, 16384 or 65536 suit the cache); max_bytes: the bound. */
void gd_arena_init(struct gd_arena *arena, struct gd_blocks *blocks, size_t step,
                   size_t max_bytes);

/** Returns zeroed memory owned by the arena; NULL past the bound or without memory. */
void *gd_arena_alloc(struct gd_arena *arena, size_t size);

/** As gd_arena_alloc, not zeroed. */
void *gd_arena_raw(struct gd_arena *arena, size_t size);

/** Returns a terminated copy owned by the arena, NULL past the bound. */
char *gd_arena_text(struct gd_arena *arena, struct gd_span span);

/** Returns a copy owned by the arena; ptr NULL past the bound. */
struct gd_span gd_arena_copy(struct gd_arena *arena, struct gd_span span);

/** Releases everything; the arena is empty and usable again. */
void gd_arena_free(struct gd_arena *arena);

#endif
