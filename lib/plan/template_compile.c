#include "plan/template_piece.h"

#include "base/mem.h"
#include "http/target.h"

enum { TEXT_MAX = 1 << 20, TARGET_MAX = 4096 };

struct compiler {
    struct gd_arena *arena;
    const struct gd_names *names;
    struct gd_err *err;
    struct gd_span text;
    size_t at;
    enum gd_place place;
    struct gd_piece *pieces;
    unsigned count;
    struct gd_buf literal;  /* text not yet made a piece */
    struct gd_buf skeleton; /* target: literal text with "x" for each placeholder */
    /* path: the segment at hand */
    bool has_hole;
    bool has_solid; /* text, or a tail, that keeps it from being empty or dots */
    /* query: pairs so far */
    bool certain;       /* one that is always there */
    bool maybe;         /* one that may be absent */
    unsigned open_pair; /* index of its piece + 1; 0: none */
};

static bool full(struct compiler *c)
{
    return gd_err_set(c->err, "the text is too long");
}

/* Pieces ------------------------------------------------------------------------------
 */

static struct gd_piece *piece_add(struct compiler *c, enum gd_piece_kind kind)
{
    struct gd_piece *piece = &c->pieces[c->count++];

    *piece = (struct gd_piece){.kind = kind, .place = c->place};
    return piece;
}

/* Makes a piece of the literal text gathered so far. */
static bool flush(struct compiler *c)
{
    struct gd_span text;

    if (c->literal.len == 0)
        return true;
    text = gd_arena_copy(c->arena, gd_buf_span(&c->literal));
    if (text.ptr == NULL)
        return full(c);
    piece_add(c, GD_PIECE_LITERAL)->text = text;
    c->literal.len = 0;
    return true;
}

static bool add_text(struct compiler *c, const char *text, size_t len)
{
    if (!gd_buf_add(&c->literal, text, len))
        return full(c);
    if (c->place != GD_PLACE_JSON && !gd_buf_add(&c->skeleton, text, len))
        return full(c);
    return true;
}

static bool is_dots(struct gd_span text)
{
    return text.len == 0 || gd_span_is(text, ".") || gd_span_is(text, "..");
}

static bool has_control(struct gd_span text)
{
    size_t i = 0;

    while (i < text.len && (unsigned char)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7F)
        i++;
    return i < text.len;
}

/* Encodes the default for its place and keeps it in the piece. */
static bool add_fallback(struct compiler *c, const struct gd_hole *hole,
                         struct gd_piece *piece)
{
    struct gd_buf encoded;
    bool ok;

    if (hole->fallback.ptr == NULL)
        return true;
    if (c->place == GD_PLACE_JSON && memchr(hole->fallback.ptr, '"', hole->fallback.len))
        return gd_err_set(c->err, "%.*s: a default in JSON can't have quotes",
                          GD_SPAN_ARG(hole->text));
    /* A tail may be empty: then so may its default. */
    if (c->place == GD_PLACE_PATH && !(piece->tail && hole->fallback.len == 0) &&
        (is_dots(hole->fallback) || has_control(hole->fallback)))
        return gd_err_set(c->err, "%.*s: the default can't be a segment of a path",
                          GD_SPAN_ARG(hole->text));
    gd_buf_init(&encoded, NULL, TEXT_MAX);
    ok = c->place == GD_PLACE_JSON ? gd_buf_add_span(&encoded, hole->fallback)
                                   : gd_percent_encode(&encoded, hole->fallback);
    if (ok) {
        piece->text = gd_arena_copy(c->arena, gd_buf_span(&encoded));
        ok = piece->text.ptr != NULL;
    }
    gd_buf_free(&encoded);
    return ok || full(c);
}

/* What a placeholder has to be to stand in a path. */
static bool check_in_path(struct compiler *c, const struct gd_hole *hole,
                          const struct gd_piece *piece)
{
    char next = c->at < c->text.len ? c->text.ptr[c->at] : '/';

    if (hole->optional)
        return gd_err_set(c->err,
                          "%.*s: a segment of a path can't be absent; give it a "
                          "default, as in {%.*s=none}",
                          GD_SPAN_ARG(hole->text), GD_SPAN_ARG(hole->name));
    if (piece->tail &&
        ((next != '/' && next != '?') || c->skeleton.data[c->skeleton.len - 1] != '/'))
        return gd_err_set(c->err,
                          "%.*s is the rest of a path, so in a path it has to "
                          "stand between slashes",
                          GD_SPAN_ARG(hole->text));
    return true;
}

static bool compile_hole(struct compiler *c)
{
    struct gd_hole hole;
    struct gd_piece *piece;

    if (!gd_hole_read(c->text, c->at, &hole, c->err) || !flush(c))
        return false;
    c->at += hole.text.len;
    piece = piece_add(c, GD_PIECE_PARAM);
    piece->optional = hole.optional;
    if (!gd_hole_resolve(&hole, c->names, c->arena, piece, c->err))
        return false;
    if (c->place == GD_PLACE_PATH && !check_in_path(c, &hole, piece))
        return false;
    c->has_hole = true;
    c->has_solid |= piece->tail;
    if (!add_fallback(c, &hole, piece))
        return false;
    return c->place == GD_PLACE_JSON || gd_buf_add(&c->skeleton, "x", 1) || full(c);
}

/* Reads a brace at c->at: a doubled one stands for itself. */
static bool compile_brace(struct compiler *c)
{
    const char *p = c->text.ptr + c->at;
    bool doubled = c->at + 1 < c->text.len && p[1] == p[0];
    const char *escaped = *p == '{' ? "%7B" : "%7D";

    if (!doubled && *p == '{')
        return compile_hole(c);
    if (!doubled)
        return gd_err_set(c->err, "there is a } without {; a literal one is written }}");
    c->at += 2;
    c->has_solid = true;
    return c->place == GD_PLACE_JSON ? add_text(c, p, 1) : add_text(c, escaped, 3);
}

/* Targets -----------------------------------------------------------------------------
 */

static void end_segment(struct compiler *c)
{
    c->has_hole = false;
    c->has_solid = false;
}

/* Ends the segment before a "/", "?" or the end. */
static bool close_segment(struct compiler *c)
{
    bool check = c->has_hole && !c->has_solid;

    end_segment(c);
    if (!check)
        return true;
    if (!flush(c))
        return false;
    piece_add(c, GD_PIECE_SEGMENT_END);
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
            return false;
        if (hole.optional)
            return true;
        at += hole.text.len;
    }
    return false;
}

/* Ends the query pair at hand: an absent value in it leads behind it. */
static bool close_pair(struct compiler *c)
{
    if (c->open_pair == 0)
        return true;
    if (!flush(c))
        return false;
    c->pieces[c->open_pair - 1].skip_to = c->count;
    c->open_pair = 0;
    return true;
}

/* Begins the pair behind the "?" or "&" at c->at. */
static bool begin_pair(struct compiler *c)
{
    char written = c->text.ptr[c->at++];
    bool optional = pair_is_optional(c->text, c->at);
    char separator = c->certain ? '&' : c->maybe ? 0 : '?';

    if (!optional && separator) {
        c->certain = true;
        return add_text(c, &separator, 1);
    }
    if (!flush(c))
        return false;
    piece_add(c, GD_PIECE_PAIR)->separator = separator;
    if (optional)
        c->open_pair = c->count;
    c->maybe |= optional;
    c->certain |= !optional;
    return gd_buf_add(&c->skeleton, &written, 1) || full(c);
}

static bool compile_byte(struct compiler *c)
{
    static const char hex[] = "0123456789ABCDEF";
    char byte = c->text.ptr[c->at++];
    unsigned char code = (unsigned char)byte;
    char escape[3] = {'%', hex[code >> 4], hex[code & 15]};

    c->has_solid |= byte != '.' && byte != '/';
    return code < 0x80 ? add_text(c, &byte, 1) : add_text(c, escape, sizeof(escape));
}

static bool step_target(struct compiler *c)
{
    char byte = c->text.ptr[c->at];
    bool in_path = c->place == GD_PLACE_PATH;

    if (byte == '{' || byte == '}')
        return compile_brace(c);
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
static bool check_skeleton(struct compiler *c)
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
        return full(c);
    if (!gd_target_parse((struct gd_span){skeleton->data, len}, skeleton->data + len,
                         &target) ||
        target.form != GD_TARGET_ORIGIN)
        return gd_err_set(c->err,
                          "\"%.*s\" is not a valid path and query; spaces, quotes "
                          "and <>\\^`| are written as %%XX",
                          GD_SPAN_ARG(c->text));
    return true;
}

static bool compile_target(struct compiler *c)
{
    if (c->text.len == 0 || c->text.ptr[0] != '/')
        return gd_err_set(c->err, "a path starts with /");
    if (c->text.len > TARGET_MAX)
        return full(c);
    if (memchr(c->text.ptr, '#', c->text.len))
        return gd_err_set(c->err, "a fragment (#...) is never sent; write %%23 for a "
                                  "literal #");
    while (c->at < c->text.len)
        if (!step_target(c))
            return false;
    if (c->place == GD_PLACE_PATH ? !close_segment(c) : !close_pair(c))
        return false;
    return flush(c) && check_skeleton(c);
}

/* JSON --------------------------------------------------------------------------------
 */

static bool compile_json(struct compiler *c)
{
    bool in_string = false;

    while (c->at < c->text.len) {
        char byte = c->text.ptr[c->at];
        size_t len = 1;

        if (in_string && (byte == '{' || byte == '}')) {
            if (!compile_brace(c))
                return false;
            continue;
        }
        if (byte == '"')
            in_string = !in_string;
        if (in_string && byte == '\\' && c->at + 1 < c->text.len)
            len = 2;
        if (!add_text(c, c->text.ptr + c->at, len))
            return false;
        c->at += len;
    }
    return flush(c);
}

/* -------------------------------------------------------------------------------------
 */

/* No brace or "&" makes more than four pieces: literal, pair, placeholder, end. */
static size_t pieces_bound(struct gd_span text)
{
    size_t marks = 1;

    for (size_t i = 0; i < text.len; i++)
        marks += text.ptr[i] == '{' || text.ptr[i] == '&' || text.ptr[i] == '?';
    return marks * 4;
}

/* Returns the pieces as a template owned by the arena. */
static struct gd_template *finish(struct compiler *c)
{
    struct gd_template *tpl = gd_arena_alloc(c->arena, sizeof(*tpl));
    size_t bytes = c->count * sizeof(*c->pieces);
    struct gd_piece *pieces = gd_arena_raw(c->arena, bytes);

    if (tpl == NULL || pieces == NULL) {
        full(c);
        return NULL;
    }
    memcpy(pieces, c->pieces, bytes);
    tpl->pieces = pieces;
    tpl->count = c->count;
    return tpl;
}

static struct gd_template *compile(struct compiler *c,
                                   bool (*compile_text)(struct compiler *c))
{
    struct gd_template *tpl = NULL;

    if (c->text.len > TEXT_MAX) {
        full(c);
        return NULL;
    }
    gd_buf_init(&c->literal, NULL, TEXT_MAX);
    gd_buf_init(&c->skeleton, NULL, TARGET_MAX * 8);
    c->pieces = gd_alloc_array(pieces_bound(c->text), sizeof(*c->pieces));
    if (compile_text(c))
        tpl = finish(c);
    gd_free(c->pieces);
    gd_buf_free(&c->literal);
    gd_buf_free(&c->skeleton);
    return tpl;
}

struct gd_template *gd_template_target(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err)
{
    struct compiler c = {.arena = arena, .names = names, .err = err, .text = text};

    c.place = GD_PLACE_PATH;
    return compile(&c, compile_target);
}

struct gd_template *gd_template_json(struct gd_arena *arena, struct gd_span json,
                                     const struct gd_names *names, struct gd_err *err)
{
    struct compiler c = {.arena = arena, .names = names, .err = err, .text = json};

    c.place = GD_PLACE_JSON;
    return compile(&c, compile_json);
}
