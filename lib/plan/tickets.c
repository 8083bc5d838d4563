#include "plan/tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

struct gd_tickets {
    pthread_mutex_t lock;
    _Atomic unsigned refs;
    struct gd_ticket_key keys[GD_TICKETS_KEYS]; /* the newest first */
    unsigned count;
};

struct gd_tickets *gd_tickets_new(void)
{
    struct gd_tickets *tickets = gd_alloc(sizeof(*tickets));

    pthread_mutex_init(&tickets->lock, NULL);
    tickets->refs = 1;
    return tickets;
}

struct gd_tickets *gd_tickets_ref(struct gd_tickets *tickets)
{
    tickets->refs++;
    return tickets;
}

void gd_tickets_unref(struct gd_tickets *tickets)
{
    if (tickets == NULL || --tickets->refs > 0)
        return;
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
    gd_free(tickets);
}

static void wipe_old(struct gd_tickets *tickets, uint64_t now_s)
{
    while (tickets->count > 0) {
        struct gd_ticket_key *oldest = &tickets->keys[tickets->count - 1];

        if (now_s - oldest->made_s < GD_TICKETS_KEYS * GD_TICKETS_TURN_S)
            return;
        OPENSSL_cleanse(oldest, sizeof(*oldest));
        tickets->count--;
    }
}

static bool add_key(struct gd_tickets *tickets, uint64_t now_s)
{
    struct gd_ticket_key key = {.made_s = now_s};

    if (RAND_bytes(key.name, sizeof(key.name)) != 1 ||
        RAND_bytes(key.cipher, sizeof(key.cipher)) != 1 ||
        RAND_bytes(key.mac, sizeof(key.mac)) != 1)
        return false;
    if (tickets->count == GD_TICKETS_KEYS)
        tickets->count--;
    memmove(tickets->keys + 1, tickets->keys, tickets->count * sizeof(key));
    tickets->keys[0] = key;
    tickets->count++;
    OPENSSL_cleanse(&key, sizeof(key));
    return true;
}

bool gd_tickets_seal(struct gd_tickets *tickets, uint64_t now_s,
                     struct gd_ticket_key *out)
{
    bool ok = true;

    pthread_mutex_lock(&tickets->lock);
    wipe_old(tickets, now_s);
    if (tickets->count == 0 || now_s - tickets->keys[0].made_s >= GD_TICKETS_TURN_S)
        ok = add_key(tickets, now_s);
    if (ok)
        *out = tickets->keys[0];
    pthread_mutex_unlock(&tickets->lock);
    return ok;
}

bool gd_tickets_open(struct gd_tickets *tickets, uint64_t now_s,
                     const unsigned char name[GD_TICKETS_NAME_BYTES],
                     struct gd_ticket_key *out, bool *old)
{
    bool found = false;

    pthread_mutex_lock(&tickets->lock);
    wipe_old(tickets, now_s);
    for (unsigned i = 0; i < tickets->count && !found; i++) {
        found = memcmp(tickets->keys[i].name, name, GD_TICKETS_NAME_BYTES) == 0;
        if (found) {
            *out = tickets->keys[i];
            *old = i > 0 || now_s - out->made_s >= GD_TICKETS_TURN_S;
        }
    }
    pthread_mutex_unlock(&tickets->lock);
    return found;
}
