#ifndef GD_PLAN_EXPR_H
#define GD_PLAN_EXPR_H
/**
 * Conditions: `when: query.repos != "0" && user.plan in ["gold", "silver"]`.
 *
 *   values      references (plan/ref.h), "text" or 'text', numbers, true, false, null
 *   compare     ==  !=  <  <=  >  >=      A in B, where B is a list [x, y] or a reference
 *   combine     !  &&  ||  ( )            ! binds most, || least
 *
 * Two values are equal when their texts are the same, so a query's `7` equals the number
 * 7, and `true` the boolean. Where one of them is a number and the other can be read as
 * one (of less than 64 characters), both are compared by value, also for order, whole
 * numbers with all their digits; else order is that of the bytes. What is absent equals
 * null and nothing else. Order with null, lists and objects is false. A value by itself
 * is false when it is absent, null, false, 0 or empty text, else true; lists and objects
 * are true.
 */
#include "base/arena.h"
#include "plan/values.h"

enum { GD_EXPR_DEPTH_MAX = 32, GD_EXPR_NODES_MAX = 256 };

struct gd_expr;

/** Compiles a condition into one owned by the arena. NULL with err (the sentence) and
 *  *offset, the byte of text where it went wrong. */
struct gd_expr *gd_expr_parse(struct gd_arena *arena, struct gd_span text,
                              const struct gd_names *names, size_t *offset,
                              struct gd_err *err);

/** The bits of the calls it mentions. */
uint64_t gd_expr_needs(const struct gd_expr *expr);

/** Whether it mentions the body of the request. */
bool gd_expr_reads_body(const struct gd_expr *expr);

/** Whether it names that query parameter, header or cookie. */
bool gd_expr_names(const struct gd_expr *expr, enum gd_source source,
                   struct gd_span name);

/** Whether all it mentions can be told (gd_values_know). */
bool gd_expr_is_known(const struct gd_expr *expr, const struct gd_values *values);

enum gd_truth { GD_FALSE, GD_TRUE, GD_TRUTH_NO_MEMORY };

/** What the condition says. blocks: for texts that have to be decoded; may be NULL. */
enum gd_truth gd_expr_eval(const struct gd_expr *expr, const struct gd_values *values,
                           struct gd_blocks *blocks);

#endif
