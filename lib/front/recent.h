#ifndef GD_FRONT_RECENT_H
#define GD_FRONT_RECENT_H
/**
 * The recent requests of one worker that were slow, and those that failed: the last ones
 * of each, with their calls.
 *
 * The worker stores, under a lock that nobody holds for long; the admin thread looks.
 * What is neither slow nor failed does not come here.
 */
#include "front/record.h"

struct gd_recent;

enum gd_recent_kind { GD_RECENT_SLOW, GD_RECENT_FAILED, GD_RECENT_KINDS };

/** Returns owned, empty. */
struct gd_recent *gd_recent_new(void);
void gd_recent_free(struct gd_recent *recent);

/** Keeps a copy of record, and of each kind at most `most`. From the worker's thread. */
void gd_recent_store(struct gd_recent *recent, const struct gd_record *record,
                     unsigned most);

/** Writes what all workers have as JSON: `{"slow": […], "failed": […]}`, the latest
 *  first. False past the bound of out. */
GD_MUST_CHECK bool gd_recent_json(struct gd_recent *const *recents, unsigned count,
                                  struct gd_buf *out);

#endif
