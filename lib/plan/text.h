#ifndef GD_PLAN_TEXT_H
#define GD_PLAN_TEXT_H
/**
 * The characters of a configuration file: UTF-8, and where they stand.
 */
#include "plan/report.h"

/** The length of the valid UTF-8 text starts with; text.len when all of it is. */
size_t gd_text_utf8(struct gd_span text);

/** Characters of UTF-8 text. */
size_t gd_text_chars(struct gd_span text);

/** Where the character number `chars` starts, in bytes. */
size_t gd_text_offset(struct gd_span text, size_t chars);

/** Line and column of a byte of a file. */
struct gd_place gd_text_place(unsigned file, struct gd_span text, size_t offset);

#endif
