#ifndef GD_JSON_BLOCK_H
#define GD_JSON_BLOCK_H
/**
 * Many bytes at once: private to lib/json.
 *
 * *_odd looks at exactly GD_JSON_WIDE readable bytes and returns a bit for each, the
 * first one lowest, that is set unless the byte is plain: ASCII that may stand unescaped
 * in a string, which is 0x20 to 0x7f but '"' and '\'. swar_odd is portable; vector_odd
 * exists where GD_JSON_VECTOR is 1.
 *
 * leading_* look at exactly GD_JSON_BLOCK readable bytes and return how many at the front
 * are of a kind, 0 to GD_JSON_BLOCK. What follows waits for that count, and for the short
 * runs that numbers and indentation are, words are quicker at it than vectors.
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

enum { GD_JSON_BLOCK = 16, GD_JSON_WIDE = 64 };

/* --- Portable: words of eight bytes, the first byte lowest --- */

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

/* The index of the lowest byte that is not 0, 8 with none. */
static inline size_t swar_first(uint64_t hits)
{
    return hits ? (size_t)__builtin_ctzll(hits) / 8 : 8;
}

/* Sets the top bit of each byte that is plain. Exchanging 0x20 and 0x22 puts the quote
 * just above the control characters; with the top bits out of the way no sum carries. */
static inline uint64_t swar_plain(uint64_t word)
{
    uint64_t low = word & GD_JSON_EACH(0x7f);
    uint64_t above = (low ^ GD_JSON_EACH(0x02)) + GD_JSON_EACH(0x80 - 0x21);
    uint64_t other = (low ^ GD_JSON_EACH('\\')) + GD_JSON_EACH(0x7f);

    return above & other & ~word & GD_JSON_EACH(0x80);
}

/* The product gathers the eight top bits in its highest byte. */
static inline uint64_t swar_odd(const uint8_t *p)
{
    uint64_t plain = 0;

    for (int i = 0; i < GD_JSON_WIDE; i += 8) {
        uint64_t bits = swar_plain(swar_load(p + i)) >> 7;

        plain |= (bits * UINT64_C(0x0102040810204080)) >> 56 << i;
    }
    return ~plain;
}

/* A sum may carry into the byte above a hit; only the lowest hit counts. */
static inline uint64_t swar_not_digit(uint64_t word)
{
    uint64_t value = word ^ GD_JSON_EACH('0');

    return (value | (value + GD_JSON_EACH(0x80 - 10))) & GD_JSON_EACH(0x80);
}

static inline size_t leading_digits(const uint8_t *p)
{
    size_t n = swar_first(swar_not_digit(swar_load(p)));

    return n < 8 ? n : 8 + swar_first(swar_not_digit(swar_load(p + 8)));
}

static inline size_t leading_spaces(const uint8_t *p)
{
    size_t n = swar_first(swar_load(p) ^ GD_JSON_EACH(' '));

    return n < 8 ? n : 8 + swar_first(swar_load(p + 8) ^ GD_JSON_EACH(' '));
}

#if defined(__SSE2__)

/* Signed comparison: bytes from 0x80 are below zero, so not above 0x20 either. */
static inline uint64_t vector_plain_block(const uint8_t *p)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)p);
    __m128i above =
        _mm_cmpgt_epi8(_mm_xor_si128(bytes, _mm_set1_epi8(0x02)), _mm_set1_epi8(0x20));
    __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));

    return (unsigned)_mm_movemask_epi8(_mm_andnot_si128(backslash, above));
}

static inline uint64_t vector_odd(const uint8_t *p)
{
    uint64_t low = vector_plain_block(p) | vector_plain_block(p + 16) << 16;
    uint64_t high = vector_plain_block(p + 32) | vector_plain_block(p + 48) << 16;

    return ~(low | high << 32);
}

#elif GD_JSON_VECTOR

static inline uint8x16_t vector_odd_block(const uint8_t *p)
{
    uint8x16_t bytes = vld1q_u8(p);
    int8x16_t moved = vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(0x02)));
    uint8x16_t backslash = vceqq_u8(bytes, vdupq_n_u8('\\'));

    return vorrq_u8(vcleq_s8(moved, vdupq_n_s8(0x20)), backslash);
}

/* One bit a lane, then neighbours added until 64 lanes are 8 bytes. */
static inline uint64_t vector_gather(uint8x16_t a, uint8x16_t b, uint8x16_t c,
                                     uint8x16_t d)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                        1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t weight = vld1q_u8(weights);
    uint8x16_t low = vpaddq_u8(vandq_u8(a, weight), vandq_u8(b, weight));
    uint8x16_t high = vpaddq_u8(vandq_u8(c, weight), vandq_u8(d, weight));
    uint8x16_t all = vpaddq_u8(low, high);

    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(all, all)), 0);
}

static inline uint64_t vector_odd(const uint8_t *p)
{
    return vector_gather(vector_odd_block(p), vector_odd_block(p + 16),
                         vector_odd_block(p + 32), vector_odd_block(p + 48));
}

#endif

#endif
