#ifndef GD_NET_ADDRESS_H
#define GD_NET_ADDRESS_H
/**
 * Socket addresses, and turning a plan's text into them.
 */
#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "plan/plan.h"

struct gd_address {
    struct sockaddr_storage sa;
    socklen_t len;
};

enum { GD_ADDRESS_TEXT_MAX = 128 };

/** Resolves a name or literal into at most `max` addresses, blocking; for start-up only.
 *  Returns their number, 0 with err when there is none. An empty host or "::" gives the
 * IPv6 wildcard. */
unsigned gd_address_resolve(const struct gd_plan_address *from, struct gd_address *out,
                            unsigned max, struct gd_err *err);

/** The address that a plan's text is, without any lookup; false, with len 0, when it is a
 *  name. */
bool gd_address_literal(const struct gd_plan_address *from, struct gd_address *out);

/** Sets the TCP port. */
void gd_address_set_port(struct gd_address *address, uint16_t port);

/** Writes `127.0.0.1:80`, `[::1]:80` or `unix:/path`; returns out. */
const char *gd_address_text(const struct gd_address *address,
                            char out[GD_ADDRESS_TEXT_MAX]);

/** The IP address, an IPv4 peer of a dual-stack listener as IPv4; false for unix. */
bool gd_address_ip(const struct gd_address *address, struct gd_ip *out);

/** The TCP port in host order; 0 for unix. */
uint16_t gd_address_port(const struct gd_address *address);

#endif
