#include "front/clients.h"

#include <assert.h>

#include "base/mem.h"

enum { CAP_MIN = 64 };

struct gd_clients_slot {
    struct gd_ip ip;
    unsigned count; /* 0: free */
};

void gd_clients_init(struct gd_clients *clients)
{
    *clients = (struct gd_clients){.key = gd_hash_key_of_process()};
}

void gd_clients_free(struct gd_clients *clients)
{
    gd_free(clients->slots);
    clients->slots = NULL;
    clients->cap = clients->count = 0;
}

struct gd_ip gd_clients_whole(const struct gd_ip *ip)
{
    bool ipv4 = ip->high == 0 && ip->low >> 32 == 0xffff;

    return ipv4 ? *ip : (struct gd_ip){.high = ip->high};
}

/* Where the client stands, or where it would. */
static unsigned slot_of(const struct gd_clients *clients, const struct gd_ip *ip)
{
    struct gd_span bytes = {(const char *)ip, sizeof(*ip)};
    unsigned at = (unsigned)gd_hash(clients->key, bytes) & (clients->cap - 1);

    while (clients->slots[at].count && (clients->slots[at].ip.high != ip->high ||
                                        clients->slots[at].ip.low != ip->low))
        at = (at + 1) & (clients->cap - 1);
    return at;
}

unsigned gd_clients_get(const struct gd_clients *clients, const struct gd_ip *whole)
{
    return clients->cap ? clients->slots[slot_of(clients, whole)].count : 0;
}

/* Half of the slots stay free, and not much more when many have left. */
static void resize(struct gd_clients *clients, unsigned cap)
{
    struct gd_clients from = *clients;

    clients->slots = gd_alloc_array(cap, sizeof(*clients->slots));
    clients->cap = cap;
    for (unsigned i = 0; i < from.cap; i++)
        if (from.slots[i].count)
            clients->slots[slot_of(clients, &from.slots[i].ip)] = from.slots[i];
    gd_free(from.slots);
}

void gd_clients_add(struct gd_clients *clients, const struct gd_ip *whole)
{
    struct gd_clients_slot *slot;

    if (clients->count * 2 >= clients->cap)
        resize(clients, clients->cap ? clients->cap * 2 : CAP_MIN);
    slot = &clients->slots[slot_of(clients, whole)];
    clients->count += slot->count == 0;
    slot->ip = *whole;
    slot->count++;
}

/* The ones behind move up, so that no search ends at the gap. */
static void close_gap(struct gd_clients *clients, unsigned gap)
{
    unsigned mask = clients->cap - 1;

    for (unsigned at = (gap + 1) & mask; clients->slots[at].count; at = (at + 1) & mask) {
        struct gd_clients_slot moving = clients->slots[at];

        clients->slots[at].count = 0;
        clients->slots[slot_of(clients, &moving.ip)] = moving;
    }
}

void gd_clients_remove(struct gd_clients *clients, const struct gd_ip *whole)
{
    unsigned at = slot_of(clients, whole);

    assert(clients->slots[at].count > 0);
    if (--clients->slots[at].count > 0)
        return;
    clients->count--;
    close_gap(clients, at);
    if (clients->cap > CAP_MIN && clients->count * 8 < clients->cap)
        resize(clients, clients->cap / 2);
}
