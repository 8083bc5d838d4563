#ifndef GD_PLAN_ROUTE_H
#define GD_PLAN_ROUTE_H
/**
 * The route tree: from method, host and canonical path to the most specific pattern.
 *
 * A pattern is `[METHOD ][HOST]/PATH` with literal segments, `{name}` (one segment, not
 * empty) and a last `{name...}` (the rest, possibly empty: `/files/{rest...}` takes
 * `/files/` and not `/files`). At each segment a literal wins over `{x}` over `{x...}`; a
 * pattern with host wins over one without. Two patterns that match the same requests with
 * the same right (same shape, method and host) are a conflict.
 *
 * Cost: a match is linear in the path plus the tree nodes it visits. Literal children are
 * found by hash, so their number doesn't count. Where a literal and a `{x}` sibling both
 * fit, the second is tried when the first fails deeper down; since the tree has no
 * shared nodes and at most GD_SEGMENTS_MAX levels, no node is visited twice, whatever
 * path a client makes up.
 */
#include "base/arena.h"
#include "base/bytes.h"
#include "http/token.h"

enum { GD_PARAMS_MAX = 16, GD_SEGMENTS_MAX = 64 };

/** A pattern taken apart; spans are owned by the arena given to parse. */
struct gd_pattern {
    struct gd_span method_text; /* empty: any */
    enum gd_method method;
    struct gd_span host; /* lower case, IPv6 in brackets; empty: any */
    struct gd_span path; /* literals in canonical form, placeholders as written */
    struct gd_span params[GD_PARAMS_MAX]; /* names */
    unsigned param_count;
    bool tail; /* the last param takes the rest */
};

/** Parses a route key. False with err: the sentence, without position. Literal segments
 *  are brought to canonical form (http/target.h), so that `/a%62` equals `/ab`; text that
 *  is not ASCII may be written as it is. */
GD_MUST_CHECK bool gd_pattern_parse(struct gd_span text, struct gd_arena *arena,
                                    struct gd_pattern *out, struct gd_err *err);

struct gd_router;

enum { GD_HOST_MAX = 256 }; /* bytes of a host that patterns are looked up by */

/** A host as patterns have it, of one as sent: lower case, without port and final dot.
 *  room: GD_HOST_MAX bytes for it. ptr NULL when it is too long to be one of theirs. */
struct gd_span gd_router_host(struct gd_span host, char *room);

/** Returns a router owned by the arena; NULL past the arena's bound. */
struct gd_router *gd_router_new(struct gd_arena *arena);

/** Adds a pattern (kept: its spans must live as long as the router) that stands for
 *  `index`. On a conflict false, and *other is the index of the pattern that is in the
 *  way; UINT_MAX when the arena's bound was met. */
GD_MUST_CHECK bool gd_router_add(struct gd_router *router,
                                 const struct gd_pattern *pattern, unsigned index,
                                 unsigned *other);

enum gd_match_result { GD_MATCH_FOUND, GD_MATCH_NONE, GD_MATCH_OTHER_METHOD };

struct gd_match {
    unsigned index;
    /* canonical, still percent-encoded; borrow from path */
    struct gd_span params[GD_PARAMS_MAX];
    unsigned param_count;
    uint32_t allow; /* OTHER_METHOD: bits (1 << enum gd_method) of what would match; the
                       bit of OTHER says that there are extension methods as well */
    unsigned steps; /* nodes and table slots looked at: what the match cost */
};

/** Looks up. host: as sent, a port is ignored, so is case; path: canonical. HEAD falls
 *  back to GET. Precedence: the most specific path (and host) whose method fits; at equal
 *  paths a pattern with the method wins over one for any. Allocates nothing. */
enum gd_match_result gd_router_match(const struct gd_router *router,
                                     enum gd_method method, struct gd_span method_text,
                                     struct gd_span host, struct gd_span path,
                                     struct gd_match *match);

#endif
