#include "plan/template_piece.h"

#include "base/blocks.h"
#include "http/token.h"
#include "json/text.h"
#include "plan/secret.h"

/* Values up to this length are decoded on the stack. */
enum { SMALL = 512 };

struct gd_span gd_template_literal(const struct gd_template *tpl)
{
    if (tpl->count == 1 && tpl->pieces[0].kind == GD_PIECE_LITERAL)
        return tpl->pieces[0].text;
    return GD_SPAN_NONE;
}

uint64_t gd_template_needs(const struct gd_template *tpl)
{
    uint64_t needs = 0;

    for (unsigned i = 0; i < tpl->count; i++)
        if (tpl->pieces[i].kind == GD_PIECE_REF)
            needs |= gd_ref_needs(&tpl->pieces[i].ref);
    return needs;
}

bool gd_template_reads_body(const struct gd_template *tpl)
{
    for (unsigned i = 0; i < tpl->count; i++)
        if (tpl->pieces[i].kind == GD_PIECE_REF &&
            tpl->pieces[i].ref.source == GD_SOURCE_BODY)
            return true;
    return false;
}

bool gd_template_names(const struct gd_template *tpl, enum gd_source source,
                       struct gd_span name)
{
    for (unsigned i = 0; i < tpl->count; i++)
        if (tpl->pieces[i].kind == GD_PIECE_REF &&
            gd_ref_names(&tpl->pieces[i].ref, source, name))
            return true;
    return false;
}

/* Values ------------------------------------------------------------------------------
 */

/* RFC 3986 2.3: letters, digits and -._~ */
static bool is_unreserved(unsigned char c)
{
    static const uint64_t bits[2] = {0x03FF600000000000, 0x47FFFFFE87FFFFFE};

    return c < 0x80 && (bits[c >> 6] >> (c & 63) & 1);
}

static bool all_unreserved(struct gd_span text)
{
    size_t i = 0;

    while (i < text.len && is_unreserved((unsigned char)text.ptr[i]))
        i++;
    return i == text.len;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* Takes one decoded byte from the front of text, which isn't empty. A "%" that is no
 * escape stands for itself. */
static unsigned char take_byte(struct gd_span *text, enum gd_coding coding)
{
    char c = *text->ptr++;

    text->len--;
    if (coding == GD_CODED_PLAIN)
        return (unsigned char)c;
    if (c == '+' && coding == GD_CODED_FORM)
        return ' ';
    if (c == '%' && text->len >= 2) {
        int high = hex_value(text->ptr[0]), low = hex_value(text->ptr[1]);

        if (high >= 0 && low >= 0) {
            text->ptr += 2;
            text->len -= 2;
            return (unsigned char)(high << 4 | low);
        }
    }
    return (unsigned char)c;
}

/* Appends the decoded value with all but unreserved characters escaped. */
static enum gd_failure add_escaped(struct gd_buf *out, struct gd_span value,
                                   enum gd_coding coding, bool in_path)
{
    static const char hex[] = "0123456789ABCDEF";
    struct gd_span left = value;
    size_t need = 0;
    char *to;

    if (all_unreserved(value))
        return gd_buf_add_span(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
    while (left.len) {
        unsigned char c = take_byte(&left, coding);

        if (in_path && (c < 0x20 || c == 0x7F))
            return GD_FAIL_UNRESOLVED;
        need += is_unreserved(c) ? 1 : 3;
    }
    if (!gd_buf_reserve(out, need))
        return GD_FAIL_TOO_LARGE;
    to = out->data + out->len;
    for (left = value; left.len;) {
        unsigned char c = take_byte(&left, coding);

        if (is_unreserved(c)) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    out->len += need;
    return GD_OK;
}

/* Appends the decoded value as the content of a JSON string. */
static enum gd_failure add_json(struct gd_buf *out, struct gd_span value,
                                enum gd_coding coding)
{
    char small[SMALL];
    char *room = small;
    struct gd_span left = value, decoded;
    size_t cap = 0, len = 0;
    bool ok;

    if (coding == GD_CODED_PLAIN)
        return gd_json_add_escaped(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
    if (all_unreserved(value))
        return gd_buf_add_span(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
    if (value.len > sizeof(small))
        room = gd_blocks_get(out->blocks, value.len, &cap);
    if (room == NULL)
        return GD_FAIL_TOO_LARGE;
    while (left.len)
        room[len++] = (char)take_byte(&left, coding);
    decoded = (struct gd_span){room, len};
    ok = gd_json_add_escaped(out, decoded);
    if (room != small)
        gd_blocks_put(out->blocks, room, cap);
    return ok ? GD_OK : GD_FAIL_TOO_LARGE;
}

/* Appends the decoded value as content of a header field. */
static enum gd_failure add_field(struct gd_buf *out, struct gd_span value,
                                 enum gd_coding coding)
{
    size_t start = out->len;

    if (value.len == 0)
        return GD_OK;
    if (!gd_buf_reserve(out, value.len))
        return GD_FAIL_TOO_LARGE;
    while (value.len)
        out->data[out->len++] = (char)take_byte(&value, coding);
    value = (struct gd_span){out->data + start, out->len - start};
    return gd_is_field_value(value) ? GD_OK : GD_FAIL_UNRESOLVED;
}

static enum gd_failure add_text(struct gd_buf *out, const struct gd_piece *piece,
                                struct gd_span value, enum gd_coding coding)
{
    switch (piece->place) {
    case GD_PLACE_JSON:
        return add_json(out, value, coding);
    case GD_PLACE_HEADER:
        return add_field(out, value, coding);
    case GD_PLACE_PATH:
        /* A path parameter is canonical: it is a segment already. */
        if (piece->ref.source == GD_SOURCE_PARAM)
            return gd_buf_add_span(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
        return add_escaped(out, value, coding, true);
    case GD_PLACE_QUERY:
        break;
    }
    return add_escaped(out, value, coding, false);
}

static enum gd_failure add_found(struct gd_buf *out, const struct gd_piece *piece,
                                 const struct gd_found *found)
{
    enum gd_failure failure = GD_FAIL_UNRESOLVED;
    struct gd_buf text;
    bool full;

    if (found->kind == GD_FOUND_TEXT)
        return add_text(out, piece, found->text, found->coding);
    gd_buf_init(&text, out->blocks, out->max);
    text.budget = out->budget;
    if (gd_found_text(found, &piece->ref.path, &text, &full))
        failure = add_text(out, piece, gd_buf_span(&text), GD_CODED_PLAIN);
    else if (full)
        failure = GD_FAIL_TOO_LARGE;
    gd_buf_free(&text);
    return failure;
}

static bool stop(void *arg, struct gd_json_value value)
{
    return false;
}

/* Whether there is nothing: then a default may stand in. */
static bool is_absent(const struct gd_piece *piece, const struct gd_found *found)
{
    switch (found->kind) {
    case GD_FOUND_NOTHING:
        return true;
    case GD_FOUND_TEXT:
        return piece->ref.tail && found->text.len == 0 && piece->text.ptr;
    case GD_FOUND_JSON:
        return gd_tape_kind(found->json.tape, found->json.node) == GD_JSON_NULL;
    case GD_FOUND_MANY:
        return gd_json_path_each(&piece->ref.path, found->json, stop, NULL);
    case GD_FOUND_NUMBER:
    case GD_FOUND_NO_MEMORY:
        break;
    }
    return false;
}

/* Expansion ---------------------------------------------------------------------------
 */

/* The query pair at hand, if it may go away as a whole. */
struct pair {
    const struct gd_piece *piece;
    size_t start; /* of its separator in the output */
    bool before;  /* whether an optional pair was written before it */
    bool written; /* whether one was written, this one included */
};

static bool begin_pair(struct pair *pair, const struct gd_piece *piece,
                       struct gd_buf *out)
{
    char separator = piece->separator;

    if (separator == 0)
        separator = pair->written ? '&' : '?';
    pair->piece = piece;
    pair->start = out->len;
    pair->before = pair->written;
    pair->written = true;
    return gd_buf_add(out, &separator, 1);
}

/* Whether the segment that ends the output is empty, "." or "..". A slash is always
 * before it. */
static bool ends_in_dots(const struct gd_buf *out)
{
    size_t len = out->len;

    while (out->data[len - 1] == '.' && out->len - len < 2)
        len--;
    return out->data[len - 1] == '/';
}

/* Expands piece *at and moves *at to the next. */
static enum gd_failure expand_piece(const struct gd_template *tpl, unsigned *at,
                                    const struct gd_values *values, struct pair *pair,
                                    struct gd_buf *out)
{
    const struct gd_piece *piece = &tpl->pieces[(*at)++];
    struct gd_found found;

    switch (piece->kind) {
    case GD_PIECE_LITERAL:
        return gd_buf_add_span(out, piece->text) ? GD_OK : GD_FAIL_TOO_LARGE;
    case GD_PIECE_PAIR:
        return begin_pair(pair, piece, out) ? GD_OK : GD_FAIL_TOO_LARGE;
    case GD_PIECE_SEGMENT_END:
        return ends_in_dots(out) ? GD_FAIL_UNRESOLVED : GD_OK;
    case GD_PIECE_REF:
        break;
    }
    found = gd_values_find(values, &piece->ref);
    if (!is_absent(piece, &found))
        return add_found(out, piece, &found);
    if (piece->text.ptr)
        return gd_buf_add_span(out, piece->text) ? GD_OK : GD_FAIL_TOO_LARGE;
    if (!piece->optional)
        return GD_FAIL_UNRESOLVED;
    if (piece->place == GD_PLACE_QUERY) {
        out->len = pair->start;
        pair->written = pair->before;
        *at = pair->piece->skip_to;
    }
    return GD_OK;
}

enum gd_failure gd_template_expand(const struct gd_template *tpl,
                                   const struct gd_values *values, struct gd_buf *out)
{
    struct pair pair = {0};
    size_t start = out->len;
    enum gd_failure failure = GD_OK;
    unsigned at = 0;

    while (at < tpl->count && failure == GD_OK)
        failure = expand_piece(tpl, &at, values, &pair, out);
    if (failure != GD_OK)
        out->len = start;
    return failure;
}

/* For people ----------------------------------------------------------------------------
 */

static bool is_secret(const struct gd_piece *piece, const struct gd_values *values)
{
    const struct gd_ref *ref = &piece->ref;
    bool named = ref->source == GD_SOURCE_COOKIE ||
                 ((ref->source == GD_SOURCE_HEADER || ref->source == GD_SOURCE_QUERY) &&
                  gd_secret_name(ref->name));

    return named && gd_values_find(values, ref).kind != GD_FOUND_NOTHING;
}

/* Shows piece *at and moves *at to the next. False past the bound. */
static bool show_piece(const struct gd_template *tpl, unsigned *at,
                       const struct gd_values *values, struct pair *pair,
                       struct gd_buf *out, struct gd_template_gaps *gaps)
{
    const struct gd_piece *piece = &tpl->pieces[*at];
    bool ref = piece->kind == GD_PIECE_REF;
    size_t start = out->len;
    enum gd_failure failure;

    if (ref && !gd_values_know(values, &piece->ref)) {
        ++*at;
        gaps->open = true;
        return gd_buf_add_span(out, piece->written);
    }
    if (ref && is_secret(piece, values)) {
        ++*at;
        return gd_buf_add_text(out, GD_SECRET_MASK);
    }
    failure = expand_piece(tpl, at, values, pair, out);
    if (failure != GD_FAIL_UNRESOLVED)
        return failure == GD_OK;
    out->len = start;
    /* A segment is empty or dots for what the last placeholder in it gave. */
    while (piece->kind != GD_PIECE_REF)
        piece--;
    if (gaps->missing.ptr == NULL)
        gaps->missing = piece->written;
    return !ref || gd_buf_add_span(out, piece->written);
}

bool gd_template_show(const struct gd_template *tpl, const struct gd_values *values,
                      struct gd_buf *out, struct gd_template_gaps *gaps)
{
    struct pair pair = {0};
    bool ok = true;
    unsigned at = 0;

    *gaps = (struct gd_template_gaps){.open = false};
    while (at < tpl->count && ok)
        ok = show_piece(tpl, &at, values, &pair, out, gaps);
    return ok;
}
