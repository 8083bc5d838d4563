/* What a configuration says of the version of HTTP that is spoken to upstreams. */
#include "plan_text.h"
#include "suite.h"

START_TEST(http_1_1_is_spoken_unless_told_otherwise)
{
    struct gd_plan *plan = plan_accept("upstreams:\n"
                                       "  a: https://h\n"
                                       "  b: {servers: http://h, http: 1.1}\n"
                                       "  c: {servers: http://h, http: 2}\n"
                                       "  d: {servers: https://h, http: auto}\n"
                                       "  e: {servers: http://h, http: auto}\n");
    static const enum gd_plan_http expected[] = {GD_HTTP_1, GD_HTTP_1, GD_HTTP_2,
                                                 GD_HTTP_AUTO, GD_HTTP_AUTO};

    ck_assert_uint_eq(plan->upstream_count, 5);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_int_eq(plan->upstreams[i].http, expected[i]);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(a_connection_that_carries_many_requests_has_its_own_bounds)
{
    struct gd_plan *plan =
        plan_accept("upstreams:\n"
                    "  a: {servers: http://h, http: 2}\n"
                    "  b: {servers: http://h, http: 2, pool: {streams: 7, ping: 2s}}\n");

    ck_assert_uint_eq(plan->upstreams[0].pool.streams, 1000);
    ck_assert_uint_eq(plan->upstreams[0].pool.ping_ms, 30000);
    ck_assert_uint_eq(plan->upstreams[1].pool.streams, 7);
    ck_assert_uint_eq(plan->upstreams[1].pool.ping_ms, 2000);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(mistakes_are_found)
{
    PLAN_REFUSE(
        "upstreams:\n"
        "  a: {servers: http://a, http: 3}\n"
        "  b: {servers: http://b, pool: {streams: 5, ping: 1s}}\n"
        "  c: {mock: {GET /: {json: 1}}, http: 2}\n"
        "  d: {servers: http://d, http: 2, pool: {streams: 0, ping: 1ms}}\n",
        "gw.yaml:2:32: upstreams.a.http: expected 1.1, 2 or auto, found \"3\"",
        "gw.yaml:3:33: upstreams.b.pool.streams: has no effect: it is for http: 2 or "
        "auto",
        "gw.yaml:3:45: upstreams.b.pool.ping: has no effect: it is for http: 2 or auto",
        "gw.yaml:4:39: upstreams.c.http: a mock speaks HTTP/1.1",
        "gw.yaml:5:51: upstreams.d.pool.streams: \"0\" is out of range: allowed is from "
        "1 "
        "to 65535",
        "gw.yaml:5:60: upstreams.d.pool.ping: \"1ms\" is out of range: allowed is from "
        "100ms to 24h");
}
END_TEST

GD_SUITE("plan http", http_1_1_is_spoken_unless_told_otherwise,
         a_connection_that_carries_many_requests_has_its_own_bounds, mistakes_are_found)
