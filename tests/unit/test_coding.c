#include <brotli/encode.h>
#include <zlib.h>

#include "base/blocks.h"
#include "http/coding.h"
#include "suite.h"

/* Content codings: what is undone, and what is refused. */

enum { MAX = 1 << 20, CODINGS = 3 };

static size_t pack_zlib(int window_bits, struct gd_span content, char *out)
{
    z_stream stream = {.next_in = (z_const Bytef *)content.ptr,
                       .avail_in = (uInt)content.len,
                       .next_out = (Bytef *)out,
                       .avail_out = MAX};

    ck_assert_int_eq(
        deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return MAX - stream.avail_out;
}

/* The content as one coding writes it; borrowed until the next call. */
static struct gd_span pack(enum gd_content_coding coding, struct gd_span content)
{
    static char out[MAX];
    size_t len = sizeof(out);

    if (coding != GD_CODING_BR)
        len = pack_zlib(coding == GD_CODING_GZIP ? 31 : 15, content, out);
    else
        ck_assert(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, content.len,
                                        (const uint8_t *)content.ptr, &len,
                                        (uint8_t *)out));
    return (struct gd_span){out, len};
}

static enum gd_coding_result decode(enum gd_content_coding coding, struct gd_span coded,
                                    size_t max, struct gd_buf *out)
{
    gd_buf_init(out, NULL, max);
    return gd_coding_decode(coding, coded, out);
}

static void is_result(enum gd_content_coding coding, struct gd_span coded, size_t max,
                      enum gd_coding_result want)
{
    struct gd_buf out;

    ck_assert_msg(decode(coding, coded, max, &out) == want, "coding %d, %zu bytes",
                  (int)coding, coded.len);
    ck_assert_uint_le(out.len, max);
    gd_buf_free(&out);
}

/* Some bytes that shrink, and some that do not. */
static struct gd_span content_of(size_t len)
{
    static char content[MAX];
    uint32_t random = 7;

    for (size_t i = 0; i < len; i++) {
        random = random * 1664525 + 1013904223;
        content[i] = i % 4096 < 2048 ? (char)(random >> 24) : 'a';
    }
    return (struct gd_span){content, len};
}

START_TEST(a_content_comes_back_as_it_was)
{
    static const size_t sizes[] = {0, 1, 5, 4095, 4096, 4097, 100000, 900000};
    struct gd_buf out;

    for (unsigned coding = 0; coding < CODINGS; coding++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct gd_span content = content_of(sizes[i]);

            ck_assert_int_eq(decode(coding, pack(coding, content), MAX, &out),
                             GD_CODING_DONE);
            ck_assert(gd_span_eq(gd_buf_span(&out), content));
            gd_buf_free(&out);
        }
}
END_TEST

START_TEST(an_end_that_is_missing_is_broken)
{
    for (unsigned coding = 0; coding < CODINGS; coding++) {
        struct gd_span coded = pack(coding, content_of(3000));

        for (size_t len = 0; len < coded.len; len++)
            is_result(coding, (struct gd_span){coded.ptr, len}, MAX, GD_CODING_BROKEN);
    }
}
END_TEST

START_TEST(bytes_behind_the_end_are_broken)
{
    for (unsigned coding = 0; coding < CODINGS; coding++) {
        struct gd_span coded = pack(coding, content_of(100));

        for (int c = 0; c < 256; c++) {
            ((char *)coded.ptr)[coded.len] = (char)c;
            is_result(coding, (struct gd_span){coded.ptr, coded.len + 1}, MAX,
                      GD_CODING_BROKEN);
        }
    }
}
END_TEST

START_TEST(members_of_gzip_are_joined)
{
    struct gd_span coded = pack(GD_CODING_GZIP, content_of(100));
    char twice[4096];
    struct gd_buf out;

    memcpy(twice, coded.ptr, coded.len);
    memcpy(twice + coded.len, coded.ptr, coded.len);
    ck_assert_int_eq(
        decode(GD_CODING_GZIP, (struct gd_span){twice, 2 * coded.len}, MAX, &out),
        GD_CODING_DONE);
    ck_assert_uint_eq(out.len, 200);
    gd_buf_free(&out);
    is_result(GD_CODING_GZIP, (struct gd_span){twice, 2 * coded.len - 1}, MAX,
              GD_CODING_BROKEN);
    is_result(GD_CODING_GZIP, (struct gd_span){twice, 2 * coded.len}, 199,
              GD_CODING_TOO_LARGE);
}
END_TEST

START_TEST(a_checksum_that_differs_is_broken)
{
    for (unsigned coding = GD_CODING_GZIP; coding <= GD_CODING_DEFLATE; coding++)
        for (size_t back = 1; back <= 4; back++) {
            struct gd_span coded = pack(coding, content_of(1000));

            ((char *)coded.ptr)[coded.len - back] ^= 1;
            is_result(coding, coded, MAX, GD_CODING_BROKEN);
        }
}
END_TEST

START_TEST(deflate_without_its_frame_is_broken)
{
    static char bare[MAX];
    size_t len = pack_zlib(-15, content_of(1000), bare);

    is_result(GD_CODING_DEFLATE, (struct gd_span){bare, len}, MAX, GD_CODING_BROKEN);
}
END_TEST

START_TEST(one_coding_is_not_another)
{
    for (unsigned coding = 0; coding < CODINGS; coding++)
        for (unsigned other = 0; other < CODINGS; other++)
            if (coding != other)
                is_result(other, pack(coding, content_of(1000)), MAX, GD_CODING_BROKEN);
}
END_TEST

START_TEST(a_content_may_fill_its_bound_and_not_a_byte_more)
{
    for (unsigned coding = 0; coding < CODINGS; coding++)
        for (size_t len = 4090; len < 4100; len++) {
            struct gd_span coded = pack(coding, content_of(len));

            is_result(coding, coded, len, GD_CODING_DONE);
            is_result(coding, coded, len - 1, GD_CODING_TOO_LARGE);
        }
}
END_TEST

START_TEST(a_bomb_takes_no_more_than_its_budget)
{
    enum { BUDGET = 200000 };
    static char zeros[MAX - 1];

    for (unsigned coding = 0; coding < CODINGS; coding++) {
        struct gd_span coded = pack(coding, (struct gd_span){zeros, sizeof(zeros)});
        size_t budget = BUDGET;
        struct gd_buf out;

        ck_assert_uint_lt(coded.len, 2000);
        gd_buf_init(&out, NULL, MAX);
        out.budget = &budget;
        ck_assert_int_eq(gd_coding_decode(coding, coded, &out), GD_CODING_TOO_LARGE);
        ck_assert_uint_eq(budget, BUDGET - out.cap);
        gd_buf_free(&out);
        ck_assert_uint_eq(budget, BUDGET);
        is_result(coding, coded, 65536, GD_CODING_TOO_LARGE);
    }
}
END_TEST

START_TEST(the_memory_of_a_decoder_counts)
{
    struct gd_blocks blocks;

    gd_blocks_init(&blocks);
    for (unsigned coding = 0; coding < CODINGS; coding++) {
        struct gd_span coded = pack(coding, content_of(1000));
        enum gd_coding_result result = GD_CODING_TOO_LARGE;
        size_t given;

        for (given = 1000; result != GD_CODING_DONE; given += 1000) {
            size_t budget = given;
            struct gd_buf out;

            ck_assert_uint_lt(given, 1 << 23);
            gd_buf_init(&out, &blocks, MAX);
            out.budget = &budget;
            result = gd_coding_decode(coding, coded, &out);
            ck_assert_int_ne(result, GD_CODING_BROKEN);
            gd_buf_free(&out);
            ck_assert_uint_eq(budget, given);
        }
        ck_assert_uint_gt(given, 6000);
    }
    gd_blocks_clear(&blocks);
}
END_TEST

/* What stands in one or two Content-Encoding lines. */
static struct gd_codings read_lines(const char *first, const char *second)
{
    struct gd_field items[] = {
        {GD_FIELD_CONTENT_ENCODING, GD_SPAN("Content-Encoding"), gd_span_of(first)},
        {GD_FIELD_CONTENT_TYPE, GD_SPAN("Content-Type"), GD_SPAN("br")},
        {GD_FIELD_CONTENT_ENCODING, GD_SPAN("content-encoding"),
         gd_span_of(second ? second : "")},
    };
    struct gd_fields fields = {items, second ? 3 : 2};

    return gd_codings_read(&fields);
}

START_TEST(a_list_of_codings_is_read_in_its_order)
{
    struct gd_codings codings = read_lines("gzip,deflate", "br");

    ck_assert_uint_eq(codings.count, 3);
    ck_assert(!codings.unknown);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(codings.items[i], i);
    codings = read_lines(" , X-GZip ,,\tidentity", NULL);
    ck_assert_uint_eq(codings.count, 1);
    ck_assert(!codings.unknown);
    ck_assert_uint_eq(codings.items[0], GD_CODING_GZIP);
    ck_assert_uint_eq(read_lines("", NULL).count, 0);
}
END_TEST

START_TEST(other_and_too_many_codings_are_told)
{
    static const char *const wrong[] = {"zstd",      "gzip;q=1",    "gzip, compress",
                                        "gzip gzip", "gzi",         "gzip/br",
                                        "gzip\x01",  "br,br,br,br", "*"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(read_lines(wrong[i], NULL).unknown, "%s", wrong[i]);
    ck_assert(read_lines("br, br", "br, br").unknown);
    ck_assert(!read_lines("br, br", "br").unknown);
}
END_TEST

GD_SUITE("coding", a_content_comes_back_as_it_was, an_end_that_is_missing_is_broken,
         bytes_behind_the_end_are_broken, members_of_gzip_are_joined,
         a_checksum_that_differs_is_broken, deflate_without_its_frame_is_broken,
         one_coding_is_not_another, a_content_may_fill_its_bound_and_not_a_byte_more,
         a_bomb_takes_no_more_than_its_budget, the_memory_of_a_decoder_counts,
         a_list_of_codings_is_read_in_its_order, other_and_too_many_codings_are_told)
