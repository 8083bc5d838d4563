#include "http/encode.h"

#include <brotli/encode.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "http/coding_memory.h"

enum {
    ROOM_LEAST = 1024, /* of out, for what comes next */
    GZIP_WINDOW_LEAST = 9,
    GZIP_MEMORY = 8,     /* zlib's default */
    BR_WINDOW_MOST = 18, /* bits: 256 KiB, and a few times that in all */
    BR_WINDOW_LEAST = 10,
    BR_BLOCK = 16,             /* bits */
    BR_QUALITY_MOST = 6,       /* above it takes ten times the memory and time */
    BR_HINT_MOST = 256 * 1024, /* for more it takes megabytes of tables */
    BR_HELD_MOST = 64 * 1024,  /* of content that it has not coded yet */
    BR_SHORT_MEMORY = 2 << 20, /* what it takes at most, for so much and for more */
    BR_LONG_MEMORY = 4 << 20,
};

/* libbrotlienc ends the process when it gets no memory. So it always gets some, and what
 * it takes at most with these settings is reserved before it begins. */
struct br_memory {
    struct gd_blocks *blocks;
    size_t *budget;
    size_t reserved, used, most;
};

struct gd_encoder {
    enum gd_content_coding coding;
    struct gd_coding_memory memory;
    z_stream gzip;
    struct br_memory br_memory;
    BrotliEncoderState *br;
    size_t held; /* by br: bytes since the last flush */
};

struct gd_span gd_coding_word(enum gd_content_coding coding)
{
    static const struct gd_span words[] = {[GD_CODING_GZIP] = {"gzip", 4},
                                           [GD_CODING_DEFLATE] = {"deflate", 7},
                                           [GD_CODING_BR] = {"br", 2}};

    return words[coding];
}

/* The smallest window that holds a content of known length. */
static int window_for(size_t bytes, int least, int most)
{
    int bits = least;

    if (bytes == 0)
        return most;
    while (bits < most && ((size_t)1 << bits) < bytes)
        bits++;
    return bits;
}

static bool gzip_begin(struct gd_encoder *encoder, int level, size_t bytes)
{
    int window = window_for(bytes, GZIP_WINDOW_LEAST, MAX_WBITS);
    int memory = window - 7 < GZIP_MEMORY ? window - 7 : GZIP_MEMORY;

    encoder->gzip = (z_stream){.zalloc = gd_coding_memory_array,
                               .zfree = gd_coding_memory_put,
                               .opaque = &encoder->memory};
    return deflateInit2(&encoder->gzip, level, Z_DEFLATED, window + 16, memory,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

static void *br_get(void *arg, size_t size)
{
    struct br_memory *memory = arg;
    struct gd_coding_memory from = {memory->blocks, NULL};
    void *got = gd_coding_memory_get(&from, size);

    if (got == NULL)
        abort();
    memory->used += gd_coding_memory_size(got);
    if (memory->used > memory->most)
        memory->most = memory->used;
    return got;
}

static void br_put(void *arg, void *got)
{
    struct br_memory *memory = arg;
    struct gd_coding_memory from = {memory->blocks, NULL};

    if (got)
        memory->used -= gd_coding_memory_size(got);
    gd_coding_memory_put(&from, got);
}

static bool br_reserve(struct br_memory *memory, size_t bytes)
{
    memory->reserved = bytes && bytes <= BR_HELD_MOST ? BR_SHORT_MEMORY : BR_LONG_MEMORY;
    if (memory->budget == NULL)
        return true;
    if (memory->reserved > *memory->budget)
        return false;
    *memory->budget -= memory->reserved;
    return true;
}

/* A level of gzip and the quality of br that takes about as long. */
static uint32_t br_quality(unsigned level)
{
    if (level <= 2)
        return 1;
    return level - 1 < BR_QUALITY_MOST ? level - 1 : BR_QUALITY_MOST;
}

static bool br_begin(struct gd_encoder *encoder, unsigned level, size_t bytes)
{
    int window = window_for(bytes, BR_WINDOW_LEAST, BR_WINDOW_MOST);

    if (!br_reserve(&encoder->br_memory, bytes))
        return false;
    encoder->br = BrotliEncoderCreateInstance(br_get, br_put, &encoder->br_memory);
    return encoder->br &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_QUALITY,
                                     br_quality(level)) &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_LGWIN, (uint32_t)window) &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_LGBLOCK, BR_BLOCK) &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_SIZE_HINT,
                                     bytes < BR_HINT_MOST ? (uint32_t)bytes : 0);
}

struct gd_encoder *gd_encoder_new(enum gd_content_coding coding, unsigned level,
                                  size_t content_bytes, struct gd_blocks *blocks,
                                  size_t *budget)
{
    struct gd_encoder *encoder = gd_alloc(sizeof(*encoder));
    bool ok;

    encoder->coding = coding;
    encoder->memory = (struct gd_coding_memory){blocks, budget};
    encoder->br_memory = (struct br_memory){.blocks = blocks, .budget = budget};
    ok = coding == GD_CODING_BR ? br_begin(encoder, level, content_bytes)
                                : gzip_begin(encoder, (int)level, content_bytes);
    if (ok)
        return encoder;
    if (encoder->br == NULL)
        encoder->br_memory.reserved = 0;
    gd_encoder_free(encoder);
    return NULL;
}

static bool gzip_feed(struct gd_encoder *encoder, struct gd_span piece,
                      enum gd_encode what, struct gd_buf *out)
{
    static const int flushes[] = {[GD_ENCODE_MORE] = Z_NO_FLUSH,
                                  [GD_ENCODE_FLUSH] = Z_SYNC_FLUSH,
                                  [GD_ENCODE_END] = Z_FINISH};
    z_stream *stream = &encoder->gzip;

    if (piece.len > UINT_MAX)
        return false;
    stream->next_in = (z_const Bytef *)piece.ptr;
    stream->avail_in = (uInt)piece.len;
    for (;;) {
        size_t room;
        int code;

        if (!gd_buf_reserve(out, ROOM_LEAST))
            return false;
        room = out->cap - out->len < UINT_MAX ? out->cap - out->len : UINT_MAX;
        stream->next_out = (Bytef *)out->data + out->len;
        stream->avail_out = (uInt)room;
        code = deflate(stream, flushes[what]);
        out->len += room - stream->avail_out;
        if (code == Z_STREAM_END || code == Z_BUF_ERROR)
            return true;
        if (code != Z_OK)
            return false;
        if (stream->avail_out > 0 && what != GD_ENCODE_END)
            return true;
    }
}

static bool br_feed(struct gd_encoder *encoder, struct gd_span piece, enum gd_encode what,
                    struct gd_buf *out)
{
    static const BrotliEncoderOperation operations[] = {
        [GD_ENCODE_MORE] = BROTLI_OPERATION_PROCESS,
        [GD_ENCODE_FLUSH] = BROTLI_OPERATION_FLUSH,
        [GD_ENCODE_END] = BROTLI_OPERATION_FINISH,
    };
    const uint8_t *next = (const uint8_t *)piece.ptr;
    size_t left = piece.len;

    encoder->held += piece.len;
    if (what == GD_ENCODE_MORE && encoder->held >= BR_HELD_MOST)
        what = GD_ENCODE_FLUSH;
    if (what == GD_ENCODE_FLUSH)
        encoder->held = 0;
    do {
        uint8_t *at;
        size_t room;

        if (!gd_buf_reserve(out, ROOM_LEAST))
            return false;
        at = (uint8_t *)out->data + out->len;
        room = out->cap - out->len;
        if (!BrotliEncoderCompressStream(encoder->br, operations[what], &left, &next,
                                         &room, &at, NULL))
            return false;
        out->len = out->cap - room;
    } while (left > 0 || BrotliEncoderHasMoreOutput(encoder->br));
    return true;
}

bool gd_encoder_feed(struct gd_encoder *encoder, struct gd_span piece,
                     enum gd_encode what, struct gd_buf *out)
{
    return encoder->coding == GD_CODING_BR ? br_feed(encoder, piece, what, out)
                                           : gzip_feed(encoder, piece, what, out);
}

void gd_encoder_free(struct gd_encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->coding == GD_CODING_GZIP)
        deflateEnd(&encoder->gzip);
    if (encoder->br)
        BrotliEncoderDestroyInstance(encoder->br);
    if (encoder->br_memory.budget)
        *encoder->br_memory.budget += encoder->br_memory.reserved;
    gd_free(encoder);
}

size_t gd_encoder_memory(const struct gd_encoder *encoder, size_t *reserved)
{
    *reserved = encoder->br_memory.reserved;
    return encoder->br_memory.most;
}
