#ifndef GD_PLAN_TICKETS_H
#define GD_PLAN_TICKETS_H
/**
 * The keys of TLS session tickets: one ring for all listeners and workers of a process,
 * so that a browser may resume its session wherever it comes back, also after a reload.
 *
 * A key serves for an hour, and opens what it has sealed for two more. Then it is wiped,
 * and what was recorded under it can no longer be read. Any thread may use a ring.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    GD_TICKETS_TURN_S = 3600, /* a new key */
    GD_TICKETS_KEYS = 3,
    GD_TICKETS_LIFETIME_S = (GD_TICKETS_KEYS - 1) * GD_TICKETS_TURN_S, /* of a session */
    GD_TICKETS_NAME_BYTES = 16,
};

struct gd_ticket_key {
    unsigned char name[GD_TICKETS_NAME_BYTES];
    unsigned char cipher[32], mac[32];
    uint64_t made_s;
};

struct gd_tickets;

/** Returns an empty ring with one reference. */
struct gd_tickets *gd_tickets_new(void);
struct gd_tickets *gd_tickets_ref(struct gd_tickets *tickets);

/** The last reference wipes and frees it. NULL is fine. */
void gd_tickets_unref(struct gd_tickets *tickets);

/** The key that seals now; a new one when that is due. now_s: of a clock that never goes
 *  back. False when the system has no random bytes. */
GD_MUST_CHECK bool gd_tickets_seal(struct gd_tickets *tickets, uint64_t now_s,
                                   struct gd_ticket_key *out);

/** The key of that name; *old: a newer one seals already. False when it is not, or no
 *  longer, known. */
GD_MUST_CHECK bool gd_tickets_open(struct gd_tickets *tickets, uint64_t now_s,
                                   const unsigned char name[GD_TICKETS_NAME_BYTES],
                                   struct gd_ticket_key *out, bool *old);

#endif
