#include "suite.h"

#include <time.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/loop.h"
#include "base/stat.h"

START_TEST(a_buffer_never_outgrows_its_bound)
{
    struct gd_buf buf;

    gd_buf_init(&buf, NULL, 10);
    ck_assert(gd_buf_add(&buf, "12345678", 8));
    ck_assert(!gd_buf_add(&buf, "abc", 3));
    ck_assert_uint_eq(buf.len, 8);
    ck_assert(gd_buf_add(&buf, "ab", 2));
    ck_assert(!gd_buf_reserve(&buf, SIZE_MAX));
    gd_buf_free(&buf);
}
END_TEST

START_TEST(buffers_share_a_budget_and_give_back_what_they_held)
{
    size_t budget = 5000;
    struct gd_buf a, b;

    gd_buf_init(&a, NULL, 10000);
    gd_buf_init(&b, NULL, 10000);
    a.budget = b.budget = &budget;
    ck_assert(gd_buf_reserve(&a, 1024));
    ck_assert_uint_eq(budget, 5000 - a.cap);
    ck_assert(!gd_buf_reserve(&b, 5000));
    ck_assert(gd_buf_reserve(&b, 1024));
    gd_buf_move(&a, &b);
    gd_buf_free(&a);
    gd_buf_free(&b);
    ck_assert_uint_eq(budget, 5000);
}
END_TEST

START_TEST(numbers_are_read_strictly)
{
    uint64_t n = 7;

    ck_assert(gd_span_u64(GD_SPAN("0018"), &n));
    ck_assert_uint_eq(n, 18);
    ck_assert(!gd_span_u64(GD_SPAN(""), &n));
    ck_assert(!gd_span_u64(GD_SPAN("+1"), &n));
    ck_assert(!gd_span_u64(GD_SPAN("1 "), &n));
    ck_assert(gd_span_u64(GD_SPAN("999999999999999999"), &n));
    ck_assert(!gd_span_u64(GD_SPAN("1000000000000000000"), &n));
}
END_TEST

START_TEST(an_arena_is_aligned_and_bounded)
{
    struct gd_blocks blocks;
    struct gd_arena arena;

    gd_blocks_init(&blocks);
    gd_arena_init(&arena, &blocks, 1024, 8192);
    for (int i = 1; i < 100; i++)
        ck_assert_uint_eq((uintptr_t)gd_arena_alloc(&arena, (size_t)i % 7) % 16, 0);
    ck_assert_ptr_null(gd_arena_alloc(&arena, 9000));
    ck_assert_str_eq(gd_arena_text(&arena, GD_SPAN("hello")), "hello");
    gd_arena_free(&arena);
    ck_assert_uint_eq(arena.held, 0);
    gd_blocks_clear(&blocks);
}
END_TEST

START_TEST(large_blocks_serve_again_and_a_bounded_number_is_kept)
{
    struct gd_blocks blocks;
    void *held[20], *again;
    size_t cap;

    gd_blocks_init(&blocks);
    held[0] = gd_blocks_get(&blocks, 262300, &cap);
    ck_assert_uint_eq(cap, 320 * 1024);
    gd_blocks_put(&blocks, held[0], cap);
    again = gd_blocks_get(&blocks, 300000, &cap);
    ck_assert_ptr_eq(again, held[0]);
    gd_blocks_put(&blocks, again, cap);
    for (int i = 0; i < 20; i++)
        held[i] = gd_blocks_get(&blocks, 1 << 20, &cap);
    for (int i = 0; i < 20; i++)
        gd_blocks_put(&blocks, held[i], cap);
    ck_assert_uint_gt(blocks.large_bytes, 4 << 20);
    ck_assert_uint_le(blocks.large_bytes, 8 << 20);
    gd_blocks_clear(&blocks);
    ck_assert_uint_eq(blocks.large_bytes, 0);
}
END_TEST

START_TEST(only_large_blocks_that_lay_unused_age)
{
    struct gd_blocks blocks;
    size_t cap, small_cap;
    void *a, *b, *small;

    gd_blocks_init(&blocks);
    small = gd_blocks_get(&blocks, 100, &small_cap);
    a = gd_blocks_get(&blocks, 200000, &cap);
    b = gd_blocks_get(&blocks, 200000, &cap);
    gd_blocks_put(&blocks, a, cap);
    gd_blocks_put(&blocks, b, cap);
    gd_blocks_put(&blocks, small, small_cap);
    gd_blocks_age(&blocks);
    ck_assert_uint_eq(blocks.large_bytes, 2 * cap);
    gd_blocks_put(&blocks, gd_blocks_get(&blocks, 200000, &cap), cap);
    gd_blocks_age(&blocks);
    ck_assert_uint_eq(blocks.large_bytes, cap);
    gd_blocks_age(&blocks);
    ck_assert_uint_eq(blocks.large_bytes, 0);
    ck_assert_uint_eq(blocks.cached[0], 1);
    gd_blocks_clear(&blocks);
}
END_TEST

static bool no_large_blocks(void *arg)
{
    return gd_loop_blocks(arg)->large_bytes == 0;
}

START_TEST(a_loop_gives_unused_large_blocks_back)
{
    struct gd_err err;
    struct gd_loop *loop = gd_loop_new(&err);
    size_t cap;
    void *block = gd_blocks_get(gd_loop_blocks(loop), 200000, &cap);

    gd_blocks_put(gd_loop_blocks(loop), block, cap);
    ck_assert(!no_large_blocks(loop));
    ck_assert(gd_loop_run_until(loop, no_large_blocks, loop, 20000));
    gd_loop_free(loop);
}
END_TEST

struct count {
    struct gd_loop *loop;
    struct gd_work work;
    struct gd_timer timer;
    int runs;
};

static void on_run(void *arg)
{
    struct count *count = arg;

    if (++count->runs < 3)
        gd_loop_defer(count->loop, &count->work, on_run, count);
}

static bool ran_three_times(void *arg)
{
    return ((struct count *)arg)->runs >= 3;
}

START_TEST(deferred_work_runs_later_and_can_be_cancelled)
{
    struct gd_err err;
    struct count count = {.loop = gd_loop_new(&err)};

    gd_loop_defer(count.loop, &count.work, on_run, &count);
    ck_assert_int_eq(count.runs, 0);
    gd_work_cancel(&count.work);
    gd_work_cancel(&count.work);
    gd_loop_defer(count.loop, &count.work, on_run, &count);
    ck_assert(gd_loop_run_until(count.loop, ran_three_times, &count, 5000));
    ck_assert(!gd_work_queued(&count.work));
    gd_loop_free(count.loop);
}
END_TEST

START_TEST(timers_expire_once_and_in_order)
{
    struct gd_err err;
    struct count count = {.loop = gd_loop_new(&err), .runs = 2};
    uint64_t before = gd_loop_now_us(count.loop);

    gd_timer_init(&count.timer, count.loop, on_run, &count);
    gd_timer_arm(&count.timer, 20);
    gd_timer_arm(&count.timer, 30);
    ck_assert(gd_timer_armed(&count.timer));
    ck_assert(gd_loop_run_until(count.loop, ran_three_times, &count, 5000));
    ck_assert(!gd_timer_armed(&count.timer));
    ck_assert_int_eq(count.runs, 3);
    /* The loop's own clock is coarse: it may fire a few milliseconds early. */
    ck_assert_uint_ge(gd_loop_now_us(count.loop) - before, 24000);
    gd_loop_free(count.loop);
}
END_TEST

static void on_posted(void *arg)
{
    ((struct count *)arg)->runs = 3;
}

START_TEST(the_clock_of_waits_is_the_monotonic_one)
{
    struct gd_err err;
    struct gd_loop *loop = gd_loop_new(&err);
    struct timespec ts;
    uint64_t now_us;

    ck_assert(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
    now_us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
    ck_assert_uint_ge(gd_loop_now_us(loop), now_us);
    ck_assert_uint_lt(gd_loop_now_us(loop), now_us + 60000000);
    gd_loop_free(loop);
}
END_TEST

START_TEST(posted_work_wakes_the_loop)
{
    struct gd_err err;
    struct count count = {.loop = gd_loop_new(&err)};

    gd_loop_post(count.loop, on_posted, &count);
    ck_assert(gd_loop_run_until(count.loop, ran_three_times, &count, 5000));
    gd_loop_free(count.loop);
}
END_TEST

START_TEST(quantiles_are_within_an_eighth)
{
    struct gd_hist *hist = calloc(1, sizeof(*hist));
    uint64_t p50, p99;

    for (uint64_t us = 1; us <= 100000; us++)
        gd_hist_record(hist, us);
    p50 = gd_hist_quantile(hist, 0.50);
    p99 = gd_hist_quantile(hist, 0.99);
    ck_assert(p50 >= 50000 && p50 <= 57000);
    ck_assert(p99 >= 99000 && p99 <= 100000);
    for (unsigned i = 1; i < GD_HIST_BUCKETS; i++)
        ck_assert(gd_hist_bound_us(i) > gd_hist_bound_us(i - 1));
    free(hist);
}
END_TEST

START_TEST(a_bucket_counts_beyond_32_bits)
{
    struct gd_hist *worker = calloc(1, sizeof(*worker)), *sum = calloc(1, sizeof(*sum));

    gd_hist_record(worker, 3);
    worker->buckets[0] = UINT32_MAX;
    gd_hist_record(worker, 3);
    gd_hist_merge(sum, worker);
    gd_hist_merge(sum, worker);
    ck_assert_uint_eq(sum->buckets[0], 2 * (UINT64_C(1) << 32));
    free(worker);
    free(sum);
}
END_TEST

START_TEST(hashes_are_those_of_siphash_1_3)
{
    struct gd_hash_key zero = {0, 0}, counted = {UINT64_C(0x0706050403020100),
                                                 UINT64_C(0x0f0e0d0c0b0a0908)};

    ck_assert_uint_eq(gd_hash(counted, GD_SPAN("")), UINT64_C(0xabac0158050fc4dc));
    ck_assert_uint_eq(gd_hash(zero, GD_SPAN("a")), UINT64_C(0x407448d2b89b1813));
    ck_assert_uint_eq(gd_hash(zero, GD_SPAN("abcdefg")), UINT64_C(0x6db12aae9070f506));
    ck_assert_uint_eq(gd_hash(zero, GD_SPAN("abcdefgh")), UINT64_C(0x3f7b849c0b8e35ea));
    ck_assert_uint_eq(gd_hash(zero, GD_SPAN("gathered and joined")),
                      UINT64_C(0x501511968cb0df76));
}
END_TEST

START_TEST(the_process_has_a_key_of_its_own)
{
    struct gd_hash_key key = gd_hash_key_of_process(), again = gd_hash_key_of_process();

    ck_assert(key.low != 0 || key.high != 0);
    ck_assert(key.low == again.low && key.high == again.high);
}
END_TEST

GD_SUITE("base", a_buffer_never_outgrows_its_bound,
         buffers_share_a_budget_and_give_back_what_they_held, numbers_are_read_strictly,
         an_arena_is_aligned_and_bounded,
         large_blocks_serve_again_and_a_bounded_number_is_kept,
         only_large_blocks_that_lay_unused_age, a_loop_gives_unused_large_blocks_back,
         deferred_work_runs_later_and_can_be_cancelled, timers_expire_once_and_in_order,
         the_clock_of_waits_is_the_monotonic_one, posted_work_wakes_the_loop,
         quantiles_are_within_an_eighth, a_bucket_counts_beyond_32_bits,
         hashes_are_those_of_siphash_1_3, the_process_has_a_key_of_its_own)
