#ifndef GD_JSON_TEXT_H
#define GD_JSON_TEXT_H
/**
 * Writing JSON text of our own: strings with their escapes.
 */
#include "base/bytes.h"

/** Appends text as a JSON string with quotes. Control characters, quote and backslash are
 *  escaped; bytes that are not valid UTF-8 become U+FFFD. False past the buffer's bound.
 */
GD_MUST_CHECK bool gd_json_add_string(struct gd_buf *buf, struct gd_span text);

/** As gd_json_add_string without the quotes: for text spliced into a string. */
GD_MUST_CHECK bool gd_json_add_escaped(struct gd_buf *buf, struct gd_span text);

#endif
