#ifndef GD_JSON_PEN_H
#define GD_JSON_PEN_H
/**
 * The words that a walk writes of what it goes past, for json/grammar.h; where TAPE is 0
 * none, and all of this comes to nothing. Private to lib/json.
 *
 * A container that is open has the one around it as its tail, so nesting needs no memory
 * of its own.
 */
#include "json/reading.h"
#include "json/tape_words.h"

/* Where the next word goes. */
struct pen {
    struct gd_tape_word *out, *room, *words;
    gd_node open; /* the innermost open container */
};

static inline struct pen pen_of(const struct gd_json_walk *w)
{
    if (!TAPE)
        return (struct pen){NULL, NULL, NULL, GD_NODE_NONE};
    return (struct pen){w->out, w->room, w->tape->words, GD_NODE_NONE};
}

static OUT_OF_LINE struct pen more_room(struct gd_json_walk *w, struct pen pen)
{
    w->out = pen.out;
    if (!gd_tape_walk_grow(w))
        return (struct pen){NULL, NULL, NULL, GD_NODE_NONE};
    return (struct pen){w->out, w->room, w->tape->words, pen.open};
}

/* Makes sure that there is room for GD_TAPE_SLACK words. */
static inline bool has_room(struct gd_json_walk *w, struct pen *pen)
{
    if (!TAPE || USUALLY(pen->out <= pen->room))
        return true;
    *pen = more_room(w, *pen);
    return pen->out != NULL;
}

static inline void put_word(const struct gd_json_walk *w, struct pen *pen, unsigned kind,
                            const uint8_t *from, const uint8_t *to)
{
    if (!TAPE)
        return;
    pen->out->head = (uint32_t)(from - w->start) * GD_WORD_SCALE + kind;
    pen->out->tail = (uint32_t)(to - from);
    pen->out++;
}

/* The kind of a string that was gone past the long way. */
static inline unsigned string_kind(struct gd_json_walk *w)
{
    unsigned kind = GD_JSON_STRING;

    if (TAPE && UNUSUALLY(w->escaped)) {
        kind |= GD_WORD_ESCAPED;
        w->escaped = false;
    }
    return kind;
}

static inline void put_opening(const struct gd_json_walk *w, struct pen *pen,
                               const uint8_t *at)
{
    if (TAPE) {
        gd_node node = (gd_node)(pen->out - pen->words);

        put_word(w, pen, *at == '{' ? GD_JSON_OBJECT : GD_JSON_ARRAY, at, at);
        pen->out[-1].tail = pen->open;
        pen->open = node;
    }
}

/* behind: the closing bracket */
static inline void put_closing(const struct gd_json_walk *w, struct pen *pen,
                               const uint8_t *behind)
{
    if (TAPE) {
        struct gd_tape_word *opening = &pen->words[pen->open];

        pen->open = opening->tail;
        opening->tail = (uint32_t)(pen->out - pen->words);
        put_word(w, pen, GD_WORD_END, behind, behind);
    }
}

/* The closing bracket of the innermost open container. */
static inline uint8_t closing_owed(const struct pen *pen)
{
    return gd_word_kind(pen->words[pen->open]) == GD_JSON_OBJECT ? '}' : ']';
}

#endif
