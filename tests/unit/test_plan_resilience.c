/* How upstreams are balanced, retried, hedged and looked after, as it stands in a file.
 */
#include "base/failure.h"
#include "plan_text.h"
#include "suite.h"

static struct gd_plan *load(const char *options)
{
    char text[1024];
    struct gd_findings findings;
    struct gd_plan *plan;

    snprintf(text, sizeof(text),
             "upstreams:\n  u:\n    servers: [http://a, http://b]\n%s"
             "routes:\n  GET /:\n    calls: {x: u/}\n",
             options);
    plan = gd_plan_load_text("gw.yaml", gd_span_of(text), &test_options, &findings);
    ck_assert_msg(plan != NULL, "%s", findings.count ? findings.lines[0] : "?");
    gd_findings_free(&findings);
    return plan;
}

START_TEST(by_default_servers_are_ejected_and_requests_retried)
{
    struct gd_plan *plan = load("");
    const struct gd_plan_upstream *u = &plan->upstreams[0];

    ck_assert_int_eq(u->balance, GD_BALANCE_LEAST_PENDING);
    ck_assert_uint_eq(u->max_in_flight, 1024);
    ck_assert_uint_eq(u->eject.errors, 5);
    ck_assert_uint_eq(u->eject.for_ms, 10000);
    ck_assert_uint_eq(u->retry.tries, 1);
    ck_assert_uint_eq(u->retry.failures,
                      1u << GD_FAIL_CONNECT | 1u << GD_FAIL_TLS | 1u << GD_FAIL_RESET);
    ck_assert(gd_statuses_have(&u->retry.statuses, 503));
    ck_assert(!gd_statuses_have(&u->retry.statuses, 500));
    ck_assert(u->retry.methods >> GD_METHOD_GET & 1);
    ck_assert(!(u->retry.methods >> GD_METHOD_POST & 1));
    ck_assert_int_eq(u->hedge.kind, GD_HEDGE_OFF);
    ck_assert_ptr_null(u->health.target.ptr);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(all_of_it_can_be_turned_off)
{
    struct gd_plan *plan =
        load("    eject: off\n    retry: off\n    hedge: off\n    health: off\n");
    const struct gd_plan_upstream *u = &plan->upstreams[0];

    ck_assert_uint_eq(u->eject.errors, 0);
    ck_assert_uint_eq(u->retry.tries, 0);
    ck_assert_int_eq(u->hedge.kind, GD_HEDGE_OFF);
    ck_assert_ptr_null(u->health.target.ptr);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(what_is_written_counts)
{
    struct gd_plan *plan =
        load("    balance: hash({header.x-user})\n    max_in_flight: 7\n"
             "    eject: {errors: 2, for: 3s, max: 25%}\n"
             "    retry: {tries: 3, on: [timeout, 5xx], methods: [POST], budget: 10%}\n"
             "    hedge: 50ms\n    health: {get: /healthz?a=1, every: 2s}\n");
    const struct gd_plan_upstream *u = &plan->upstreams[0];

    ck_assert_int_eq(u->balance, GD_BALANCE_HASH);
    ck_assert_ptr_nonnull(u->hash_key);
    ck_assert_uint_eq(u->max_in_flight, 7);
    ck_assert_uint_eq(u->eject.errors, 2);
    ck_assert_uint_eq(u->retry.failures, 1u << GD_FAIL_TIMEOUT);
    ck_assert_uint_eq(u->retry.methods, 1u << GD_METHOD_POST);
    ck_assert(gd_statuses_have(&u->retry.statuses, 599));
    ck_assert_int_eq(u->hedge.kind, GD_HEDGE_AFTER);
    ck_assert_uint_eq(u->hedge.after_ms, 50);
    ck_assert(gd_span_is(u->health.target, "/healthz?a=1"));
    ck_assert_uint_eq(u->health.every_ms, 2000);
    ck_assert_uint_eq(u->health.down, 3);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(mistakes_are_found)
{
    PLAN_REFUSE(
        "upstreams:\n"
        "  a: {servers: http://a, balance: hash(x)}\n"
        "  b: {servers: http://b, balance: \"hash({body})\"}\n"
        "  c: {servers: http://c, balance: \"hash({id})\"}\n"
        "  d: {servers: http://d, eject: 5}\n"
        "  e: {servers: http://e, retry: {on: [never, 7xx], methods: [FETCH]}}\n"
        "  f: {servers: http://f, hedge: fast}\n"
        "  g: {servers: http://g, hedge: 0ms}\n"
        "  h: {servers: http://h, health: {every: 1s}}\n"
        "  i: {servers: http://i, health: {get: \"/{query.x}\"}}\n"
        "  j: {servers: http://j, health: {get: healthz}}\n",
        "gw.yaml:2:35: upstreams.a.balance: without a placeholder all requests would go "
        "to one server",
        "gw.yaml:3:35: upstreams.b.balance: a server is chosen without looking into the "
        "body",
        "gw.yaml:4:35: upstreams.c.balance: {id} is not known here; it is no path "
        "parameter and no call of the route, nor one of query, header, cookie, body and "
        "request",
        "gw.yaml:5:33: upstreams.d.eject: expected off, or a map of options (`key: "
        "value`), found \"5\"",
        "gw.yaml:6:39: upstreams.e.retry.on[0]: expected connect, reset, timeout, "
        "protocol, or a status like 503 or 5xx, found \"never\"",
        "gw.yaml:6:46: upstreams.e.retry.on[1]: expected connect, reset, timeout, "
        "protocol, or a status like 503 or 5xx, found \"7xx\"",
        "gw.yaml:6:62: upstreams.e.retry.methods[0]: expected a method like GET or POST, "
        "found \"FETCH\"",
        "gw.yaml:7:33: upstreams.f.hedge: expected off, p95, or a duration like 50ms, "
        "found \"fast\"",
        "gw.yaml:8:33: upstreams.g.hedge: expected off, p95, or a duration like 50ms, "
        "found \"0ms\"",
        "gw.yaml:9:34: upstreams.h.health: get is missing",
        "gw.yaml:10:40: upstreams.i.health.get: a placeholder has no value here: nobody "
        "asked",
        "gw.yaml:11:40: upstreams.j.health.get: a path starts with /");
}
END_TEST

GD_SUITE("plan resilience", by_default_servers_are_ejected_and_requests_retried,
         all_of_it_can_be_turned_off, what_is_written_counts, mistakes_are_found)
