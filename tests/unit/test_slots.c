/* Which server of an upstream stands for which address of its name. */
#include "upstream/slots.h"

#include <netinet/in.h>
#include <string.h>

#include "suite.h"

enum { SLOTS = 3 };

static struct gd_site *site(const char *name, unsigned weight)
{
    struct gd_address address = {.len = sizeof(struct sockaddr_in)};

    address.sa.ss_family = AF_INET;
    return gd_site_new(name, weight, 0, &address, 1);
}

/* Assigns those of a text, a letter each; returns how many had no room. */
static unsigned assign(struct gd_slot *slots, const char *letters, uint64_t turn,
                       bool changed[SLOTS])
{
    struct gd_site *wanted[8];
    unsigned count = 0;

    for (; letters[count]; count++)
        wanted[count] = site((char[]){letters[count], '\0'}, 1);
    return gd_slots_assign(slots, SLOTS, wanted, count, turn, changed);
}

/* Who is where now: a letter each, '-' for nobody. */
static bool reads(const struct gd_slot *slots, const char *expected)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if ((slots[i].site ? slots[i].site->name[0] : '-') != expected[i])
            return false;
    return true;
}

START_TEST(addresses_keep_their_slots_in_whatever_order_they_come)
{
    struct gd_slot slots[SLOTS] = {{.site = NULL}};
    bool changed[SLOTS];

    ck_assert_uint_eq(assign(slots, "abc", 1, changed), 0);
    ck_assert(reads(slots, "abc") && changed[0] && changed[1] && changed[2]);
    ck_assert_uint_eq(assign(slots, "cab", 2, changed), 0);
    ck_assert(reads(slots, "abc") && !changed[0] && !changed[1] && !changed[2]);
    gd_slots_clear(slots, SLOTS);
}
END_TEST

START_TEST(a_new_one_takes_what_has_been_free_for_longest)
{
    struct gd_slot slots[SLOTS] = {{.site = NULL}};
    bool changed[SLOTS];

    assign(slots, "abc", 1, changed);
    assign(slots, "bc", 2, changed);
    ck_assert(reads(slots, "-bc") && changed[0] && !changed[1]);
    ck_assert_str_eq(slots[0].last->name, "a");
    assign(slots, "b", 3, changed);
    assign(slots, "bd", 4, changed);
    ck_assert(reads(slots, "db-"));
    assign(slots, "bde", 5, changed);
    ck_assert(reads(slots, "dbe"));
    gd_slots_clear(slots, SLOTS);
}
END_TEST

START_TEST(what_has_no_room_is_counted_and_waits)
{
    struct gd_slot slots[SLOTS] = {{.site = NULL}};
    bool changed[SLOTS];

    ck_assert_uint_eq(assign(slots, "abcde", 1, changed), 2);
    ck_assert(reads(slots, "abc"));
    ck_assert_uint_eq(assign(slots, "edcb", 2, changed), 1);
    ck_assert(reads(slots, "ebc"));
    gd_slots_clear(slots, SLOTS);
}
END_TEST

START_TEST(one_that_says_something_else_has_changed)
{
    struct gd_slot slots[SLOTS] = {{.site = NULL}};
    struct gd_site *wanted[1] = {site("a", 1)};
    bool changed[SLOTS];

    gd_slots_assign(slots, SLOTS, wanted, 1, 1, changed);
    wanted[0] = site("a", 2);
    gd_slots_assign(slots, SLOTS, wanted, 1, 2, changed);
    ck_assert(changed[0]);
    ck_assert_uint_eq(slots[0].site->weight, 2);
    gd_slots_clear(slots, SLOTS);
}
END_TEST

GD_SUITE("slots", addresses_keep_their_slots_in_whatever_order_they_come,
         a_new_one_takes_what_has_been_free_for_longest,
         what_has_no_room_is_counted_and_waits, one_that_says_something_else_has_changed)
