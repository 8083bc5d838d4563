#ifndef GD_PLAN_ROUTE_H
#define GD_PLAN_ROUTE_H
/**
 * The route tree: from method, host and canonical path to the most specific pattern.
 *
 * A pattern is `[METHOD ][HOST]/PATH` with literal segments, `{name}` (one segment, not
 * empty) and a last `{name...}` (the rest, possibly empty). At each segment a literal
 * wins over
 * `{x}` over `{x...}`; a pattern with host wins over one without. Two patterns that match
 * the same requests with the same right (same shape, method and host) are a conflict.
 * A match costs time in the length of the path, not in the number of routes.
 */
#include "base/arena.h"
#include "base/bytes.h"
#include "http/token.h"

enum { GD_PARAMS_MAX = 16 };

/** A pattern taken apart; spans are owned by the arena given to parse. */
struct gd_pattern {
    struct gd_span method_text; /* empty: any */
    enum gd_method method;
    struct gd_span host; /* lower case; empty: any */
    struct gd_span path; /* as written */
    struct gd_span params[GD_PARAMS_MAX];
    unsigned param_count;
    bool tail; /* the last param takes the rest */
};

/** Parses a route key. False with err: the sentence, without position. Literal segments
 *  are brought to canonical form (http/target.h), so that `/a%62` equals `/ab`. */
GD_MUST_CHECK bool gd_pattern_parse(struct gd_span text, struct gd_arena *arena,
                                    struct gd_pattern *out, struct gd_err *err);

struct gd_router;

/** Returns a router owned by the arena. */
struct gd_router *gd_router_new(struct gd_arena *arena);

/** Adds a pattern that stands for `index`. On a conflict false, and *other is the index
 * of the pattern that is in the way. */
GD_MUST_CHECK bool gd_router_add(struct gd_router *router,
                                 const struct gd_pattern *pattern, unsigned index,
                                 unsigned *other);

enum gd_match_result { GD_MATCH_FOUND, GD_MATCH_NONE, GD_MATCH_OTHER_METHOD };

struct gd_match {
    unsigned index;
    struct gd_span
        params[GD_PARAMS_MAX]; /* canonical, still percent-encoded; borrow from path */
    unsigned param_count;
    uint32_t allow; /* OTHER_METHOD: bits (1 << enum gd_method) of what would match */
};

/** Looks up. host: as sent, a port is ignored; path: canonical. HEAD falls back to GET.
 *  Precedence: the most specific path (and host) whose method fits. Backtracks where a
 * more literal branch fails deeper down. */
enum gd_match_result gd_router_match(const struct gd_router *router,
                                     enum gd_method method, struct gd_span method_text,
                                     struct gd_span host, struct gd_span path,
                                     struct gd_match *match);

#endif
