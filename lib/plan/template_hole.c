#include "plan/template_piece.h"

#include "base/suggest.h"

enum { NAME_MAX_BYTES = 128 };

static bool is_name_byte(char c)
{
    return c > ' ' && c < 0x7F && !strchr("{}?=&#%+\"\\<>^`|", c);
}

bool gd_hole_read(struct gd_span text, size_t at, struct gd_hole *hole,
                  struct gd_err *err)
{
    const char *start = text.ptr + at;
    const char *end = memchr(start, '}', text.len - at);
    const char *p = start + 1;
    bool ok;

    *hole = (struct gd_hole){.text = {start, text.len - at}};
    if (end == NULL)
        return gd_err_set(err,
                          "\"%.*s\": the brace isn't closed; a literal one is "
                          "written {{",
                          (int)(hole->text.len > 40 ? 40 : hole->text.len), start);
    hole->text.len = (size_t)(end - start) + 1;
    while (p < end && is_name_byte(*p))
        p++;
    hole->name = (struct gd_span){start + 1, (size_t)(p - start) - 1};
    hole->optional = *p == '?' && p + 1 == end;
    if (*p == '=')
        hole->fallback = (struct gd_span){p + 1, (size_t)(end - p) - 1};
    ok = p == end || hole->optional || hole->fallback.ptr;
    if (!ok || hole->name.len == 0 || hole->name.len > NAME_MAX_BYTES)
        return gd_err_set(err,
                          "\"%.*s\" is not a placeholder; it is written {name}, "
                          "{name?} or {name=default}, and a literal brace {{ or }}",
                          GD_SPAN_ARG(hole->text));
    return true;
}

/* Says what is wrong with `prefix.rest`, where rest begins at the dot. */
static bool unknown_prefix(const struct gd_hole *hole, const char *dot,
                           struct gd_err *err)
{
    static const char *const known[] = {"query"};
    struct gd_span prefix = {hole->name.ptr, (size_t)(dot - hole->name.ptr)};
    struct gd_span rest = {dot, hole->name.len - prefix.len};

    if (rest.len > 1 && gd_suggest(prefix, known, 1))
        return gd_err_set(err, "%.*s is not known here; did you mean {query%.*s}?",
                          GD_SPAN_ARG(hole->text), GD_SPAN_ARG(rest));
    return gd_err_set(err,
                      "%.*s is not known here; what can be used are path parameters "
                      "of the route and query.NAME",
                      GD_SPAN_ARG(hole->text));
}

static bool unknown_name(const struct gd_hole *hole, const struct gd_names *names,
                         struct gd_arena *arena, struct gd_err *err)
{
    const char *dot = memchr(hole->name.ptr, '.', hole->name.len);
    const char *known[GD_PARAMS_MAX];
    const char *meant;
    unsigned n = 0;

    if (dot)
        return unknown_prefix(hole, dot, err);
    for (; n < names->param_count && n < GD_PARAMS_MAX; n++)
        known[n] = gd_arena_text(arena, names->params[n]);
    meant = gd_suggest(hole->name, known, n);
    if (meant)
        return gd_err_set(err, "%.*s is not known here; did you mean {%s}?",
                          GD_SPAN_ARG(hole->text), meant);
    return gd_err_set(err,
                      "%.*s is not known here; the path of the route has no such "
                      "parameter",
                      GD_SPAN_ARG(hole->text));
}

bool gd_hole_resolve(const struct gd_hole *hole, const struct gd_names *names,
                     struct gd_arena *arena, struct gd_piece *piece, struct gd_err *err)
{
    struct gd_span prefix = GD_SPAN("query.");
    struct gd_span rest;

    for (unsigned i = 0; i < names->param_count; i++) {
        if (!gd_span_eq(names->params[i], hole->name))
            continue;
        piece->kind = GD_PIECE_PARAM;
        piece->param = i;
        piece->tail = names->tail && i + 1 == names->param_count;
        return true;
    }
    if (!gd_span_starts(hole->name, prefix) || hole->name.len == prefix.len)
        return unknown_name(hole, names, arena, err);
    rest.ptr = hole->name.ptr + prefix.len;
    rest.len = hole->name.len - prefix.len;
    piece->kind = GD_PIECE_QUERY;
    piece->name = gd_arena_copy(arena, rest);
    return piece->name.ptr != NULL || gd_err_set(err, "the text is too long");
}
