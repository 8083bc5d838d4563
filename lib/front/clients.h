#ifndef GD_FRONT_CLIENTS_H
#define GD_FRONT_CLIENTS_H
/**
 * How many connections each client address has open. An address stands in the table only
 * while it has one, so the table is never larger than the connections there are, however
 * many addresses come by.
 */
#include "base/hash.h"
#include "plan/network.h"

struct gd_clients_slot;

/** Zeroed memory is an empty table, but for its key. */
struct gd_clients {
    struct gd_hash_key key;
    struct gd_clients_slot *slots;
    unsigned cap, count; /* cap is a power of two, or 0 */
};

void gd_clients_init(struct gd_clients *clients);
void gd_clients_free(struct gd_clients *clients);

/** What counts as one client: an IPv4 address, or a /64 network of IPv6. */
struct gd_ip gd_clients_whole(const struct gd_ip *ip);

/** Connections of that client. */
unsigned gd_clients_get(const struct gd_clients *clients, const struct gd_ip *whole);

/** One more; one less, of a client that has some. */
void gd_clients_add(struct gd_clients *clients, const struct gd_ip *whole);
void gd_clients_remove(struct gd_clients *clients, const struct gd_ip *whole);

#endif
