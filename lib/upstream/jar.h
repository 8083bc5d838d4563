#ifndef GD_UPSTREAM_JAR_H
#define GD_UPSTREAM_JAR_H
/**
 * The cookies of one upstream in one worker (RFC 6265): what its answers set, for the
 * calls that come later. Bounded in number and bytes; the ones not sent for the longest
 * time make room.
 *
 * The worker alone changes a jar. Another thread may look at it with gd_jar_each, which
 * takes the lock that the worker takes where it changes something.
 */
#include "base/bytes.h"
#include "http/head.h"

enum {
    GD_JAR_COOKIES = 64,
    GD_JAR_COOKIE_BYTES = 4096, /* name, value, domain and path of one */
    GD_JAR_BYTES = 16384,       /* of all: so much may stand in a request */
};

struct gd_jar;

struct gd_jar_cookie {
    struct gd_span name, value, domain, path;
    bool host_only; /* for the very host; else also for those below its domain */
    bool secure;
    bool persistent;
    int64_t expires_s; /* INT64_MAX for one that lasts as long as the session */
    /* private */
    struct gd_jar_cookie *next;
    uint64_t made, sent; /* numbers that grow */
};

/** Where a request goes. secure: over TLS. */
struct gd_jar_place {
    struct gd_span host; /* as in Host, without a port */
    struct gd_span path; /* without the query */
    bool secure;
};

/** Returns owned. stats: borrowed, the GD_UPSTREAM_… values of the upstream. */
struct gd_jar *gd_jar_new(uint64_t *stats);

/** NULL is fine. */
void gd_jar_free(struct gd_jar *jar);

/** Keeps what the Set-Cookie fields of an answer from place say; what is malformed, for
 *  somebody else, for a public suffix or too large is counted and ignored. Cookies handed
 *  out before are no longer valid. */
void gd_jar_store(struct gd_jar *jar, const struct gd_jar_place *place,
                  const struct gd_fields *fields, int64_t now_s);

/** The cookies for a request, longer paths and then older ones first: the one behind
 *  `after` (NULL: the first), NULL at the end. Returned borrowed. It counts as sent. */
const struct gd_jar_cookie *gd_jar_next(struct gd_jar *jar,
                                        const struct gd_jar_place *place, int64_t now_s,
                                        const struct gd_jar_cookie *after);

/** Shows all that have not expired, from any thread. fn must not call the jar. */
void gd_jar_each(struct gd_jar *jar, int64_t now_s,
                 void (*fn)(void *arg, const struct gd_jar_cookie *cookie), void *arg);

#endif
