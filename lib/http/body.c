#include "http/body.h"

#include "http/chars.h"

enum step {
    STEP_SIZE,      /* digits of a chunk size */
    STEP_EXTENSION, /* the rest of its line */
    STEP_SIZE_LF,
    STEP_DATA,
    STEP_DATA_CR,
    STEP_DATA_LF,
    STEP_TRAILER, /* at the start of a line after the last chunk */
    STEP_NAME,
    STEP_VALUE,
    STEP_TRAILER_LF,
    STEP_LAST_LF,
    STEP_DONE,
    STEP_BAD,
};

enum { DIGITS_MAX = 15 };

void gd_body_init(struct gd_body *body, enum gd_framing framing, uint64_t length)
{
    *body = (struct gd_body){.framing = framing, .step = STEP_SIZE};
    if (framing == GD_FRAMING_LENGTH)
        body->left = length;
}

bool gd_body_complete(const struct gd_body *body)
{
    switch (body->framing) {
    case GD_FRAMING_NONE:
        return true;
    case GD_FRAMING_LENGTH:
        return body->left == 0;
    case GD_FRAMING_CHUNKED:
        return body->step == STEP_DONE;
    case GD_FRAMING_EOF:
        break;
    }
    return false;
}

static enum step after_size(struct gd_body *body, char c)
{
    if (gd_char_is(c, GD_CHAR_HEX)) {
        if (++body->digits > DIGITS_MAX)
            return STEP_BAD;
        body->left = body->left << 4 | gd_hex_value(c);
        return STEP_SIZE;
    }
    if (body->digits == 0)
        return STEP_BAD;
    return c == '\r' ? STEP_SIZE_LF : c == ';' ? STEP_EXTENSION : STEP_BAD;
}

/* A character inside an extension or a trailer's value; `end` follows on CR. */
static enum step after_text(char c, enum step same, enum step end)
{
    unsigned char u = (unsigned char)c;

    if (u == '\r')
        return end;
    return (u < 0x20 && u != '\t') || u == 0x7f ? STEP_BAD : same;
}

static enum step after_size_lf(struct gd_body *body, char c)
{
    if (c != '\n')
        return STEP_BAD;
    body->line_bytes = 0;
    body->digits = 0;
    return body->left ? STEP_DATA : STEP_TRAILER;
}

/* The step after one byte of anything but data. */
static enum step after(struct gd_body *body, char c)
{
    switch ((enum step)body->step) {
    case STEP_SIZE:
        return after_size(body, c);
    case STEP_EXTENSION:
        return after_text(c, STEP_EXTENSION, STEP_SIZE_LF);
    case STEP_SIZE_LF:
        return after_size_lf(body, c);
    case STEP_DATA_CR:
        return c == '\r' ? STEP_DATA_LF : STEP_BAD;
    case STEP_DATA_LF:
        return c == '\n' ? STEP_SIZE : STEP_BAD;
    case STEP_TRAILER:
        return c == '\r'                      ? STEP_LAST_LF
               : gd_char_is(c, GD_CHAR_TOKEN) ? STEP_NAME
                                              : STEP_BAD;
    case STEP_NAME:
        return c == ':'                       ? STEP_VALUE
               : gd_char_is(c, GD_CHAR_TOKEN) ? STEP_NAME
                                              : STEP_BAD;
    case STEP_VALUE:
        return after_text(c, STEP_VALUE, STEP_TRAILER_LF);
    case STEP_TRAILER_LF:
        return c == '\n' ? STEP_TRAILER : STEP_BAD;
    case STEP_LAST_LF:
        return c == '\n' ? STEP_DONE : STEP_BAD;
    case STEP_DATA:
    case STEP_DONE:
    case STEP_BAD:
        break;
    }
    return STEP_BAD;
}

static bool within_bound(struct gd_body *body)
{
    switch ((enum step)body->step) {
    case STEP_SIZE:
    case STEP_EXTENSION:
    case STEP_SIZE_LF:
        return ++body->line_bytes <= GD_CHUNK_LINE_MAX;
    case STEP_TRAILER:
    case STEP_NAME:
    case STEP_VALUE:
    case STEP_TRAILER_LF:
    case STEP_LAST_LF:
        return ++body->line_bytes <= GD_TRAILERS_MAX;
    case STEP_DATA:
    case STEP_DATA_CR:
    case STEP_DATA_LF:
    case STEP_DONE:
    case STEP_BAD:
        break;
    }
    return true;
}

/* Hands out the content at the start of input. */
static enum gd_body_result take_data(struct gd_body *body, struct gd_span input,
                                     size_t *consumed, struct gd_span *data)
{
    size_t len = input.len < body->left ? input.len : (size_t)body->left;

    if (len == 0)
        return GD_BODY_MORE;
    *data = (struct gd_span){input.ptr, len};
    *consumed += len;
    body->left -= len;
    return GD_BODY_DATA;
}

static enum gd_body_result step_chunked(struct gd_body *body, struct gd_span input,
                                        size_t *consumed, struct gd_span *data)
{
    size_t at = 0;

    while (at < input.len && body->step != STEP_DATA && body->step < STEP_DONE) {
        body->step = within_bound(body) ? (uint8_t)after(body, input.ptr[at]) : STEP_BAD;
        if (body->step != STEP_BAD)
            at++;
    }
    *consumed = at;
    if (body->step == STEP_BAD)
        return GD_BODY_BAD;
    if (body->step == STEP_DONE)
        return GD_BODY_DONE;
    if (at == input.len)
        return GD_BODY_MORE;
    input = (struct gd_span){input.ptr + at, input.len - at};
    take_data(body, input, consumed, data);
    if (body->left == 0)
        body->step = STEP_DATA_CR;
    return GD_BODY_DATA;
}

enum gd_body_result gd_body_step(struct gd_body *body, struct gd_span input,
                                 size_t *consumed, struct gd_span *data)
{
    *consumed = 0;
    *data = GD_SPAN_NONE;
    switch (body->framing) {
    case GD_FRAMING_LENGTH:
        return body->left ? take_data(body, input, consumed, data) : GD_BODY_DONE;
    case GD_FRAMING_CHUNKED:
        return step_chunked(body, input, consumed, data);
    case GD_FRAMING_EOF:
        body->left = UINT64_MAX;
        return take_data(body, input, consumed, data);
    case GD_FRAMING_NONE:
        break;
    }
    return GD_BODY_DONE;
}
