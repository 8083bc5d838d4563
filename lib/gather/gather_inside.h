#ifndef GD_GATHER_GATHER_INSIDE_H
#define GD_GATHER_GATHER_INSIDE_H
/**
 * The inside of a gather, for the files that run it (gather.c), compose its answer
 * (answer.c) and tell of its parts as they complete (news.c).
 */
#include "gather/part.h"

struct gd_gather {
    struct gd_gather_context *context;
    struct gd_gather_request about;
    void (*on_done)(void *arg);
    void *arg;
    uint64_t chosen;         /* bits of the calls the answer shows */
    uint64_t wanted;         /* … and of what they depend on */
    uint64_t ended;          /* bits of the parts that have ended, or are not wanted */
    uint64_t sent;           /* members of the shape that have been taken as news */
    struct gd_part *culprit; /* the required part that failed first */
    struct gd_part *first_ended, **last_ended, *last_told;
    struct gd_span clashed;
    bool done;
    struct gd_doc body;
    struct gd_values values;
    struct gd_timer deadline;
    uint64_t deadline_us; /* loop time */
    struct gd_work completion, news;
    unsigned count;
    struct gd_part parts[];
};

/** Puts an ended part behind those that ended before. */
void gd_gather_note_ended(struct gd_gather *gather, struct gd_part *part);

/** Whether the part stands in the answer of its own. */
static inline bool gd_part_is_visible(const struct gd_gather *gather,
                                      const struct gd_part *part)
{
    return !part->plan->hidden && (gather->chosen >> part->plan->index & 1);
}

#endif
