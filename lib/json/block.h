#ifndef GD_JSON_BLOCK_H
#define GD_JSON_BLOCK_H
/**
 * Runs of bytes, a block of 16 at a time: private to lib/json.
 *
 * Each function looks at exactly GD_JSON_BLOCK readable bytes and returns how many at the
 * front are of one kind, 0 to GD_JSON_BLOCK:
 *   plain   may stand unescaped in a string and is ASCII: 0x20 to 0x7f but '"' and '\'
 *   digits  '0' to '9'
 *   white   the four bytes of JSON white space
 * swar_* are portable; vector_* exist where GD_JSON_VECTOR is 1.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#define GD_JSON_VECTOR 1
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)
#include <arm_neon.h>
#define GD_JSON_VECTOR 1
#else
#define GD_JSON_VECTOR 0
#endif

enum { GD_JSON_BLOCK = 16 };

/* --- Portable: two words of eight bytes, the first byte lowest. ---
 * A sum or difference may carry into the byte above a hit. Only the lowest hit counts, so
 * that is harmless. */

#define GD_JSON_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t swar_load(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The index of the lowest byte whose top bit is set, 8 with none. */
static inline size_t swar_first(uint64_t hits)
{
    return hits ? (size_t)__builtin_ctzll(hits) / 8 : 8;
}

/* Exchanging 0x20 and 0x22 puts the quote just above the control characters. */
static inline uint64_t swar_not_plain(uint64_t word)
{
    uint64_t low = (word ^ GD_JSON_EACH(0x02)) - GD_JSON_EACH(0x21);
    uint64_t backslash = (word ^ GD_JSON_EACH('\\')) - GD_JSON_EACH(1);

    return (low | backslash | word) & GD_JSON_EACH(0x80);
}

static inline uint64_t swar_not_digit(uint64_t word)
{
    uint64_t value = word ^ GD_JSON_EACH('0');

    return (value | (value + GD_JSON_EACH(0x80 - 10))) & GD_JSON_EACH(0x80);
}

/* Exact in every byte, because here the bytes that do not match are sought. */
static inline uint64_t swar_differs(uint64_t word, uint8_t byte)
{
    uint64_t diff = word ^ GD_JSON_EACH(byte);

    return diff | ((diff & GD_JSON_EACH(0x7f)) + GD_JSON_EACH(0x7f));
}

static inline uint64_t swar_not_white(uint64_t word)
{
    return swar_differs(word, ' ') & swar_differs(word, '\n') & swar_differs(word, '\r') &
           swar_differs(word, '\t') & GD_JSON_EACH(0x80);
}

static inline size_t swar_plain(const uint8_t *p)
{
    size_t n = swar_first(swar_not_plain(swar_load(p)));

    return n < 8 ? n : 8 + swar_first(swar_not_plain(swar_load(p + 8)));
}

static inline size_t swar_digits(const uint8_t *p)
{
    size_t n = swar_first(swar_not_digit(swar_load(p)));

    return n < 8 ? n : 8 + swar_first(swar_not_digit(swar_load(p + 8)));
}

static inline size_t swar_white(const uint8_t *p)
{
    size_t n = swar_first(swar_not_white(swar_load(p)));

    return n < 8 ? n : 8 + swar_first(swar_not_white(swar_load(p + 8)));
}

#if defined(__SSE2__)

/* All lanes set gives 0x10000, whose lowest bit is the sixteenth: no branch for it. */
static inline size_t vector_leading(__m128i lanes)
{
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(lanes) + 1);
}

/* Signed comparison: bytes from 0x80 are below zero, so not above 0x20 either. */
static inline size_t vector_plain(const uint8_t *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i above =
        _mm_cmpgt_epi8(_mm_xor_si128(bytes, _mm_set1_epi8(0x02)), _mm_set1_epi8(0x20));
    __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));

    return vector_leading(_mm_andnot_si128(backslash, above));
}

/* Moves '0' to '9' to the ten highest signed values. */
static inline size_t vector_digits(const uint8_t *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8(127 - '9'));

    return vector_leading(_mm_cmpgt_epi8(moved, _mm_set1_epi8(127 - 10)));
}

static inline size_t vector_white(const uint8_t *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
                                 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
    __m128i line = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')),
                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));

    return vector_leading(_mm_or_si128(blank, line));
}

#elif GD_JSON_VECTOR

/* NEON has no movemask: narrowing by four bits leaves a nibble a lane. */
static inline size_t vector_leading(uint8x16_t lanes)
{
    uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4);
    uint64_t misses = ~vget_lane_u64(vreinterpret_u64_u8(nibbles), 0);

    return misses ? (size_t)__builtin_ctzll(misses) / 4 : GD_JSON_BLOCK;
}

static inline size_t vector_plain(const uint8_t *p)
{
    uint8x16_t bytes = vld1q_u8(p);
    int8x16_t moved = vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(0x02)));
    uint8x16_t backslash = vceqq_u8(bytes, vdupq_n_u8('\\'));

    return vector_leading(vbicq_u8(vcgtq_s8(moved, vdupq_n_s8(0x20)), backslash));
}

static inline size_t vector_digits(const uint8_t *p)
{
    uint8x16_t value = vsubq_u8(vld1q_u8(p), vdupq_n_u8('0'));

    return vector_leading(vcltq_u8(value, vdupq_n_u8(10)));
}

static inline size_t vector_white(const uint8_t *p)
{
    uint8x16_t bytes = vld1q_u8(p);
    uint8x16_t blank =
        vorrq_u8(vceqq_u8(bytes, vdupq_n_u8(' ')), vceqq_u8(bytes, vdupq_n_u8('\t')));
    uint8x16_t line =
        vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('\n')), vceqq_u8(bytes, vdupq_n_u8('\r')));

    return vector_leading(vorrq_u8(blank, line));
}

#endif
#endif
