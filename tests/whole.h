#ifndef GD_TESTS_WHOLE_H
#define GD_TESTS_WHOLE_H
/**
 * A whole gateway in one thread: an engine, a scripted client and scripted upstreams, all
 * on one loop. What the client says and what upstreams answer are bytes, honest or not.
 */
#include <stdbool.h>

#include "base/bytes.h"
#include "base/stat.h"

struct whole;

enum { WHOLE_REPLIES_MAX = 8 };

struct whole_script {
    struct gd_span client;                     /* all that the client sends */
    unsigned piece;                            /* bytes it sends at once, 1 or more */
    struct gd_span replies[WHOLE_REPLIES_MAX]; /* to the first request that an upstream
                                                 gets, the second, … */
    unsigned reply_count;
    void (*turn)(
        bool inside);     /* told before and after the gateway's code runs; may be NULL */
    unsigned patience_ms; /* how long it waits for the first byte of an answer when
                             nothing moves */
    bool leaves;          /* the client closes when it has sent all, and reads nothing */
};

/** Starts one from YAML text whose upstreams all become the scripted one. Aborts when
 * that cannot be. */
struct whole *whole_new(const char *yaml);

/** Plays a script to its end: until the client has read all there is and left, and
 * nothing is in flight. An upstream that has nothing more to say closes. Returns the
 * bytes that the client has read, borrowed until the next call. false in *ended:
 * something is still in flight after 5 s. */
struct gd_span whole_play(struct whole *whole, const struct whole_script *script,
                          bool *ended);

/** What went wrong in the last play, NULL for nothing: a request to an upstream, or an
 *  answer to the client, that is not strict HTTP, or counters that are not back. */
const char *whole_complaint(const struct whole *whole);

/** The requests that upstreams got in the last play. */
unsigned whole_requests(const struct whole *whole);

struct gd_stats *whole_stats(struct whole *whole);

void whole_free(struct whole *whole);

#endif
