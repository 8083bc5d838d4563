#include "base/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { LINE = 64, PREFIX = 8, RING_MIN_BYTES = 4096 };

/* Of a place where the end of the memory was too near for the record that came next. */
#define SKIP UINT64_MAX

/* Both sides count bytes that ever passed; the place is the count's low bits. Each writes
 * a cache line of its own, and looks at the other's only when its copy of that says that
 * there is nothing to do. */
struct gd_ring {
    size_t size;
    char apart[LINE];
    _Atomic uint64_t put_at;
    uint64_t seen_taken;
    char apart_too[LINE];
    _Atomic uint64_t taken_at;
    uint64_t seen_put;
    uint64_t bytes[];
};

struct gd_ring *gd_ring_new(size_t bytes)
{
    size_t size = RING_MIN_BYTES;
    struct gd_ring *ring;

    while (size < bytes)
        size *= 2;
    ring = gd_alloc(sizeof(*ring) + size);
    ring->size = size;
    return ring;
}

void gd_ring_free(struct gd_ring *ring)
{
    gd_free(ring);
}

static char *place(struct gd_ring *ring, uint64_t at)
{
    return (char *)ring->bytes + (at & (ring->size - 1));
}

static void write_prefix(struct gd_ring *ring, uint64_t at, uint64_t value)
{
    memcpy(place(ring, at), &value, sizeof(value));
}

bool gd_ring_put(struct gd_ring *ring, const void *record, size_t len)
{
    uint64_t at = atomic_load_explicit(&ring->put_at, memory_order_relaxed);
    size_t need = PREFIX + ((len + 7) & ~(size_t)7);
    size_t to_end = ring->size - (at & (ring->size - 1));
    size_t skip = to_end < need ? to_end : 0;

    if (len > ring->size / 2 - PREFIX)
        return false;
    if (at + skip + need - ring->seen_taken > ring->size)
        ring->seen_taken = atomic_load_explicit(&ring->taken_at, memory_order_acquire);
    if (at + skip + need - ring->seen_taken > ring->size)
        return false;
    if (skip)
        write_prefix(ring, at, SKIP);
    at += skip;
    write_prefix(ring, at, len);
    memcpy(place(ring, at) + PREFIX, record, len);
    atomic_store_explicit(&ring->put_at, at + need, memory_order_release);
    return true;
}

bool gd_ring_crowded(struct gd_ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->put_at, memory_order_relaxed);

    if (at - ring->seen_taken <= ring->size / 2)
        return false;
    ring->seen_taken = atomic_load_explicit(&ring->taken_at, memory_order_acquire);
    return at - ring->seen_taken > ring->size / 2;
}

const void *gd_ring_peek(struct gd_ring *ring, size_t *len)
{
    uint64_t at = atomic_load_explicit(&ring->taken_at, memory_order_relaxed), prefix;

    if (at == ring->seen_put)
        ring->seen_put = atomic_load_explicit(&ring->put_at, memory_order_acquire);
    if (at == ring->seen_put)
        return NULL;
    memcpy(&prefix, place(ring, at), sizeof(prefix));
    if (prefix == SKIP) {
        at += ring->size - (at & (ring->size - 1));
        atomic_store_explicit(&ring->taken_at, at, memory_order_release);
        memcpy(&prefix, place(ring, at), sizeof(prefix));
    }
    *len = prefix;
    return place(ring, at) + PREFIX;
}

void gd_ring_drop(struct gd_ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->taken_at, memory_order_relaxed), prefix;

    memcpy(&prefix, place(ring, at), sizeof(prefix));
    atomic_store_explicit(&ring->taken_at, at + PREFIX + ((prefix + 7) & ~(uint64_t)7),
                          memory_order_release);
}
