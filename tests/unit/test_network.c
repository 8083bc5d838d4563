/* Addresses, networks, and which proxies are trusted. */
#include "plan/network.h"

#include "plan_text.h"
#include "suite.h"

static struct gd_ip ip_of(const char *text)
{
    struct gd_ip ip;

    ck_assert_msg(gd_ip_parse(gd_span_of(text), &ip), "%s is no address", text);
    return ip;
}

static bool is_in(const char *network_text, const char *ip_text)
{
    struct gd_network network;
    struct gd_trusted trusted = {.networks = &network, .count = 1};
    struct gd_ip ip = ip_of(ip_text);
    struct gd_err err = {.text = ""};

    ck_assert_msg(gd_network_parse(gd_span_of(network_text), &network, &err), "%s: %s",
                  network_text, err.text);
    return gd_trusted_has(&trusted, &ip);
}

START_TEST(an_address_is_read_and_written)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"::192.0.2.1", "::192.0.2.1"},
    };
    char text[GD_IP_TEXT_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gd_ip ip = ip_of(cases[i][0]);

        ck_assert_str_eq(gd_ip_text(&ip, text), cases[i][1]);
    }
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const cases[] = {
        "",           " ",
        "1.2.3",      "1.2.3.4.5",
        "256.1.1.1",  "01.2.3.4",
        "1.2.3.4 ",   " 1.2.3.4",
        "1.2.3.4:80", "[::1]",
        "::1%lo",     "1::2::3",
        "12345::",    "localhost",
        "unix",       "0x7f000001",
        "2130706433", ":::",
        "1.2.3.4/8",  "2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1:2001:db8::1"};
    struct gd_ip ip;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(!gd_ip_parse(gd_span_of(cases[i]), &ip), "\"%s\" was taken",
                      cases[i]);
    ck_assert(!gd_ip_parse(GD_SPAN("127.0.0.1\0x"), &ip));
    ck_assert(!gd_ip_parse(GD_SPAN_NONE, &ip));
}
END_TEST

START_TEST(a_network_holds_what_shares_its_first_bits)
{
    ck_assert(is_in("10.0.0.0/8", "10.255.255.255"));
    ck_assert(!is_in("10.0.0.0/8", "11.0.0.0"));
    ck_assert(!is_in("10.0.0.0/8", "9.255.255.255"));
    ck_assert(is_in("192.0.2.7", "192.0.2.7"));
    ck_assert(!is_in("192.0.2.7", "192.0.2.6"));
    ck_assert(is_in("192.0.2.6/31", "192.0.2.7"));
    ck_assert(!is_in("192.0.2.6/31", "192.0.2.8"));
    ck_assert(is_in("0.0.0.0/0", "203.0.113.9"));
    ck_assert(is_in("2001:db8::/32", "2001:db8:ffff::1"));
    ck_assert(!is_in("2001:db8::/32", "2001:db9::"));
    ck_assert(is_in("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"));
    ck_assert(!is_in("2001:db8::/64", "2001:db8:0:1::"));
    ck_assert(is_in("2001:db8::8/125", "2001:db8::f"));
    ck_assert(!is_in("2001:db8::8/125", "2001:db8::10"));
    ck_assert(is_in("::1", "::1"));
    ck_assert(!is_in("::1", "::"));
}
END_TEST

START_TEST(every_prefix_length_ends_where_it_says)
{
    for (unsigned bits = 1; bits <= 128; bits++) {
        struct gd_ip inside = {0x2001000000000000, 0}, outside;
        struct gd_network network;
        struct gd_trusted trusted = {.networks = &network, .count = 1};
        char text[32];

        if (bits < 16)
            inside.high = 0;
        outside = inside;
        if (bits <= 64)
            outside.high ^= UINT64_C(1) << (64 - bits);
        else
            outside.low ^= UINT64_C(1) << (128 - bits);
        snprintf(text, sizeof(text), bits < 16 ? "::/%u" : "2001::/%u", bits);
        ck_assert(gd_network_parse(gd_span_of(text), &network, NULL));
        ck_assert(gd_trusted_has(&trusted, &inside));
        ck_assert_msg(!gd_trusted_has(&trusted, &outside), "%s", text);
    }
}
END_TEST

START_TEST(ipv4_and_ipv6_are_apart_but_for_mapped_addresses)
{
    ck_assert(is_in("10.0.0.0/8", "::ffff:10.1.2.3"));
    ck_assert(is_in("::ffff:10.1.2.3", "10.1.2.3"));
    ck_assert(!is_in("::/0", "10.1.2.3"));
    ck_assert(!is_in("::/64", "10.1.2.3"));
    ck_assert(!is_in("0.0.0.0/0", "::1"));
    ck_assert(!is_in("0.0.0.0/0", "::10.1.2.3"));
}
END_TEST

START_TEST(without_networks_nobody_is_trusted)
{
    struct gd_trusted none = {.count = 0};
    struct gd_ip ip = ip_of("127.0.0.1");

    ck_assert(!gd_trusted_has(&none, &ip));
}
END_TEST

START_TEST(trusted_proxies_are_one_or_a_list)
{
    struct gd_plan *plan = plan_accept("trusted_proxies: 10.0.0.0/8\nroutes: {}\n");

    ck_assert_uint_eq(plan->trusted.count, 1);
    ck_assert(!plan->trusted.unix_peers);
    gd_plan_unref(plan);
    plan = plan_accept("trusted_proxies:\n  - 10.0.0.0/8\n  - 10.1.0.0/16\n  - ::1\n"
                       "  - ${HOST}\n  - unix\nroutes: {}\n");
    ck_assert_uint_eq(plan->trusted.count, 4);
    ck_assert(plan->trusted.unix_peers);
    gd_plan_unref(plan);
    plan = plan_accept("trusted_proxies: []\nroutes: {}\n");
    ck_assert_uint_eq(plan->trusted.count, 0);
    gd_plan_unref(plan);
    plan = plan_accept("routes: {}\n");
    ck_assert(plan->trusted.count == 0 && !plan->trusted.unix_peers);
    gd_plan_unref(plan);
}
END_TEST

#define WANTED "expected an address like 10.0.0.7, a network like 10.0.0.0/8, or unix, "

START_TEST(mistakes_in_trusted_proxies_are_found)
{
    PLAN_REFUSE("trusted_proxies:\n  - 10.1.2.3/8\n  - 2001:db8::1/32\n"
                "  - 10.0.0.0/33\n  - 2001:db8::/129\n  - 10.0.0.0/08\n  - 10.0.0.0/\n"
                "  - ::ffff:10.0.0.0/104\n  - 10.0.0.0/8/8\n",
                "gw.yaml:2:5: trusted_proxies[0]: 10.1.2.3/8 is an address inside of a "
                "network; the network is written 10.0.0.0/8",
                "gw.yaml:3:5: trusted_proxies[1]: 2001:db8::1/32 is an address inside of "
                "a network; the network is written 2001:db8::/32",
                "gw.yaml:4:5: trusted_proxies[2]: \"/33\" is no size of an IPv4 network; "
                "they have /0 to /32",
                "gw.yaml:5:5: trusted_proxies[3]: \"/129\" is no size of an IPv6 "
                "network; they have /0 to /128",
                "gw.yaml:6:5: trusted_proxies[4]: \"/08\" is no size of an IPv4 network; "
                "they have /0 to /32",
                "gw.yaml:7:5: trusted_proxies[5]: \"/\" is no size of an IPv4 network; "
                "they have /0 to /32",
                "gw.yaml:8:5: trusted_proxies[6]: an IPv4 network is written as one: "
                "10.0.0.0/8 or the like",
                "gw.yaml:9:5: trusted_proxies[7]: \"/8/8\" is no size of an IPv4 "
                "network; they have /0 to /32");
    PLAN_REFUSE("trusted_proxies:\n  - proxy.local\n  - \"\"\n  -\n  - [10.0.0.1]\n"
                "  - \"[::1]\"\n  - 10.0.0.1:80\n  - unix:/run/x\n",
                "gw.yaml:2:5: trusted_proxies[0]: " WANTED "found \"proxy.local\"",
                "gw.yaml:3:5: trusted_proxies[1]: " WANTED "found \"\"",
                "gw.yaml:4:4: trusted_proxies[2]: expected an address, a network like "
                "10.0.0.0/8, or unix, found nothing",
                "gw.yaml:5:5: trusted_proxies[3]: expected an address, a network like "
                "10.0.0.0/8, or unix, found a list",
                "gw.yaml:6:5: trusted_proxies[4]: " WANTED "found \"[::1]\"",
                "gw.yaml:7:5: trusted_proxies[5]: " WANTED "found \"10.0.0.1:80\"",
                "gw.yaml:8:5: trusted_proxies[6]: " WANTED "found \"unix:/run/x\"");
    PLAN_REFUSE("trusted_proxies: {a: 1}\n",
                "gw.yaml:1:18: trusted_proxies: expected an address, a network like "
                "10.0.0.0/8, or unix, found a map");
    PLAN_REFUSE("trusted_proxies:\n",
                "gw.yaml:1:17: trusted_proxies: expected an address, a network like "
                "10.0.0.0/8, unix, or a list of these, found nothing");
}
END_TEST

START_TEST(a_trusted_proxy_stands_once)
{
    PLAN_REFUSE("trusted_proxies: [10.0.0.0/8, unix, 10.0.0.1, unix, 10.0.0.1/32, "
                "\"::ffff:10.0.0.1\"]\n",
                "gw.yaml:1:47: trusted_proxies[3]: unix stands twice",
                "gw.yaml:1:53: trusted_proxies[4]: 10.0.0.1/32 stands twice",
                "gw.yaml:1:66: trusted_proxies[5]: ::ffff:10.0.0.1 stands twice");
}
END_TEST

START_TEST(trusted_proxies_are_bounded)
{
    struct gd_buf text;

    gd_buf_init(&text, NULL, 1 << 16);
    ck_assert(gd_buf_add_text(&text, "trusted_proxies:\n"));
    for (int i = 0; i < 1001; i++)
        ck_assert(gd_buf_addf(&text, "  - 10.0.%d.%d\n", i / 256, i % 256));
    plan_refuse_span(gd_buf_span(&text),
                     (const char *const[]){"gw.yaml:2:3: trusted_proxies: there can be "
                                           "1000 networks, found 1001",
                                           NULL});
    gd_buf_free(&text);
}
END_TEST

START_TEST(what_gatherd_says_about_a_client_cannot_be_configured)
{
    PLAN_REFUSE(
        "upstreams:\n  u:\n    servers: http://h\n    headers:\n"
        "      X-Forwarded-For: x\n      x-forwarded-host: x\n"
        "      X-Forwarded-Proto: x\n      X-Request-Id: x\n"
        "      Traceparent: x\n"
        "routes:\n  GET /:\n    calls:\n"
        "      a: {url: u/, headers: {Tracestate: x}}\n",
        "gw.yaml:5:7: upstreams.u.headers.X-Forwarded-For: X-Forwarded-For is set "
        "by gatherd and cannot be given",
        "gw.yaml:6:7: upstreams.u.headers.x-forwarded-host: X-Forwarded-Host is "
        "set by gatherd and cannot be given",
        "gw.yaml:7:7: upstreams.u.headers.X-Forwarded-Proto: X-Forwarded-Proto "
        "is set by gatherd and cannot be given",
        "gw.yaml:8:7: upstreams.u.headers.X-Request-Id: X-Request-Id is set by "
        "gatherd and cannot be given",
        "gw.yaml:9:7: upstreams.u.headers.Traceparent: traceparent is set by "
        "gatherd and cannot be given",
        "gw.yaml:13:30: routes.\"GET /\".calls.a.headers.Tracestate: tracestate "
        "is set by gatherd and cannot be given");
}
END_TEST

START_TEST(what_proxies_say_cannot_be_forwarded_from_a_client)
{
    PLAN_REFUSE(
        "upstreams: {u: http://h}\n"
        "routes:\n  GET /:\n    calls: {a: u/}\n    forward:\n"
        "      headers: [Forwarded, x-forwarded-port, Accept, Traceparent]\n",
        "gw.yaml:6:17: routes.\"GET /\".forward.headers[0]: \"Forwarded\" is no "
        "header field that can be forwarded",
        "gw.yaml:6:28: routes.\"GET /\".forward.headers[1]: \"x-forwarded-port\" "
        "is no header field that can be forwarded",
        "gw.yaml:6:54: routes.\"GET /\".forward.headers[3]: \"Traceparent\" is no "
        "header field that can be forwarded");
}
END_TEST

GD_SUITE("network", an_address_is_read_and_written, what_is_no_address_is_refused,
         a_network_holds_what_shares_its_first_bits,
         every_prefix_length_ends_where_it_says,
         ipv4_and_ipv6_are_apart_but_for_mapped_addresses,
         without_networks_nobody_is_trusted, trusted_proxies_are_one_or_a_list,
         mistakes_in_trusted_proxies_are_found, a_trusted_proxy_stands_once,
         trusted_proxies_are_bounded,
         what_gatherd_says_about_a_client_cannot_be_configured,
         what_proxies_say_cannot_be_forwarded_from_a_client)
