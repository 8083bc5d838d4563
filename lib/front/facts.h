#ifndef GD_FRONT_FACTS_H
#define GD_FRONT_FACTS_H
/**
 * From a request to its facts.
 */
#include "front/front.h"
#include "plan/facts.h"

/** Fills facts, which borrow from the request. The ip is the peer's; when that is
 * trusted, it is the last address of the chain (all lines of the field, trusted->chain)
 * that is not trusted itself, or the first address when all are. What is no address ends
 * the search: the last good one counts. An address there may have a port, which is left
 * out. The request's body is there once on_request has run. */
void gd_facts_fill(struct gd_facts *facts, const struct gd_request *request,
                   const struct gd_trusted *trusted);

#endif
