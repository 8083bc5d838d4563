#include "suite.h"

#include <stdint.h>

#include "http/body.h"

struct reading {
    enum gd_body_result result;
    char content[4096];
    size_t content_len;
    size_t used; /* input bytes */
};

/* Decodes bytes given in pieces whose ends are at cuts[] (and at the end). */
static void decode(struct reading *reading, const char *bytes, size_t len,
                   const size_t *cuts, size_t count)
{
    struct gd_body body;
    size_t start = 0;

    gd_body_init(&body, GD_FRAMING_CHUNKED, 0);
    *reading = (struct reading){.result = GD_BODY_MORE};
    for (size_t i = 0; i <= count; i++) {
        size_t end = i < count ? cuts[i] : len;
        size_t n = end - start, at = 0, used;
        char *piece = malloc(n + (n == 0)); /* of exact size */
        struct gd_span data;

        memcpy(piece, bytes + start, n);
        do {
            reading->result =
                gd_body_step(&body, (struct gd_span){piece + at, n - at}, &used, &data);
            ck_assert_uint_le(used, n - at);
            at += used;
            if (reading->result == GD_BODY_DATA) {
                ck_assert(data.len > 0 && data.ptr + data.len <= piece + at);
                memcpy(reading->content + reading->content_len, data.ptr, data.len);
                reading->content_len += data.len;
            }
        } while (reading->result == GD_BODY_DATA);
        ck_assert_int_eq(gd_body_complete(&body), reading->result == GD_BODY_DONE);
        reading->used += at;
        free(piece);
        if (reading->result != GD_BODY_MORE)
            return;
        ck_assert_uint_eq(at, n);
        start = end;
    }
}

static void decode_whole(struct reading *reading, const char *bytes, size_t len)
{
    decode(reading, bytes, len, NULL, 0);
}

START_TEST(chunks_are_decoded_in_every_segmentation)
{
    static const char bytes[] = "5;x=\"y\"\r\nhello\r\n1\r\n \r\n005\r\nworld\r\n"
                                "0\r\nA: b\r\nC:\r\n\r\nGET";
    const size_t len = sizeof(bytes) - 1;
    struct reading reading;
    size_t cuts[sizeof(bytes)];

    for (size_t a = 0; a <= len; a++)
        for (size_t b = a; b <= len; b++) {
            cuts[0] = a;
            cuts[1] = b;
            decode(&reading, bytes, len, cuts, 2);
            ck_assert_int_eq(reading.result, GD_BODY_DONE);
            ck_assert_uint_eq(reading.used, len - 3);
            ck_assert_uint_eq(reading.content_len, 11);
            ck_assert_mem_eq(reading.content, "hello world", 11);
        }
    for (size_t i = 0; i < len; i++)
        cuts[i] = i;
    decode(&reading, bytes, len, cuts, len);
    ck_assert_int_eq(reading.result, GD_BODY_DONE);
    ck_assert_mem_eq(reading.content, "hello world", 11);
}
END_TEST

/* Every byte of a valid body replaced by every value. */
START_TEST(a_wrong_byte_is_noticed)
{
    static const char valid[] = "3\r\nabc\r\n0\r\nT: v\r\n\r\n";
    const size_t len = sizeof(valid) - 1;
    char bytes[sizeof(valid)];
    struct reading reading;

    for (size_t at = 0; at < len; at++)
        for (int c = 0; c < 256; c++) {
            bool is_data = at >= 3 && at < 6;

            memcpy(bytes, valid, len);
            bytes[at] = (char)c;
            decode_whole(&reading, bytes, len);
            if (is_data || bytes[at] == valid[at])
                ck_assert_int_eq(reading.result, GD_BODY_DONE);
            else if (valid[at] == '\n' || c == '\n' || c == 0)
                ck_assert_int_eq(reading.result, GD_BODY_BAD);
            else if (valid[at] == '\r') /* may become part of an extension or a value */
                ck_assert_int_ne(reading.result, GD_BODY_DONE);
        }
}
END_TEST

static enum gd_body_result result_of(const char *text)
{
    struct reading reading;

    decode_whole(&reading, text, strlen(text));
    return reading.result;
}

START_TEST(chunk_sizes_are_at_most_15_digits)
{
    ck_assert_int_eq(result_of("fffffffffffffff\r\nx"), GD_BODY_MORE);
    ck_assert_int_eq(result_of("FFFFFFFFFFFFFFF\r\nx"), GD_BODY_MORE);
    ck_assert_int_eq(result_of("000000000000001\r\nx\r\n0\r\n\r\n"), GD_BODY_DONE);
    ck_assert_int_eq(result_of("0000000000000001"), GD_BODY_BAD);
    ck_assert_int_eq(result_of("1000000000000000"), GD_BODY_BAD);
    ck_assert_int_eq(result_of("ffffffffffffffff"), GD_BODY_BAD);
    ck_assert_int_eq(result_of("10000000000000005\r\n"), GD_BODY_BAD);
    ck_assert_int_eq(result_of("g\r\n"), GD_BODY_BAD);
    ck_assert_int_eq(result_of(";\r\n"), GD_BODY_BAD);
    ck_assert_int_eq(result_of("\r\n"), GD_BODY_BAD);
}
END_TEST

START_TEST(chunk_lines_and_trailers_are_bounded)
{
    char *bytes = malloc(GD_TRAILERS_MAX + 64);
    struct reading reading;

    for (int extra = 0; extra < 2; extra++) {
        size_t len = (size_t)(GD_CHUNK_LINE_MAX + extra);

        memset(bytes, 'x', len);
        memcpy(bytes, "1;", 2);
        memcpy(bytes + len - 2, "\r\n", 2);
        memcpy(bytes + len, "y\r\n0\r\n\r\n", 8);
        decode_whole(&reading, bytes, len + 8);
        ck_assert_int_eq(reading.result, extra ? GD_BODY_BAD : GD_BODY_DONE);

        len = (size_t)(3 + GD_TRAILERS_MAX + extra);
        memset(bytes, 'x', len);
        memcpy(bytes, "0\r\nA:", 5);
        memcpy(bytes + len - 4, "\r\n\r\n", 4);
        decode_whole(&reading, bytes, len);
        ck_assert_int_eq(reading.result, extra ? GD_BODY_BAD : GD_BODY_DONE);
    }
    /* Many short trailers count together. */
    memcpy(bytes, "0\r\n", 3);
    for (size_t at = 3; at < GD_TRAILERS_MAX + 32; at += 8)
        memcpy(bytes + at, "A: bcd\r\n", 8);
    decode_whole(&reading, bytes, GD_TRAILERS_MAX + 32);
    ck_assert_int_eq(reading.result, GD_BODY_BAD);
    free(bytes);
}
END_TEST

START_TEST(a_bad_body_stays_bad)
{
    struct gd_body body;
    struct gd_span data;
    size_t used;

    gd_body_init(&body, GD_FRAMING_CHUNKED, 0);
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("3\n"), &used, &data), GD_BODY_BAD);
    ck_assert_uint_eq(used, 1);
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("0\r\n\r\n"), &used, &data),
                     GD_BODY_BAD);
    ck_assert_uint_eq(used, 0);
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN_NONE, &used, &data), GD_BODY_BAD);
    ck_assert(!gd_body_complete(&body));
}
END_TEST

START_TEST(a_body_of_known_length_ends_there)
{
    struct gd_body body;
    struct gd_span data;
    size_t used;

    gd_body_init(&body, GD_FRAMING_LENGTH, 5);
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN_NONE, &used, &data), GD_BODY_MORE);
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("abc"), &used, &data), GD_BODY_DATA);
    ck_assert(used == 3 && gd_span_is(data, "abc") && !gd_body_complete(&body));
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("defgh"), &used, &data), GD_BODY_DATA);
    ck_assert(used == 2 && gd_span_is(data, "de") && gd_body_complete(&body));
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("fgh"), &used, &data), GD_BODY_DONE);
    ck_assert_uint_eq(used, 0);

    gd_body_init(&body, GD_FRAMING_LENGTH, 0);
    ck_assert(gd_body_complete(&body));
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("x"), &used, &data), GD_BODY_DONE);

    gd_body_init(&body, GD_FRAMING_LENGTH, UINT64_MAX);
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("x"), &used, &data), GD_BODY_DATA);
    ck_assert_uint_eq(body.left, UINT64_MAX - 1);
}
END_TEST

START_TEST(no_body_takes_no_bytes_and_one_until_eof_takes_all)
{
    struct gd_body body;
    struct gd_span data;
    size_t used;

    gd_body_init(&body, GD_FRAMING_NONE, 7);
    ck_assert(gd_body_complete(&body));
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN("x"), &used, &data), GD_BODY_DONE);
    ck_assert_uint_eq(used, 0);

    gd_body_init(&body, GD_FRAMING_EOF, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(gd_body_step(&body, GD_SPAN("xyz"), &used, &data), GD_BODY_DATA);
        ck_assert(used == 3 && data.len == 3 && !gd_body_complete(&body));
    }
    ck_assert_int_eq(gd_body_step(&body, GD_SPAN_NONE, &used, &data), GD_BODY_MORE);
}
END_TEST

GD_SUITE("http_body", chunks_are_decoded_in_every_segmentation, a_wrong_byte_is_noticed,
         chunk_sizes_are_at_most_15_digits, chunk_lines_and_trailers_are_bounded,
         a_bad_body_stays_bad, a_body_of_known_length_ends_there,
         no_body_takes_no_bytes_and_one_until_eof_takes_all)
