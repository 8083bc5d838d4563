#ifndef GD_FRONT_PUMP_H
#define GD_FRONT_PUMP_H
/**
 * A body that is not at hand at once: read from where it is, maybe put into a content
 * coding, and written as the client takes it.
 *
 * Of all pumps of an engine together one slice is done in a turn of the loop, so that
 * other requests go on in between. What a pump holds is a slice, and what the coding
 * needs, which counts against the memory of the request.
 */
#include "front/passage.h"
#include "http/encode.h"

enum { GD_PUMP_SLICE_BYTES = 32 * 1024 };

enum gd_pumped {
    GD_PUMPED_PIECE,
    GD_PUMPED_LAST,   /* and nothing is behind it */
    GD_PUMPED_BROKEN, /* there is no more, and should be */
};

/** The bytes of a file that are still to be sent. */
struct gd_file_part {
    int fd;
    off_t at;
    uint64_t left;
};

struct gd_body_source {
    /** Gives the next piece, borrowed until the next call: of GD_PUMP_SLICE_BYTES at
     * most; without an encoder all that is left, or so much. Not called after the last
     * one, nor after BROKEN. */
    enum gd_pumped (*next)(void *arg, struct gd_span *piece);
    void *arg;
    /** What next() would give and has not given yet, kept by both sides; NULL: it is not
     *  in a file. Where nothing has to be done to it, the system sends it itself. */
    struct gd_file_part *file;
};

/** Answers and counts. Of `answer` head and release are used; body_bytes: what the source
 *  has in all. encoder: taken, also when this fails; NULL: the content goes as it is.
 *  A body of one slice is one answer with its length; a longer one is streamed. False:
 *  memory is at its bound, or the source of a short body is broken, and nothing of the
 *  answer has been sent. The request may be gone after true.
 */
GD_MUST_CHECK bool gd_pump_start(struct gd_passage *passage,
                                 const struct gd_answer *answer,
                                 const struct gd_body_source *source,
                                 struct gd_encoder *encoder);

#endif
