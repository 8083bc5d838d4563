#ifndef GD_GATHER_FORWARD_H
#define GD_GATHER_FORWARD_H
/**
 * What every upstream request says about the client's: X-Request-Id, X-Forwarded-For,
 * -Proto and -Host, and Trace Context (W3C, level 1).
 *
 * A trusted peer's own words are kept where they are valid: its chain is extended by its
 * address, its proto and host stand, its trace goes on. Of anybody else nothing is
 * believed: the chain begins with the peer, and a new trace begins that is not sampled.
 *
 * The lines are made once a request and copied for each upstream request; only the parent
 * id of traceparent is a new one each time.
 */
#include "base/arena.h"
#include "base/ids.h"
#include "plan/facts.h"

/** What the requests of one engine share. */
struct gd_forwarder {
    struct gd_ids ids;
    struct gd_buf lines, value; /* while they are put together */
};

/** False with err when the system has no random bytes. */
GD_MUST_CHECK bool gd_forwarder_init(struct gd_forwarder *forwarder, struct gd_err *err);

/** Also of a zeroed one. */
void gd_forwarder_free(struct gd_forwarder *forwarder);

/** Those of one request. */
struct gd_forward;

/** Makes the lines. forwarder: kept; facts: borrowed. Returns what the arena owns; NULL
 *  when it is at its bound. */
struct gd_forward *gd_forward_new(struct gd_forwarder *forwarder,
                                  const struct gd_facts *facts, struct gd_arena *arena);

/** Appends all lines, each with its CRLF; false at the buffer's bound. */
GD_MUST_CHECK bool gd_forward_write(struct gd_buf *out, struct gd_forward *forward);

#endif
