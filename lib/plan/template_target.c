#include "http/target.h"
#include "plan/template_compile.h"

/* Targets -----------------------------------------------------------------------------
 */

static void end_segment(struct gd_compiler *c)
{
    c->has_hole = false;
    c->has_solid = false;
}

/* Ends the segment before a "/", "?" or the end. */
static bool close_segment(struct gd_compiler *c)
{
    bool check = c->has_hole && !c->has_solid;

    end_segment(c);
    if (!check)
        return true;
    if (!gd_compile_flush(c))
        return false;
    gd_compile_piece(c, GD_PIECE_SEGMENT_END);
    return true;
}

/* Whether the pair that starts at text[at] has a placeholder that may be absent. */
static bool pair_is_optional(struct gd_span text, size_t at)
{
    while (at < text.len && text.ptr[at] != '&') {
        struct gd_hole hole;

        if (text.ptr[at] != '{') {
            at++;
            continue;
        }
        if (at + 1 < text.len && text.ptr[at + 1] == '{') {
            at += 2;
            continue;
        }
        if (!gd_hole_read(text, at, &hole, NULL))
            return false; /* compile_hole says so */
        if (hole.optional)
            return true;
        at += hole.text.len;
    }
    return false;
}

/* Ends the query pair at hand: an absent value in it leads behind it. */
static bool close_pair(struct gd_compiler *c)
{
    if (c->open_pair == 0)
        return true;
    if (!gd_compile_flush(c))
        return false;
    c->pieces[c->open_pair - 1].skip_to = c->count;
    c->open_pair = 0;
    return true;
}

/* Begins the pair behind the "?" or "&" at c->at. */
static bool begin_pair(struct gd_compiler *c)
{
    char written = c->text.ptr[c->at++];
    bool optional = pair_is_optional(c->text, c->at);
    char separator = c->certain ? '&' : c->maybe ? 0 : '?';

    if (!optional && separator) {
        c->certain = true;
        return gd_compile_add(c, &separator, 1);
    }
    if (!gd_compile_flush(c))
        return false;
    gd_compile_piece(c, GD_PIECE_PAIR)->separator = separator;
    if (optional)
        c->open_pair = c->count;
    c->maybe |= optional;
    c->certain |= !optional;
    return gd_buf_add(&c->skeleton, &written, 1) || gd_compile_full(c);
}

static bool compile_byte(struct gd_compiler *c)
{
    static const char hex[] = "0123456789ABCDEF";
    char byte = c->text.ptr[c->at++];
    unsigned char code = (unsigned char)byte;
    char escape[3] = {'%', hex[code >> 4], hex[code & 15]};

    c->has_solid |= byte != '.' && byte != '/';
    return code < 0x80 ? gd_compile_add(c, &byte, 1)
                       : gd_compile_add(c, escape, sizeof(escape));
}

static bool step_target(struct gd_compiler *c)
{
    char byte = c->text.ptr[c->at];
    bool in_path = c->place == GD_PLACE_PATH;

    if (byte == '{' || byte == '}')
        return gd_compile_brace(c);
    if (in_path && byte == '/')
        return close_segment(c) && compile_byte(c);
    if (in_path && byte == '?') {
        if (!close_segment(c))
            return false;
        c->place = GD_PLACE_QUERY;
        return begin_pair(c);
    }
    if (!in_path && byte == '&')
        return close_pair(c) && begin_pair(c);
    return compile_byte(c);
}

/* Whether text is "." or "..", in any spelling. */
static bool is_dot_segment(struct gd_span text)
{
    unsigned dots = 0;

    while (text.len) {
        bool escaped = text.len >= 3 && text.ptr[0] == '%' && text.ptr[1] == '2' &&
                       (text.ptr[2] | 0x20) == 'e';
        size_t len = escaped ? 3 : 1;

        if (!escaped && text.ptr[0] != '.')
            return false;
        dots++;
        text.ptr += len;
        text.len -= len;
    }
    return dots == 1 || dots == 2;
}

/* Checks the literal text with "x" for each placeholder. */
static bool check_skeleton(struct gd_compiler *c)
{
    struct gd_buf *skeleton = &c->skeleton;
    struct gd_span path = gd_buf_span(skeleton);
    struct gd_target target;
    size_t len = skeleton->len;
    const char *query;

    query = memchr(path.ptr, '?', path.len);
    if (query)
        path.len = (size_t)(query - path.ptr);
    for (size_t at = 1; at <= path.len;) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.ptr) : path.len;

        if (is_dot_segment((struct gd_span){path.ptr + at, end - at}))
            return gd_err_set(c->err, "the path has a dot segment; write it without");
        at = end + 1;
    }
    if (!gd_buf_reserve(skeleton, len + 1))
        return gd_compile_full(c);
    if (!gd_target_parse((struct gd_span){skeleton->data, len}, skeleton->data + len,
                         &target) ||
        target.form != GD_TARGET_ORIGIN)
        return gd_err_set(c->err,
                          "\"%.*s\" is not a valid path and query; spaces, quotes "
                          "and <>\\^`| are written as %%XX",
                          GD_SPAN_ARG(c->text));
    return true;
}

bool gd_compile_target(struct gd_compiler *c)
{
    if (c->text.len == 0 || c->text.ptr[0] != '/')
        return gd_err_set(c->err, "a path starts with /");
    if (c->text.len > GD_TARGET_TEXT_MAX)
        return gd_compile_full(c);
    if (memchr(c->text.ptr, '#', c->text.len))
        return gd_err_set(c->err, "a fragment (#...) is never sent; write %%23 for a "
                                  "literal #");
    while (c->at < c->text.len)
        if (!step_target(c))
            return false;
    if (c->place == GD_PLACE_PATH ? !close_segment(c) : !close_pair(c))
        return false;
    return gd_compile_flush(c) && check_skeleton(c);
}
