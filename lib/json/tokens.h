#ifndef GD_JSON_TOKENS_H
#define GD_JSON_TOKENS_H
/**
 * White space, numbers and strings, for json/grammar.h, which says what BLOCK and EXACT
 * are, and what may be read. Private to lib/json.
 *
 * All functions take and return the position in the text; NULL after a fault.
 */
#include <string.h>

#include "json/utf8.h"
#include "json/walk.h"

/* So that the common way stays short and in registers. */
#define OUT_OF_LINE __attribute__((noinline))

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

static inline bool is_plain(uint8_t c)
{
    return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

/* Whether c may follow a complete number. */
static inline bool ends_number(uint8_t c)
{
    return c == ',' || (c | 0x20) == '}' || c <= ' ';
}

/* Notes what is wrong at p; reason NULL, or p at the end, means the text stops early. */
static __attribute__((noinline, cold)) const uint8_t *
fault_at(struct gd_json_walk *w, const uint8_t *p, const char *reason)
{
    w->fault.offset = (size_t)(p - w->start);
    w->fault.reason = p == w->end ? "unexpected end" : reason;
    return NULL;
}

static __attribute__((noinline, cold)) const uint8_t *
number_fault(struct gd_json_walk *w, const uint8_t *start, const uint8_t *p)
{
    if (p - start >= GD_JSON_NUMBER_MAX && start + GD_JSON_NUMBER_MAX < w->end)
        return fault_at(w, start + GD_JSON_NUMBER_MAX, "number too long");
    return fault_at(w, p, "invalid number");
}

/* The byte at p; NUL, which is valid nowhere, at the end of the text. */
static inline uint8_t peek(const struct gd_json_walk *w, const uint8_t *p)
{
    return EXACT && p == w->end ? 0 : *p;
}

/* Goes past white space, of which there is some or a control character at p. */
static OUT_OF_LINE const uint8_t *white_run(const struct gd_json_walk *w,
                                            const uint8_t *p)
{
    if (is_white(peek(w, p)) && peek(w, p + 1) > ' ')
        return p + 1;
    while (p < w->safe) {
        size_t n = BLOCK(white)(p);

        p += n;
        if (n < GD_JSON_BLOCK)
            return p;
    }
    while (is_white(peek(w, p)))
        p++;
    return p;
}

static inline const uint8_t *white(const struct gd_json_walk *w, const uint8_t *p)
{
    return peek(w, p) > ' ' ? p : white_run(w, p);
}

static inline const uint8_t *digit_run(const struct gd_json_walk *w, const uint8_t *p)
{
    while (p < w->safe) {
        size_t n = BLOCK(digits)(p);

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
        p += BLOCK(digits)(p);
        if (ends_number(*p))
            return p;
        if (*p == '.' && p + 1 < w->safe) {
            const uint8_t *fraction = p + 1;

            p = fraction + BLOCK(digits)(fraction);
            if (p != fraction && ends_number(*p))
                return p;
        }
    }
    return number_full(w, start);
}

static const uint8_t *escape(struct gd_json_walk *w, const uint8_t *p)
{
    switch (peek(w, p + 1)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        for (int i = 2; i < 6; i++)
            if (!is_hex(peek(w, p + i)))
                return fault_at(w, p + i, "invalid escape in a string");
        return p + 6;
    default:
        return fault_at(w, p + 1, "invalid escape in a string");
    }
}

/* Goes past one character that is not plain and not the closing quote. */
static inline const uint8_t *special(struct gd_json_walk *w, const uint8_t *p)
{
    if (*p == '\\')
        return escape(w, p);
    if (*p < ' ')
        return fault_at(w, p, "control character in a string");
    do {
        struct gd_json_utf8 got = gd_json_utf8(p, w->end);

        if (!got.valid)
            return fault_at(w, got.next, "invalid UTF-8");
        p = got.next;
    } while (p < w->end && *p >= 0x80);
    return p;
}

/* Goes past the closing quote, from anywhere in the string. */
static OUT_OF_LINE const uint8_t *string_rest(struct gd_json_walk *w, const uint8_t *p)
{
    for (;;) {
        while (p < w->safe) {
            size_t n = BLOCK(plain)(p);

            p += n;
            if (n < GD_JSON_BLOCK)
                break;
        }
        while (p < w->end && is_plain(*p))
            p++;
        if (p == w->end)
            return fault_at(w, p, NULL);
        if (*p == '"')
            return p + 1;
        p = special(w, p);
        if (p == NULL)
            return NULL;
    }
}

static OUT_OF_LINE const uint8_t *name_full(struct gd_json_walk *w, const uint8_t *p)
{
    p = string_rest(w, p);
    if (p == NULL)
        return NULL;
    p = white(w, p);
    return peek(w, p) == ':' ? p + 1 : fault_at(w, p, "expected ':' after a name");
}

/* Goes past a member's name and the colon; p is behind the opening quote. */
static inline const uint8_t *name(struct gd_json_walk *w, const uint8_t *p)
{
    if (p < w->safe) {
        const uint8_t *quote = p + BLOCK(plain)(p);

        if (memcmp(quote, "\":", 2) == 0)
            return quote + 2;
    }
    return name_full(w, p);
}

#endif
