#ifndef GD_JSON_READING_H
#define GD_JSON_READING_H
/**
 * Where a walk is, what it sees and how it fails: for json/grammar.h, which says what
 * ODD and EXACT are. Private to lib/json.
 */
#include <string.h>

#include "json/walk.h"

/* So that the common way stays short and in registers. */
#define OUT_OF_LINE __attribute__((noinline))
#define USUALLY(condition) __builtin_expect(!!(condition), 1)
#define UNUSUALLY(condition) __builtin_expect(!!(condition), 0)

static inline bool is_white(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

static inline bool is_hex(uint8_t c)
{
    return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}

/* Notes what is wrong at p; reason NULL, or p at the end, means the text stops early. */
static __attribute__((noinline, cold)) const uint8_t *
fault_at(struct gd_json_walk *w, const uint8_t *p, const char *reason)
{
    w->fault.offset = (size_t)(p - w->start);
    w->fault.reason = p == w->end ? "unexpected end" : reason;
    return NULL;
}

/* Where the walk is, and what is known of the bytes ahead: bit i of odd is that of
 * base[i] in ODD, cleared once p is past it. So the lowest bit set, if any, is the
 * first odd byte from p on; with none, nothing is known. Between strings only white space
 * is odd, so that a walk from quote to quote is one of clearing bits, without waiting for
 * memory. */
struct place {
    const uint8_t *p;
    const uint8_t *base;
    uint64_t odd;
};

/* The same for calls that are not inlined: base is p, so two registers hold it. */
struct spot {
    const uint8_t *p;
    uint64_t odd;
};

static inline struct place place_of(struct spot at)
{
    return (struct place){at.p, at.p, at.odd};
}

/* n: to the first byte of bits that counts, 0 to any */
static inline uint64_t shifted(uint64_t bits, size_t n)
{
    return n < GD_JSON_WIDE ? bits >> n : 0;
}

static inline struct spot spot_of(struct place at)
{
    return (struct spot){at.p, shifted(at.odd, (size_t)(at.p - at.base))};
}

static inline struct spot fault_spot(struct gd_json_walk *w, const uint8_t *p,
                                     const char *reason)
{
    return (struct spot){fault_at(w, p, reason), 0};
}

static inline unsigned lowest(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

/* The byte at p; NUL, which is valid nowhere, at the end of the text. */
static inline uint8_t peek(const struct gd_json_walk *w, const uint8_t *p)
{
    return EXACT && p == w->end ? 0 : *p;
}

/* Goes past white space, if there is any. */
static inline const uint8_t *white_run(const struct gd_json_walk *w, const uint8_t *p)
{
    while (is_white(peek(w, p))) {
        p++;
        while (p < w->safe) {
            size_t n = leading_spaces(p);

            p += n;
            if (n < GD_JSON_BLOCK)
                break;
        }
    }
    return p;
}

static OUT_OF_LINE struct spot white_full(const struct gd_json_walk *w, const uint8_t *p,
                                          const uint8_t *base, uint64_t odd)
{
    p = white_run(w, p);
    return (struct spot){p, shifted(odd, (size_t)(p - base))};
}

static inline struct place white(const struct gd_json_walk *w, struct place at)
{
    uint8_t c = peek(w, at.p);

    if (USUALLY(c > ' '))
        return at;
    if (c == ' ' && peek(w, at.p + 1) > ' ') {
        at.p++;
        return at;
    }
    return place_of(white_full(w, at.p, at.base, at.odd));
}

#endif
