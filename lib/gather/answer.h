#ifndef GD_GATHER_ANSWER_H
#define GD_GATHER_ANSWER_H
/**
 * The answer of a gather that succeeded: parts spliced in the order of the file.
 *
 * Nothing is copied: the vector refers to the keys in the plan and to the bytes the
 * upstreams sent.
 */
#include <sys/uio.h>

#include "gather/call.h"

/** Fills body, body_count and body_bytes. False when the arena is at its bound. */
GD_MUST_CHECK bool gd_answer_compose(struct gd_call *calls, unsigned count,
                                     struct gd_arena *arena, struct gd_outcome *outcome);

/** The Gather-Parts field (RFC 8941 list): every call that is not hidden, and every one
 * that failed, with `;error=class` where it did. Empty when the arena is at its bound. */
struct gd_span gd_answer_parts(const struct gd_call *calls, unsigned count,
                               struct gd_arena *arena);

#endif
