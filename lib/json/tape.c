#include "json/tape.h"

#include "json/tape_index.h"
#include "json/tape_words.h"

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
 * Texts of upstreams have a word for about ten bytes. */
bool gd_tape_index_grow(struct gd_tape_index *index)
{
    struct gd_tape *tape = index->tape;
    size_t most = tape->text.len + GD_TAPE_SLACK;
    size_t room = tape->bytes / sizeof(*tape->words) * 2;

    if (room == 0)
        room = tape->text.len / 10 + GD_TAPE_SLACK;
    tape->count = tape->words ? (uint32_t)(index->out - tape->words) : 0;
    if (!tape_grow(tape, room < most ? room : most))
        return false;
    index->out = tape->words + tape->count;
    index->room = tape->words + tape->bytes / sizeof(*tape->words) - GD_TAPE_SLACK;
    return true;
}

static enum gd_json_kind kind_of(char first)
{
    switch (first) {
    case '"':
        return GD_JSON_STRING;
    case 't':
        return GD_JSON_TRUE;
    case 'f':
        return GD_JSON_FALSE;
    case 'n':
        return GD_JSON_NULL;
    default:
        return GD_JSON_NUMBER;
    }
}

static void index_scalar(struct gd_tape_index *index)
{
    struct gd_span text = index->tape->text;
    unsigned kind = kind_of(*text.ptr);

    if (kind == GD_JSON_STRING && memchr(text.ptr, '\\', text.len))
        kind |= GD_WORD_ESCAPED;
    *index->out++ = (struct gd_tape_word){kind, (uint32_t)text.len};
}

typedef bool index_fn(struct gd_tape_index *index);

static bool build_with(index_fn *write, struct gd_tape *tape, struct gd_span text)
{
    struct gd_tape_index index = {.tape = tape};

    gd_tape_free(tape);
    if (text.len == 0 || text.len > GD_TAPE_TEXT_MAX)
        return false;
    tape->text = text;
    gd_json_walk_init(&index.walk, (const uint8_t *)text.ptr, text.len, 1);
    if (!gd_tape_index_grow(&index))
        goto fail;
    if ((*text.ptr | 0x20) != '{')
        index_scalar(&index);
    else if (!write(&index))
        goto fail;
    tape->count = (uint32_t)(index.out - tape->words);
    return true;

fail:
    gd_tape_free(tape);
    return false;
}

bool gd_tape_build(struct gd_tape *tape, struct gd_span text)
{
#if GD_JSON_VECTOR
    return build_with(gd_tape_index_vector, tape, text);
#else
    return build_with(gd_tape_index_portable, tape, text);
#endif
}

bool gd_tape_build_portable(struct gd_tape *tape, struct gd_span text)
{
    return build_with(gd_tape_index_portable, tape, text);
}
