#ifndef GD_FRONT_PASS_H
#define GD_FRONT_PASS_H
/**
 * A pass: one browser request streamed to one upstream, and the reply streamed back.
 *
 *   lease → relay (upload and reply side by side) → ended
 *
 * Until the reply's head is there a failure is answered with a problem; afterwards the
 * client's connection is aborted. Whoever is slow holds back the other side: nothing is
 * kept but the piece on its way. Ends exactly once: by itself, which on_end tells, or by
 * gd_pass_cancel.
 *
 * Deadlines: the route's `timeout` to the reply's head, counted anew when the body of the
 * request is complete; otherwise the upstream's `timeout` without a byte moved to or from
 * it while it is its turn. A client's slowness is the front's business.
 */
#include "front/front.h"
#include "gather/gather.h"
#include "gather/trail.h"

struct gd_pass;

/** Returns a pass owned by the request's arena; NULL when that is at its bound. shared,
 *  request, route and forward are borrowed. on_end(arg, …) runs once, unless it is
 * cancelled: the status that was answered, and a failure, before the answer is handed
 * over. */
struct gd_pass *
gd_pass_new(struct gd_gather_context *shared, struct gd_request *request,
            const struct gd_plan_route *route, struct gd_forward *forward,
            void (*on_end)(void *arg, int status, enum gd_failure failure), void *arg);

/** Starts it, in the front's on_request. May end inside. values: until this returns. */
void gd_pass_start(struct gd_pass *pass, const struct gd_values *values);

/** The next piece of the request's body. */
void gd_pass_body(struct gd_pass *pass, struct gd_span piece, bool last);

/** The client has left, or the front answers itself: the upstream's connection is closed
 *  at once. */
void gd_pass_cancel(struct gd_pass *pass);

/** Its trail, named after the upstream, once it has ended. False: it never began. */
bool gd_pass_trail(const struct gd_pass *pass, struct gd_trail *trail);

#endif
