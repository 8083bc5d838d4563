#ifndef GD_PLAN_NETWORK_H
#define GD_PLAN_NETWORK_H
/**
 * IP addresses without a port, networks of them, and which of them are trusted.
 *
 * An IPv4 address and its IPv4-mapped IPv6 form (::ffff:192.0.2.1) are one and the same
 * here, so that it does not matter how a socket was opened.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "http/forwarded.h"

struct gd_ip {
    uint64_t high, low; /* the 128 bits; IPv4 in its mapped form */
};

enum { GD_IP_TEXT_MAX = INET6_ADDRSTRLEN };

void gd_ip_set4(struct gd_ip *ip, const struct in_addr *from);
void gd_ip_set6(struct gd_ip *ip, const struct in6_addr *from);

/** Reads `192.0.2.1` or `2001:db8::1` and nothing else: no port, brackets or zone. */
GD_MUST_CHECK bool gd_ip_parse(struct gd_span text, struct gd_ip *out);

/** Writes it as IPv4 when it is one; returns out. */
const char *gd_ip_text(const struct gd_ip *ip, char out[GD_IP_TEXT_MAX]);

struct gd_network {
    struct gd_ip ip, mask;
    bool ipv4;
};

/** Reads an address or `ADDRESS/BITS`. False with err: the sentence. */
GD_MUST_CHECK bool gd_network_parse(struct gd_span text, struct gd_network *out,
                                    struct gd_err *err);

/** Whose word about a client is taken. */
struct gd_trusted {
    const struct gd_network *networks;
    unsigned count;
    bool unix_peers;           /* whoever connects to a UNIX socket */
    enum gd_chain_field chain; /* what they write */
};

/** Whether the address is in one of the networks. An IPv6 network, ::/0 too, holds no
 *  IPv4 address. */
bool gd_trusted_has(const struct gd_trusted *trusted, const struct gd_ip *ip);

#endif
