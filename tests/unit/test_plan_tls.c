/* `https` servers and `tls` in a configuration; files are tried in tests/scenario. */
#include "plan_text.h"
#include "plan/tls_context.h"
#include "suite.h"

static const struct gd_plan_upstream *find(const struct gd_plan *plan, const char *name)
{
    for (unsigned i = 0; i < plan->upstream_count; i++)
        if (strcmp(plan->upstreams[i].name, name) == 0)
            return &plan->upstreams[i];
    ck_abort_msg("there is no upstream %s", name);
}

START_TEST(every_way_to_name_an_https_server_verifies_it)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n"
                    "  a: https://h\n"
                    "  b: [https://h, https://i:444]\n"
                    "  c: {servers: https://h}\n"
                    "  d: {servers: https://h, tls: {}}\n"
                    "  e: {servers: [{url: https://h}], tls: {min_version: 1.3}}\n"
                    "routes:\n  GET /x: {calls: {f: \"https://f.test/\"}}\n");
    static const char *const names[] = {"a", "b", "c", "d", "e", "f.test"};

    ck_assert_uint_eq(plan->upstream_count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct gd_plan_tls *tls = find(plan, names[i])->tls;

        ck_assert_ptr_nonnull(tls);
        ck_assert(tls->verify);
        ck_assert_int_eq(SSL_CTX_get_verify_mode(tls->context), SSL_VERIFY_PEER);
        ck_assert_ptr_null(tls->server_name);
        ck_assert_int_eq(SSL_CTX_get_min_proto_version(tls->context),
                         i == 4 ? TLS1_3_VERSION : TLS1_2_VERSION);
    }
    gd_plan_unref(plan);
}
END_TEST

START_TEST(ports_and_hosts_are_those_of_the_scheme)
{
    struct gd_plan *plan = plan_accept(
        "upstreams:\n  a: [https://h, http://h, https://h:80, \"https://[::1]:443\"]\n");
    static const struct {
        const char *name, *host_line;
        unsigned port;
        bool https;
    } expected[] = {
        {"https://h:443", "Host: h\r\n", 443, true},
        {"h:80", "Host: h\r\n", 80, false},
        {"https://h:80", "Host: h:80\r\n", 80, true},
        {"https://[::1]:443", "Host: [::1]\r\n", 443, true},
    };

    ck_assert_uint_eq(plan->upstreams[0].server_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct gd_plan_server *server = &plan->upstreams[0].servers[i];

        ck_assert_str_eq(server->name, expected[i].name);
        ck_assert(gd_span_is(server->host_line, expected[i].host_line));
        ck_assert_uint_eq(server->address.port, expected[i].port);
        ck_assert(server->https == expected[i].https);
    }
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_literal_host_that_is_called_both_ways_is_two_upstreams)
{
    struct gd_plan *plan = plan_accept("routes:\n"
                                       "  GET /a: {calls: {a: \"http://h/\"}}\n"
                                       "  GET /b: {calls: {b: \"https://h/\"}}\n"
                                       "  GET /c: {calls: {c: \"https://h/c\"}}\n"
                                       "  GET /d: {pass: \"http://h/d\"}\n");

    ck_assert_uint_eq(plan->upstream_count, 2);
    ck_assert_ptr_null(find(plan, "h")->tls);
    ck_assert_ptr_nonnull(find(plan, "https://h")->tls);
    ck_assert_ptr_eq(plan->routes[1].calls[0].upstream, find(plan, "https://h"));
    ck_assert_ptr_eq(plan->routes[2].calls[0].upstream, find(plan, "https://h"));
    ck_assert_ptr_eq(plan->routes[3].pass->upstream, find(plan, "h"));
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_plain_upstream_has_no_context)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n  a: http://h\n  b: {servers: http://h}\n");

    ck_assert_ptr_null(plan->upstreams[0].tls);
    ck_assert_ptr_null(plan->upstreams[1].tls);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(verifying_is_switched_off_by_its_own_word_only)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n  a: {servers: https://h, tls: {verify: false}}\n"
                    "  b: https://h\n");

    ck_assert(!find(plan, "a")->tls->verify);
    ck_assert(find(plan, "b")->tls->verify);
    gd_plan_unref(plan);
    PLAN_REFUSE(
        "upstreams:\n  a: {servers: https://h, tls: {verify: no}}\n"
        "  b: {servers: https://h, tls: false}\n"
        "  c: {servers: https://h, tls: {verfiy: false}}\n",
        "gw.yaml:2:41: upstreams.a.tls.verify: expected true or false (or on, "
        "off), found \"no\"; YAML versions disagree on yes and no, so they are not "
        "accepted",
        "gw.yaml:3:32: upstreams.b.tls: expected a map of options (`key: value`), "
        "found \"false\"",
        "gw.yaml:4:33: upstreams.c.tls.verfiy: unknown key; did you mean "
        "\"verify\"?");
}
END_TEST

START_TEST(options_without_effect_are_refused)
{
    PLAN_REFUSE(
        "upstreams:\n  a: {servers: http://h, tls: {}}\n"
        "  b: {mock: {GET /: {status: 204}}, tls: {verify: true}}\n"
        "  c: {servers: https://h, tls: {ca: x.pem, verify: false}}\n",
        "gw.yaml:2:26: upstreams.a.tls: has no effect: the upstream has no https "
        "server",
        "gw.yaml:3:37: upstreams.b.tls: has no effect: the upstream has no https "
        "server",
        "gw.yaml:4:33: upstreams.c.tls.ca: nothing is verified with verify: false; "
        "remove one of the two");
}
END_TEST

GD_SUITE("plan tls", every_way_to_name_an_https_server_verifies_it,
         ports_and_hosts_are_those_of_the_scheme,
         a_literal_host_that_is_called_both_ways_is_two_upstreams,
         a_plain_upstream_has_no_context, verifying_is_switched_off_by_its_own_word_only,
         options_without_effect_are_refused)
