#ifndef GD_BASE_IDS_H
#define GD_BASE_IDS_H
/**
 * Ids: numbers that look random and do not come twice, at the cost of a few dozen
 * instructions. They tell requests apart; they are no secrets, and nothing may depend on
 * nobody guessing them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/** One source of ids; belongs to one thread. */
struct gd_ids {
    uint64_t high, low, count;
};

/** Seeds from the system; false with err when it has no random bytes to give. */
GD_MUST_CHECK bool gd_ids_init(struct gd_ids *ids, struct gd_err *err);

/** Returns the next id, never 0. One source repeats none within 2^64. */
uint64_t gd_ids_next(struct gd_ids *ids);

/** Writes the next id of 128 bits, never 0: 32 hex digits in lower case, not terminated.
 */
void gd_ids_write(struct gd_ids *ids, char out[32]);

/** Writes 16 hex digits in lower case, not terminated. Only different numbers differ: the
 *  digits are not in the order of reading. */
void gd_hex16_write(uint64_t number, char out[16]);

#endif
