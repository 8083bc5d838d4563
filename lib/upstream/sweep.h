#ifndef GD_UPSTREAM_SWEEP_H
#define GD_UPSTREAM_SWEEP_H
/**
 * Idle sessions do not stay for ever: from time to time those that were not used for
 * long, that are old, or that are more than pool.idle are closed. Private to this folder.
 */
#include "upstream/pool.h"

void gd_sweep_init(struct gd_server *server);

/** A session has become idle: arms the sweep, or brings it forward when there is a
 * surplus to look after. */
void gd_sweep_arm(struct gd_server *server);

/** Whether a session is past pool.max_age. */
bool gd_sweep_is_old(const struct gd_session *session, uint64_t now_us);

/** Whether an idle one is to be closed for its age, or because it was not used. */
bool gd_sweep_is_due(const struct gd_session *session, uint64_t now_us);

#endif
