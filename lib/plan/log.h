#ifndef GD_PLAN_LOG_H
#define GD_PLAN_LOG_H
/**
 * What a configuration says about logs.
 */
#include "base/bytes.h"
#include "base/log.h"
#include "base/log_out.h"

/** What is known of a request when it has ended, X(id, name, what it is). The names are
 *  the members of a JSON line and the placeholders of a format. */
#define GD_LOG_FIELD_ROWS(X)                                                             \
    X(TIME, "time", "when its head was complete (UTC, milliseconds)")                    \
    X(ID, "id", "its `X-Request-Id`")                                                    \
    X(IP, "ip", "the client's address, past trusted proxies")                            \
    X(PEER, "peer", "the address that is connected")                                     \
    X(METHOD, "method", "its method")                                                    \
    X(HOST, "host", "its host")                                                          \
    X(PATH, "path", "its path")                                                          \
    X(QUERY, "query", "its query; JSON lines have it with `query: true` only")           \
    X(ROUTE, "route", "the route's pattern; empty when none took it")                    \
    X(STATUS, "status", "the answer's status; 499 when the client left before it")       \
    X(END, "end", "answered, refused, gone, stalled or aborted")                         \
    X(IN, "in", "bytes of head and body that came")                                      \
    X(OUT, "out", "bytes of the answer that were taken by the system")                   \
    X(MS, "ms", "milliseconds from its head to the last byte of its answer")             \
    X(CALLS, "calls", "what became of its calls")

enum gd_log_field {
#define X(id, name, help) GD_LOG_FIELD_##id,
    GD_LOG_FIELD_ROWS(X)
#undef X
        GD_LOG_FIELDS
};

enum { GD_LOG_HEADERS_MAX = 16 };

/** A piece of a format: text, a header field of the request, or what is in `field`. */
struct gd_log_piece {
    struct gd_span text; /* ptr NULL: not a text */
    unsigned header;     /* its place in headers, plus one; 0: none */
    enum gd_log_field field;
};

struct gd_plan_access_log {
    struct gd_log_place place;         /* OFF: there is none */
    const struct gd_log_piece *pieces; /* of a format; NULL: JSON */
    unsigned piece_count;
    const struct gd_span *headers; /* fields of requests that are written, lower case */
    unsigned header_count;
    bool query;
    double sample; /* share of successes that is written */
    size_t buffer; /* bytes of requests that may wait to be written, per worker */
};

struct gd_plan_log {
    struct gd_log_place error_place;
    enum gd_log_level levels[GD_LOG_AREAS];
    struct gd_plan_access_log access;
    uint64_t slow_us; /* a request that takes as long is slow */
    unsigned recent;  /* slow ones, and failed ones, that are remembered, per worker */
};

/** What one route says. */
struct gd_plan_route_log {
    bool off;
    double sample;
};

#endif
