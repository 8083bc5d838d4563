#define ODD swar_quotes
#define EXACT 0
#include "json/tape_walk.h"

bool gd_tape_index_portable(struct gd_tape_index *index)
{
    return put_container(index);
}
