#ifndef GD_NET_RESOLVE_H
#define GD_NET_RESOLVE_H
/**
 * Looking names up, without a thread and without blocking: addresses and services, with
 * how long they are valid. Only this module (with net/found.c) knows the library that
 * asks nameservers.
 *
 * Nothing is remembered between lookups; whoever asks keeps the answer
 * (upstream/names.h).
 */
#include "base/loop.h"
#include "net/address.h"

/** A resolver's nameservers are those of the plan, else those of /etc/resolv.conf as it
 *  was at the start. */
struct gd_resolver;

/** One lookup that is on its way. */
struct gd_lookup;

enum {
    GD_FOUND_MAX = 64,      /* what is taken of one answer */
    GD_HOST_MAX = 256,      /* bytes of a name, its end included */
    GD_HOSTS_TTL_MS = 5000, /* what /etc/hosts says is valid that long */
};

enum gd_answer {
    GD_ANSWER_FOUND,
    GD_ANSWER_NONE,   /* there is nothing: said by somebody who has to know */
    GD_ANSWER_FAILED, /* nobody knows */
};

/** A target of a service. */
struct gd_service {
    char host[GD_HOST_MAX];
    uint16_t port, priority, weight;
};

/** What was found of one kind. */
struct gd_found {
    enum gd_answer answer;
    const char *why;              /* constant text, unless FOUND */
    uint32_t ttl_ms;              /* when FOUND */
    unsigned count;               /* when FOUND: at least 1 */
    unsigned left_out;            /* more than GD_FOUND_MAX */
    struct gd_address *addresses; /* with port 0 */
    struct gd_service *services;
};

/** Runs once, from the loop, never inside the start, and at the plan's timeout at the
 *  latest. found, borrowed until it returns: IPv6 and IPv4 addresses, or services and
 *  nothing. */
typedef void gd_on_found(void *arg, const struct gd_found found[2]);

/** Returns owned, NULL with err. plan: borrowed for the call. */
struct gd_resolver *gd_resolver_new(struct gd_loop *loop,
                                    const struct gd_plan_resolver *plan,
                                    struct gd_err *err);

/** Cancels what is on its way and frees. NULL is fine. */
void gd_resolver_free(struct gd_resolver *resolver);

/** Asks for the addresses of a name: in /etc/hosts, then A and AAAA. The lookup frees
 *  itself when on_found has run. */
struct gd_lookup *gd_resolve_host(struct gd_resolver *resolver, const char *name,
                                  gd_on_found *on_found, void *arg);

/** Asks for the SRV records of a service. */
struct gd_lookup *gd_resolve_service(struct gd_resolver *resolver, const char *name,
                                     gd_on_found *on_found, void *arg);

/** on_found does not run. NULL is fine. */
void gd_lookup_cancel(struct gd_lookup *lookup);

#endif
