#ifndef GD_PLAN_DIGEST_H
#define GD_PLAN_DIGEST_H
/**
 * What the file says of something, as a digest: two loads that give the same one say the
 * same, by whatever names of files, variables or aliases. The other way round is not
 * promised: quotes and the order of options count.
 */
#include <stdbool.h>

#include "plan/upstream.h"

struct gd_yaml_node;

struct gd_digest; /* what has been told so far */

/** Returns owned. */
struct gd_digest *gd_digest_new(void);

/** Tells it bytes, or a value with all that is in it. digest NULL: nothing happens. */
void gd_digest_bytes(struct gd_digest *digest, struct gd_span bytes);
void gd_digest_node(struct gd_digest *digest, const struct gd_yaml_node *node);

/** Writes the result and frees digest. */
void gd_digest_end(struct gd_digest *digest, unsigned char out[GD_DIGEST_BYTES]);

#endif
