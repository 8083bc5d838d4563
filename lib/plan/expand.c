#include "plan/expand.h"

#include <stdlib.h>

#include "plan/secret.h"
#include "plan/text.h"

enum { SECRET_MAX = 64 * 1024, EXPANDED_MAX = 256 * 1024 };

struct expansion {
    struct gd_yaml *yaml;
    struct gd_yaml_node *node;
    struct gd_buf out;
};

static bool is_name(struct gd_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

static bool too_long(struct expansion *x, size_t at)
{
    return gd_report_inside(x->yaml->report, x->node, at,
                            "the value is longer than %d bytes", EXPANDED_MAX);
}

static bool expand_file(struct expansion *x, size_t at, struct gd_span path)
{
    char *name = gd_arena_text(&x->yaml->arena, path);
    struct gd_buf secret;
    struct gd_span text;
    struct gd_err err;
    bool ok = false;

    gd_buf_init(&secret, NULL, SECRET_MAX);
    if (name == NULL || *name != '/') {
        gd_report_inside(x->yaml->report, x->node, at,
                         "${file:…} needs an absolute path, like ${file:/run/secrets/x}");
    } else if (!gd_yaml_read(name, false, SECRET_MAX, &secret, &err)) {
        gd_report_inside(x->yaml->report, x->node, at, "the file %s %s", name, err.text);
    } else {
        text = gd_buf_span(&secret);
        while (text.len && strchr("\r\n", text.ptr[text.len - 1]))
            text.len--;
        if (gd_text_utf8(text) < text.len || (text.len && memchr(text.ptr, 0, text.len)))
            gd_report_inside(x->yaml->report, x->node, at,
                             "the file %s is not UTF-8 text", name);
        else
            ok = gd_buf_add_span(&x->out, text) || too_long(x, at);
    }
    gd_buf_free(&secret);
    return ok;
}

static const char *look_up(const struct gd_load_options *options, const char *name)
{
    return options && options->env ? options->env(options->env_arg, name) : getenv(name);
}

static bool expand_env(struct expansion *x, size_t at, struct gd_span inside)
{
    const char *dash = inside.len ? memmem(inside.ptr, inside.len, ":-", 2) : NULL;
    struct gd_span name = {inside.ptr, dash ? (size_t)(dash - inside.ptr) : inside.len};
    const char *value;
    char *text;

    if (!is_name(name))
        return gd_report_inside(
            x->yaml->report, x->node, at,
            "${%.*s} is none of ${NAME}, ${NAME:-default} and ${file:/path}; a literal "
            "${ is written $${",
            GD_SPAN_ARG(inside));
    text = gd_arena_text(&x->yaml->arena, name);
    value = text ? look_up(x->yaml->options, text) : NULL;
    if (dash && (value == NULL || *value == '\0'))
        return gd_buf_add(&x->out, dash + 2,
                          (size_t)(inside.ptr + inside.len - dash - 2)) ||
               too_long(x, at);
    if (value == NULL)
        return gd_report_inside(x->yaml->report, x->node, at,
                                "the environment variable %.*s is not set; "
                                "${%.*s:-default} would give it a default",
                                GD_SPAN_ARG(name), GD_SPAN_ARG(name));
    if (gd_text_utf8(gd_span_of(value)) < strlen(value))
        return gd_report_inside(x->yaml->report, x->node, at,
                                "the environment variable %.*s is not UTF-8 text",
                                GD_SPAN_ARG(name));
    return gd_buf_add_text(&x->out, value) || too_long(x, at);
}

/* One `${…}` whose `$` is at `at`; moves *pos behind it. */
static bool expand_one(struct expansion *x, size_t at, size_t *pos)
{
    struct gd_span text = x->node->text;
    const char *inside = text.ptr + at + 2;
    size_t room = text.len - at - 2;
    const char *close = room ? memchr(inside, '}', room) : NULL;
    struct gd_span body = {inside, close ? (size_t)(close - inside) : 0};

    if (close == NULL)
        return gd_report_inside(x->yaml->report, x->node, at,
                                "${ without a closing }; a literal ${ is written $${");
    *pos = (size_t)(close - text.ptr) + 1;
    if (gd_span_starts(body, GD_SPAN("file:")))
        return expand_file(x, at, (struct gd_span){body.ptr + 5, body.len - 5});
    return expand_env(x, at, body);
}

static bool expand_all(struct expansion *x, bool *used)
{
    struct gd_span text = x->node->text;
    size_t pos = 0;

    while (pos < text.len) {
        struct gd_span rest = {text.ptr + pos, text.len - pos};
        const char *dollar = memchr(rest.ptr, '$', rest.len);
        size_t at = dollar ? (size_t)(dollar - text.ptr) : text.len;
        struct gd_span mark = {text.ptr + at, text.len - at};

        if (!gd_buf_add(&x->out, rest.ptr, at - pos))
            return too_long(x, 0);
        pos = at;
        if (gd_span_starts(mark, GD_SPAN("$${"))) {
            pos += 3;
            if (!gd_buf_add_text(&x->out, "${"))
                return too_long(x, 0);
        } else if (gd_span_starts(mark, GD_SPAN("${"))) {
            *used = true;
            if (!expand_one(x, at, &pos))
                return false;
        } else if (mark.len) {
            pos++;
            if (!gd_buf_add_text(&x->out, "$"))
                return too_long(x, 0);
        }
    }
    return true;
}

void gd_expand(struct gd_yaml *yaml, struct gd_yaml_node *node)
{
    struct expansion x = {.yaml = yaml, .node = node};
    struct gd_span text = node->text;
    bool used = false;

    if (text.len == 0 || memmem(text.ptr, text.len, "${", 2) == NULL)
        return;
    gd_buf_init(&x.out, NULL, EXPANDED_MAX);
    node->broken = !expand_all(&x, &used);
    if (!node->broken) {
        node->text = gd_arena_copy(&yaml->arena, gd_buf_span(&x.out));
        node->source = used ? text.ptr : NULL;
        node->plain |= used;
        node->verbatim = false;
    }
    gd_buf_free(&x.out);
}

bool gd_expand_is_data(const struct gd_yaml_node *node)
{
    const char *at = node->source;

    while (at && *at && *at != '{') {
        bool literal = strncmp(at, "$${", 3) == 0;
        bool mark = strncmp(at, "${", 2) == 0;
        const char *close = mark ? strchr(at, '}') : at;

        if (close == NULL)
            return false;
        at = literal ? at + 3 : close + 1;
    }
    return at && *at == '\0';
}

bool gd_expand_masked(const struct gd_yaml_node *node, struct gd_buf *out)
{
    const char *at = node->source, *mark;

    if (at == NULL)
        return gd_buf_add_span(out, node->text);
    for (; (mark = strstr(at, "${")) != NULL;) {
        bool literal = mark > at && mark[-1] == '$';
        const char *close = literal ? NULL : strchr(mark, '}');

        if (!gd_buf_add(out, at, (size_t)(mark - at) - literal) ||
            !gd_buf_add_text(out, close ? GD_SECRET_MASK : "${"))
            return false;
        at = close ? close + 1 : mark + 2;
    }
    return gd_buf_add_text(out, at);
}
