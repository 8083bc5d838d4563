#ifndef GD_GATHER_ITEMS_H
#define GD_GATHER_ITEMS_H
/**
 * The values of `each`: what a reference names, each different one once, in order.
 */
#include "base/failure.h"
#include "base/hash.h"
#include "plan/values.h"

struct gd_items {
    struct gd_arena *arena; /* owns what is made here */
    unsigned limit;         /* different values at most */
    struct gd_json_value *values;
    unsigned count;
    unsigned room;         /* private, as all below */
    unsigned *slots, mask; /* a table of values by hash: index + 1 */
    struct gd_hash_key key;
    enum gd_failure failure;
};

/** Collects the values of a reference, which has to name a list: with `[*]`, or one that
 *  is an array. null is left out. Values are the same when their bytes are. GD_OK;
 *  UNRESOLVED when there is no such list; TOO_LARGE above the limit or without memory. */
enum gd_failure gd_items_collect(struct gd_items *items, const struct gd_ref *each,
                                 const struct gd_values *values);

#endif
