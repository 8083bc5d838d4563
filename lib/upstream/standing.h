#ifndef GD_UPSTREAM_STANDING_H
#define GD_UPSTREAM_STANDING_H
/**
 * Whether a server is trusted with requests, as far as what became of the last ones
 * tells. Private to this folder.
 *
 *   IN ──> OUT ──> TRIAL ──> IN
 *           ↑________|
 *
 * Failures in a row take a server OUT for a time that doubles when it repeats. Then one
 * request tries it; when that succeeds the server is on TRIAL: its share of the requests
 * grows, and its first failure takes it OUT again. So a server that comes and goes faster
 * than its trial lasts stays out. Beside that, health checks say whether it is down, and
 * operators drain it: then nothing is tried and nothing is learned, and it counts as if
 * it were not among the servers.
 */
#include "upstream/inside.h"

enum gd_standing { GD_STANDING_IN, GD_STANDING_OUT, GD_STANDING_TRIAL };

/** A request, or an attempt to connect, has failed. of_trial: the one that tries a server
 *  that is OUT; what is left over from before it went OUT tells nothing new. */
void gd_standing_bad(struct gd_server *server, bool of_trial);

/** A request has succeeded. */
void gd_standing_good(struct gd_server *server, bool of_trial);

/** Health checks have found out that a server is down, or up again. */
void gd_standing_set_down(struct gd_server *server, bool down);

/** Nothing is thought of it any more: it has gone, or is another one now. */
void gd_standing_forget(struct gd_server *server);

/** An operator wants no request to go there, or has it back. */
void gd_standing_set_drained(struct gd_server *server, bool drained);

/** Ejected, down by its health checks, or drained: no request goes there but a trial. */
bool gd_standing_is_out(const struct gd_server *server);

/** Whether the next request may go there. On TRIAL the answer is yes more and more often:
 *  to be asked once a request. */
bool gd_standing_admits(struct gd_server *server);

/** Whether the next request is to try a server that is OUT. may_fail: it would be sent
 *  again elsewhere; others try it only when none of that kind comes. */
bool gd_standing_wants_trial(const struct gd_server *server, bool may_fail);

#endif
