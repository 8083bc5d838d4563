#ifndef GD_JSON_CUT_H
#define GD_JSON_CUT_H
/**
 * Cutting a text: what is not cut out or replaced goes to a splice as it stands. Private
 * to lib/json.
 *
 * The text is gone through from left to right, once. What is kept in a row is one piece,
 * separators and white space included.
 */
#include "json/splice.h"
#include "json/tape_words.h"

struct gd_cut {
    struct gd_splice *out;
    const char *at; /* all before it is done */
};

/** Leaves out what stands from `from` to `to`, which are not before cut->at. */
static inline bool gd_cut_out(struct gd_cut *cut, const char *from, const char *to)
{
    const char *at = cut->at;

    cut->at = to;
    return from == at ||
           gd_splice_add(cut->out, (struct gd_span){at, (size_t)(from - at)});
}

/** Keeps what stands before `to`. */
static inline bool gd_cut_keep(struct gd_cut *cut, const char *to)
{
    return gd_cut_out(cut, to, to);
}

/** Where what stands before a name or an element ends: at the value before it, or behind
 *  the opening bracket. */
static inline const char *gd_cut_before(const struct gd_tape *tape, gd_node name,
                                        gd_node container)
{
    return name == container + 1 ? gd_tape_from(tape, container) + 1
                                 : tape->text.ptr + gd_word_end(tape->words[name - 1]);
}

/** Leaves out the member of a name; kept: whether one before it stays. A comma goes with
 *  it: the one before when it is not the first left, else the one behind. */
static inline bool gd_cut_member(struct gd_cut *cut, const struct gd_tape *tape,
                                 gd_node object, gd_node name, bool kept)
{
    gd_node last = gd_tape_last(tape, name + 1);
    const char *to = gd_tape_to(tape, name + 1);

    if (kept)
        return gd_cut_out(cut, gd_cut_before(tape, name, object), to);
    if (gd_word_kind(tape->words[last + 1]) != GD_WORD_END)
        to = gd_tape_from(tape, last + 1);
    return gd_cut_out(cut, gd_tape_from(tape, name), to);
}

#endif
