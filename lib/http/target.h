#ifndef GD_HTTP_TARGET_H
#define GD_HTTP_TARGET_H
/**
 * Request targets: decided once, so that routing, policies, logs and upstreams all see
 * the same path (RFC 9112 3.2, RFC 3986 6.2.2).
 *
 * The canonical path starts with "/", is percent-encoded, and is the same for all
 * spellings of one path: unreserved characters stand for themselves, other escapes are
 * kept with upper-case digits, "." and ".." segments (also spelled %2e) are resolved. An
 * escaped slash stays escaped, so decoding never changes the segments. Refused: ".."
 * above the root; bad escapes; escaped or raw control characters; raw spaces, quotes,
 * <>\^`{}| and bytes above 127; fragments. Empty segments are kept. A query may
 * hold any escape (forms send line ends as %0D%0A) and, although RFC 3986 has them
 * escaped,
 * []\^`{|}: every browser sends these as they are (URL Standard, query percent-encode
 * set).
 */
#include "base/bytes.h"

enum gd_target_form { GD_TARGET_ORIGIN, GD_TARGET_ABSOLUTE, GD_TARGET_ASTERISK };

struct gd_target {
    enum gd_target_form form;
    struct gd_span path;  /* canonical; "*" for the asterisk form */
    struct gd_span query; /* as sent, checked, without "?"; ptr NULL when there is none */
    struct gd_span authority; /* of the absolute form, else none */
};

/** Parses target. `room`: at least target.len + 1 bytes where a path that is not
 * canonical already is written; otherwise path borrows from target.
 * Without room (NULL) the verdict is the same, and the path of a target that is not
 * canonical is left absent. False when it is refused. */
GD_MUST_CHECK bool gd_target_parse(struct gd_span target, char *room,
                                   struct gd_target *out);

/** Host or authority: reg-name, IPv4 or [IPv6], with optional port (digits, up to 65535).
 *  Empty is valid. */
bool gd_is_host(struct gd_span host);

/** Decodes percent escapes of text (already checked) into out (text.len bytes of room);
 *  plus_is_space: for query values. Returns the length. */
size_t gd_percent_decode(struct gd_span text, bool plus_is_space, char *out);

/** Appends text so that it is exactly one path segment, or one query value: all but
 *  unreserved characters escaped. */
GD_MUST_CHECK bool gd_percent_encode(struct gd_buf *buf, struct gd_span text);

/** The value of the first `name=` of a query, still encoded; ptr NULL when there is none.
 *  Keys are compared decoded ("+" is a space); a key without "=" has an empty value. */
struct gd_span gd_query_get(struct gd_span query, struct gd_span name);

#endif
