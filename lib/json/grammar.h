#ifndef GD_JSON_GRAMMAR_H
#define GD_JSON_GRAMMAR_H
/**
 * The grammar of JSON, once: private to lib/json. Each walk_*.c builds it its own way,
 * with
 *   BLOCK(kind)  the block function to use (json/block.h)
 *   EXACT        0 when the text's last byte is known to be '}' or ']', 1 otherwise
 *
 * Without EXACT that last byte is the guard: no token but a string can run over it, so
 * only strings, blocks and closing brackets are checked against the end. Whoever reads
 * p[i] has found the bytes before it to be neither of the two.
 *
 * All functions take and return the position in the text; NULL after a fault.
 */
#include "json/tokens.h"

static inline const uint8_t *literal(struct gd_json_walk *w, const uint8_t *p,
                                     const char *text, size_t len)
{
    if (p < w->safe && memcmp(p, text, len) == 0)
        return p + len;
    for (size_t i = 0; i < len; i++)
        if (peek(w, p + i) != (uint8_t)text[i])
            return fault_at(w, p + i, "invalid literal");
    return p + len;
}

/* Goes past a value that holds no others, from its first byte. */
static OUT_OF_LINE const uint8_t *scalar(struct gd_json_walk *w, const uint8_t *p)
{
    switch (peek(w, p)) {
    case '"':
        return string_rest(w, p + 1);
    case 't':
        return literal(w, p, "true", 4);
    case 'f':
        return literal(w, p, "false", 5);
    case 'n':
        return literal(w, p, "null", 4);
    case '-':
        return p + 1 < w->safe && p[1] >= '1' && p[1] <= '9' ? number(w, p, p + 1)
                                                             : number_full(w, p);
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return number_full(w, p);
    default:
        return fault_at(w, p, "expected a value");
    }
}

/* Goes from the first member or element, or white space before it, past all that hold no
 * others: to an opening bracket, or to the closing one of the container itself. */
static inline __attribute__((always_inline)) const uint8_t *
items(struct gd_json_walk *w, const uint8_t *p, bool object)
{
    uint8_t first;

item:
    if (object) {
        if (peek(w, p) != '"') {
            p = white(w, p);
            if (peek(w, p) != '"')
                return fault_at(w, p, "expected a name in quotes");
        }
        p = name(w, p + 1);
        if (p == NULL)
            return NULL;
    }
value:
    first = peek(w, p);
    if (first == '"' && p < w->safe) {
        const uint8_t *quote = p + 1 + BLOCK(plain)(p + 1);

        if (memcmp(quote, "\",", 2) == 0) {
            p = quote + 2;
            goto item;
        }
        p = *quote == '"' ? quote + 1 : string_rest(w, quote);
    } else if (first >= '1' && first <= '9') {
        p = number(w, p, p);
    } else if (first == '{' || first == '[') {
        return p;
    } else if (is_white(first)) {
        p = white_run(w, p);
        goto value;
    } else {
        p = scalar(w, p);
    }
    if (p == NULL)
        return NULL;
    if (peek(w, p) != ',' && peek(w, p) != (object ? '}' : ']'))
        p = white(w, p);
    if (peek(w, p) == ',') {
        p++;
        goto item;
    }
    if (peek(w, p) == (object ? '}' : ']'))
        return p;
    return fault_at(w, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* Goes past one object or array, from its opening bracket. */
static const uint8_t *container(struct gd_json_walk *w, const uint8_t *p)
{
    uint8_t open[GD_JSON_DEPTH_MAX]; /* '{' or '[', outermost first */
    unsigned depth = 0;

    for (;;) {
        uint8_t closing = *p + 2; /* that is how ASCII has them */

        if (depth == w->max_depth)
            return fault_at(w, p, "nested too deep");
        open[depth++] = *p;
        p = white(w, p + 1);
        if (peek(w, p) == closing)
            goto close;
    next:
        p = closing == '}' ? items(w, p, true) : items(w, p, false);
        if (p == NULL)
            return NULL;
        if (*p != closing)
            continue;
    close:
        p++;
        if (--depth == 0)
            return p;
        if (p == w->end)
            return fault_at(w, p, NULL);
        closing = open[depth - 1] + 2;
        if (*p != ',' && *p != closing)
            p = white(w, p);
        if (peek(w, p) == closing)
            goto close;
        if (peek(w, p) != ',')
            return fault_at(
                w, p, closing == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
        p++;
        goto next;
    }
}

#endif
