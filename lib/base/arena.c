#include "base/arena.h"

#include <stdint.h>
#include <string.h>

struct gd_arena_block {
    struct gd_arena_block *next;
    size_t cap;
    max_align_t data[];
};

enum { ALIGN = _Alignof(max_align_t) };

void gd_arena_init(struct gd_arena *arena, struct gd_blocks *blocks, size_t step,
                   size_t max_bytes)
{
    *arena = (struct gd_arena){.blocks = blocks, .step = step, .max = max_bytes};
}

static bool arena_grow(struct gd_arena *arena, size_t size)
{
    size_t want = size + sizeof(struct gd_arena_block);
    size_t cap;
    struct gd_arena_block *block;

    if (want < arena->step)
        want = arena->step;
    if (want > arena->max || arena->held > arena->max - want)
        return false;
    block = gd_blocks_get(arena->blocks, want, &cap);
    if (block == NULL)
        return false;
    if (arena->budget && cap > *arena->budget) {
        gd_blocks_put(arena->blocks, block, cap);
        return false;
    }
    if (arena->budget)
        *arena->budget -= cap;
    block->next = arena->first;
    block->cap = cap;
    arena->first = block;
    arena->held += cap;
    arena->cur = (char *)block->data;
    arena->end = (char *)block + cap;
    return true;
}

void *gd_arena_raw(struct gd_arena *arena, size_t size)
{
    void *piece;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if ((size_t)(arena->end - arena->cur) < size && !arena_grow(arena, size))
        return NULL;
    piece = arena->cur;
    arena->cur += size;
    return piece;
}

void *gd_arena_alloc(struct gd_arena *arena, size_t size)
{
    void *piece = gd_arena_raw(arena, size);

    if (piece)
        memset(piece, 0, size);
    return piece;
}

char *gd_arena_text(struct gd_arena *arena, struct gd_span span)
{
    char *copy = gd_arena_raw(arena, span.len + 1);

    if (copy == NULL)
        return NULL;
    if (span.len)
        memcpy(copy, span.ptr, span.len);
    copy[span.len] = '\0';
    return copy;
}

struct gd_span gd_arena_copy(struct gd_arena *arena, struct gd_span span)
{
    return (struct gd_span){gd_arena_text(arena, span), span.len};
}

void gd_arena_free(struct gd_arena *arena)
{
    while (arena->first) {
        struct gd_arena_block *block = arena->first;

        arena->first = block->next;
        if (arena->budget)
            *arena->budget += block->cap;
        gd_blocks_put(arena->blocks, block, block->cap);
    }
    arena->cur = arena->end = NULL;
    arena->held = 0;
}
