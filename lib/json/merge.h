#ifndef GD_JSON_MERGE_H
#define GD_JSON_MERGE_H
/**
 * Operators that make one value of several: merging objects, joining lists.
 *
 * Names are compared decoded. Time is linear in what goes in (tables by hash), memory is
 * the splice's arena, and what comes out are spans of the originals. A deep merge calls
 * itself as deep as objects are nested, which the check bounds at GD_JSON_DEPTH_MAX.
 */
#include "json/path.h"
#include "json/splice.h"

enum gd_conflict {
    GD_CONFLICT_LAST,   /* the later value counts, where the first one stood */
    GD_CONFLICT_FIRST,  /* the first value counts */
    GD_CONFLICT_ERROR,  /* the merge fails */
    GD_CONFLICT_CONCAT, /* one array of both: arrays are joined, other values become one
                           element each */
};

struct gd_merge {
    bool deep; /* objects on both sides are merged inside, whatever the policy */
    enum gd_conflict conflict;
    /* results */
    unsigned collisions;    /* names that met, at all depths (merged objects not); a name
                               that several values have is one */
    struct gd_span clashed; /* the first of them, as it stands in the text, with quotes */
};

enum gd_merge_result { GD_MERGE_OK, GD_MERGE_CONFLICT, GD_MERGE_NO_MEMORY };

/** Appends one object with the members of all values, in order of first appearance.
 *  values: objects; null and absent values count as empty. A name that stands twice in
 *  one object: the last one counts and that is no collision. */
enum gd_merge_result gd_merge_objects(struct gd_merge *merge,
                                      const struct gd_json_value *values, unsigned count,
                                      struct gd_splice *out);

/** Appends one array with the elements of all values, in order. An array gives its
 *  elements, null and absent values give none, anything else is one element. */
GD_MUST_CHECK bool gd_concat_lists(const struct gd_json_value *values, unsigned count,
                                   struct gd_splice *out);

/** How two lists are joined: each element of the left one gets, as its last member `as`,
 *  the element of the right one whose key is the same text; null when there is none. A
 *  member `as` it had goes. When several on the right have the key the first one counts.
 */
struct gd_join {
    const struct gd_json_path *left_key;    /* in an element of the left list */
    const struct gd_json_path *right_key;   /* in an element of the right list; NULL: the
                                               keys are given */
    const struct gd_json_value *right_keys; /* one for each element, when right_key is
                                               NULL; borrowed */
    struct gd_span as;                      /* decoded */
};

/** Appends the left list with what was joined. Keys are strings and numbers, compared as
 *  text ("7" is the same as 7); elements without one, or that are no objects, stay as
 *  they are. left that is no array: it is appended as it is. */
GD_MUST_CHECK bool gd_join_lists(const struct gd_join *join, struct gd_json_value left,
                                 struct gd_json_value right, struct gd_splice *out);

#endif
