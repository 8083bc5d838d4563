#ifndef GD_HTTP_CHARS_H
#define GD_HTTP_CHARS_H
/**
 * Character classes and the scan for control characters; private to lib/http.
 *
 * Classes never consult the locale: peers' bytes are ASCII or opaque.
 */
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/bytes.h"

/* Bits of gd_chars[]; bytes above 127 are in no class. */
enum {
    GD_CHAR_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    GD_CHAR_HOST = 2,   /* reg-name, RFC 3986 3.2.2, without escapes */
    GD_CHAR_PATH = 4,   /* pchar and "/", without escapes */
    GD_CHAR_PLAIN = 8,  /* of PATH, those that canonical form never touches: no "." */
    GD_CHAR_QUERY = 16, /* PATH, "?", and what browsers send as it is: []\^`{|} */
    GD_CHAR_HEX = 32,
    GD_CHAR_UNRESERVED = 64, /* RFC 3986 2.3 */
    GD_CHAR_DIGIT = 128,
};
extern const uint8_t gd_chars[256];

static inline bool gd_char_is(char c, unsigned classes)
{
    return (gd_chars[(unsigned char)c] & classes) != 0;
}

/** Returns the first byte of [at, end) that is not of the class (one bit), else end. */
static inline const char *gd_skip_class(const char *at, const char *end, uint8_t class)
{
    const uint8_t *chars = gd_chars;

    for (; end - at >= 4; at += 4)
        if (!(chars[(unsigned char)at[0]] & chars[(unsigned char)at[1]] &
              chars[(unsigned char)at[2]] & chars[(unsigned char)at[3]] & class))
            break;
    while (at < end && (chars[(unsigned char)*at] & class))
        at++;
    return at;
}

/** Value of a hex digit; the caller has checked GD_CHAR_HEX. */
static inline unsigned gd_hex_value(char c)
{
    unsigned u = (unsigned char)c;

    return u <= '9' ? u - '0' : (u | 0x20) - 'a' + 10;
}

static inline char gd_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#define GD_EIGHT(byte) (0x0101010101010101U * (byte))

/** Marks (0x80) the bytes of word that are control characters; the lowest mark is exact,
 *  higher ones may be false. `also`: GD_EIGHT(0x80) to mark bytes above 127 as well, or
 * 0.
 */
static inline uint64_t gd_mark_controls(uint64_t word, uint64_t also)
{
    uint64_t del = word ^ GD_EIGHT(0x7f);
    uint64_t marks = (word - GD_EIGHT(0x20)) & ~word;

    marks |= (del - GD_EIGHT(0x01)) & ~del;
    return (marks & GD_EIGHT(0x80)) | (word & also);
}

/* As gd_find_control, on any machine. */
static inline const char *gd_find_control_portable(const char *at, const char *end,
                                                   bool ascii_only)
{
    const uint64_t also = ascii_only ? GD_EIGHT(0x80) : 0;
    uint64_t word, marks;

    for (; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        marks = gd_mark_controls(le64toh(word), also);
        if (marks)
            return at + (__builtin_ctzll(marks) >> 3);
    }
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;

        if (c < 0x20 || c == 0x7f || (ascii_only && c >= 0x80))
            return at;
    }
    return end;
}

/** Returns the first byte of [at, end) that is a control character (or, when ascii_only,
 *  above 127), else end. */
static inline const char *gd_find_control(const char *at, const char *end,
                                          bool ascii_only)
{
#ifdef __SSE2__
    const __m128i last = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);

    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last), bytes);
        __m128i found = _mm_or_si128(low, _mm_cmpeq_epi8(bytes, del));
        int marks = _mm_movemask_epi8(ascii_only ? _mm_or_si128(found, bytes) : found);

        if (marks)
            return at + __builtin_ctz((unsigned)marks);
    }
#endif
    return gd_find_control_portable(at, end, ascii_only);
}

/** Returns the first `wanted` of [at, end), else end. For short distances. */
static inline const char *gd_find_byte(const char *at, const char *end, char wanted)
{
    const uint64_t pattern = GD_EIGHT((unsigned char)wanted);
    uint64_t word;

#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        int marks = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted)));

        if (marks)
            return at + __builtin_ctz((unsigned)marks);
    }
#endif
    for (; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        word = le64toh(word) ^ pattern;
        word = (word - GD_EIGHT(0x01)) & ~word & GD_EIGHT(0x80);
        if (word)
            return at + (__builtin_ctzll(word) >> 3);
    }
    while (at < end && *at != wanted)
        at++;
    return at;
}

/* Compares eight (four) bytes of text with known ones in lower case. Only letters may
 * differ in bit 0x20: among token characters in lower case they are those with 0x40. */
static inline bool gd_same_eight(const char *text, const char *known)
{
    uint64_t a, b;

    memcpy(&a, text, 8);
    memcpy(&b, known, 8);
    return (a | (b & GD_EIGHT(0x40)) >> 1) == b;
}

static inline bool gd_same_four(const char *text, const char *known)
{
    uint32_t a, b;

    memcpy(&a, text, 4);
    memcpy(&b, known, 4);
    return (a | (b & 0x40404040U) >> 1) == b;
}

/** Whether text is known, a name of lower-case letters, digits and hyphens, without
 *  regard to case. */
static inline bool gd_same_name(struct gd_span text, struct gd_span known)
{
    const char *a = text.ptr, *b = known.ptr;
    size_t n = known.len;

    if (text.len != n)
        return false;
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8)
            if (!gd_same_eight(a + i, b + i))
                return false;
        return gd_same_eight(a + n - 8, b + n - 8);
    }
    if (n >= 4)
        return gd_same_four(a, b) && gd_same_four(a + n - 4, b + n - 4);
    for (size_t i = 0; i < n; i++)
        if (gd_ascii_lower(a[i]) != b[i])
            return false;
    return true;
}

#endif
