#include "json/block.h"

#if GD_JSON_VECTOR
#define ODD vector_odd
#define EXACT 0
#define TAPE 1
#include "json/grammar.h"

const uint8_t *gd_tape_walk_vector(struct gd_json_walk *w)
{
    return container(w, w->start);
}
#endif
