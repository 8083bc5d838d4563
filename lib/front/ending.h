#ifndef GD_FRONT_ENDING_H
#define GD_FRONT_ENDING_H
/**
 * What is noted of a request on its way to its end, private to this folder: the handler's
 * on_end is told.
 */
#include "front/front.h"

struct gd_ending {
    bool refused;                 /* the front answers by itself */
    uint8_t how;                  /* enum gd_end, when it is not ANSWERED */
    uint16_t status;              /* of the answer; 0: none was begun */
    uint64_t sent;                /* bytes of it */
    uint64_t head_us;             /* when an incomplete head began; 0: there is none */
    char id[GD_REQUEST_ID_BYTES]; /* of a request whose head was refused */
};

/** Calls on_end when there is a request, or one was refused, and forgets what was noted.
 */
void gd_ending_tell(struct gd_conn *conn);

#endif
