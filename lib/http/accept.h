#ifndef GD_HTTP_ACCEPT_H
#define GD_HTTP_ACCEPT_H
/**
 * Content negotiation by Accept and Accept-Encoding (RFC 9110 12.5.1, 12.5.3).
 */
#include "http/head.h"

/** Which of the media types, `type/subtype` in lower case, the client likes best: the
 *  index of the one with the highest weight, of equal ones the one it names first.
 *  Wildcards, and no Accept at all, speak for the first type; so does, for want of
 *  anything better, a field that names none of them. */
unsigned gd_accept_choose(const struct gd_fields *fields, const struct gd_span *types,
                          unsigned count);

/** Which of the content codings, in lower case, Accept-Encoding likes best: the index of
 *  the one with the highest weight, of equal ones the first; `count` for none: no field,
 *  one that accepts none of them, or likes identity better. Identity stands for what is
 *  acceptable only by not being mentioned, so anything that is named comes before it.
 *  A client that refuses identity and all of them gets identity nevertheless. */
unsigned gd_accept_coding(const struct gd_fields *fields, const struct gd_span *codings,
                          unsigned count);

#endif
