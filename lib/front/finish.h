#ifndef GD_FRONT_FINISH_H
#define GD_FRONT_FINISH_H
/**
 * What the options of a route make of its whole answers: Cache-Control, a validator and
 * what a client has already, Server-Timing, a content coding.
 */
#include "front/passage.h"

/** Answers and counts, as gd_request_answer. `complete`: all of it is there, so that it
 *  may be kept; what is not is `no-store` where the route says how its answers are kept.
 *  timing: the value of Server-Timing, or empty. The request may be gone afterwards. */
void gd_finish_answer(struct gd_passage *passage, const struct gd_answer *answer,
                      bool complete, struct gd_span timing);

/** Counts an answer that goes in a coding. */
void gd_finish_count_coded(struct gd_passage *passage, unsigned coding);

#endif
