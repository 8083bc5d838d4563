#ifndef GD_PLAN_TEMPLATE_PIECE_H
#define GD_PLAN_TEMPLATE_PIECE_H
/**
 * What a compiled template is made of. Private to template*.c:
 * template_hole.c reads placeholders, template_compile.c makes pieces of the text, and
 * template.c expands them.
 */
#include "plan/template.h"

enum gd_piece_kind {
    GD_PIECE_LITERAL,
    GD_PIECE_REF,
    GD_PIECE_PAIR,        /* begins a query pair whose separator isn't known before */
    GD_PIECE_SEGMENT_END, /* ends a segment that could have become empty or dots */
};

enum gd_place { GD_PLACE_PATH, GD_PLACE_QUERY, GD_PLACE_HEADER, GD_PLACE_JSON };

struct gd_piece {
    enum gd_piece_kind kind;
    enum gd_place place;
    bool optional;
    char separator;         /* PAIR: '?' or '&'; 0: depends on the pairs before */
    unsigned skip_to;       /* PAIR: the piece behind it, where an absent value leads */
    struct gd_span text;    /* LITERAL; else the default, encoded; ptr NULL: none */
    struct gd_ref ref;      /* REF */
    struct gd_span written; /* REF: the placeholder with its braces */
};

struct gd_template {
    struct gd_piece *pieces;
    unsigned count;
};

/** A placeholder as written. */
struct gd_hole {
    struct gd_span text;     /* with its braces */
    struct gd_span name;     /* the reference */
    struct gd_span fallback; /* the default; ptr NULL: none */
    bool optional;
};

/** Reads the placeholder that starts with the brace at text[at]; its spans borrow. */
GD_MUST_CHECK bool gd_hole_read(struct gd_span text, size_t at, struct gd_hole *hole,
                                struct gd_err *err);

#endif
