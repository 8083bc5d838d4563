#include "json/tape.h"

#include <limits.h>

#include "json/tape_words.h"
#include "json/walk.h"

void gd_tape_init(struct gd_tape *tape, struct gd_blocks *blocks, size_t *budget)
{
    *tape = (struct gd_tape){.blocks = blocks, .budget = budget};
}

void gd_tape_free(struct gd_tape *tape)
{
    gd_blocks_put(tape->blocks, tape->words, tape->bytes);
    if (tape->budget)
        *tape->budget += tape->bytes;
    tape->words = NULL;
    tape->bytes = 0;
    tape->count = 0;
    tape->text = GD_SPAN_NONE;
}

/* Moves the words in use to memory for `room` of them. As with buffers, the old and the
 * new count against the budget for a moment. */
static bool tape_grow(struct gd_tape *tape, size_t room)
{
    size_t bytes;
    struct gd_tape_word *words =
        gd_blocks_get(tape->blocks, room * sizeof(*words), &bytes);

    if (words == NULL)
        return false;
    if (tape->budget && bytes > *tape->budget) {
        gd_blocks_put(tape->blocks, words, bytes);
        return false;
    }
    if (tape->count)
        memcpy(words, tape->words, tape->count * sizeof(*words));
    gd_blocks_put(tape->blocks, tape->words, tape->bytes);
    if (tape->budget)
        *tape->budget -= bytes - tape->bytes;
    tape->words = words;
    tape->bytes = bytes;
    return true;
}

/* A byte of the text makes at most one word, so there is a most that is ever needed.
 * Records make a word of 8 bytes, so few texts need more than the first room. */
bool gd_tape_walk_grow(struct gd_json_walk *w)
{
    struct gd_tape *tape = w->tape;
    size_t most = tape->text.len + GD_TAPE_SLACK;
    size_t room = tape->bytes / sizeof(*tape->words) * 2;

    if (room == 0)
        room = tape->text.len / 7 + GD_TAPE_SLACK;
    tape->count = tape->words ? (uint32_t)(w->out - tape->words) : 0;
    if (!tape_grow(tape, room < most ? room : most))
        return false;
    w->out = tape->words + tape->count;
    w->room = tape->words + tape->bytes / sizeof(*tape->words) - GD_TAPE_SLACK;
    return true;
}

static void put_scalar(struct gd_json_walk *w)
{
    struct gd_span text = w->tape->text;
    unsigned kind = gd_word_scalar((uint8_t)*text.ptr);

    if (kind == GD_JSON_STRING && memchr(text.ptr, '\\', text.len))
        kind |= GD_WORD_ESCAPED;
    *w->out++ = (struct gd_tape_word){kind, (uint32_t)text.len};
}

typedef const uint8_t *tape_walk(struct gd_json_walk *w);

/* False without memory, or when the text turns out not to be valid. */
static bool build_with(tape_walk *walk, struct gd_tape *tape, struct gd_span text,
                       unsigned max_depth)
{
    struct gd_json_walk w = {.tape = tape};

    gd_tape_free(tape);
    if (text.len == 0 || text.len > GD_TAPE_TEXT_MAX)
        return false;
    tape->text = text;
    gd_json_walk_init(&w, (const uint8_t *)text.ptr, text.len, 1);
    w.max_depth = max_depth;
    if (!gd_tape_walk_grow(&w))
        goto fail;
    if ((*text.ptr | 0x20) != '{')
        put_scalar(&w);
    else if (walk(&w) != w.end)
        goto fail;
    tape->count = (uint32_t)(w.out - tape->words);
    return true;

fail:
    gd_tape_free(tape);
    return false;
}

#if GD_JSON_VECTOR
#define BEST_WALK gd_tape_walk_vector
#else
#define BEST_WALK gd_tape_walk_portable
#endif

/* What is composed of valid texts is deeper than each. */
bool gd_tape_build(struct gd_tape *tape, struct gd_span text)
{
    return build_with(BEST_WALK, tape, text, UINT_MAX);
}

bool gd_tape_build_portable(struct gd_tape *tape, struct gd_span text)
{
    return build_with(gd_tape_walk_portable, tape, text, UINT_MAX);
}

static bool scan_with(tape_walk *walk, struct gd_tape *tape, struct gd_span bytes,
                      unsigned max_depth, struct gd_span *value,
                      struct gd_json_fault *fault)
{
    struct gd_span text = gd_json_guarded(bytes);

    if (max_depth > GD_JSON_DEPTH_MAX)
        max_depth = GD_JSON_DEPTH_MAX;
    if (text.ptr && build_with(walk, tape, text, max_depth)) {
        *value = text;
        return true;
    }
    gd_tape_free(tape);
    return gd_json_scan_exact(bytes, max_depth, value, fault);
}

bool gd_tape_scan(struct gd_tape *tape, struct gd_span bytes, unsigned max_depth,
                  struct gd_span *value, struct gd_json_fault *fault)
{
    return scan_with(BEST_WALK, tape, bytes, max_depth, value, fault);
}

bool gd_tape_scan_portable(struct gd_tape *tape, struct gd_span bytes, unsigned max_depth,
                           struct gd_span *value, struct gd_json_fault *fault)
{
    return scan_with(gd_tape_walk_portable, tape, bytes, max_depth, value, fault);
}
