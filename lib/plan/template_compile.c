#include "plan/template_compile.h"

#include "base/mem.h"
#include "http/target.h"
#include "json/text.h"

enum { TEXT_MAX = 1 << 20 };

bool gd_compile_full(struct gd_compiler *c)
{
    return gd_err_set(c->err, "the text is too long");
}

/* Pieces ------------------------------------------------------------------------------
 */

struct gd_piece *gd_compile_piece(struct gd_compiler *c, enum gd_piece_kind kind)
{
    struct gd_piece *piece = &c->pieces[c->count++];

    *piece = (struct gd_piece){.kind = kind, .place = c->place};
    return piece;
}

/* A copy in the arena, escaped where the text is to be; ptr NULL when it is too long. */
static struct gd_span keep(struct gd_compiler *c, struct gd_span text)
{
    struct gd_span kept = GD_SPAN_NONE;
    struct gd_buf escaped;

    if (!c->escape)
        return gd_arena_copy(c->arena, text);
    gd_buf_init(&escaped, NULL, TEXT_MAX * 6);
    if (gd_json_add_escaped(&escaped, text))
        kept = gd_arena_copy(c->arena, gd_buf_span(&escaped));
    gd_buf_free(&escaped);
    return kept;
}

bool gd_compile_flush(struct gd_compiler *c)
{
    struct gd_span text;

    if (c->literal.len == 0)
        return true;
    text = keep(c, gd_buf_span(&c->literal));
    if (text.ptr == NULL)
        return gd_compile_full(c);
    gd_compile_piece(c, GD_PIECE_LITERAL)->text = text;
    c->literal.len = 0;
    return true;
}

bool gd_compile_add(struct gd_compiler *c, const char *text, size_t len)
{
    if (!gd_buf_add(&c->literal, text, len))
        return gd_compile_full(c);
    if (c->target && !gd_buf_add(&c->skeleton, text, len))
        return gd_compile_full(c);
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
static bool add_fallback(struct gd_compiler *c, const struct gd_hole *hole,
                         struct gd_piece *piece)
{
    struct gd_buf encoded;
    bool ok;

    if (hole->fallback.ptr == NULL)
        return true;
    if (c->place == GD_PLACE_JSON && !c->escape &&
        memchr(hole->fallback.ptr, '"', hole->fallback.len))
        return gd_err_set(c->err, "%.*s: a default in JSON can't have quotes",
                          GD_SPAN_ARG(hole->text));
    /* A tail may be empty: then so may its default. */
    if (c->place == GD_PLACE_PATH && !(piece->ref.tail && hole->fallback.len == 0) &&
        (is_dots(hole->fallback) || has_control(hole->fallback)))
        return gd_err_set(c->err, "%.*s: the default can't be a segment of a path",
                          GD_SPAN_ARG(hole->text));
    if (c->place == GD_PLACE_HEADER && has_control(hole->fallback))
        return gd_err_set(c->err, "%.*s: the default has control characters",
                          GD_SPAN_ARG(hole->text));
    gd_buf_init(&encoded, NULL, TEXT_MAX);
    ok = c->place == GD_PLACE_JSON || c->place == GD_PLACE_HEADER
             ? gd_buf_add_span(&encoded, hole->fallback)
             : gd_percent_encode(&encoded, hole->fallback);
    if (ok) {
        piece->text = keep(c, gd_buf_span(&encoded));
        ok = piece->text.ptr != NULL;
    }
    gd_buf_free(&encoded);
    return ok || gd_compile_full(c);
}

/* What a placeholder has to be to stand in a path. */
static bool check_in_path(struct gd_compiler *c, const struct gd_hole *hole,
                          const struct gd_piece *piece)
{
    char next = c->at < c->text.len ? c->text.ptr[c->at] : '/';

    if (hole->optional)
        return gd_err_set(c->err,
                          "%.*s: a segment of a path can't be absent; give it a "
                          "default, as in {%.*s=none}",
                          GD_SPAN_ARG(hole->text), GD_SPAN_ARG(hole->name));
    if (piece->ref.tail && piece->ref.source == GD_SOURCE_PARAM &&
        ((next != '/' && next != '?') || c->skeleton.data[c->skeleton.len - 1] != '/'))
        return gd_err_set(c->err,
                          "%.*s is the rest of a path, so in a path it has to "
                          "stand between slashes",
                          GD_SPAN_ARG(hole->text));
    return true;
}

static bool compile_hole(struct gd_compiler *c)
{
    struct gd_hole hole;
    struct gd_piece *piece;

    c->hole = c->at;
    if (!gd_hole_read(c->text, c->at, &hole, c->err) || !gd_compile_flush(c))
        return false;
    c->at += hole.text.len;
    piece = gd_compile_piece(c, GD_PIECE_REF);
    piece->optional = hole.optional;
    piece->written = gd_arena_copy(c->arena, hole.text);
    if (piece->written.ptr == NULL)
        return gd_compile_full(c);
    if (!gd_ref_parse(c->arena, hole.name, hole.text, c->names, &piece->ref, c->err))
        return false;
    if (c->place == GD_PLACE_PATH && !check_in_path(c, &hole, piece))
        return false;
    c->has_hole = true;
    c->has_solid |= piece->ref.tail;
    if (!add_fallback(c, &hole, piece))
        return false;
    return !c->target || gd_buf_add(&c->skeleton, "x", 1) || gd_compile_full(c);
}

bool gd_compile_brace(struct gd_compiler *c)
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
    return c->place == GD_PLACE_JSON || c->place == GD_PLACE_HEADER
               ? gd_compile_add(c, p, 1)
               : gd_compile_add(c, escaped, 3);
}

/* Values of their own -----------------------------------------------------------------
 */

/* Text whose literal bytes stand as they are: of a header. */
static bool compile_plain(struct gd_compiler *c)
{
    while (c->at < c->text.len) {
        char byte = c->text.ptr[c->at];

        if (byte == '{' || byte == '}') {
            if (!gd_compile_brace(c))
                return false;
        } else if (!gd_compile_add(c, &byte, 1)) {
            return false;
        } else {
            c->at++;
        }
    }
    return gd_compile_flush(c);
}

/* JSON --------------------------------------------------------------------------------
 */

static bool compile_json(struct gd_compiler *c)
{
    bool in_string = false;

    while (c->at < c->text.len) {
        char byte = c->text.ptr[c->at];
        size_t len = 1;

        if (in_string && (byte == '{' || byte == '}')) {
            if (!gd_compile_brace(c))
                return false;
            continue;
        }
        if (byte == '"')
            in_string = !in_string;
        if (in_string && byte == '\\' && c->at + 1 < c->text.len)
            len = 2;
        if (!gd_compile_add(c, c->text.ptr + c->at, len))
            return false;
        c->at += len;
    }
    return gd_compile_flush(c);
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
static struct gd_template *finish(struct gd_compiler *c)
{
    struct gd_template *tpl = gd_arena_alloc(c->arena, sizeof(*tpl));
    size_t bytes = c->count * sizeof(*c->pieces);
    struct gd_piece *pieces = gd_arena_raw(c->arena, bytes);

    if (tpl == NULL || pieces == NULL) {
        gd_compile_full(c);
        return NULL;
    }
    memcpy(pieces, c->pieces, bytes);
    tpl->pieces = pieces;
    tpl->count = c->count;
    return tpl;
}

static struct gd_template *compile(struct gd_compiler *c,
                                   bool (*compile_text)(struct gd_compiler *c))
{
    struct gd_template *tpl = NULL;

    if (c->text.len > TEXT_MAX) {
        gd_compile_full(c);
        return NULL;
    }
    gd_buf_init(&c->literal, NULL, TEXT_MAX);
    gd_buf_init(&c->skeleton, NULL, GD_TARGET_TEXT_MAX * 8);
    c->pieces = gd_alloc_array(pieces_bound(c->text), sizeof(*c->pieces));
    if (compile_text(c))
        tpl = finish(c);
    else if (c->err)
        c->err->offset = c->hole;
    gd_free(c->pieces);
    gd_buf_free(&c->literal);
    gd_buf_free(&c->skeleton);
    return tpl;
}

bool gd_template_has_brace(struct gd_span text)
{
    return text.len &&
           (memchr(text.ptr, '{', text.len) || memchr(text.ptr, '}', text.len));
}

struct gd_template *gd_template_target(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err)
{
    struct gd_compiler c = {.arena = arena, .names = names, .err = err, .text = text};

    c.place = GD_PLACE_PATH;
    c.target = true;
    return compile(&c, gd_compile_target);
}

struct gd_template *gd_template_header(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err)
{
    struct gd_compiler c = {.arena = arena, .names = names, .err = err, .text = text};

    c.place = GD_PLACE_HEADER;
    return compile(&c, compile_plain);
}

struct gd_template *gd_template_string(struct gd_arena *arena, struct gd_span text,
                                       const struct gd_names *names, struct gd_err *err)
{
    struct gd_compiler c = {.arena = arena, .names = names, .err = err, .text = text};

    c.place = GD_PLACE_JSON;
    c.escape = true;
    return compile(&c, compile_plain);
}

struct gd_template *gd_template_json(struct gd_arena *arena, struct gd_span json,
                                     const struct gd_names *names, struct gd_err *err)
{
    struct gd_compiler c = {.arena = arena, .names = names, .err = err, .text = json};

    c.place = GD_PLACE_JSON;
    return compile(&c, compile_json);
}
