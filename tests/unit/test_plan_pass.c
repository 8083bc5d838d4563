/*
 * Routes that pass: what the file says and what the plan has.
 */
#include "plan/template.h"
#include "plan_text.h"
#include "suite.h"

#define UP "upstreams:\n  users: http://10.0.0.5:8001\n"

START_TEST(a_pass_has_an_upstream_and_maybe_a_target)
{
    struct gd_plan *plan =
        plan_accept(UP "routes:\n"
                       "  /a/{rest...}: {pass: users}\n"
                       "  /b/{rest...}: {pass: \"users/{rest=}\", max_body: 1GiB}\n"
                       "  /c: {pass: users/c?x=1}\n"
                       "  /d: {pass: \"http://10.0.0.9:81/d\"}\n"
                       "  /e: {pass: \"http://10.0.0.9:81\"}\n");
    const struct gd_plan_route *routes = plan->routes;

    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(routes[i].call_count, 0);
        ck_assert_ptr_eq(routes[i].pass->upstream, &plan->upstreams[i < 3 ? 0 : 1]);
        ck_assert((routes[i].pass->target == NULL) == (i == 0 || i == 4));
        ck_assert(routes[i].pass->adds_query == (i != 2));
        ck_assert_uint_eq(routes[i].pass->header_count, 0);
    }
    ck_assert_uint_eq(routes[1].max_body, 1 << 30);
    ck_assert_uint_eq(plan->upstream_count, 2);
    gd_plan_unref(plan);
}
END_TEST

START_TEST(only_headers_of_the_file_replace_those_of_the_client)
{
    struct gd_plan *plan = plan_accept(
        "upstreams:\n  u: {servers: [\"http://a\"], headers: {user-agent: x, X-Key: k}}\n"
        "routes: {/: {pass: u}}\n");
    const struct gd_plan_pass *pass = plan->routes[0].pass;

    ck_assert_uint_eq(pass->header_count, 2);
    ck_assert(gd_span_is(pass->header_lines, "user-agent: x\r\nX-Key: k\r\n"));
    gd_plan_unref(plan);
}
END_TEST

START_TEST(mistakes_in_passes_are_found)
{
    PLAN_REFUSE(
        UP "defaults: {pass: users}\n"
           "routes:\n"
           "  /a: {pass: user}\n"
           "  /b: {pass: \"users/{nothing}\"}\n"
           "  /c: {pass: users/c, calls: {x: users/}}\n"
           "  /d: {pass: POST users/d}\n"
           "  /e: {pass: \"http://10.0.0.9?x\"}\n"
           "  /f: {pass: {url: users}}\n",
        "gw.yaml:3:12: defaults.pass: unknown key; did you mean \"parts\"?",
        "gw.yaml:5:14: routes.\"/a\".pass: there is no upstream \"user\"; did you mean "
        "\"users\"?",
        "gw.yaml:6:21: routes.\"/b\".pass: {nothing} is not known here; it is no path "
        "parameter and no call of the route, nor one of query, header, cookie, body and "
        "request",
        "gw.yaml:7:8: routes.\"/c\".pass: a route has one of calls, pass, redirect, "
        "files and "
        "respond",
        "gw.yaml:8:14: routes.\"/d\".pass: there is no upstream \"POST users\"",
        "gw.yaml:9:14: routes.\"/e\".pass: \"http://10.0.0.9?x\" has no path; the root "
        "is written http://10.0.0.9/",
        "gw.yaml:10:14: routes.\"/f\".pass: expected text, found a map");
}
END_TEST

GD_SUITE("plan pass", a_pass_has_an_upstream_and_maybe_a_target,
         only_headers_of_the_file_replace_those_of_the_client,
         mistakes_in_passes_are_found)
