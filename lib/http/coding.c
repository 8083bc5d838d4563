#include "http/coding.h"

#include <brotli/decode.h>
#include <limits.h>
#include <zlib.h>

#include "http/coding_memory.h"

enum { FIRST_ROOM = 4096 };

/* Fields ------------------------------------------------------------------------------
 */

static void add_coding(struct gd_codings *codings, struct gd_span word)
{
    /* "x-gzip" is the same as "gzip" (RFC 9110 8.4.1.3). */
    static const struct {
        const char *word;
        enum gd_content_coding coding;
    } known[] = {{"gzip", GD_CODING_GZIP},
                 {"x-gzip", GD_CODING_GZIP},
                 {"deflate", GD_CODING_DEFLATE},
                 {"br", GD_CODING_BR}};
    size_t i = 0, count = sizeof(known) / sizeof(known[0]);

    if (word.len == 0 || gd_span_ieq(word, GD_SPAN("identity")))
        return;
    while (i < count && !gd_span_ieq(word, gd_span_of(known[i].word)))
        i++;
    if (i == count || codings->count == GD_CODINGS_MAX)
        codings->unknown = true;
    else
        codings->items[codings->count++] = (uint8_t)known[i].coding;
}

struct gd_codings gd_codings_read(const struct gd_fields *fields)
{
    struct gd_codings codings = {.count = 0};

    for (unsigned i = 0; i < fields->count; i++) {
        struct gd_span rest = fields->items[i].value;

        if (fields->items[i].id != GD_FIELD_CONTENT_ENCODING)
            continue;
        while (rest.len) {
            const char *comma = memchr(rest.ptr, ',', rest.len);
            size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;

            add_coding(&codings, gd_span_trim((struct gd_span){rest.ptr, len}, " \t"));
            rest.ptr += len + (comma != NULL);
            rest.len -= len + (comma != NULL);
        }
    }
    return codings;
}

/* Room for what is decoded ------------------------------------------------------------
 */

struct room {
    struct gd_buf *out;
    char *at;
    size_t len;
    char spare;
};

/* Room for at least a byte. At the bound it is one beside the buffer: an end that is
 * still to be read may follow, a further byte may not. */
static bool room_make(struct room *room)
{
    struct gd_buf *out = room->out;
    size_t left = out->max - out->len,
           want = out->len > FIRST_ROOM ? out->len : FIRST_ROOM;

    if (left == 0) {
        room->at = &room->spare;
        room->len = 1;
        return true;
    }
    if (out->cap == out->len && !gd_buf_reserve(out, want < left ? want : left))
        return false;
    room->at = out->data + out->len;
    room->len = (out->cap < out->max ? out->cap : out->max) - out->len;
    return true;
}

/* All but `unused` of it was filled. */
static bool room_fill(struct room *room, size_t unused)
{
    size_t filled = room->len - unused;

    if (room->at == &room->spare)
        return filled == 0;
    room->out->len += filled;
    return true;
}

/* gzip and deflate --------------------------------------------------------------------
 */

static enum gd_coding_result inflate_stream(z_stream *stream, bool members,
                                            struct gd_buf *out)
{
    struct room room = {.out = out};

    for (;;) {
        int code;

        if (!room_make(&room))
            return GD_CODING_TOO_LARGE;
        stream->next_out = (Bytef *)room.at;
        stream->avail_out = room.len < UINT_MAX ? (uInt)room.len : UINT_MAX;
        room.len = stream->avail_out;
        code = inflate(stream, Z_NO_FLUSH);
        if (!room_fill(&room, stream->avail_out) || code == Z_MEM_ERROR)
            return GD_CODING_TOO_LARGE;
        if (code == Z_STREAM_END && stream->avail_in == 0)
            return GD_CODING_DONE;
        if (code == Z_STREAM_END)
            code = members ? inflateReset(stream) : Z_DATA_ERROR;
        if (code != Z_OK)
            return GD_CODING_BROKEN;
    }
}

static enum gd_coding_result inflate_all(bool gzip, struct gd_span coded,
                                         struct gd_buf *out)
{
    struct gd_coding_memory memory = {out->blocks, out->budget};
    enum gd_coding_result result;
    z_stream stream = {.zalloc = gd_coding_memory_array,
                       .zfree = gd_coding_memory_put,
                       .opaque = &memory,
                       .next_in = (z_const Bytef *)coded.ptr,
                       .avail_in = (uInt)coded.len};

    if (coded.len > UINT_MAX ||
        inflateInit2(&stream, gzip ? MAX_WBITS + 16 : MAX_WBITS) != Z_OK)
        return GD_CODING_TOO_LARGE;
    result = inflate_stream(&stream, gzip, out);
    inflateEnd(&stream);
    return result;
}

/* br ----------------------------------------------------------------------------------
 */

/* Whether a decoder stopped for want of memory. */
static bool wants_memory(const BrotliDecoderState *state)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);

    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static enum gd_coding_result unbrotli(BrotliDecoderState *state, struct gd_span coded,
                                      struct gd_buf *out)
{
    const uint8_t *next = (const uint8_t *)coded.ptr;
    struct room room = {.out = out};
    size_t left = coded.len;

    for (;;) {
        BrotliDecoderResult result;
        uint8_t *at;
        size_t unused;

        if (!room_make(&room))
            return GD_CODING_TOO_LARGE;
        at = (uint8_t *)room.at;
        unused = room.len;
        result = BrotliDecoderDecompressStream(state, &left, &next, &unused, &at, NULL);
        if (!room_fill(&room, unused))
            return GD_CODING_TOO_LARGE;
        if (result == BROTLI_DECODER_RESULT_SUCCESS)
            return left == 0 ? GD_CODING_DONE : GD_CODING_BROKEN;
        if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return wants_memory(state) ? GD_CODING_TOO_LARGE : GD_CODING_BROKEN;
    }
}

static enum gd_coding_result unbrotli_all(struct gd_span coded, struct gd_buf *out)
{
    struct gd_coding_memory memory = {out->blocks, out->budget};
    BrotliDecoderState *state =
        BrotliDecoderCreateInstance(gd_coding_memory_get, gd_coding_memory_put, &memory);
    enum gd_coding_result result;

    if (state == NULL)
        return GD_CODING_TOO_LARGE;
    result = unbrotli(state, coded, out);
    BrotliDecoderDestroyInstance(state);
    return result;
}

enum gd_coding_result gd_coding_decode(enum gd_content_coding coding,
                                       struct gd_span coded, struct gd_buf *out)
{
    return coding == GD_CODING_BR ? unbrotli_all(coded, out)
                                  : inflate_all(coding == GD_CODING_GZIP, coded, out);
}
