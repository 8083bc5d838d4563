#include "suite.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/ring.h"

/* A record of `len` bytes that can be told from all others. */
static void make(char *record, size_t len, uint32_t number)
{
    for (size_t i = 0; i < len; i++)
        record[i] = (char)(number * 31 + i);
}

START_TEST(records_come_in_order_and_whole)
{
    struct gd_ring *ring = gd_ring_new(4096);
    char record[600], expected[600];
    uint32_t put = 0, taken = 0;

    ck_assert_ptr_null(gd_ring_peek(ring, &(size_t){0}));
    for (int round = 0; round < 3000; round++) {
        size_t len = (size_t)(round * 37 % 600), got;
        const void *at;

        make(record, len, put);
        if (gd_ring_put(ring, record, len))
            put++;
        else
            ck_assert_uint_ne(put, taken); /* an empty ring takes what is so small */
        if (round % 3 == 0)
            continue;
        at = gd_ring_peek(ring, &got);
        if (at == NULL)
            continue;
        ck_assert_uint_eq((uintptr_t)at % 8, 0);
        make(expected, got, taken++);
        ck_assert(memcmp(at, expected, got) == 0);
        gd_ring_drop(ring);
    }
    ck_assert_uint_gt(taken, 1000);
    gd_ring_free(ring);
}
END_TEST

START_TEST(what_finds_no_room_is_not_taken)
{
    struct gd_ring *ring = gd_ring_new(4096);
    char record[4096] = {0};
    unsigned count = 0;
    size_t len;

    ck_assert(!gd_ring_put(ring, record, 2048)); /* with its prefix more than a half */
    ck_assert(!gd_ring_put(ring, record, 4096));
    ck_assert(!gd_ring_crowded(ring));
    while (gd_ring_put(ring, record, 100))
        count++;
    ck_assert_uint_eq(count, 4096 / 112);
    ck_assert(gd_ring_crowded(ring));
    ck_assert_ptr_nonnull(gd_ring_peek(ring, &len));
    gd_ring_drop(ring);
    ck_assert(gd_ring_put(ring, record, 100));
    while (gd_ring_peek(ring, &len)) {
        ck_assert_uint_eq(len, 100);
        gd_ring_drop(ring);
    }
    ck_assert(!gd_ring_crowded(ring));
    gd_ring_free(ring);
}
END_TEST

enum { MANY = 200000 };

static void *put_many(void *arg)
{
    for (uint64_t i = 0; i < MANY;) {
        uint64_t record[5] = {i, i * 3, i * 5, i * 7, i * 11};

        i += gd_ring_put(arg, record, sizeof(uint64_t) * (1 + i % 5));
    }
    return NULL;
}

START_TEST(two_threads_agree)
{
    struct gd_ring *ring = gd_ring_new(8192);
    pthread_t thread;
    size_t len;

    ck_assert(pthread_create(&thread, NULL, put_many, ring) == 0);
    for (uint64_t i = 0; i < MANY;) {
        const uint64_t *record = gd_ring_peek(ring, &len);

        if (record == NULL)
            continue;
        ck_assert_uint_eq(len, sizeof(uint64_t) * (1 + i % 5));
        ck_assert_uint_eq(record[0], i);
        ck_assert(len < 16 || record[1] == i * 3);
        gd_ring_drop(ring);
        i++;
    }
    pthread_join(thread, NULL);
    ck_assert_ptr_null(gd_ring_peek(ring, &len));
    gd_ring_free(ring);
}
END_TEST

GD_SUITE("ring", records_come_in_order_and_whole, what_finds_no_room_is_not_taken,
         two_threads_agree)
