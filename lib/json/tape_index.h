#ifndef GD_JSON_TAPE_INDEX_H
#define GD_JSON_TAPE_INDEX_H
/**
 * The walk that writes a tape, in two builds of json/tape_walk.h: private to lib/json.
 */
#include "json/tape.h"
#include "json/walk.h"

/* A turn of the walk writes at most this many words before it asks for room again. */
enum { GD_TAPE_SLACK = 4 };

struct gd_tape_index {
    struct gd_json_walk walk;
    struct gd_tape *tape;
    struct gd_tape_word *out;  /* the next word */
    struct gd_tape_word *room; /* up to here GD_TAPE_SLACK words fit */
};

/** Moves the words to where more fit, and out and room with them. */
GD_MUST_CHECK bool gd_tape_index_grow(struct gd_tape_index *index);

/** Writes the words of a valid text that is an object or array. False without memory. */
bool gd_tape_index_portable(struct gd_tape_index *index);
#if GD_JSON_VECTOR
bool gd_tape_index_vector(struct gd_tape_index *index);
#endif

#endif
