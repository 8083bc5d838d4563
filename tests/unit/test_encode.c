#include <stdio.h>

#include "base/blocks.h"
#include "http/encode.h"
#include "suite.h"

/* Content codings made: what comes out is what went in, within bounds. */

enum { MAX = 4 << 20, BUDGET = 8 << 20 };

static const enum gd_content_coding codings[] = {GD_CODING_GZIP, GD_CODING_BR};

/* JSON-like content that shrinks. */
static struct gd_span content_of(size_t len)
{
    static char content[MAX];

    for (size_t at = 0; at < len;) {
        char line[64];
        size_t n = (size_t)snprintf(line, sizeof(line),
                                    "{\"id\":%zu,\"name\":\"name %zu\"},", at, at * 7919);

        n = n < len - at ? n : len - at;
        memcpy(content + at, line, n);
        at += n;
    }
    return (struct gd_span){content, len};
}

static void is_content(enum gd_content_coding coding, const struct gd_buf *coded,
                       struct gd_span content)
{
    struct gd_buf out;

    gd_buf_init(&out, NULL, MAX);
    ck_assert_int_eq(gd_coding_decode(coding, gd_buf_span(coded), &out), GD_CODING_DONE);
    ck_assert_uint_eq(out.len, content.len);
    ck_assert(gd_span_eq(gd_buf_span(&out), content));
    gd_buf_free(&out);
}

static struct gd_encoder *begin(enum gd_content_coding coding, unsigned level,
                                size_t hint, size_t *budget, struct gd_buf *out)
{
    struct gd_encoder *encoder = gd_encoder_new(coding, level, hint, NULL, budget);

    ck_assert_ptr_nonnull(encoder);
    gd_buf_init(out, NULL, MAX);
    return encoder;
}

START_TEST(what_is_coded_can_be_read_at_every_level_and_size)
{
    static const size_t sizes[] = {0, 1, 100, 1000, 40000, 300000};

    for (size_t c = 0; c < 2; c++)
        for (unsigned level = 1; level <= 9; level += 4)
            for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct gd_span content = content_of(sizes[i]);
                size_t budget = BUDGET;
                struct gd_buf out;
                struct gd_encoder *encoder =
                    begin(codings[c], level, sizes[i], &budget, &out);

                ck_assert(gd_encoder_feed(encoder, content, GD_ENCODE_END, &out));
                is_content(codings[c], &out, content);
                ck_assert(sizes[i] < 1000 || out.len < sizes[i] / 2);
                gd_encoder_free(encoder);
                ck_assert_uint_eq(budget, BUDGET);
                gd_buf_free(&out);
            }
}
END_TEST

START_TEST(pieces_make_one_content)
{
    struct gd_span content = content_of(200000);

    for (size_t c = 0; c < 2; c++) {
        struct gd_buf out;
        struct gd_encoder *encoder = begin(codings[c], 5, 0, NULL, &out);
        size_t at = 0, step = 1;

        for (; at + step < content.len; at += step, step = step * 2 % 9973)
            ck_assert(gd_encoder_feed(encoder, (struct gd_span){content.ptr + at, step},
                                      GD_ENCODE_MORE, &out));
        ck_assert(gd_encoder_feed(encoder,
                                  (struct gd_span){content.ptr + at, content.len - at},
                                  GD_ENCODE_END, &out));
        is_content(codings[c], &out, content);
        gd_encoder_free(encoder);
        gd_buf_free(&out);
    }
}
END_TEST

START_TEST(what_is_flushed_can_be_read_before_the_end)
{
    struct gd_span content = content_of(3000);

    for (size_t c = 0; c < 2; c++) {
        struct gd_buf out, read;
        struct gd_encoder *encoder = begin(codings[c], 5, 0, NULL, &out);

        ck_assert(gd_encoder_feed(encoder, content, GD_ENCODE_FLUSH, &out));
        gd_buf_init(&read, NULL, MAX);
        ck_assert_int_eq(gd_coding_decode(codings[c], gd_buf_span(&out), &read),
                         GD_CODING_BROKEN);                 /* its end is missing … */
        ck_assert(gd_span_eq(gd_buf_span(&read), content)); /* … but not its content */
        ck_assert(gd_encoder_feed(encoder, GD_SPAN(""), GD_ENCODE_END, &out));
        is_content(codings[c], &out, content);
        gd_encoder_free(encoder);
        gd_buf_free(&read);
        gd_buf_free(&out);
    }
}
END_TEST

/* Content that does not shrink. */
static struct gd_span noise_of(size_t len)
{
    static char content[MAX];
    uint32_t random = 2463534242U;

    for (size_t i = 0; i < len; i++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        content[i] = (char)(random >> 8);
    }
    return (struct gd_span){content, len};
}

static void feed_all(struct gd_encoder *encoder, struct gd_span content,
                     struct gd_buf *out)
{
    for (size_t at = 0; at < content.len; at += 32768) {
        size_t n = content.len - at < 32768 ? content.len - at : 32768;
        enum gd_encode what = at + n == content.len ? GD_ENCODE_END : GD_ENCODE_MORE;

        ck_assert(
            gd_encoder_feed(encoder, (struct gd_span){content.ptr + at, n}, what, out));
    }
}

/* libbrotlienc ends the process when it gets no memory, so what it takes must be known.
 */
START_TEST(no_more_memory_is_taken_than_was_reserved)
{
    static const size_t sizes[] = {500, 30000, 65536, 65537, 300000, 2 << 20};

    for (unsigned level = 1; level <= 9; level++)
        for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
            size_t size = sizes[i / 2], budget = BUDGET, reserved, most;
            struct gd_span content = i % 2 ? noise_of(size) : content_of(size);
            struct gd_buf out;
            struct gd_encoder *encoder =
                begin(GD_CODING_BR, level, size <= 65536 ? size : 0, &budget, &out);

            feed_all(encoder, content, &out);
            most = gd_encoder_memory(encoder, &reserved);
            ck_assert_msg(most <= reserved, "level %u, %zu bytes: %zu", level, size,
                          most);
            ck_assert_uint_eq(budget, BUDGET - reserved);
            gd_encoder_free(encoder);
            ck_assert_uint_eq(budget, BUDGET);
            gd_buf_free(&out);
        }
}
END_TEST

START_TEST(without_memory_nothing_is_coded)
{
    for (size_t c = 0; c < 2; c++)
        for (size_t room = 0; room < 5 << 20; room += 60000) {
            size_t budget = room;
            struct gd_encoder *encoder = gd_encoder_new(codings[c], 5, 0, NULL, &budget);
            struct gd_buf out;

            gd_buf_init(&out, NULL, MAX);
            if (encoder &&
                gd_encoder_feed(encoder, content_of(100000), GD_ENCODE_END, &out))
                is_content(codings[c], &out, content_of(100000));
            gd_encoder_free(encoder);
            ck_assert_uint_eq(budget, room);
            gd_buf_free(&out);
        }
}
END_TEST

GD_SUITE("encode", what_is_coded_can_be_read_at_every_level_and_size,
         pieces_make_one_content, what_is_flushed_can_be_read_before_the_end,
         no_more_memory_is_taken_than_was_reserved, without_memory_nothing_is_coded)
