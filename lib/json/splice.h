#ifndef GD_JSON_SPLICE_H
#define GD_JSON_SPLICE_H
/**
 * A splice: text put together from pieces, most of them borrowed where they already are.
 *
 * Pieces that touch each other become one, and short ones are copied together, since a
 * small copy costs less than a piece in the write to a socket. So what comes out is a
 * short vector, and nothing is copied twice.
 *
 * Borrowed bytes cost no memory, so a few of them could be repeated into any length. The
 * bound of the arena is therefore also that of all bytes of a splice.
 */
#include <sys/uio.h>

#include "base/arena.h"

struct gd_splice {
    struct gd_arena *arena; /* borrowed: owns the vector and what is copied */
    struct iovec *pieces;
    unsigned count;
    size_t bytes; /* of all pieces */
    unsigned cap; /* private, as all below */
    char *room, *room_end;
};

/** Makes an empty splice that holds no memory. */
void gd_splice_init(struct gd_splice *splice, struct gd_arena *arena);

/** Appends bytes that live as long as the splice (borrowed), or a copy where that is
 *  cheaper. False when the arena or the splice is at the bound; the splice is then of no
 *  more use. */
GD_MUST_CHECK bool gd_splice_add(struct gd_splice *splice, struct gd_span bytes);

/** Appends a copy. */
GD_MUST_CHECK bool gd_splice_copy(struct gd_splice *splice, struct gd_span bytes);

/** Appends text as a JSON string with quotes, escaped (see gd_json_add_string). */
GD_MUST_CHECK bool gd_splice_string(struct gd_splice *splice, struct gd_span text);

/** All of it as one run of bytes: borrowed when there is one piece, else a copy in the
 *  arena. ptr NULL when the arena is at its bound. */
struct gd_span gd_splice_flat(struct gd_splice *splice);

#endif
