#include "plan/render.h"

#include "json/text.h"
#include "plan/expand.h"
#include "plan/secret.h"

static size_t digits(struct gd_span text, size_t at)
{
    size_t n = 0;

    while (at + n < text.len && text.ptr[at + n] >= '0' && text.ptr[at + n] <= '9')
        n++;
    return n;
}

/* RFC 8259 section 6. */
static bool is_json_number(struct gd_span text)
{
    size_t at = text.len && text.ptr[0] == '-', n = digits(text, at);

    if (n == 0 || (n > 1 && text.ptr[at] == '0'))
        return false;
    at += n;
    if (at < text.len && text.ptr[at] == '.') {
        n = digits(text, at + 1);
        if (n == 0)
            return false;
        at += 1 + n;
    }
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
        n = digits(text, at);
        if (n == 0)
            return false;
        at += n;
    }
    return at == text.len;
}

/* What some YAML readers take for a number: hexadecimal, octal, with underscores, special
 * values, or a decimal that JSON does not write that way. */
static bool is_odd_number(struct gd_span text)
{
    size_t at = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');
    const char *rest = text.ptr + at;
    static const char *const special[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};

    for (size_t i = 0; i < 6; i++)
        if (strcmp(rest, special[i]) == 0)
            return true;
    if (rest[0] == '0' && (rest[1] == 'x' || rest[1] == 'X'))
        return rest[2] && strspn(rest + 2, "0123456789abcdefABCDEF_") == strlen(rest + 2);
    if (rest[0] == '0' && (rest[1] == 'o' || rest[1] == 'b'))
        return rest[2] && strspn(rest + 2, "01234567_") == strlen(rest + 2);
    if (rest[0] == '.')
        return rest[1] >= '0' && rest[1] <= '9' &&
               strspn(rest + 1, "0123456789eE+-_") == strlen(rest + 1);
    if (rest[0] < '0' || rest[0] > '9')
        return false;
    /* Two dots are an address or a version, a dash inside is a date. */
    at = strspn(rest, "0123456789_");
    at += rest[at] == '.' ? 1 + strspn(rest + at + 1, "0123456789_") : 0;
    if (rest[at] == 'e' || rest[at] == 'E') {
        at++;
        at += rest[at] == '+' || rest[at] == '-';
        if (strspn(rest + at, "0123456789") == 0)
            return false;
        at += strspn(rest + at, "0123456789");
    }
    return rest[at] == '\0';
}

static bool is_any(struct gd_span text, const char *a, const char *b, const char *c)
{
    return gd_span_is(text, a) || gd_span_is(text, b) || gd_span_is(text, c);
}

static bool render_scalar(struct gd_report *report, const struct gd_yaml_node *node,
                          struct gd_buf *out)
{
    struct gd_span text = node->text;
    struct gd_words words;

    if (node->broken)
        return false;
    if (!node->plain || node->source)
        return gd_json_add_string(out, text);
    if (gd_yaml_is_null(node))
        return gd_buf_add_text(out, "null");
    if (is_any(text, "true", "True", "TRUE"))
        return gd_buf_add_text(out, "true");
    if (is_any(text, "false", "False", "FALSE"))
        return gd_buf_add_text(out, "false");
    if (is_json_number(text))
        return gd_buf_add_span(out, text);
    if (is_odd_number(text))
        return gd_report_value(report, node,
                               "%s is no JSON number; quote it, or write it as a plain "
                               "decimal",
                               gd_words_quote(&words, text));
    return gd_json_add_string(out, text);
}

static bool render_inside(struct gd_report *report, const struct gd_yaml_node *node,
                          struct gd_buf *out)
{
    bool map = node->kind == GD_YAML_MAP;
    bool ok = true;

    if (!gd_buf_add_text(out, map ? "{" : "["))
        return false;
    for (const struct gd_yaml_node *value = node->first; value; value = value->next) {
        if (value != node->first && !gd_buf_add_text(out, ","))
            return false;
        if (map &&
            (!gd_json_add_string(out, value->key->text) || !gd_buf_add_text(out, ":")))
            return false;
        /* Goes on after a wrong value, to report all of them. */
        ok = gd_render_json(report, value, out) && ok;
    }
    return gd_buf_add_text(out, map ? "}" : "]") && ok;
}

bool gd_render_json(struct gd_report *report, const struct gd_yaml_node *node,
                    struct gd_buf *out)
{
    if (node->kind == GD_YAML_SCALAR)
        return render_scalar(report, node, out);
    return render_inside(report, node, out);
}

/* As written ----------------------------------------------------------------------------
 */

static bool write_masked(const struct gd_yaml_node *node, struct gd_buf *out)
{
    struct gd_buf text;
    bool ok;

    gd_buf_init(&text, NULL, SIZE_MAX / 2);
    ok = gd_expand_masked(node, &text) && gd_json_add_string(out, gd_buf_span(&text));
    gd_buf_free(&text);
    return ok;
}

/* Whether whoever reads the number, as a double or a word of 64 bits, has all of it. */
static bool is_plain_number(struct gd_span text)
{
    return text.len <= 15 && is_json_number(text) && !memchr(text.ptr, 'e', text.len) &&
           !memchr(text.ptr, 'E', text.len);
}

static bool write_scalar(const struct gd_yaml_node *node, struct gd_buf *out)
{
    struct gd_span text = node->text;
    bool word = node->plain && !node->source;

    if (node->source)
        return write_masked(node, out);
    if (word && gd_yaml_is_null(node))
        return gd_buf_add_text(out, "null");
    if (word && is_any(text, "true", "True", "TRUE"))
        return gd_buf_add_text(out, "true");
    if (word && is_any(text, "false", "False", "FALSE"))
        return gd_buf_add_text(out, "false");
    return word && is_plain_number(text) ? gd_buf_add_span(out, text)
                                         : gd_json_add_string(out, text);
}

/* Whether the value of a member is to be hidden for the name's sake. */
static bool is_hidden(const struct gd_yaml_node *node)
{
    struct gd_span text = node->text;

    return node->kind == GD_YAML_SCALAR && !gd_yaml_is_null(node) && text.len &&
           *text.ptr != '$' && *text.ptr != '{' && gd_secret_name(node->key->text);
}

bool gd_render_written(const struct gd_yaml_node *node, bool by_name, struct gd_buf *out)
{
    bool map = node->kind == GD_YAML_MAP, ok;

    if (node->kind == GD_YAML_SCALAR)
        return write_scalar(node, out);
    ok = gd_buf_add_text(out, map ? "{" : "[");
    for (const struct gd_yaml_node *value = node->first; ok && value;
         value = value->next) {
        ok = gd_buf_add(out, ",", value != node->first) &&
             (!map ||
              (gd_json_add_string(out, value->key->text) && gd_buf_add_text(out, ":")));
        if (ok && map && by_name && is_hidden(value))
            ok = gd_buf_add_text(out, "\"" GD_SECRET_MASK "\"");
        else
            ok = ok && gd_render_written(value, by_name, out);
    }
    return ok && gd_buf_add_text(out, map ? "}" : "]");
}
