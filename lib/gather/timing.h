#ifndef GD_GATHER_TIMING_H
#define GD_GATHER_TIMING_H
/**
 * How long the calls of a gather took, for the browser's developer tools.
 */
#include "gather/gather.h"

/** The value of Server-Timing for a gather that is done: an entry for each call, in the
 *  order of the file, `user;dur=12.3`, with `;desc="timeout"` when it failed with that
 *  class and `;desc="skipped"` when it was not made; with `each`, from the start of the
 *  first one to the end of the last. Then `total`, since start_us of the loop's time.
 *  Owned by the arena of the request; empty when that is at its bound. */
struct gd_span gd_gather_timing(const struct gd_gather *gather, uint64_t start_us);

/** One entry of it: what something took, in microseconds. Character of a name that no
 *  token has become `_`. False past the buffer's bound. */
GD_MUST_CHECK bool gd_timing_add(struct gd_buf *out, const char *name, uint64_t took_us);

#endif
