#include "json/block.h"

#if GD_JSON_VECTOR
#define ODD vector_quotes
#define EXACT 0
#include "json/tape_walk.h"

bool gd_tape_index_vector(struct gd_tape_index *index)
{
    return put_container(index);
}
#endif
