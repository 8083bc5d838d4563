#ifndef GD_GATHER_PART_H
#define GD_GATHER_PART_H
/**
 * A part: what one call of the plan yields in one gather.
 *
 *   IDLE → RUNNING → ENDED
 *
 * It is made by one call, by one for each value (`each`), or by none when `when` says so
 * or when there is nothing to call for. A part ends exactly once and tells its gather;
 * stopping ends it at once, without telling.
 */
#include "gather/call.h"
#include "gather/gather.h"

enum gd_part_state { GD_PART_IDLE, GD_PART_RUNNING, GD_PART_ENDED };

struct gd_part {
    const struct gd_plan_call *plan;
    struct gd_gather *gather;
    struct gd_yield *yield; /* what references see; the gather owns it */
    enum gd_part_state state;
    enum gd_failure failure; /* once ENDED: why the part is not whole, GD_OK when it is */
    uint32_t retry_after_s;  /* … and what the upstream asked for; 0: nothing */
    bool skipped;            /* `when` did not hold, or nobody wants it this time */
    bool partial;            /* with each: some items are there, others have failed */
    bool told;               /* an event has been made of it */
    struct gd_part *next_ended; /* in the order in which they ended */
    struct gd_seen *seen;       /* with each: shared by the calls; NULL: nothing is */
    struct gd_call *calls;      /* in the arena; only those started are made */
    const struct gd_json_value *items; /* with each: what the calls are made for */
    unsigned count, started, running, failed;
    uint64_t ended_us;    /* loop time, once ENDED */
    bool pumping;         /* calls are being started: one that ends at once just counts */
    struct gd_doc cut;    /* what is shown, where that is not all of yield->whole */
    struct iovec *pieces; /* the part as it is shown */
    unsigned piece_count;
};

/** Makes a part whose plan, gather and yield are set: IDLE, or ENDED and skipped when
 *  nobody wants it this time. */
void gd_part_init(struct gd_part *part, bool wanted);

/** Whether paths or cuts go into what its call yields, so that an index pays. */
bool gd_part_looks_inside(const struct gd_part *part);

/** Starts an IDLE part whose needs have ended. It may end inside. */
void gd_part_start(struct gd_part *part);

/** The call's side: one has ended. */
void gd_part_call_ended(struct gd_part *part, struct gd_call *call);

/** Ends a part that runs as failed with this class; one that has not been started counts
 *  as ended that way, one that has ended stays as it is. The gather is not told. */
void gd_part_stop(struct gd_part *part, enum gd_failure failure);

/** Releases the buffers of an ended part. */
void gd_part_free(struct gd_part *part);

/** Makes pieces of the part as it is shown: cut to size, or what stands in for it. Once
 *  is enough; false when memory is at its bound. */
GD_MUST_CHECK bool gd_part_show(struct gd_part *part);

/** As gd_part_show, and makes yield->shown one text that paths can go into. */
GD_MUST_CHECK bool gd_part_flatten(struct gd_part *part);

/** The gather's side: a part has ended. */
void gd_gather_part_ended(struct gd_gather *gather, struct gd_part *part);

#endif
