#ifndef GD_JSON_NUMBERS_H
#define GD_JSON_NUMBERS_H
/**
 * Numbers, for json/grammar.h. Private to lib/json.
 */
#include "json/reading.h"

/* Whether c may follow a complete number. */
static inline bool ends_number(uint8_t c)
{
    return c == ',' || (c | 0x20) == '}' || c <= ' ';
}

static __attribute__((noinline, cold)) const uint8_t *
number_fault(struct gd_json_walk *w, const uint8_t *start, const uint8_t *p)
{
    if (p - start >= GD_JSON_NUMBER_MAX && start + GD_JSON_NUMBER_MAX < w->end)
        return fault_at(w, start + GD_JSON_NUMBER_MAX, "number too long");
    return fault_at(w, p, "invalid number");
}

static inline const uint8_t *digit_run(const struct gd_json_walk *w, const uint8_t *p)
{
    while (p < w->safe) {
        size_t n = leading_digits(p);

        p += n;
        if (n < GD_JSON_BLOCK)
            return p;
    }
    while (is_digit(peek(w, p)))
        p++;
    return p;
}

static OUT_OF_LINE const uint8_t *number_full(struct gd_json_walk *w,
                                              const uint8_t *start)
{
    const uint8_t *p = start + (*start == '-');
    const uint8_t *digits = p;

    p = peek(w, p) == '0' ? p + 1 : digit_run(w, p);
    if (p == digits)
        return number_fault(w, start, p);
    if (peek(w, p) == '.') {
        digits = p + 1;
        p = digit_run(w, digits);
        if (p == digits)
            return number_fault(w, start, p);
    }
    if ((peek(w, p) | 0x20) == 'e') {
        digits = p + 1;
        if (peek(w, digits) == '-' || peek(w, digits) == '+')
            digits++;
        p = digit_run(w, digits);
        if (p == digits)
            return number_fault(w, start, p);
    }
    if (p - start > GD_JSON_NUMBER_MAX)
        return number_fault(w, start, p);
    return p;
}

/* A number from its sign on; at p is its first digit, 1 to 9. Whole or with a fraction,
 * in a block each; all else takes the longer way. */
static inline const uint8_t *number(struct gd_json_walk *w, const uint8_t *start,
                                    const uint8_t *p)
{
    if (p < w->safe) {
        p += leading_digits(p);
        if (ends_number(*p))
            return p;
        if (*p == '.' && p + 1 < w->safe) {
            const uint8_t *fraction = p + 1;

            p = fraction + leading_digits(fraction);
            if (p != fraction && ends_number(*p))
                return p;
        }
    }
    return number_full(w, start);
}

#endif
