#include "plan/template_piece.h"

enum { NAME_MAX_BYTES = 256 };

bool gd_hole_read(struct gd_span text, size_t at, struct gd_hole *hole,
                  struct gd_err *err)
{
    struct gd_span inside = {text.ptr + at + 1, text.len - at - 1};
    size_t length = gd_ref_length(inside);
    const char *p = inside.ptr + length;
    const char *end = memchr(p, '}', inside.len - length);
    bool ok;

    *hole = (struct gd_hole){.text = {text.ptr + at, text.len - at}};
    if (end == NULL)
        return gd_err_set(err,
                          "\"%.*s\": the brace isn't closed; a literal one is "
                          "written {{",
                          (int)(hole->text.len > 40 ? 40 : hole->text.len),
                          hole->text.ptr);
    hole->text.len = (size_t)(end - hole->text.ptr) + 1;
    hole->name = (struct gd_span){inside.ptr, length};
    hole->optional = *p == '?' && p + 1 == end;
    if (*p == '=')
        hole->fallback = (struct gd_span){p + 1, (size_t)(end - p) - 1};
    ok = p == end || hole->optional || hole->fallback.ptr;
    if (!ok || length == 0 || length > NAME_MAX_BYTES)
        return gd_err_set(err,
                          "\"%.*s\" is not a placeholder; it is written {name}, "
                          "{name?} or {name=default}, and a literal brace {{ or }}",
                          GD_SPAN_ARG(hole->text));
    return true;
}
