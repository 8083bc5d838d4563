#ifndef GD_HTTP_PROXY_H
#define GD_HTTP_PROXY_H
/**
 * The header of the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt):
 * what a load balancer says about a connection in front of its first byte.
 */
#include <stdint.h>

#include "base/bytes.h"

enum {
    GD_PROXY_LINE_MAX_BYTES = 107, /* of version 1, its line end included */
    GD_PROXY_MAX_BYTES = 4096,     /* of version 2, its options included */
};

struct gd_proxy {
    size_t bytes; /* of the header; what comes behind them belongs to the client */
    enum {
        GD_PROXY_OWN, /* the balancer speaks for itself, or does not know for whom */
        GD_PROXY_IPV4,
        GD_PROXY_IPV6,
        GD_PROXY_UNIX, /* a client on the balancer's machine */
    } source;
    unsigned char address[16]; /* of the client, 4 or 16 bytes in network order */
    uint16_t port;
    bool tls; /* it has come to the balancer by TLS */
};

enum gd_proxy_result { GD_PROXY_MORE, GD_PROXY_DONE, GD_PROXY_BAD };

/** Reads a header from the first bytes of a connection; *out is set with DONE. MORE: all
 *  of bytes belong to it, and it goes on. BAD: there is none, it is malformed, for
 *  datagrams, or longer than the bounds. */
enum gd_proxy_result gd_proxy_parse(struct gd_span bytes, struct gd_proxy *out);

#endif
