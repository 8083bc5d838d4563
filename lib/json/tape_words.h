#ifndef GD_JSON_TAPE_WORDS_H
#define GD_JSON_TAPE_WORDS_H
/**
 * The words of a tape: private to lib/json.
 *
 * The head has 3 bits of kind, 1 of flag and 28 of start. The tail of a scalar or name is
 * its length. That of a container is the node that ends it, whose start is the offset
 * behind the closing bracket and whose tail is 0. So for all words but those of
 * containers start + tail is where what they stand for ends, and the word before a name
 * or element tells where the one before it ended.
 */
#include "json/tape.h"

enum {
    GD_WORD_END = 7, /* a kind */
    GD_WORD_KIND = 7,
    GD_WORD_ESCAPED = 8, /* a string with a backslash in it */
    GD_WORD_SCALE = 16,  /* of start */
};

struct gd_tape_word {
    uint32_t head, tail;
};

static inline unsigned gd_word_kind(struct gd_tape_word word)
{
    return word.head & GD_WORD_KIND;
}

static inline uint32_t gd_word_start(struct gd_tape_word word)
{
    return word.head / GD_WORD_SCALE;
}

/** Where what a word stands for ends; not for words of containers. */
static inline uint32_t gd_word_end(struct gd_tape_word word)
{
    return gd_word_start(word) + word.tail;
}

/** The kind of a scalar by its first byte. */
static inline unsigned gd_word_scalar(uint8_t first)
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

/** The last word of a value: its own, or the one that ends a container. */
static inline gd_node gd_tape_last(const struct gd_tape *tape, gd_node node)
{
    struct gd_tape_word word = tape->words[node];

    return gd_word_kind(word) >= GD_JSON_ARRAY ? word.tail : node;
}

/** Where a value begins, and where it ends. */
static inline const char *gd_tape_from(const struct gd_tape *tape, gd_node node)
{
    return tape->text.ptr + gd_word_start(tape->words[node]);
}

static inline const char *gd_tape_to(const struct gd_tape *tape, gd_node node)
{
    return tape->text.ptr + gd_word_end(tape->words[gd_tape_last(tape, node)]);
}

/** Where what ends with a word does: a scalar, a name, or a container. */
static inline const char *gd_tape_end(const struct gd_tape *tape, gd_node last)
{
    return tape->text.ptr + gd_word_end(tape->words[last]);
}

/** The kind of a value; null when there is no value. */
static inline enum gd_json_kind gd_value_kind(struct gd_json_value value)
{
    return value.tape ? (enum gd_json_kind)gd_word_kind(value.tape->words[value.node])
                      : GD_JSON_NULL;
}

/** What stands between the quotes of a string or name. */
static inline struct gd_span gd_tape_inner(const struct gd_tape *tape, gd_node node)
{
    struct gd_tape_word word = tape->words[node];

    return (struct gd_span){tape->text.ptr + gd_word_start(word) + 1, word.tail - 2};
}

static inline bool gd_tape_is_escaped(const struct gd_tape *tape, gd_node node)
{
    return tape->words[node].head & GD_WORD_ESCAPED;
}

#endif
