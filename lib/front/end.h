#ifndef GD_FRONT_END_H
#define GD_FRONT_END_H
/**
 * What a handler of a front hears of a request that is over; see front/front.h.
 */
#include "base/bytes.h"

/** How a request ended. */
enum gd_end {
    GD_END_ANSWERED, /* its answer is written */
    GD_END_REFUSED,  /* by the front: it was malformed, too large or late */
    GD_END_GONE,     /* its client left before the answer was written */
    GD_END_STALLED,  /* its client did not read the answer in time */
    GD_END_ABORTED,  /* the answer was broken off on this side */
};

/** What is known of a request when it has ended. Borrowed until on_end returns. */
struct gd_request_end {
    enum gd_end how;
    int status;          /* of its answer; 0: none was begun */
    uint64_t start_us;   /* loop time of its head, when that was refused of its begin */
    uint64_t bytes_in;   /* head and decoded body; 0 when the head was refused */
    uint64_t bytes_out;  /* taken by the system */
    struct gd_span id;   /* its X-Request-Id */
    struct gd_span peer; /* as request->peer */
    struct gd_span method, path; /* of a head that was refused, as far as they can be
                                    told; else empty */
};

#endif
