#ifndef GD_JSON_NAMES_H
#define GD_JSON_NAMES_H
/**
 * Names and keys, decoded, and tables of them: private to lib/json.
 */
#include "base/arena.h"
#include "base/hash.h"
#include "json/tape_words.h"

/** The decoded characters of a string or name: borrowed from the text, or from the arena
 *  when there are escapes. ptr NULL past the arena's bound. */
struct gd_span gd_names_decoded(struct gd_arena *arena, const struct gd_tape *tape,
                                gd_node node);

/** Text as a JSON string with quotes, owned by the arena. ptr NULL past its bound. */
struct gd_span gd_names_quoted(struct gd_arena *arena, struct gd_span text);

struct gd_name {
    struct gd_span text;
    uint32_t hash;
};

/** Names, numbered in the order they came. All memory is the arena's. */
struct gd_names {
    struct gd_hash_key key;
    struct gd_name *names;
    uint32_t count;
    uint32_t *slots; /* a name's number + 1; 0: free */
    uint32_t mask;
};

/** Makes a table for at most `most` names. False past the arena's bound. */
GD_MUST_CHECK bool gd_names_init(struct gd_names *names, struct gd_arena *arena,
                                 uint32_t most);

/** The number of a name, which is added (its text borrowed) when it is new: then the
 *  number is what count was. */
uint32_t gd_names_put(struct gd_names *names, struct gd_span text);

/** The number of a name; UINT32_MAX when it is not there. */
uint32_t gd_names_find(const struct gd_names *names, struct gd_span text);

#endif
