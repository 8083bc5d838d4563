#ifndef GD_GATHER_COMPOSE_H
#define GD_GATHER_COMPOSE_H
/**
 * Composing: a shape and what the calls have yielded become JSON text.
 */
#include "gather/gather.h"
#include "json/splice.h"
#include "plan/shape.h"

enum gd_composed {
    GD_COMPOSED,
    GD_COMPOSE_CONFLICT, /* a merge whose policy is `error` met two members of one name */
    GD_COMPOSE_NO_MEMORY,
};

/** Appends what shape stands for. values: as references see them; with values->showing,
 *  parts as they are shown. The pieces borrow from the plan and from the gather. */
enum gd_composed gd_compose(const struct gd_shape *shape, struct gd_gather *gather,
                            const struct gd_values *values, struct gd_splice *out);

#endif
