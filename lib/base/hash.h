#ifndef GD_BASE_HASH_H
#define GD_BASE_HASH_H
/**
 * A hash of bytes that peers choose: SipHash-1-3. Without the key, which is another one
 * in every process, nobody can make names that meet in a table. The words of a text are
 * read as this machine has them, so hashes are not to be kept or sent.
 */
#include "base/bytes.h"

struct gd_hash_key {
    uint64_t low, high;
};

/** The key of this process, from the random bytes the kernel gives it. */
struct gd_hash_key gd_hash_key_of_process(void);

uint64_t gd_hash(struct gd_hash_key key, struct gd_span bytes);

#endif
