#ifndef GD_FRONT_ACCESS_H
#define GD_FRONT_ACCESS_H
/**
 * The access log: one line for each request, made and written by a thread of its own.
 *
 * A worker puts records (front/record.h) into its lane and goes on. The thread collects
 * for a moment, makes lines of what is there and writes them together. A lane that is
 * full, because the disk or the reader of the lines is too slow, takes no more: such
 * requests are counted, and the error log says so.
 *
 * The same thread writes the error log where that is a file.
 */
#include "front/record.h"

struct gd_access;
struct gd_access_lane;

/** Returns owned, without a thread; NULL with err. workers: how many lanes it has;
 *  buffer: bytes of each. */
struct gd_access *gd_access_new(unsigned workers, size_t buffer);

/** Writes as plan says from now on: a reference is kept. Starts the thread when there is
 *  something for it. From the main thread. False with err: as before. */
GD_MUST_CHECK bool gd_access_configure(struct gd_access *access, struct gd_plan *plan,
                                       struct gd_err *err);

/** Opens files anew, after a rotation, soon. From any thread. */
void gd_access_reopen(struct gd_access *access);

/** Writes what is there and frees. No lane may be used any more. Waits no longer than a
 *  few seconds for a disk that hangs; then what is left is lost. NULL is fine. */
void gd_access_free(struct gd_access *access);

/** Returns borrowed: the lane of a worker. */
struct gd_access_lane *gd_access_lane(struct gd_access *access, unsigned worker);

/** Hands a record over, or counts it. From the worker's thread. */
void gd_access_put(struct gd_access_lane *lane, const struct gd_record *record);

/** Adds what all lanes have counted to GD_WORKER_STATS values. From any thread. */
void gd_access_count(const struct gd_access *access, uint64_t *values);

#endif
