#include "plan/template_piece.h"

#include "base/blocks.h"
#include "json/text.h"

/* Values up to this length are decoded on the stack. */
enum { SMALL = 512 };

struct gd_span gd_template_literal(const struct gd_template *tpl)
{
    if (tpl->count == 1 && tpl->pieces[0].kind == GD_PIECE_LITERAL)
        return tpl->pieces[0].text;
    return GD_SPAN_NONE;
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
static unsigned char take_byte(struct gd_span *text, bool plus_is_space)
{
    char c = *text->ptr++;

    text->len--;
    if (c == '+' && plus_is_space)
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
static enum gd_failure add_escaped(struct gd_buf *out, struct gd_span value, bool plus,
                                   bool in_path)
{
    static const char hex[] = "0123456789ABCDEF";
    struct gd_span left = value;
    size_t need = 0;
    char *to;

    if (all_unreserved(value))
        return gd_buf_add_span(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
    while (left.len) {
        unsigned char c = take_byte(&left, plus);

        if (in_path && (c < 0x20 || c == 0x7F))
            return GD_FAIL_UNRESOLVED;
        need += is_unreserved(c) ? 1 : 3;
    }
    if (!gd_buf_reserve(out, need))
        return GD_FAIL_TOO_LARGE;
    to = out->data + out->len;
    for (left = value; left.len;) {
        unsigned char c = take_byte(&left, plus);

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
static enum gd_failure add_json(struct gd_buf *out, struct gd_span value, bool plus)
{
    char small[SMALL];
    char *room = small;
    struct gd_span left = value, decoded;
    size_t cap = 0, len = 0;
    bool ok;

    if (all_unreserved(value))
        return gd_buf_add_span(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
    if (value.len > sizeof(small))
        room = gd_blocks_get(out->blocks, value.len, &cap);
    if (room == NULL)
        return GD_FAIL_TOO_LARGE;
    while (left.len)
        room[len++] = (char)take_byte(&left, plus);
    decoded = (struct gd_span){room, len};
    ok = gd_json_add_escaped(out, decoded);
    if (room != small)
        gd_blocks_put(out->blocks, room, cap);
    return ok ? GD_OK : GD_FAIL_TOO_LARGE;
}

static enum gd_failure add_value(struct gd_buf *out, const struct gd_piece *piece,
                                 struct gd_span value)
{
    bool from_query = piece->kind == GD_PIECE_QUERY;

    if (piece->place == GD_PLACE_JSON)
        return add_json(out, value, from_query);
    if (piece->place == GD_PLACE_PATH && !from_query)
        return gd_buf_add_span(out, value) ? GD_OK : GD_FAIL_TOO_LARGE;
    return add_escaped(out, value, from_query, piece->place == GD_PLACE_PATH);
}

/* The value of a placeholder, ptr NULL when it has none. */
static struct gd_span value_of(const struct gd_piece *piece,
                               const struct gd_values *values)
{
    struct gd_span value;

    if (piece->kind == GD_PIECE_QUERY)
        return gd_query_get(values->query, piece->name);
    if (piece->param >= values->param_count)
        return GD_SPAN_NONE;
    value = values->params[piece->param];
    return piece->tail && value.len == 0 && piece->text.ptr ? GD_SPAN_NONE : value;
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
    struct gd_span value;

    switch (piece->kind) {
    case GD_PIECE_LITERAL:
        return gd_buf_add_span(out, piece->text) ? GD_OK : GD_FAIL_TOO_LARGE;
    case GD_PIECE_PAIR:
        return begin_pair(pair, piece, out) ? GD_OK : GD_FAIL_TOO_LARGE;
    case GD_PIECE_SEGMENT_END:
        return ends_in_dots(out) ? GD_FAIL_UNRESOLVED : GD_OK;
    case GD_PIECE_PARAM:
    case GD_PIECE_QUERY:
        break;
    }
    value = value_of(piece, values);
    if (value.ptr)
        return add_value(out, piece, value);
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
