#include "plan/expr_node.h"

struct parser {
    struct gd_arena *arena;
    const struct gd_names *names;
    struct gd_span text;
    size_t at;
    unsigned depth, nodes;
    size_t wrong; /* offset of the error */
    struct gd_err *err;
};

static struct gd_expr *parse_or(struct parser *p);

static struct gd_expr *fail(struct parser *p, const char *what)
{
    p->wrong = p->at;
    gd_err_set(p->err, "%s", what);
    return NULL;
}

static struct gd_expr *node(struct parser *p, enum gd_expr_kind kind)
{
    struct gd_expr *expr;

    if (++p->nodes > GD_EXPR_NODES_MAX)
        return fail(p, "the condition is too long");
    expr = gd_arena_alloc(p->arena, sizeof(*expr));
    if (expr == NULL)
        return fail(p, "the condition is too long");
    expr->kind = kind;
    return expr;
}

/* Words -------------------------------------------------------------------------------
 */

static struct gd_span rest(const struct parser *p)
{
    return (struct gd_span){p->text.ptr + p->at, p->text.len - p->at};
}

static void skip_space(struct parser *p)
{
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.ptr[p->at]))
        p->at++;
}

static bool take(struct parser *p, const char *word)
{
    skip_space(p);
    if (!gd_span_starts(rest(p), gd_span_of(word)))
        return false;
    p->at += strlen(word);
    return true;
}

/* A word that ends where it ends: `in`, not the start of `index`. */
static bool take_word(struct parser *p, const char *word)
{
    size_t start, len = strlen(word);

    skip_space(p);
    start = p->at;
    if (!take(p, word))
        return false;
    if (p->at < p->text.len &&
        (gd_is_word_byte(p->text.ptr[p->at]) || strchr(".:", p->text.ptr[p->at])))
        p->at = start;
    return p->at == start + len;
}

/* Values ------------------------------------------------------------------------------
 */

/* "…" or '…'; a backslash takes the next character as it is. */
static struct gd_expr *parse_text(struct parser *p)
{
    char quote = p->text.ptr[p->at++];
    struct gd_expr *expr = node(p, GD_EXPR_TEXT);
    char *out = gd_arena_raw(p->arena, p->text.len - p->at + 1);
    size_t len = 0;

    if (expr == NULL || out == NULL)
        return fail(p, "the condition is too long");
    while (p->at < p->text.len && p->text.ptr[p->at] != quote) {
        if (p->text.ptr[p->at] == '\\' && p->at + 1 < p->text.len)
            p->at++;
        out[len++] = p->text.ptr[p->at++];
    }
    if (p->at == p->text.len)
        return fail(p, "the text in quotes is not closed");
    p->at++;
    expr->text = (struct gd_span){out, len};
    return expr;
}

static bool is_number_byte(char c)
{
    return gd_is_digit(c) || (c && strchr("+-.eE", c));
}

static struct gd_expr *parse_number(struct parser *p)
{
    struct gd_expr *expr = node(p, GD_EXPR_NUMBER);
    size_t start = p->at, end = p->at;

    while (end < p->text.len && is_number_byte(p->text.ptr[end]))
        end++;
    if (expr == NULL)
        return NULL;
    expr->text = (struct gd_span){p->text.ptr + start, end - start};
    if (!gd_expr_is_number(expr->text))
        return fail(p, "this is no number");
    expr->text = gd_arena_copy(p->arena, expr->text);
    p->at = end;
    return expr->text.ptr ? expr : fail(p, "the condition is too long");
}

static struct gd_expr *parse_ref(struct parser *p)
{
    struct gd_span text = rest(p);
    struct gd_expr *expr;

    text.len = gd_ref_length(text);
    if (text.len == 0)
        return fail(p, "expected a value: a reference, text in quotes, a number, true, "
                       "false or null");
    expr = node(p, GD_EXPR_REF);
    if (expr == NULL)
        return NULL;
    p->wrong = p->at;
    if (!gd_ref_parse(p->arena, text, text, p->names, &expr->ref, p->err))
        return NULL;
    p->at += text.len;
    return expr;
}

static struct gd_expr *word_node(struct parser *p, enum gd_expr_kind kind,
                                 const char *text)
{
    struct gd_expr *expr = node(p, kind);

    if (expr)
        expr->text = gd_span_of(text);
    return expr;
}

static struct gd_expr *parse_value(struct parser *p)
{
    char c;

    if (take_word(p, "true"))
        return word_node(p, GD_EXPR_BOOL, "true");
    if (take_word(p, "false"))
        return word_node(p, GD_EXPR_BOOL, "false");
    if (take_word(p, "null"))
        return word_node(p, GD_EXPR_NULL, "");
    c = p->at < p->text.len ? p->text.ptr[p->at] : '\0';
    if (c == '"' || c == '\'')
        return parse_text(p);
    if (gd_is_digit(c) || c == '-')
        return parse_number(p);
    return parse_ref(p);
}

static struct gd_expr *parse_list(struct parser *p)
{
    struct gd_expr *list = node(p, GD_EXPR_LIST);
    struct gd_expr **last = list ? &list->left : NULL;

    if (list == NULL || take(p, "]"))
        return list;
    do {
        struct gd_expr *value = parse_value(p);

        if (value == NULL)
            return NULL;
        *last = value;
        last = &value->next;
    } while (take(p, ","));
    return take(p, "]") ? list : fail(p, "expected , or ] in the list");
}

/* Comparisons and what combines them
 * ----------------------------------------------------- */

static bool take_operator(struct parser *p, enum gd_expr_kind *kind)
{
    static const struct {
        const char *word;
        enum gd_expr_kind kind;
    } operators[] = {
        {"==", GD_EXPR_EQ}, {"!=", GD_EXPR_NE}, {"<=", GD_EXPR_LE},
        {">=", GD_EXPR_GE}, {"<", GD_EXPR_LT},  {">", GD_EXPR_GT},
    };

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (take(p, operators[i].word)) {
            *kind = operators[i].kind;
            return true;
        }
    *kind = GD_EXPR_IN;
    return take_word(p, "in");
}

static struct gd_expr *parse_comparison(struct parser *p)
{
    struct gd_expr *left = parse_value(p), *expr;
    enum gd_expr_kind kind;

    if (left == NULL || !take_operator(p, &kind))
        return left;
    expr = node(p, kind);
    if (expr == NULL)
        return NULL;
    expr->left = left;
    if (kind == GD_EXPR_IN && take(p, "["))
        expr->right = parse_list(p);
    else
        expr->right = parse_value(p);
    if (kind == GD_EXPR_IN && expr->right && expr->right->kind != GD_EXPR_LIST &&
        expr->right->kind != GD_EXPR_REF)
        return fail(p, "behind `in` stands a list [x, y] or a reference");
    return expr->right ? expr : NULL;
}

static struct gd_expr *parse_unary(struct parser *p)
{
    struct gd_expr *expr;

    skip_space(p);
    if (p->depth >= GD_EXPR_DEPTH_MAX)
        return fail(p, "the condition is nested too deep");
    p->depth++;
    if (!gd_span_starts(rest(p), GD_SPAN("!=")) && take(p, "!")) {
        expr = node(p, GD_EXPR_NOT);
        if (expr && (expr->left = parse_unary(p)) == NULL)
            expr = NULL;
    } else if (take(p, "(")) {
        expr = parse_or(p);
        if (expr && !take(p, ")"))
            expr = fail(p, "expected )");
    } else {
        expr = parse_comparison(p);
    }
    p->depth--;
    return expr;
}

static struct gd_expr *parse_chain(struct parser *p, const char *word,
                                   enum gd_expr_kind kind,
                                   struct gd_expr *(*parse)(struct parser *p))
{
    struct gd_expr *left = parse(p);

    while (left && take(p, word)) {
        struct gd_expr *expr = node(p, kind);

        if (expr == NULL)
            return NULL;
        expr->left = left;
        expr->right = parse(p);
        left = expr->right ? expr : NULL;
    }
    return left;
}

static struct gd_expr *parse_and(struct parser *p)
{
    return parse_chain(p, "&&", GD_EXPR_AND, parse_unary);
}

static struct gd_expr *parse_or(struct parser *p)
{
    return parse_chain(p, "||", GD_EXPR_OR, parse_and);
}

struct gd_expr *gd_expr_parse(struct gd_arena *arena, struct gd_span text,
                              const struct gd_names *names, size_t *offset,
                              struct gd_err *err)
{
    struct parser p = {.arena = arena, .names = names, .text = text, .err = err};
    struct gd_expr *expr = parse_or(&p);

    skip_space(&p);
    if (expr && p.at < text.len)
        expr = fail(&p, "expected && or || or the end; comparisons are ==, !=, <, <=, >, "
                        ">= and in");
    *offset = p.wrong;
    return expr;
}
