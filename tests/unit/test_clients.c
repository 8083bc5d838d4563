/* How many connections each client address has. */
#include "suite.h"

#include <stdlib.h>

#include "front/clients.h"

static struct gd_ip ip4(uint32_t number)
{
    return (struct gd_ip){0, UINT64_C(0xffff00000000) | number};
}

START_TEST(each_client_is_counted_by_itself)
{
    struct gd_clients clients;
    struct gd_ip a = ip4(1), b = ip4(2);

    gd_clients_init(&clients);
    ck_assert_uint_eq(gd_clients_get(&clients, &a), 0);
    for (int i = 0; i < 3; i++)
        gd_clients_add(&clients, &a);
    gd_clients_add(&clients, &b);
    ck_assert_uint_eq(gd_clients_get(&clients, &a), 3);
    ck_assert_uint_eq(gd_clients_get(&clients, &b), 1);
    gd_clients_remove(&clients, &a);
    gd_clients_remove(&clients, &b);
    ck_assert_uint_eq(gd_clients_get(&clients, &a), 2);
    ck_assert_uint_eq(gd_clients_get(&clients, &b), 0);
    gd_clients_free(&clients);
}
END_TEST

START_TEST(a_network_of_ipv6_is_one_client)
{
    struct gd_ip a, b, c, four = ip4(0x7f000001), whole;

    ck_assert(gd_ip_parse(GD_SPAN("2001:db8:1:2::1"), &a));
    ck_assert(gd_ip_parse(GD_SPAN("2001:db8:1:2:ffff::9"), &b));
    ck_assert(gd_ip_parse(GD_SPAN("2001:db8:1:3::1"), &c));
    a = gd_clients_whole(&a);
    b = gd_clients_whole(&b);
    c = gd_clients_whole(&c);
    whole = gd_clients_whole(&four);
    ck_assert(a.high == b.high && a.low == b.low);
    ck_assert(a.high != c.high);
    ck_assert(whole.low == four.low);
}
END_TEST

START_TEST(a_million_addresses_that_come_and_go_need_no_more_room)
{
    enum { OPEN = 1000, ALL = 1000000 };
    struct gd_clients clients;

    gd_clients_init(&clients);
    for (uint32_t i = 0; i < ALL; i++) {
        struct gd_ip now = ip4(i), gone = ip4(i - OPEN);

        gd_clients_add(&clients, &now);
        if (i >= OPEN)
            gd_clients_remove(&clients, &gone);
        ck_assert_uint_le(clients.cap, 4 * OPEN);
    }
    ck_assert_uint_eq(clients.count, OPEN);
    for (uint32_t i = ALL - OPEN; i < ALL; i++) {
        struct gd_ip one = ip4(i);

        ck_assert_uint_eq(gd_clients_get(&clients, &one), 1);
        gd_clients_remove(&clients, &one);
    }
    ck_assert_uint_eq(clients.count, 0);
    ck_assert_uint_le(clients.cap, 64);
    gd_clients_free(&clients);
}
END_TEST

START_TEST(the_counts_are_those_of_a_plain_array)
{
    enum { ADDRESSES = 300, TURNS = 200000 };
    static unsigned counts[ADDRESSES];
    struct gd_clients clients;
    uint32_t seed = 2463534242;

    gd_clients_init(&clients);
    for (int i = 0; i < TURNS; i++) {
        unsigned at;
        struct gd_ip ip;

        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        at = seed % ADDRESSES;
        ip = ip4(at);
        ck_assert_uint_eq(gd_clients_get(&clients, &ip), counts[at]);
        if (counts[at] && seed >> 30 > 1) {
            gd_clients_remove(&clients, &ip);
            counts[at]--;
        } else if (counts[at] < 3) {
            gd_clients_add(&clients, &ip);
            counts[at]++;
        }
    }
    gd_clients_free(&clients);
}
END_TEST

GD_SUITE("clients", each_client_is_counted_by_itself, a_network_of_ipv6_is_one_client,
         a_million_addresses_that_come_and_go_need_no_more_room,
         the_counts_are_those_of_a_plain_array)
