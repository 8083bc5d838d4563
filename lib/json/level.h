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

enum { GD_LEVEL_BUCKETS = 256, GD_LEVEL_RULES = UINT16_MAX };

struct gd_level;

struct gd_rule {
    struct gd_span name;
    struct gd_level *owner;
    struct gd_level *inside; /* NULL: the value stays as it is */
    struct gd_rule *next;    /* in its bucket */
    struct gd_rule *takes;   /* the rule that renames to this name; NULL: none */
    struct gd_span to;       /* the new name with quotes and escapes; or ptr NULL */
    unsigned index;          /* among the rules of its level */
    unsigned slot;           /* its own */
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
    unsigned count;                     /* at most GD_LEVEL_RULES */
    unsigned order;                     /* the first slot for an order of its rules */
    bool picking;                       /* members without a rule go */
    bool takes;                         /* there are rules with `takes` */
    uint16_t buckets[GD_LEVEL_BUCKETS]; /* by gd_level_hash: a rule's index + 1, or 0 */
};

struct gd_projection {
    struct gd_level *root; /* NULL: everything stays */
    unsigned slots;        /* numbers that a projection notes while it works */
};

/** The bucket of a name without escapes, told quickly: most names have no rule, and most
 *  of those no rule in their bucket. Rules are few and come from the configuration, so
 *  nobody can make them meet. first: the byte behind the opening quote; len: with both.
 */
static inline unsigned gd_level_hash(char first, uint32_t len)
{
    return (len * 32 + (unsigned char)first) % GD_LEVEL_BUCKETS;
}

#endif
