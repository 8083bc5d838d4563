#ifndef GD_JSON_LEVEL_H
#define GD_JSON_LEVEL_H
/**
 * Rules as a projection keeps them, compiled: private to lib/json.
 *
 * A level is what happens to the members of the objects at one place, and a rule what
 * happens to the members of one name. All are owned by the arena and never change once
 * compiled, so threads share them.
 */
#include "json/project.h"

struct gd_level;

struct gd_rule {
    struct gd_span name;
    struct gd_level *owner;
    struct gd_level *inside; /* NULL: the value stays as it is */
    struct gd_rule *next;    /* in its bucket */
    struct gd_rule *takes;   /* the rule that renames to this name; NULL: none */
    struct gd_span to;       /* the new name with quotes and escapes; or ptr NULL */
    unsigned index;          /* among the rules of its level */
    bool keep;               /* it stays, unless another name becomes this one */
    /* for the compiler */
    struct gd_span renamed; /* the new name, decoded */
    bool picked;            /* a pick ends here */
    bool passed;            /* a pick goes on below */
    bool dropped;
};

struct gd_level {
    struct gd_rule *above; /* whose inside this is; NULL: of the whole value */
    struct gd_rule **rules;
    struct gd_rule **buckets; /* by gd_level_hash, of a power of two */
    unsigned count, mask;
    uint64_t filter; /* a bit for gd_level_sign of each name */
    unsigned slot;   /* of the first of two for each rule */
    bool picking;    /* members without a rule go */
    bool takes;      /* there are rules with `takes` */
};

struct gd_projection {
    struct gd_level *root; /* NULL: everything stays */
    unsigned slots;
};

/** A bit that most other names have not, told without following pointers. inner: what
 *  stands between the quotes, or the closing one. */
static inline uint64_t gd_level_sign(const char *inner, size_t len)
{
    return UINT64_C(1) << ((len * 8 + (unsigned char)*inner) & 63);
}

/** The bucket of a name without escapes. Rules are few and come from the configuration,
 *  so nobody can make them meet. */
static inline unsigned gd_level_hash(const char *name, size_t len)
{
    unsigned ends = len ? (unsigned char)name[0] + 5u * (unsigned char)name[len - 1] : 0;

    return (unsigned)len * 3 + ends;
}

#endif
