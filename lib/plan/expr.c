#include <stdlib.h>

#include "json/scan.h"
#include "plan/expr_node.h"

enum { NUMBER_MAX = 64, TEXT_MAX = 1 << 20 };

static bool takes_ref(const struct gd_expr *expr, bool (*fn)(const struct gd_ref *ref))
{
    if (expr == NULL)
        return false;
    if (expr->kind == GD_EXPR_REF && fn(&expr->ref))
        return true;
    return takes_ref(expr->left, fn) || takes_ref(expr->right, fn) ||
           takes_ref(expr->next, fn);
}

static bool is_body(const struct gd_ref *ref)
{
    return ref->source == GD_SOURCE_BODY;
}

bool gd_expr_reads_body(const struct gd_expr *expr)
{
    return takes_ref(expr, is_body);
}

bool gd_expr_names(const struct gd_expr *expr, enum gd_source source, struct gd_span name)
{
    if (expr == NULL)
        return false;
    return (expr->kind == GD_EXPR_REF && gd_ref_names(&expr->ref, source, name)) ||
           gd_expr_names(expr->left, source, name) ||
           gd_expr_names(expr->right, source, name) ||
           gd_expr_names(expr->next, source, name);
}

bool gd_expr_is_known(const struct gd_expr *expr, const struct gd_values *values)
{
    if (expr == NULL)
        return true;
    return (expr->kind != GD_EXPR_REF || gd_values_know(values, &expr->ref)) &&
           gd_expr_is_known(expr->left, values) &&
           gd_expr_is_known(expr->right, values) && gd_expr_is_known(expr->next, values);
}

uint64_t gd_expr_needs(const struct gd_expr *expr)
{
    if (expr == NULL)
        return 0;
    return (expr->kind == GD_EXPR_REF ? gd_ref_needs(&expr->ref) : 0) |
           gd_expr_needs(expr->left) | gd_expr_needs(expr->right) |
           gd_expr_needs(expr->next);
}

/* Operands ------------------------------------------------------------------------------
 */

struct eval {
    const struct gd_values *values;
    struct gd_blocks *blocks;
    bool full;
};

/* A value ready to be compared. */
struct operand {
    enum { ABSENT, TEXT, COMPOUND } kind;
    struct gd_span text;
    bool numeric;         /* it can be read as a number */
    bool number, boolean; /* it is one */
    struct gd_buf own;    /* the text, where it had to be decoded */
};

bool gd_expr_is_number(struct gd_span text)
{
    struct gd_span value;

    return text.len > 0 && text.len < NUMBER_MAX &&
           (*text.ptr == '-' || gd_is_digit(*text.ptr)) &&
           gd_json_scan(text, 1, &value, NULL) && value.len == text.len;
}

static double number_of(struct gd_span text)
{
    char copy[NUMBER_MAX];

    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return strtod(copy, NULL);
}

static void operand_of_json(struct operand *out, struct gd_json_value value)
{
    enum gd_json_kind kind = gd_tape_kind(value.tape, value.node);

    out->number = kind == GD_JSON_NUMBER;
    out->boolean = kind == GD_JSON_TRUE || kind == GD_JSON_FALSE;
    if (kind == GD_JSON_NULL)
        out->kind = ABSENT;
    else if (kind == GD_JSON_ARRAY || kind == GD_JSON_OBJECT)
        out->kind = COMPOUND;
}

/* Fills out; what it owns is freed by the caller. */
static void operand_of_found(struct eval *eval, const struct gd_found *found,
                             const struct gd_json_path *path, struct operand *out)
{
    bool full = false;

    *out = (struct operand){.kind = TEXT};
    gd_buf_init(&out->own, eval->blocks, TEXT_MAX);
    if (found->kind == GD_FOUND_NOTHING)
        out->kind = ABSENT;
    else if (found->kind == GD_FOUND_MANY)
        out->kind = COMPOUND;
    else if (found->kind == GD_FOUND_JSON)
        operand_of_json(out, found->json);
    else
        out->number = found->kind == GD_FOUND_NUMBER;
    if (out->kind != TEXT)
        return;
    if (!gd_found_text(found, path, &out->own, &full))
        out->kind = COMPOUND;
    eval->full |= full;
    out->text = gd_buf_span(&out->own);
    out->numeric = gd_expr_is_number(out->text);
}

static void operand_of(struct eval *eval, const struct gd_expr *expr, struct operand *out)
{
    struct gd_found found;

    if (expr->kind == GD_EXPR_REF) {
        found = gd_values_find(eval->values, &expr->ref);
        operand_of_found(eval, &found, &expr->ref.path, out);
        return;
    }
    *out = (struct operand){.kind = expr->kind == GD_EXPR_NULL ? ABSENT : TEXT,
                            .text = expr->text,
                            .number = expr->kind == GD_EXPR_NUMBER,
                            .boolean = expr->kind == GD_EXPR_BOOL};
    out->numeric = gd_expr_is_number(out->text);
}

/* Comparing -----------------------------------------------------------------------------
 */

/* Texts that look like numbers are none: "1.10" is another version than "1.1". */
static bool as_numbers(const struct operand *a, const struct operand *b)
{
    return (a->number || b->number) && a->numeric && b->numeric;
}

/* Digits alone, after a minus. */
static bool is_integer(struct gd_span text)
{
    for (size_t i = *text.ptr == '-'; i < text.len; i++)
        if (!gd_is_digit(text.ptr[i]))
            return false;
    return true;
}

/* The order of two whole numbers as they are written in JSON, without leading zeros. */
static int order_integers(struct gd_span a, struct gd_span b)
{
    bool below_a = *a.ptr == '-' && !gd_span_is(a, "-0");
    bool below_b = *b.ptr == '-' && !gd_span_is(b, "-0");
    int result;

    if (below_a != below_b)
        return below_a ? -1 : 1;
    a = gd_span_is(a, "-0") ? GD_SPAN("0") : a;
    b = gd_span_is(b, "-0") ? GD_SPAN("0") : b;
    result = a.len == b.len ? memcmp(a.ptr, b.ptr, a.len) : a.len < b.len ? -1 : 1;
    return below_a ? -result : result;
}

/* Whole numbers are compared digit by digit: the last ones of a long id would be lost in
 * a double. */
static int order_numbers(struct gd_span a, struct gd_span b)
{
    double x, y;

    if (is_integer(a) && is_integer(b))
        return order_integers(a, b);
    x = number_of(a);
    y = number_of(b);
    return (x > y) - (x < y);
}

static bool same(const struct operand *a, const struct operand *b)
{
    if (a->kind != b->kind || a->kind == COMPOUND)
        return false;
    if (a->kind == ABSENT || gd_span_eq(a->text, b->text))
        return true;
    return as_numbers(a, b) && order_numbers(a->text, b->text) == 0;
}

static int order(const struct operand *a, const struct operand *b)
{
    size_t shorter = a->text.len < b->text.len ? a->text.len : b->text.len;
    int result;

    if (as_numbers(a, b))
        return order_numbers(a->text, b->text);
    result = shorter ? memcmp(a->text.ptr, b->text.ptr, shorter) : 0;
    return result ? result : (a->text.len > b->text.len) - (a->text.len < b->text.len);
}

static bool compare(const struct gd_expr *expr, const struct operand *a,
                    const struct operand *b)
{
    if (expr->kind == GD_EXPR_EQ)
        return same(a, b);
    if (expr->kind == GD_EXPR_NE)
        return !same(a, b);
    if (a->kind != TEXT || b->kind != TEXT)
        return false;
    switch ((int)expr->kind) {
    case GD_EXPR_LT:
        return order(a, b) < 0;
    case GD_EXPR_LE:
        return order(a, b) <= 0;
    case GD_EXPR_GT:
        return order(a, b) > 0;
    default:
        return order(a, b) >= 0;
    }
}

/* Looks for a value among several. */
struct search {
    struct eval *eval;
    const struct operand *wanted;
};

/* Goes on while it is not the one. */
static bool on_element(void *arg, struct gd_json_value value)
{
    struct search *search = arg;
    struct gd_found found = {.kind = GD_FOUND_JSON, .json = value};
    struct operand element;
    bool hit;

    operand_of_found(search->eval, &found, NULL, &element);
    hit = same(search->wanted, &element);
    gd_buf_free(&element.own);
    return !hit;
}

static bool in_ref(struct search *search, const struct gd_ref *ref)
{
    struct gd_found found = gd_values_find(search->eval->values, ref);
    gd_node node;

    search->eval->full |= found.kind == GD_FOUND_NO_MEMORY;
    if (found.kind == GD_FOUND_MANY)
        return !gd_json_path_each(&ref->path, found.json, on_element, search);
    if (found.kind != GD_FOUND_JSON ||
        gd_tape_kind(found.json.tape, found.json.node) != GD_JSON_ARRAY)
        return false;
    node = gd_tape_first(found.json.tape, found.json.node);
    for (; node != GD_NODE_NONE; node = gd_tape_next(found.json.tape, node))
        if (!on_element(search, (struct gd_json_value){found.json.tape, node}))
            return true;
    return false;
}

static bool in_list(struct search *search, const struct gd_expr *list)
{
    bool hit = false;

    for (const struct gd_expr *e = list->left; e && !hit; e = e->next) {
        struct operand element;

        operand_of(search->eval, e, &element);
        hit = same(search->wanted, &element);
        gd_buf_free(&element.own);
    }
    return hit;
}

static bool eval_in(struct eval *eval, const struct gd_expr *expr)
{
    struct operand wanted;
    struct search search = {eval, &wanted};
    bool hit;

    operand_of(eval, expr->left, &wanted);
    hit = expr->right->kind == GD_EXPR_LIST ? in_list(&search, expr->right)
                                            : in_ref(&search, &expr->right->ref);
    gd_buf_free(&wanted.own);
    return hit;
}

static bool eval_comparison(struct eval *eval, const struct gd_expr *expr)
{
    struct operand a, b;
    bool result;

    operand_of(eval, expr->left, &a);
    operand_of(eval, expr->right, &b);
    result = compare(expr, &a, &b);
    gd_buf_free(&a.own);
    gd_buf_free(&b.own);
    return result;
}

static bool eval_value(struct eval *eval, const struct gd_expr *expr)
{
    struct operand value;
    bool result;

    operand_of(eval, expr, &value);
    result = value.kind == COMPOUND || (value.kind == TEXT && value.text.len > 0);
    if (value.number && value.numeric)
        result = number_of(value.text) != 0;
    if (value.boolean)
        result = gd_span_is(value.text, "true");
    gd_buf_free(&value.own);
    return result;
}

/* As deep as the parser let it be. */
static bool eval_expr(struct eval *eval, const struct gd_expr *expr)
{
    switch (expr->kind) {
    case GD_EXPR_OR:
        return eval_expr(eval, expr->left) || eval_expr(eval, expr->right);
    case GD_EXPR_AND:
        return eval_expr(eval, expr->left) && eval_expr(eval, expr->right);
    case GD_EXPR_NOT:
        return !eval_expr(eval, expr->left);
    case GD_EXPR_EQ:
    case GD_EXPR_NE:
    case GD_EXPR_LT:
    case GD_EXPR_LE:
    case GD_EXPR_GT:
    case GD_EXPR_GE:
        return eval_comparison(eval, expr);
    case GD_EXPR_IN:
        return eval_in(eval, expr);
    case GD_EXPR_LIST:
    case GD_EXPR_TEXT:
    case GD_EXPR_NUMBER:
    case GD_EXPR_BOOL:
    case GD_EXPR_NULL:
    case GD_EXPR_REF:
        break;
    }
    return eval_value(eval, expr);
}

enum gd_truth gd_expr_eval(const struct gd_expr *expr, const struct gd_values *values,
                           struct gd_blocks *blocks)
{
    struct eval eval = {.values = values, .blocks = blocks};
    bool result = eval_expr(&eval, expr);

    if (eval.full)
        return GD_TRUTH_NO_MEMORY;
    return result ? GD_TRUE : GD_FALSE;
}
