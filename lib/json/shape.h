#ifndef GD_JSON_SHAPE_H
#define GD_JSON_SHAPE_H
/**
 * Rules as a projection keeps them, compiled: private to lib/json.
 *
 * A shape is what happens to the members of the objects at one place, and a rule what
 * happens to the members of one name. All are owned by the arena and never change once
 * compiled, so threads share them.
 */
#include "json/project.h"

struct gd_shape;

struct gd_rule {
    struct gd_span name;
    struct gd_shape *owner;
    struct gd_shape *inside; /* NULL: the value stays as it is */
    struct gd_rule *next;    /* in its bucket */
    struct gd_rule *takes;   /* the rule that renames to this name; NULL: none */
    struct gd_span to;       /* the new name with quotes and escapes; or ptr NULL */
    unsigned index;          /* among the rules of its shape */
    bool keep;               /* it stays, unless another name becomes this one */
    /* for the compiler */
    struct gd_span renamed; /* the new name, decoded */
    bool picked;            /* a pick ends here */
    bool passed;            /* a pick goes on below */
    bool dropped;
};

struct gd_shape {
    struct gd_rule *above; /* whose inside this is; NULL: of the whole value */
    struct gd_rule **rules;
    struct gd_rule **buckets; /* by gd_shape_hash, of a power of two */
    unsigned count, mask;
    unsigned slot; /* of the first of two for each rule */
    bool picking;  /* members without a rule go */
    bool takes;    /* there are rules with `takes` */
};

struct gd_projection {
    struct gd_shape *root; /* NULL: everything stays */
    unsigned slots;
};

/** The bucket of a name without escapes. Rules are few and come from the configuration,
 *  so nobody can make them meet. */
static inline unsigned gd_shape_hash(const char *name, size_t len)
{
    unsigned ends = len ? (unsigned char)name[0] + 5u * (unsigned char)name[len - 1] : 0;

    return (unsigned)len * 3 + ends;
}

#endif
