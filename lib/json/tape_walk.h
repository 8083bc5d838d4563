#ifndef GD_JSON_TAPE_WALK_H
#define GD_JSON_TAPE_WALK_H
/**
 * The walk over a valid object or array that writes its tape: private to lib/json. As
 * with json/grammar.h each tape_*.c builds it its own way, with ODD and EXACT 0. Since
 * the text has been checked, only what tells one value from the next is looked at.
 *
 * A container that is open has the one around it as its tail, so nesting needs no memory
 * of its own.
 */
#include "json/numbers.h"
#include "json/odd.h"
#include "json/tape_index.h"
#include "json/tape_words.h"

/* Where the next word goes. */
struct pen {
    struct gd_tape_word *out, *room, *words;
    gd_node open; /* the innermost open container */
};

static OUT_OF_LINE bool more_room(struct gd_tape_index *index, struct pen *pen)
{
    index->out = pen->out;
    if (!gd_tape_index_grow(index))
        return false;
    *pen = (struct pen){index->out, index->room, index->tape->words, pen->open};
    return true;
}

/* Makes sure that there is room for GD_TAPE_SLACK words. */
static inline bool has_room(struct gd_tape_index *index, struct pen *pen)
{
    struct pen moved;
    bool ok;

    if (USUALLY(pen->out <= pen->room))
        return true;
    moved = *pen;
    ok = more_room(index, &moved);
    *pen = moved;
    return ok;
}

static inline void put_word(const struct gd_json_walk *w, struct gd_tape_word *out,
                            unsigned kind, const uint8_t *from, const uint8_t *to)
{
    out->head = (uint32_t)(from - w->start) * GD_WORD_SCALE + kind;
    out->tail = (uint32_t)(to - from);
}

/* Goes past the closing quote of the string that begins at from, from anywhere in it, and
 * writes its word. */
static OUT_OF_LINE struct spot put_string(const struct gd_json_walk *w, struct spot at,
                                          const uint8_t *from, struct gd_tape_word *out)
{
    unsigned kind = GD_JSON_STRING;

    for (;;) {
        if (at.odd == 0)
            at.odd = look(w, at.p);
        if (at.odd == 0) {
            at.p += GD_JSON_WIDE;
            continue;
        }
        at.p += lowest(at.odd);
        at.odd >>= lowest(at.odd);
        if (*at.p == '"')
            break;
        kind |= GD_WORD_ESCAPED;
        at.p += 2;
        at.odd >>= 2;
    }
    put_word(w, out, kind, from, at.p + 1);
    return (struct spot){at.p + 1, at.odd >> 1};
}

/* Goes past a name and the colon, from the opening quote. */
static inline struct place put_name(const struct gd_json_walk *w, struct place at,
                                    struct gd_tape_word *out)
{
    const uint8_t *from = at.p;

    at = to_odd(w, at);
    if (USUALLY(at.odd && is_pair(w, at.p, "\":"))) {
        put_word(w, out, GD_JSON_STRING, from, at.p + 1);
        return past(at, 2);
    }
    at = white(w, place_of(put_string(w, spot_of(at), from, out)));
    at.p++;
    return at;
}

/* Goes past a number or literal that does not begin with 1 to 9. */
static OUT_OF_LINE const uint8_t *put_scalar(struct gd_json_walk *w, const uint8_t *p,
                                             struct gd_tape_word *out)
{
    unsigned kind = GD_JSON_NUMBER;
    const uint8_t *to;

    switch (*p) {
    case 't':
        kind = GD_JSON_TRUE;
        to = p + 4;
        break;
    case 'f':
        kind = GD_JSON_FALSE;
        to = p + 5;
        break;
    case 'n':
        kind = GD_JSON_NULL;
        to = p + 4;
        break;
    default:
        to = number(w, p, p + (*p == '-'));
    }
    put_word(w, out, kind, p, to);
    return to;
}

enum met {
    MET_OPENING,
    MET_CLOSING,
    MET_NO_ROOM,
};

/* Goes from the first member or element, or white space before it, past all that hold no
 * others. */
static inline __attribute__((always_inline)) enum met
put_items(struct gd_tape_index *index, struct pen *pen, struct place *at, bool object)
{
    struct gd_json_walk *w = &index->walk;
    const uint8_t *from;
    uint8_t c;

item:
    if (UNUSUALLY(!has_room(index, pen)))
        return MET_NO_ROOM;
    if (object) {
        if (UNUSUALLY(*at->p != '"'))
            *at = white(w, *at);
        *at = put_name(w, *at, pen->out++);
    }
value:
    from = at->p;
    c = *from;
    if (c == '"') {
        *at = to_odd(w, *at);
        if (USUALLY(at->odd && is_pair(w, at->p, "\","))) {
            put_word(w, pen->out++, GD_JSON_STRING, from, at->p + 1);
            *at = past(*at, 2);
            goto item;
        }
        *at = place_of(put_string(w, spot_of(*at), from, pen->out++));
    } else if (c >= '1' && c <= '9') {
        at->p = number(w, from, from);
        put_word(w, pen->out++, GD_JSON_NUMBER, from, at->p);
    } else if (c == '{' || c == '[') {
        return MET_OPENING;
    } else if (is_white(c)) {
        *at = white(w, *at);
        goto value;
    } else {
        at->p = put_scalar(w, from, pen->out++);
    }
behind:
    c = *at->p;
    if (USUALLY(c == ',')) {
        at->p++;
        goto item;
    }
    if (!is_white(c))
        return MET_CLOSING;
    *at = white(w, *at);
    goto behind;
}

/* At an opening bracket: goes past it. Says whether it is that of an object. */
static inline bool put_opening(const struct gd_json_walk *w, struct pen *pen,
                               struct place *at)
{
    bool object = *at->p == '{';
    gd_node node = (gd_node)(pen->out - pen->words);

    put_word(w, pen->out, object ? GD_JSON_OBJECT : GD_JSON_ARRAY, at->p, at->p);
    pen->out++->tail = pen->open;
    pen->open = node;
    at->p++;
    return object;
}

/* At a closing bracket: goes past it. */
static inline void put_closing(const struct gd_json_walk *w, struct pen *pen,
                               struct place *at)
{
    struct gd_tape_word *opening = &pen->words[pen->open];

    pen->open = opening->tail;
    opening->tail = (uint32_t)(pen->out - pen->words);
    at->p++;
    put_word(w, pen->out++, GD_WORD_END, at->p, at->p);
}

static inline bool is_open_object(const struct pen *pen)
{
    return gd_word_kind(pen->words[pen->open]) == GD_JSON_OBJECT;
}

static bool put_container(struct gd_tape_index *index)
{
    const struct gd_json_walk *w = &index->walk;
    struct pen pen = {index->out, index->room, index->tape->words, GD_NODE_NONE};
    struct place at = place_of((struct spot){w->start, 0});
    bool object;
    enum met met;

open:
    object = put_opening(w, &pen, &at);
    at = white(w, at);
    if (*at.p == '}' || *at.p == ']')
        goto close;
next:
    met = object ? put_items(index, &pen, &at, true) : put_items(index, &pen, &at, false);
    if (met == MET_OPENING)
        goto open;
    if (met == MET_NO_ROOM)
        return false;
close:
    put_closing(w, &pen, &at);
    if (pen.open == GD_NODE_NONE) {
        index->out = pen.out;
        return true;
    }
    if (!has_room(index, &pen))
        return false;
    object = is_open_object(&pen);
    at = white(w, at);
    if (*at.p != ',')
        goto close;
    at.p++;
    goto next;
}

#endif
