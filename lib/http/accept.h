#ifndef GD_HTTP_ACCEPT_H
#define GD_HTTP_ACCEPT_H
/**
 * Content negotiation by Accept (RFC 9110 12.5.1).
 */
#include "http/head.h"

/** Which of the media types, `type/subtype` in lower case, the client likes best: the
 *  index of the one with the highest weight, of equal ones the one it names first.
 *  Wildcards, and no Accept at all, speak for the first type; so does, for want of
 *  anything better, a field that names none of them. */
unsigned gd_accept_choose(const struct gd_fields *fields, const struct gd_span *types,
                          unsigned count);

#endif
