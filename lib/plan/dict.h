#ifndef GD_PLAN_DICT_H
#define GD_PLAN_DICT_H
/**
 * A table from names to pointers, used while loading: keys of a map, anchors,
 * upstreams, routes. Looking up costs the same with ten names and with thousands.
 */
#include "base/bytes.h"

struct gd_dict_slot;

/** Zeroed memory is an empty table. Names and values are borrowed. */
struct gd_dict {
    struct gd_dict_slot *slots;
    size_t cap, count;
};

/** Returns the value of name, NULL when it is not there. */
void *gd_dict_get(const struct gd_dict *dict, struct gd_span name);

/** Sets the value (never NULL) of name, replacing an earlier one. */
void gd_dict_put(struct gd_dict *dict, struct gd_span name, void *value);

/** Forgets all names and releases the memory. */
void gd_dict_free(struct gd_dict *dict);

#endif
