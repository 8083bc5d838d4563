#ifndef GD_NET_FOUND_H
#define GD_NET_FOUND_H
/**
 * Reading the answers of nameservers. Private to net/resolve.c; statuses are those of the
 * library.
 */
#include "net/resolve.h"

/** Nothing was found, as the status says. */
void gd_found_fail(struct gd_found *found, int status);

/** Adds an address (4 or 16 bytes) that is not there yet. */
void gd_found_add(struct gd_found *found, int family, const void *bytes);

/** Adds what an answer to a question for ns_t_a or ns_t_aaaa has, and lowers ttl_ms to
 * it. Returns a status. */
int gd_found_read_addresses(int type, const unsigned char *bytes, int len,
                            struct gd_found *found);

/** The same for ns_t_srv. */
int gd_found_read_services(const unsigned char *bytes, int len, struct gd_found *found);

#endif
