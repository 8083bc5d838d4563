#include "upstream/slots.h"

#include <string.h>

/* Its index among the wanted, or -1. */
static int find(struct gd_site *const *wanted, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (wanted[i] && strcmp(wanted[i]->name, name) == 0)
            return (int)i;
    return -1;
}

static void vacate(struct gd_slot *slot, uint64_t turn)
{
    gd_site_unref(slot->last);
    slot->last = slot->site;
    slot->site = NULL;
    slot->freed = turn;
}

static struct gd_slot *longest_free(struct gd_slot *slots, unsigned count)
{
    struct gd_slot *found = NULL;

    for (unsigned i = 0; i < count; i++)
        if (slots[i].site == NULL && (found == NULL || slots[i].freed < found->freed))
            found = &slots[i];
    return found;
}

/* Keeps the slots of those that are still wanted, which are taken out of the list. */
static void keep(struct gd_slot *slots, unsigned slot_count, struct gd_site **wanted,
                 unsigned wanted_count, uint64_t turn, bool *changed)
{
    for (unsigned i = 0; i < slot_count; i++) {
        struct gd_slot *slot = &slots[i];
        int at = slot->site ? find(wanted, wanted_count, slot->site->name) : -1;

        changed[i] = false;
        if (at >= 0) {
            changed[i] = !gd_site_equal(slot->site, wanted[at]);
            gd_site_unref(slot->site);
            slot->site = wanted[at];
            wanted[at] = NULL;
        } else if (slot->site) {
            vacate(slot, turn);
            changed[i] = true;
        }
    }
}

unsigned gd_slots_assign(struct gd_slot *slots, unsigned slot_count,
                         struct gd_site **wanted, unsigned wanted_count, uint64_t turn,
                         bool *changed)
{
    unsigned left_out = 0;

    keep(slots, slot_count, wanted, wanted_count, turn, changed);
    for (unsigned i = 0; i < wanted_count; i++) {
        struct gd_slot *slot;

        if (wanted[i] == NULL)
            continue;
        slot = longest_free(slots, slot_count);
        if (slot) {
            slot->site = wanted[i];
            changed[slot - slots] = true;
        } else {
            gd_site_unref(wanted[i]);
            left_out++;
        }
        wanted[i] = NULL;
    }
    return left_out;
}

void gd_slots_clear(struct gd_slot *slots, unsigned slot_count)
{
    for (unsigned i = 0; i < slot_count; i++) {
        gd_site_unref(slots[i].site);
        gd_site_unref(slots[i].last);
        slots[i] = (struct gd_slot){.site = NULL};
    }
}
