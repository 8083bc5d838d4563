#ifndef GD_JSON_WALK_H
#define GD_JSON_WALK_H
/**
 * One pass over a text, in five builds of one grammar (json/grammar.h): private to
 * lib/json.
 *
 * The guarded walks want a text whose first byte is an opening and whose last byte a
 * closing bracket, whichever; they say right or wrong quickly, but not what is wrong. The
 * exact walk takes any text.
 */
#include <stdint.h>

#include "json/block.h"
#include "json/scan.h"

/* A turn of a walk writes at most this many words before it asks for room again. */
enum { GD_TAPE_SLACK = 4 };

struct gd_tape;
struct gd_tape_word;

struct gd_json_walk {
    const uint8_t *start;
    const uint8_t *end;
    const uint8_t *safe; /* below it a block and one more byte can be read */
    const uint8_t *wide; /* below it GD_JSON_WIDE bytes can be read */
    unsigned max_depth;
    bool escaped; /* a backslash was met since whoever wants to know has cleared it */
    struct gd_json_fault fault;
    /* of a walk that writes a tape: see json/pen.h */
    struct gd_tape *tape;
    struct gd_tape_word *out;  /* the next word */
    struct gd_tape_word *room; /* up to here GD_TAPE_SLACK words fit */
};

static inline void gd_json_walk_init(struct gd_json_walk *w, const uint8_t *start,
                                     size_t len, unsigned max_depth)
{
    w->start = start;
    w->end = start + len;
    w->safe = len > GD_JSON_BLOCK ? w->end - GD_JSON_BLOCK : start;
    w->wide = len >= GD_JSON_WIDE ? w->end - GD_JSON_WIDE + 1 : start;
    w->max_depth = max_depth < GD_JSON_DEPTH_MAX ? max_depth : GD_JSON_DEPTH_MAX;
    w->escaped = false;
}

/** Goes past one object or array, from w->start; NULL when it is not valid. */
const uint8_t *gd_json_walk_portable(struct gd_json_walk *w);
#if GD_JSON_VECTOR
const uint8_t *gd_json_walk_vector(struct gd_json_walk *w);
#endif

/** The same, and writes the words of the tape as it goes; NULL also without memory for
 *  them. */
const uint8_t *gd_tape_walk_portable(struct gd_json_walk *w);
#if GD_JSON_VECTOR
const uint8_t *gd_tape_walk_vector(struct gd_json_walk *w);
#endif

/** Moves the words to where more fit, and out and room with them. */
GD_MUST_CHECK bool gd_tape_walk_grow(struct gd_json_walk *w);

/** Goes over the whole text. True, and the value without the white space around it; or
 *  false, and w->fault set. */
bool gd_json_walk_exact(struct gd_json_walk *w, struct gd_span *value);

/** The text of bytes that guarded walks take, without white space around it; ptr NULL
 *  when it is none for them. */
struct gd_span gd_json_guarded(struct gd_span bytes);

/** As gd_json_scan, by the exact walk. */
bool gd_json_scan_exact(struct gd_span bytes, unsigned max_depth, struct gd_span *value,
                        struct gd_json_fault *fault);

#endif
