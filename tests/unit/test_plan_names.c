/* Upstreams whose servers come from names, and who is asked about names. */
#include "plan_text.h"
#include "suite.h"

#define ROUTES "routes: {GET /: {calls: {a: u/x}}}\n"

START_TEST(names_become_slots_that_say_all_but_the_address)
{
    struct gd_plan *plan = plan_accept("upstreams:\n"
                                       "  u: {dns: \"users.test:8001\"}\n"
                                       "  v: {dns: \"https://users.test\"}\n"
                                       "  w: {srv: _http._tcp.carts.test}\n"
                                       "  x: {srv: _https._tcp.carts.test}\n" ROUTES);
    static const struct {
        enum gd_discovery kind;
        const char *name, *host_line;
        bool https;
    } expected[] = {
        {GD_DISCOVERY_DNS, "users.test", "Host: users.test:8001\r\n", false},
        {GD_DISCOVERY_DNS, "users.test", "Host: users.test\r\n", true},
        {GD_DISCOVERY_SRV, "_http._tcp.carts.test", "Host: carts.test\r\n", false},
        {GD_DISCOVERY_SRV, "_https._tcp.carts.test", "Host: carts.test\r\n", true},
    };

    for (unsigned i = 0; i < 4; i++) {
        const struct gd_plan_upstream *upstream = &plan->upstreams[i];

        ck_assert_int_eq(upstream->discovery, expected[i].kind);
        ck_assert_str_eq(upstream->discovered, expected[i].name);
        ck_assert_uint_eq(upstream->server_count, GD_SLOTS);
        for (unsigned k = 0; k < GD_SLOTS; k++) {
            ck_assert_uint_eq(upstream->servers[k].index, i * GD_SLOTS + k);
            ck_assert(gd_span_is(upstream->servers[k].host_line, expected[i].host_line));
            ck_assert_int_eq(upstream->servers[k].https, expected[i].https);
        }
        ck_assert_int_eq(upstream->tls != NULL, expected[i].https);
    }
    gd_plan_unref(plan);
}
END_TEST

START_TEST(mistakes_in_names_are_found)
{
    PLAN_REFUSE(
        "upstreams:\n"
        "  u: {dns: \"10.0.0.5:80\"}\n"
        "  b: {dns: \"users.test:80/x\"}\n"
        "  c: {srv: users.test}\n"
        "  d: {srv: \"_http._tcp.users.test:80\"}\n"
        "  e: {servers: http://h, dns: users.test}\n"
        "  f: {dns: \"users.test:0\"}\n"
        "  g: {dns: \"[::1]:80\"}\n"
        "  h: {dns: users.test, tls: {verify: false}}\n"
        "resolver: {servers: [ns.test, \"10.0.0.2:99999\"], min_ttl: 10m}\n" ROUTES,
        "gw.yaml:2:12: upstreams.u.dns: 10.0.0.5 is an address, not a name; use servers",
        "gw.yaml:3:12: upstreams.b.dns: a name has no path and no query",
        "gw.yaml:4:12: upstreams.c.srv: expected the name of a service like "
        "_http._tcp.users.consul, found \"users.test\"",
        "gw.yaml:5:12: upstreams.d.srv: a service has no port here: its records say it",
        "gw.yaml:6:26: upstreams.e.dns: an upstream has either servers or dns, not both",
        "gw.yaml:7:12: upstreams.f.dns: ports are 1 to 65535",
        "gw.yaml:8:12: upstreams.g.dns: ::1 is an address, not a name; use servers",
        "gw.yaml:9:24: upstreams.h.tls: has no effect: the upstream has no https server",
        "gw.yaml:10:22: resolver.servers[0]: expected the address of a nameserver like "
        "10.0.0.2 or 127.0.0.1:5353, found \"ns.test\"",
        "gw.yaml:10:31: resolver.servers[1]: expected the address of a nameserver like "
        "10.0.0.2 or 127.0.0.1:5353, found \"10.0.0.2:99999\"",
        "gw.yaml:10:59: resolver.min_ttl: min_ttl is more than max_ttl");
}
END_TEST

START_TEST(nameservers_are_addresses_with_or_without_a_port)
{
    struct gd_plan *plan =
        plan_accept("resolver: {servers: [10.0.0.2, \"127.0.0.1:5353\", \"::1\", "
                    "\"[::1]:54\"]}\n"
                    "upstreams: {u: http://h}\n" ROUTES);

    ck_assert_str_eq(plan->resolver.servers,
                     "10.0.0.2:53,127.0.0.1:5353,[::1]:53,[::1]:54");
    ck_assert_uint_eq(plan->resolver.timeout_ms, 3000);
    gd_plan_unref(plan);
}
END_TEST

GD_SUITE("plan names", names_become_slots_that_say_all_but_the_address,
         mistakes_in_names_are_found, nameservers_are_addresses_with_or_without_a_port)
