#ifndef GD_PLAN_SHAPE_H
#define GD_PLAN_SHAPE_H
/**
 * Shapes: JSON values with references in them, compiled in the plan, written per request
 * as a splice of literal text and of the bytes the upstreams sent.
 *
 *   $user  $user.tags[0]  $query.page     the value there; null when there is none
 *   "$$5"                                 the text "$5"
 *   "Hello {user.name}"                   text with placeholders; null when one that is
 *                                         neither optional nor has a default has no value
 *   {$merge: [a, b]}                      one object of several (json/merge.h)
 *   {$merge: [a, b], deep: true, conflict: first|last|error|concat}
 *   {$concat: [a, b]}                     one list of several
 *   {$first: [a, b, c]}                   the first that is not null
 *   {$join: [left, right], on: {left_key: right_key}, as: name}
 *                                         each element of left with its element of right;
 *                                         right_key $item: what the call was made for
 *
 * Texts of the request (path parameters, query, header …) become JSON strings, a status a
 * number, a list of `[*]` an array.
 */
#include "json/merge.h"
#include "plan/template.h"

enum gd_shape_kind {
    GD_SHAPE_LITERAL,
    GD_SHAPE_REF,
    GD_SHAPE_TEXT,
    GD_SHAPE_OBJECT,
    GD_SHAPE_LIST,
    GD_SHAPE_MERGE,
    GD_SHAPE_CONCAT,
    GD_SHAPE_FIRST,
    GD_SHAPE_JOIN,
};

struct gd_shape {
    enum gd_shape_kind kind;
    struct gd_span literal;   /* LITERAL: JSON text */
    struct gd_ref ref;        /* REF */
    struct gd_template *text; /* TEXT */
    struct gd_shape *parts;   /* what is inside, `count` of them */
    struct gd_span *keys;     /* OBJECT: `"name":` of each part */
    unsigned count;
    bool deep; /* MERGE, as the next two */
    enum gd_conflict conflict;
    bool wrap; /* a part that is no object stands under its own key, from keys */
    struct gd_json_path left_key, right_key; /* JOIN, as all below */
    bool by_item; /* right is the part of a call with each, joined by its values */
    struct gd_span as;
    uint64_t needs; /* bits of the calls it mentions */
    bool body;      /* it mentions the body of the request */
};

struct gd_loader;
struct gd_yaml_node;

/** Compiles a YAML value; what is wrong is reported at its place. NULL then. */
struct gd_shape *gd_shape_load(struct gd_loader *loader, const struct gd_yaml_node *node,
                               const struct gd_names *names);

#endif
