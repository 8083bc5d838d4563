#ifndef GD_PLAN_EXPR_NODE_H
#define GD_PLAN_EXPR_NODE_H
/**
 * What a compiled condition is made of. Private to expr*.c.
 */
#include "plan/expr.h"

enum gd_expr_kind {
    GD_EXPR_OR,
    GD_EXPR_AND,
    GD_EXPR_NOT,
    GD_EXPR_EQ,
    GD_EXPR_NE,
    GD_EXPR_LT,
    GD_EXPR_LE,
    GD_EXPR_GT,
    GD_EXPR_GE,
    GD_EXPR_IN,
    GD_EXPR_LIST, /* of literals, chained by next */
    GD_EXPR_TEXT,
    GD_EXPR_NUMBER,
    GD_EXPR_BOOL,
    GD_EXPR_NULL,
    GD_EXPR_REF,
};

struct gd_expr {
    enum gd_expr_kind kind;
    struct gd_expr *left, *right; /* NOT: left only; LIST: left is the first */
    struct gd_expr *next;         /* in a list */
    struct gd_span text;          /* TEXT decoded; NUMBER, BOOL as written */
    struct gd_ref ref;
};

/** Whether text is a number as JSON writes it (and not too long to be meant as one). */
bool gd_expr_is_number(struct gd_span text);

#endif
