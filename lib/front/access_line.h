#ifndef GD_FRONT_ACCESS_LINE_H
#define GD_FRONT_ACCESS_LINE_H
/**
 * From a record to a line of the access log. Whatever a client sent, it stays one line:
 * JSON strings have their escapes, and in a format control characters, quotes,
 * backslashes and what is no ASCII become `\xNN`.
 */
#include "front/record.h"
#include "plan/log.h"

/** Wall-clock time of loop times, and its text of a second. */
struct gd_access_clock {
    int64_t ahead_us; /* wall clock minus loop time */
    int64_t second;
    char text[24]; /* `2026-01-31T12:00:00.` */
};

/** Looks at the clocks. */
void gd_access_clock_set(struct gd_access_clock *clock);

/** Appends `2026-01-31T12:00:00.123Z`. */
GD_MUST_CHECK bool gd_access_time(struct gd_access_clock *clock, uint64_t loop_us,
                                  struct gd_buf *out);

/** Appends the line, with its end. False past the bound of out, which then is as it was.
 */
GD_MUST_CHECK bool gd_access_line(const struct gd_plan_access_log *plan,
                                  const struct gd_record *record,
                                  struct gd_access_clock *clock, struct gd_buf *out);

/** "answered", "gone" … */
const char *gd_end_word(enum gd_end how);

#endif
