#ifndef GD_PLAN_UPSTREAM_H
#define GD_PLAN_UPSTREAM_H
/**
 * An upstream as it stands in the plan. Part of plan/plan.h, whose rules hold here too.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "plan/statuses.h"

struct gd_plan_mock;
struct gd_plan_server;
struct gd_plan_tls;
struct gd_template;

enum gd_balance {
    GD_BALANCE_ROUND_ROBIN,
    GD_BALANCE_LEAST_PENDING,
    GD_BALANCE_RANDOM_TWO,
    GD_BALANCE_HASH,
};

/** What is spoken to its servers; in the order of the words of the option's row. */
enum gd_plan_http {
    GD_HTTP_1,    /* HTTP/1.1 */
    GD_HTTP_2,    /* HTTP/2; without TLS by prior knowledge */
    GD_HTTP_AUTO, /* what the server chooses by ALPN; without TLS HTTP/1.1 */
};

/** As it is written: `1.1`, `2`, `auto`. */
const char *gd_plan_http_word(enum gd_plan_http http);

struct gd_plan_pool {
    uint32_t min, max, idle, queue, max_requests;
    uint32_t streams; /* requests at once on a connection that speaks HTTP/2 */
    uint32_t idle_timeout_ms;
    uint32_t ping_ms; /* how long such a connection may be silent */
    uint64_t max_age_ms;
};

/** When a server is taken out. */
struct gd_plan_eject {
    uint32_t errors; /* in a row; 0: never */
    uint32_t for_ms; /* the first time; longer when it repeats */
    double max;      /* of the servers, 0 to 1 */
};

/** When a request is sent again. */
struct gd_plan_retry {
    uint32_t tries;    /* beside the first; 0: never */
    double budget;     /* further tries for each call, 0 to 1 */
    uint32_t failures; /* bits of enum gd_failure */
    uint32_t methods;  /* bits of enum gd_method */
    struct gd_statuses statuses;
};

/** When a second request is sent before the first has been answered. */
struct gd_plan_hedge {
    enum { GD_HEDGE_OFF, GD_HEDGE_AFTER, GD_HEDGE_P95 } kind;
    uint32_t after_ms;
};

/** Requests that ask a server how it is. */
struct gd_plan_health {
    struct gd_span target; /* path and query; ptr NULL: none are made */
    uint32_t every_ms, timeout_ms;
    uint32_t up, down; /* checks in a row that change what is thought of it */
};

enum { GD_DIGEST_BYTES = 32 };

/** How names are looked up. */
struct gd_plan_resolver {
    const char *servers; /* `ADDRESS:PORT` with commas between; NULL: the system's */
    uint32_t timeout_ms; /* of one lookup, all tries included */
    uint32_t tries;
    uint32_t min_ttl_ms, max_ttl_ms; /* how soon and how late a name is looked up again */
};

/** Where an upstream's servers come from. */
enum gd_discovery {
    GD_DISCOVERY_NONE, /* they are listed */
    GD_DISCOVERY_DNS,  /* each address of a name is one */
    GD_DISCOVERY_SRV,  /* each target of a service is one */
};

/** How many servers a name can stand for: the plan has room for so many. */
enum { GD_SLOTS = 64 };

struct gd_plan_upstream {
    unsigned index;
    const char *name;
    unsigned char digest[GD_DIGEST_BYTES]; /* of all the file says of it (digest.h) */
    struct gd_plan_server *servers; /* a mock has one, whose port its listener decides */
    unsigned server_count;
    enum gd_discovery discovery;
    const char *discovered; /* the name, when there is discovery; servers are GD_SLOTS
                               slots then, which say all but the address */
    enum gd_plan_http http;
    enum gd_balance balance;
    const struct gd_template *hash_key; /* of that balance; else NULL */
    uint32_t timeout_ms;                /* one try, from lease to last byte */
    uint32_t connect_timeout_ms;
    struct gd_plan_pool pool; /* per server and worker */
    uint32_t max_in_flight;   /* of all servers, per worker; 0: no bound */
    struct gd_plan_eject eject;
    struct gd_plan_retry retry;
    struct gd_plan_hedge hedge;
    struct gd_plan_health health;
    size_t max_response;
    struct gd_span deadline_field;   /* its name; ptr NULL: none */
    bool cookies;                    /* calls have a jar */
    bool accept_encoding;            /* answers to calls may come in a content coding */
    struct gd_span header_lines;     /* rendered `headers`, each with its CRLF */
    const struct gd_plan_tls *tls;   /* NULL: none of the servers is https */
    const struct gd_plan_mock *mock; /* NULL: real servers */
    struct gd_span written;          /* see effective.h */
};

#endif
