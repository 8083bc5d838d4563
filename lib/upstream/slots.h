#ifndef GD_UPSTREAM_SLOTS_H
#define GD_UPSTREAM_SLOTS_H
/**
 * Which server of an upstream stands for which of the addresses its name has now. Pure.
 *
 * An address keeps its slot as long as it is there, so that its sessions, counters and
 * standing stay its own; a new one takes the slot that has been free for the longest
 * time.
 */
#include "upstream/site.h"

/** A place for one server. */
struct gd_slot {
    struct gd_site *site; /* a reference; NULL: free */
    struct gd_site *last; /* a reference: what was here before it got free, or NULL */
    uint64_t freed;       /* when, as a number that grows; 0: never used */
};

/** Gives each of the wanted sites (references taken; names differ) a slot, and frees
 *  those of others. changed[i] is set where slot i has another site now. Returns how
 *  many had no room; the first ones have the most right to it. turn: grows with each
 *  call. */
unsigned gd_slots_assign(struct gd_slot *slots, unsigned slot_count,
                         struct gd_site **wanted, unsigned wanted_count, uint64_t turn,
                         bool *changed);

/** Drops all references. */
void gd_slots_clear(struct gd_slot *slots, unsigned slot_count);

#endif
