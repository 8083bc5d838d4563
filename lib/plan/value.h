#ifndef GD_PLAN_VALUE_H
#define GD_PLAN_VALUE_H
/**
 * The values a configuration writes as short text: numbers, durations, sizes, shares.
 *
 * Nothing is guessed: digits are plain decimal without a leading zero, a unit stands
 * directly behind them, and where a unit belongs it must stand.
 */
#include "base/bytes.h"

/** `0`, `7`, `128`: false for anything else, and past 18 digits. */
GD_MUST_CHECK bool gd_value_number(struct gd_span text, uint64_t *out);

/** Whether text is decimal digits and nothing else; leading zeros are fine. */
bool gd_value_is_digits(struct gd_span text);

/** `250ms 2s 5m 1h` into milliseconds. */
GD_MUST_CHECK bool gd_value_duration(struct gd_span text, uint64_t *ms);

/** A time, or a range of times, in milliseconds. */
struct gd_value_range {
    uint32_t low_ms, high_ms;
};

/** `20ms..80ms`, or `20ms` for both ends. False also when the first is the larger one. */
GD_MUST_CHECK bool gd_value_range(struct gd_span text, struct gd_value_range *range);

/** `512B 64KiB 10MiB 1GiB 1KB 1MB 1GB`, and `0`, into bytes. */
GD_MUST_CHECK bool gd_value_size(struct gd_span text, uint64_t *bytes);

/** `20%`, `0.5%` into a share of 0 to 1. */
GD_MUST_CHECK bool gd_value_percent(struct gd_span text, double *share);

/** `true on` and `false off`. */
GD_MUST_CHECK bool gd_value_bool(struct gd_span text, bool *out);

/** Writes a duration or a size as a person would: `90s` is `90s`, 120000 is `2m`. */
struct gd_value_text {
    char text[32];
};
const char *gd_value_duration_text(uint64_t ms, struct gd_value_text *out);
const char *gd_value_size_text(uint64_t bytes, struct gd_value_text *out);

#endif
