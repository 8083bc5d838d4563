#ifndef GD_PLAN_FACTS_H
#define GD_PLAN_FACTS_H
/**
 * What is known of a browser's request: as placeholders and conditions see it, and as it
 * is passed on to upstreams.
 */
#include "http/forwarded.h"
#include "http/head.h"

/** All borrowed, for as long as the request lives. */
struct gd_facts {
    struct gd_span id;     /* X-Request-Id */
    struct gd_span peer;   /* the address that is connected, or "unix" */
    struct gd_span ip;     /* of the client, seen through trusted proxies */
    struct gd_span method; /* as sent */
    struct gd_span path;   /* canonical */
    struct gd_span host;   /* as sent, with its port; "" without one */
    struct gd_span query;  /* as sent, checked; ptr NULL: none */
    struct gd_span body;   /* complete; ptr NULL: none */
    const struct gd_fields *fields;
    bool trusted;              /* the peer is one of trusted_proxies */
    bool secure;               /* the connection came by TLS */
    enum gd_chain_field chain; /* what trusted proxies write */
};

#endif
