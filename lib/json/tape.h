#ifndef GD_JSON_TAPE_H
#define GD_JSON_TAPE_H
/**
 * The tape: an index of all values of a JSON text, made in one pass, which can be the one
 * that checks it. The tape says where each value starts
 * and ends and which one comes next, so that paths, projections and merges work on spans
 * of the original bytes. Nothing is decoded and nothing is copied.
 *
 * A value is named by its node, a number; the whole text is GD_NODE_ROOT. Members of an
 * object are a node of the name followed by the node of the value: the value of the
 * member `name` is gd_tape_value(tape, name).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blocks.h"
#include "base/bytes.h"
#include "json/scan.h"

enum gd_json_kind {
    GD_JSON_NULL,
    GD_JSON_FALSE,
    GD_JSON_TRUE,
    GD_JSON_NUMBER,
    GD_JSON_STRING,
    GD_JSON_ARRAY,
    GD_JSON_OBJECT,
};

typedef uint32_t gd_node;
enum { GD_NODE_ROOT = 0 };
#define GD_NODE_NONE UINT32_MAX

/* Texts of more bytes are not indexed: offsets and counts are packed. */
enum { GD_TAPE_TEXT_MAX = (1 << 28) - 1 };

struct gd_tape_word;

struct gd_tape {
    struct gd_span text;        /* borrowed while the tape is used */
    struct gd_tape_word *words; /* private */
    uint32_t count;             /* private: words in use; 0: nothing is indexed */
    size_t bytes;               /* private: of the block */
    struct gd_blocks *blocks;
    size_t *budget; /* borrowed: bytes left to all buffers of a request; or NULL */
};

/** A value of a tape, borrowed. tape NULL: no value. */
struct gd_json_value {
    const struct gd_tape *tape;
    gd_node node;
};

/** Makes an empty tape that holds no memory. blocks, budget: borrowed, may be NULL. */
void gd_tape_init(struct gd_tape *tape, struct gd_blocks *blocks, size_t *budget);

/** Indexes text, which must be what gd_json_scan returned as value: valid, and without
 *  white space around it. False, and the tape empty, when the text is too long, the
 *  budget is used up, or there is no memory. What the tape holds is at most 8 times the
 *  bytes of the text, plus a block. */
GD_MUST_CHECK bool gd_tape_build(struct gd_tape *tape, struct gd_span text);

/** The portable twin of gd_tape_build without vector instructions; same tape always. */
GD_MUST_CHECK bool gd_tape_build_portable(struct gd_tape *tape, struct gd_span text);

/** As gd_json_scan, with the same verdict and value always, and indexes the value in the
 *  same pass. Without memory for the index, or when it is a scalar, the tape of a valid
 *  text is empty: gd_tape_build knows more. */
GD_MUST_CHECK bool gd_tape_scan(struct gd_tape *tape, struct gd_span bytes,
                                unsigned max_depth, struct gd_span *value,
                                struct gd_json_fault *fault);

/** The portable twin of gd_tape_scan; same result always. */
GD_MUST_CHECK bool gd_tape_scan_portable(struct gd_tape *tape, struct gd_span bytes,
                                         unsigned max_depth, struct gd_span *value,
                                         struct gd_json_fault *fault);

/** Releases the memory and gives it back to the budget; the tape is empty and usable
 *  again. Fine on a zeroed tape. */
void gd_tape_free(struct gd_tape *tape);

/** Whether anything is indexed. */
static inline bool gd_tape_is_empty(const struct gd_tape *tape)
{
    return tape->count == 0;
}

/** What a value is. */
enum gd_json_kind gd_tape_kind(const struct gd_tape *tape, gd_node node);

/** The bytes of a value, quotes or brackets included; borrows from the text. */
struct gd_span gd_tape_text(const struct gd_tape *tape, gd_node node);

/** The first element of an array, or the first name of an object; GD_NODE_NONE when it is
 *  empty, or neither of them. */
gd_node gd_tape_first(const struct gd_tape *tape, gd_node node);

/** The element behind an element; GD_NODE_NONE behind the last. */
gd_node gd_tape_next(const struct gd_tape *tape, gd_node node);

/** The value of a member, given the node of its name. */
gd_node gd_tape_value(const struct gd_tape *tape, gd_node name);

/** The name behind a name; GD_NODE_NONE behind the last. */
gd_node gd_tape_next_name(const struct gd_tape *tape, gd_node name);

/** Whether the string (or name) of a node is these bytes, escapes decoded. */
bool gd_tape_string_is(const struct gd_tape *tape, gd_node node, struct gd_span bytes);

/** The value of a member by its decoded name. When a name stands twice the last one
 *  counts. GD_NODE_NONE when it is not there, or node is no object. Linear. */
gd_node gd_tape_get(const struct gd_tape *tape, gd_node object, struct gd_span name);

/** Appends the characters of a string (or name) with its escapes decoded. A surrogate
 *  without its other half becomes U+FFFD. False past the buffer's bound. */
GD_MUST_CHECK bool gd_tape_decode(const struct gd_tape *tape, gd_node node,
                                  struct gd_buf *out);

#endif
