/* The ring of keys for TLS tickets. */
#include "suite.h"

#include <string.h>

#include "plan/tickets.h"

static bool opens(struct gd_tickets *tickets, uint64_t now_s,
                  const struct gd_ticket_key *key, bool *old)
{
    struct gd_ticket_key found;

    if (!gd_tickets_open(tickets, now_s, key->name, &found, old))
        return false;
    ck_assert_mem_eq(found.cipher, key->cipher, sizeof(key->cipher));
    ck_assert_mem_eq(found.mac, key->mac, sizeof(key->mac));
    return true;
}

START_TEST(a_key_seals_for_an_hour_and_opens_for_three)
{
    struct gd_tickets *tickets = gd_tickets_new();
    struct gd_ticket_key first, key;
    bool old;

    ck_assert(gd_tickets_seal(tickets, 1000, &first));
    ck_assert(gd_tickets_seal(tickets, 4599, &key));
    ck_assert_mem_eq(key.name, first.name, sizeof(key.name));
    ck_assert(opens(tickets, 4599, &first, &old) && !old);
    ck_assert(gd_tickets_seal(tickets, 4600, &key));
    ck_assert_mem_ne(key.name, first.name, sizeof(key.name));
    ck_assert_mem_ne(key.cipher, first.cipher, sizeof(key.cipher));
    ck_assert(opens(tickets, 4600, &first, &old) && old);
    ck_assert(opens(tickets, 4600, &key, &old) && !old);
    ck_assert(opens(tickets, 1000 + 3 * 3600 - 1, &first, &old) && old);
    ck_assert(!opens(tickets, 1000 + 3 * 3600, &first, &old));
    ck_assert(opens(tickets, 1000 + 3 * 3600, &key, &old) && old);
    gd_tickets_unref(tickets);
}
END_TEST

START_TEST(an_unknown_key_opens_nothing)
{
    struct gd_tickets *tickets = gd_tickets_new(), *other = gd_tickets_new();
    struct gd_ticket_key key;
    bool old;

    ck_assert(gd_tickets_seal(other, 0, &key));
    ck_assert(!opens(tickets, 0, &key, &old));
    ck_assert(gd_tickets_seal(tickets, 0, &key));
    ck_assert(!opens(other, 0, &key, &old));
    gd_tickets_unref(tickets);
    gd_tickets_unref(other);
}
END_TEST

START_TEST(never_more_than_three_keys_are_kept)
{
    struct gd_tickets *tickets = gd_tickets_new();
    struct gd_ticket_key keys[10];
    bool old;

    for (unsigned i = 0; i < 10; i++)
        ck_assert(gd_tickets_seal(tickets, i * 3600, &keys[i]));
    for (unsigned i = 0; i < 10; i++)
        ck_assert(opens(tickets, 9 * 3600, &keys[i], &old) == (i >= 7));
    gd_tickets_unref(tickets);
}
END_TEST

START_TEST(a_reference_keeps_the_ring)
{
    struct gd_tickets *tickets = gd_tickets_new();
    struct gd_ticket_key key;
    bool old;

    ck_assert_ptr_eq(gd_tickets_ref(tickets), tickets);
    ck_assert(gd_tickets_seal(tickets, 0, &key));
    gd_tickets_unref(tickets);
    ck_assert(opens(tickets, 0, &key, &old));
    gd_tickets_unref(tickets);
    gd_tickets_unref(NULL);
}
END_TEST

GD_SUITE("tickets", a_key_seals_for_an_hour_and_opens_for_three,
         an_unknown_key_opens_nothing, never_more_than_three_keys_are_kept,
         a_reference_keeps_the_ring)
