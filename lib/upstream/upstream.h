#ifndef GD_UPSTREAM_UPSTREAM_H
#define GD_UPSTREAM_UPSTREAM_H
/**
 * The upstreams of one worker: servers, their pools, and leasing a session.
 *
 *   upstream ──< server ── pool ──< session (one connection)
 *
 * A caller leases a session, runs one exchange on it (upstream/exchange.h) and returns
 * it. The pool owns sessions; a lease is owned by the caller and returned exactly once.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"
#include "base/loop.h"
#include "base/stat.h"
#include "net/address.h"
#include "plan/plan.h"

struct gd_jar;
struct gd_session;
struct gd_server;
struct gd_site;
struct gd_upstream;
struct gd_upstreams;
struct gd_values;

/** The first sessions that pool.min asks for, of all upstreams that are given it; they
 * are opened from the loop. Zeroed but for the loop; has to outlive the upstreams. */
struct gd_warming {
    struct gd_loop *loop;
    unsigned left; /* private: servers whose first sessions are not there yet */
    void (*on_warm)(void *arg);
    void *arg;
    struct gd_work work;
};

/** on_warm(arg) runs once, from the loop, when they are there or could not be had, which
 *  takes connect_timeout at most. */
void gd_warming_await(struct gd_warming *warming, void (*on_warm)(void *arg), void *arg);

/** What is shared by the upstreams of one engine; all borrowed. */
struct gd_upstream_context {
    struct gd_loop *loop;
    struct gd_stats *stats;
    /* Addresses of all servers of the plan by index. An entry with len 0 has none until
     * gd_upstreams_place says so; its calls fail with `connect`. */
    const struct gd_address *addresses;
    /* Where those are that follow names, by index; NULL: none does, or of an entry: it is
     * nowhere yet. */
    struct gd_site *const *sites;
    struct gd_warming *warming; /* NULL: nobody waits for the first sessions */
};

/** Returns owned: the runtime side of all upstreams of plan (reference kept). addresses
 * of context: copied. */
struct gd_upstreams *gd_upstreams_new(const struct gd_upstream_context *context,
                                      struct gd_plan *plan);

/** A server of upstream `index` whose address comes from a name is at site from now on
 *  (a reference is kept); NULL: nowhere. Sessions that lead elsewhere are closed when
 * they are idle; leases go on. */
void gd_upstreams_place(struct gd_upstreams *upstreams, unsigned index, unsigned server,
                        struct gd_site *site);

/** Returns owned: those of the next plan. kept, for each of its upstreams: its index in
 *  the plan before, of which it says the very same, or -1. Such a one goes on as it is,
 *  with its sessions, cookies and what is thought of its servers, for both plans; only
 *  its addresses are those of context. The stats of context are made with
 *  gd_stats_next. */
struct gd_upstreams *gd_upstreams_next(struct gd_upstreams *before,
                                       const struct gd_upstream_context *context,
                                       struct gd_plan *plan, const int *kept);

/** Closes idle sessions and frees, but what the next ones go on with. No lease of these
 *  may be out or waiting. Not from a callback of theirs. */
void gd_upstreams_free(struct gd_upstreams *upstreams);

/** Lets a server have no new requests, whatever the others are like, or has it back. Its
 *  idle sessions are closed; those in use are when they are returned, and leases that
 * wait for one already get it. While all servers of an upstream are drained there is no
 * lease for it. False when there is no server of these names (as /status has them). */
bool gd_upstreams_drain(struct gd_upstreams *upstreams, const char *upstream,
                        const char *server, bool drained);

/** A wish for a session, embedded in the caller; zero it once, reuse it freely. */
struct gd_lease {
    struct gd_session *session; /* set while leased */
    struct gd_server *server;   /* private */
    bool reused;                /* the session was in the pool, and may have gone stale */
    uint64_t dial_us; /* loop time: a connection was begun for it; 0: none was */
    /* what is wished for, set before it is asked, or zero */
    uint64_t key;                  /* of gd_upstream_key */
    const struct gd_server *avoid; /* of the try before: another one is preferred */
    bool elsewhere;                /* … or else none */
    bool may_fail;                 /* the request would be sent again elsewhere */
    void (*on_ready)(void *arg, enum gd_failure failure);
    void *arg;
    struct gd_upstream *upstream; /* private: set while it counts there */
    bool trial;                   /* private: it tries a server that was taken out */
    /* private: the connection opened for it, the queue of a pool, the deferred outcome */
    struct gd_session *dial;
    struct gd_lease *next, *prev;
    struct gd_work outcome;
    struct gd_timer deadline;
    enum gd_failure failure;
    bool fresh;
    uint8_t state;
};

enum gd_lease_result {
    GD_LEASE_READY, /* lease->session is there; on_ready will not run */
    GD_LEASE_WAIT, /* on_ready(arg, GD_OK) with the session set, or a failure, comes later
                    */
    GD_LEASE_FULL, /* a bound is reached, or all servers are drained: failure `overload`;
                      on_ready will not run */
};

/**
 * Asks upstream `index` for a session. Picks a server by the balance policy, then takes
 * the newest idle session, dials, or queues (at most connect_timeout for a dial, and at
 * most the upstream's timeout in the queue: failures connect or tls, timeout, and
 * overload respectively). fresh: never a pooled session. on_ready runs once, from the
 * loop, never inside this call.
 */
enum gd_lease_result
gd_upstream_lease(struct gd_upstreams *upstreams, unsigned index, bool fresh,
                  struct gd_lease *lease,
                  void (*on_ready)(void *arg, enum gd_failure failure), void *arg);

/** The key of the balance `hash` (upstream->hash_key is set), 0 when its placeholders
 * have no value. scratch: overwritten. */
uint64_t gd_upstream_key(const struct gd_plan_upstream *upstream,
                         const struct gd_values *values, struct gd_buf *scratch);

/** Tells what became of the request on a leased session, before the lease ends: failure
 *  of its exchange, or its status. What says nothing about the server is not told. */
void gd_lease_judge(const struct gd_lease *lease, enum gd_failure failure, int status);

/** The server the lease was on asked to be left alone for so many seconds (bounded). */
void gd_lease_rest(const struct gd_lease *lease, uint64_t seconds);

/** Whether there is a server in good standing other than the one the lease was on. */
bool gd_upstream_has_other(const struct gd_upstreams *upstreams, unsigned index,
                           const struct gd_lease *lease);

/** Asks for a try beside the first. False: the budget is used up. True: it counts until
 *  gd_upstream_end_extra. */
bool gd_upstream_take_extra(struct gd_upstreams *upstreams, unsigned index);
void gd_upstream_end_extra(struct gd_upstreams *upstreams, unsigned index);

/** How long 95 of 100 calls take at most, from time to time, and never less than a few
 *  milliseconds; 0 before there have been 100. */
uint32_t gd_upstream_p95_ms(struct gd_upstreams *upstreams, unsigned index);

/** A random number to spread waits with. */
uint64_t gd_upstream_random(struct gd_upstreams *upstreams, unsigned index);

/** Withdraws a waiting lease, or returns a leased session. reusable: the exchange left
 * the connection clean and both sides allow another; else it is closed. Idempotent; after
 * it on_ready does not run. */
void gd_lease_end(struct gd_lease *lease, bool reusable);

/** The cookies of upstream `index`, borrowed; NULL without `cookies: on`. */
struct gd_jar *gd_upstream_jar(struct gd_upstreams *upstreams, unsigned index);

/** The plan's server the lease is on (for Host and the admin view); NULL before one is
 * picked. */
const struct gd_plan_server *gd_lease_server(const struct gd_lease *lease);

/** What people call the server the lease is or was on, by now; borrowed until the loop
 *  goes on. NULL before one is picked. */
const char *gd_lease_server_name(const struct gd_lease *lease);

#endif
