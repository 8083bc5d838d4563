#ifndef GD_BASE_SUGGEST_H
#define GD_BASE_SUGGEST_H
/**
 * "Did you mean": the known word nearest to a mistyped one.
 */
#include <stddef.h>

#include "base/bytes.h"

/** Returns the word of known[0..n) that `word` was probably meant to be, NULL when none
 * is near. Near is one wrong, missing, extra or swapped character for every three begun
 * of the word, case not counted; the first of equally near ones wins. Entries may be
 * NULL. For messages only: it costs time in the product of the lengths. */
const char *gd_suggest(struct gd_span word, const char *const *known, size_t n);

#endif
