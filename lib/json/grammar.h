#ifndef GD_JSON_GRAMMAR_H
#define GD_JSON_GRAMMAR_H
/**
 * The grammar of JSON, once: private to lib/json. Each walk_*.c and tape_*.c builds it
 * its own way, with
 *   ODD    the function that looks at many bytes (json/block.h)
 *   EXACT  0 when the text's last byte is known to be '}' or ']', 1 otherwise
 *   TAPE   1 when it writes a tape on the way (json/pen.h), 0 otherwise
 *
 * Without EXACT that last byte is the guard: no token but a string can run over it, so
 * only strings, blocks and closing brackets are checked against the end. Whoever reads
 * p[i] has found the bytes before it to be neither of the two.
 *
 * All functions take and return the place in the text; its p is NULL after a fault.
 */
#include "json/numbers.h"
#include "json/strings.h"

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

/* Goes past a literal or a number, from its first byte. */
static OUT_OF_LINE const uint8_t *scalar(struct gd_json_walk *w, const uint8_t *p)
{
    switch (peek(w, p)) {
    case 't':
        return literal(w, p, "true", 4);
    case 'f':
        return literal(w, p, "false", 5);
    case 'n':
        return literal(w, p, "null", 4);
    case '-':
        return p + 1 < w->safe && p[1] >= '1' && p[1] <= '9' ? number(w, p, p + 1)
                                                             : number_full(w, p);
    default:
        return is_digit(peek(w, p)) ? number_full(w, p)
                                    : fault_at(w, p, "expected a value");
    }
}

/* Where items stops. */
enum stop {
    STOP_FAULT,   /* or no room on the tape */
    STOP_OPENING, /* at the bracket of a container inside */
    STOP_CLOSING, /* at the bracket of this one */
};

/* Goes from the first member or element, or white space before it, past all that hold no
 * others. */
static inline __attribute__((always_inline)) enum stop
items(struct gd_json_walk *w, struct pen *pen, struct place *at, bool object)
{
    const uint8_t *from;
    unsigned kind;
    uint8_t c;

item:
    if (UNUSUALLY(!has_room(w, pen)))
        return STOP_FAULT;
    if (object) {
        *at = name(w, pen, *at);
        if (UNUSUALLY(at->p == NULL))
            return STOP_FAULT;
    }
value:
    from = at->p;
    c = peek(w, from);
    if (c == '"') {
        *at = to_odd(w, *at);
        if (USUALLY(at->odd && is_pair(w, at->p, "\","))) {
            put_word(w, pen, GD_JSON_STRING, from, at->p + 1);
            *at = past(*at, 2);
            goto item;
        }
        *at = string_end(w, *at);
        kind = string_kind(w);
    } else if (c >= '1' && c <= '9') {
        at->p = number(w, from, from);
        kind = GD_JSON_NUMBER;
    } else if (c == '{' || c == '[') {
        return STOP_OPENING;
    } else if (is_white(c)) {
        *at = white(w, *at);
        goto value;
    } else {
        at->p = scalar(w, from);
        kind = gd_word_scalar(c);
    }
    if (UNUSUALLY(at->p == NULL))
        return STOP_FAULT;
    put_word(w, pen, kind, from, at->p);
behind:
    c = peek(w, at->p);
    if (USUALLY(c == ',')) {
        at->p++;
        goto item;
    }
    if (c == (object ? '}' : ']'))
        return STOP_CLOSING;
    if (is_white(c)) {
        *at = white(w, *at);
        goto behind;
    }
    fault_at(w, at->p, object ? "expected ',' or '}'" : "expected ',' or ']'");
    return STOP_FAULT;
}

/* Goes past one object or array, from its opening bracket. */
static const uint8_t *container(struct gd_json_walk *w, const uint8_t *start)
{
    uint8_t open[GD_JSON_DEPTH_MAX]; /* the closing brackets owed, outermost first */
    struct place at = place_of((struct spot){start, 0});
    struct pen pen = pen_of(w);
    unsigned depth = 0;
    uint8_t closing;

open:
    closing = *at.p + 2; /* that is how ASCII has them */
    if (depth == w->max_depth)
        return fault_at(w, at.p, "nested too deep");
    if (!TAPE)
        open[depth] = closing;
    depth++;
    put_opening(w, &pen, at.p);
    at.p++;
    at = white(w, at);
    if (peek(w, at.p) == closing)
        goto close;
next:
    switch (closing == '}' ? items(w, &pen, &at, true) : items(w, &pen, &at, false)) {
    case STOP_FAULT:
        return NULL;
    case STOP_OPENING:
        goto open;
    case STOP_CLOSING:
        break;
    }
close:
    at.p++;
    put_closing(w, &pen, at.p);
    if (--depth == 0) {
        w->out = pen.out;
        return at.p;
    }
    if (at.p == w->end)
        return fault_at(w, at.p, NULL);
    if (!has_room(w, &pen))
        return NULL;
    closing = TAPE ? closing_owed(&pen) : open[depth - 1];
behind:
    if (peek(w, at.p) == ',') {
        at.p++;
        goto next;
    }
    if (peek(w, at.p) == closing)
        goto close;
    if (is_white(peek(w, at.p))) {
        at = white(w, at);
        goto behind;
    }
    return fault_at(w, at.p,
                    closing == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
}

#endif
