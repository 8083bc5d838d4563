#ifndef GD_JSON_WALK_H
#define GD_JSON_WALK_H
/**
 * One pass over a text, in three builds of one grammar (json/grammar.h): private to
 * lib/json.
 *
 * The guarded walks want a text whose first byte is an opening and whose last byte a
 * closing bracket, whichever; they say right or wrong quickly, but not what is wrong. The
 * exact walk takes any text.
 */
#include <stdint.h>

#include "json/block.h"
#include "json/scan.h"

struct gd_json_walk {
    const uint8_t *start;
    const uint8_t *end;
    const uint8_t *safe; /* below it a block and one more byte can be read */
    const uint8_t *wide; /* below it GD_JSON_WIDE bytes can be read */
    unsigned max_depth;
    struct gd_json_fault fault;
};

static inline void gd_json_walk_init(struct gd_json_walk *w, const uint8_t *start,
                                     size_t len, unsigned max_depth)
{
    w->start = start;
    w->end = start + len;
    w->safe = len > GD_JSON_BLOCK ? w->end - GD_JSON_BLOCK : start;
    w->wide = len >= GD_JSON_WIDE ? w->end - GD_JSON_WIDE + 1 : start;
    w->max_depth = max_depth < GD_JSON_DEPTH_MAX ? max_depth : GD_JSON_DEPTH_MAX;
}

/** Goes past one object or array, from w->start; NULL when it is not valid. */
const uint8_t *gd_json_walk_portable(struct gd_json_walk *w);
#if GD_JSON_VECTOR
const uint8_t *gd_json_walk_vector(struct gd_json_walk *w);
#endif

/** Goes over the whole text. True, and the value without the white space around it; or
 *  false, and w->fault set. */
bool gd_json_walk_exact(struct gd_json_walk *w, struct gd_span *value);

#endif
