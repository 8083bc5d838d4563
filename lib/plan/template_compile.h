#ifndef GD_PLAN_TEMPLATE_COMPILE_H
#define GD_PLAN_TEMPLATE_COMPILE_H
/**
 * A template while it is compiled. Private to template_compile.c, which makes pieces, and
 * template_target.c, which knows what a path and a query are.
 */
#include "plan/template_piece.h"

enum { GD_TARGET_TEXT_MAX = 4096 }; /* bytes of a target as written */

struct gd_compiler {
    struct gd_arena *arena;
    const struct gd_names *names;
    struct gd_err *err;
    struct gd_span text;
    size_t at;
    size_t hole; /* start of the placeholder at hand */
    enum gd_place place;
    bool escape; /* the text is plain and becomes the content of a JSON string */
    bool target; /* a whole target, whose literal text is checked as such */
    struct gd_piece *pieces;
    unsigned count;
    struct gd_buf literal;  /* text not yet made a piece */
    struct gd_buf skeleton; /* target: literal text with "x" for each placeholder */
    /* path: the segment at hand */
    bool has_hole;
    bool has_solid; /* text, or a tail, that keeps it from being empty or dots */
    /* query: pairs so far */
    bool certain;       /* one that is always there */
    bool maybe;         /* one that may be absent */
    unsigned open_pair; /* index of its piece + 1; 0: none */
};

/** Says that the text is too long; false. */
bool gd_compile_full(struct gd_compiler *c);

/** Adds a piece of the place at hand. */
struct gd_piece *gd_compile_piece(struct gd_compiler *c, enum gd_piece_kind kind);

/** Appends literal text. */
GD_MUST_CHECK bool gd_compile_add(struct gd_compiler *c, const char *text, size_t len);

/** Makes a piece of the literal text gathered so far. */
GD_MUST_CHECK bool gd_compile_flush(struct gd_compiler *c);

/** Reads a brace at c->at: a placeholder, or a doubled one that stands for itself. */
GD_MUST_CHECK bool gd_compile_brace(struct gd_compiler *c);

/** Reads a whole target. */
GD_MUST_CHECK bool gd_compile_target(struct gd_compiler *c);

#endif
