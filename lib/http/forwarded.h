#ifndef GD_HTTP_FORWARDED_H
#define GD_HTTP_FORWARDED_H
/**
 * What a proxy says about a request that it passes on, as text: X-Forwarded-For, ids,
 * and Trace Context (W3C, level 1). Only its form is judged here. Whether the proxy is
 * believed at all is decided before.
 */
#include "http/head.h"

/** Whether a client's own field never passes, for it says what only gatherd and proxies
 * can know: X-Request-Id, X-Forwarded-*, Forwarded, traceparent, tracestate. */
bool gd_is_forwarding_field(struct gd_span name);

/** 1 to 128 letters, digits, dots, underscores and hyphens. */
bool gd_is_request_id(struct gd_span text);

enum {
    GD_CHAIN_HOPS_MAX = 64,     /* of a chain, counted from its end */
    GD_CHAIN_HOP_MAX_BYTES = 64 /* of one element */
};

/** Which field tells of the proxies on the way: that of X-Forwarded-For, or Forwarded
 *  (RFC 7239). A proxy that writes the one passes on what a client says in the other, so
 *  only one of them can be believed. */
enum gd_chain_field { GD_CHAIN_X_FORWARDED_FOR, GD_CHAIN_FORWARDED };

/** A walk through it, all its lines, from the last element to the first. */
struct gd_chain {
    const struct gd_fields *fields; /* borrowed */
    enum gd_chain_field field;
    unsigned left;       /* fields not looked at yet */
    struct gd_span rest; /* of the line at hand */
    unsigned hops;       /* so far */
};

void gd_chain_begin(struct gd_chain *chain, const struct gd_fields *fields,
                    enum gd_chain_field field);

/** Takes the next element. False at the beginning of the chain, after GD_CHAIN_HOPS_MAX
 *  elements, and at one that is not made of letters, digits and `.:[]_-`: what is before
 *  it could be anything. Of Forwarded the hop is the value of `for`, and an element
 *  without one, or that is malformed, ends the walk as well. */
bool gd_chain_step(struct gd_chain *chain, struct gd_span *hop);

/** What the last element of Forwarded, which the proxy has written that is connected,
 * says of `proto`, `host` or `by`; ptr NULL: nothing, or it is malformed. */
struct gd_span gd_forwarded_last(const struct gd_fields *fields, struct gd_span name);

/** What traceparent says. */
struct gd_trace {
    char id[32]; /* hex digits, not all of them 0 */
    bool sampled;
};

/** Reads a traceparent of version 00, or the part of it that later versions have. Flags
 *  other than `sampled` are not passed on (Trace Context 3.2.2.5). */
GD_MUST_CHECK bool gd_traceparent_read(struct gd_span value, struct gd_trace *out);

enum { GD_TRACESTATE_MAX_BYTES = 512 };

/** Appends the members of tracestate, all its lines, as one list. False, and out as it
 *  was, when there are none, one is malformed, or they are more than 32 or longer than
 *  GD_TRACESTATE_MAX_BYTES together. */
GD_MUST_CHECK bool gd_tracestate_write(struct gd_buf *out,
                                       const struct gd_fields *fields);

#endif
