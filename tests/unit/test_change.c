#include "plan_text.h"
#include "suite.h"

#include "base/stat.h"
#include "plan/change.h"

static struct gd_plan *before, *after;
static struct gd_plan_change *change;

static void compare(const char *first, const char *second)
{
    before = plan_accept(first);
    after = plan_accept(second);
    change = gd_plan_compare(before, after);
}

static void end(void)
{
    gd_plan_change_free(change);
    gd_plan_unref(before);
    gd_plan_unref(after);
}

/* Whether an upstream with this `users` section goes on as it is when it becomes the
 * other. */
static bool is_kept(const char *first, const char *second)
{
    char texts[2][512];
    bool kept;

    snprintf(texts[0], sizeof(texts[0]), "upstreams: {users: %s}\nroutes: {}\n", first);
    snprintf(texts[1], sizeof(texts[1]), "upstreams: {users: %s}\nroutes: {}\n", second);
    compare(texts[0], texts[1]);
    ck_assert_int_eq(change->upstreams[0], 0);
    kept = change->kept[0] == 0;
    ck_assert(kept || change->kept[0] == GD_CHANGE_NEW);
    end();
    return kept;
}

START_TEST(routes_are_the_same_by_their_pattern)
{
    compare(
        "routes: {GET /a: {respond: 1}, GET /b: {respond: 1}}\n",
        "routes: {GET /b: {respond: 2}, GET /c: {respond: 1}, GET /a: {respond: 1}}\n");
    ck_assert_int_eq(change->routes[0], 1);
    ck_assert_int_eq(change->routes[1], GD_CHANGE_NEW);
    ck_assert_int_eq(change->routes[2], 0);
    end();
}
END_TEST

START_TEST(upstreams_and_servers_are_the_same_by_their_names)
{
    compare(
        "upstreams: {a: [http://10.0.0.1:1, http://10.0.0.2:1], b: http://10.0.0.1:1}\n"
        "routes: {}\n",
        "upstreams: {b: http://10.0.0.9:1, a: [http://10.0.0.2:1, http://10.0.0.3:1]}\n"
        "routes: {}\n");
    ck_assert_int_eq(change->upstreams[0], 1);
    ck_assert_int_eq(change->upstreams[1], 0);
    ck_assert_int_eq(change->kept[0], GD_CHANGE_NEW);
    ck_assert_int_eq(change->kept[1], GD_CHANGE_NEW);
    ck_assert_int_eq(change->servers[0], GD_CHANGE_NEW);
    ck_assert_int_eq(change->servers[1], 1);
    ck_assert_int_eq(change->servers[2], GD_CHANGE_NEW);
    end();
}
END_TEST

START_TEST(an_upstream_is_kept_while_the_file_says_the_same)
{
    ck_assert(is_kept("http://10.0.0.1:1", "http://10.0.0.1:1"));
    ck_assert(is_kept("{servers: [http://10.0.0.1:1], timeout: 3s}",
                      "{servers: [http://10.0.0.1:1], timeout: 3s}"));
    ck_assert(!is_kept("http://10.0.0.1:1", "http://10.0.0.1:2"));
    ck_assert(!is_kept("{servers: [http://10.0.0.1:1], timeout: 3s}",
                       "{servers: [http://10.0.0.1:1], timeout: 4s}"));
    ck_assert(!is_kept("{servers: [http://10.0.0.1:1], headers: {X-A: b}}",
                       "{servers: [http://10.0.0.1:1], headers: {X-A: c}}"));
    ck_assert(!is_kept("[http://10.0.0.1:1, http://10.0.0.2:1]", "[http://10.0.0.1:1]"));
}
END_TEST

START_TEST(what_a_variable_stands_for_counts_and_not_its_name)
{
    ck_assert(is_kept("http://10.1.2.3:8081", "http://10.1.2.3:8081"));
    ck_assert(!is_kept("{servers: ['http://${HOST}:1'], headers: {X-A: '${SECRET}'}}",
                       "{servers: ['http://${HOST}:1'], headers: {X-A: '${PORT}'}}"));
}
END_TEST

START_TEST(text_cannot_be_cut_another_way)
{
    ck_assert(!is_kept("{servers: [http://10.0.0.1:1], headers: {X-A: bX-C}}",
                       "{servers: [http://10.0.0.1:1], headers: {X-AbX: -C}}"));
}
END_TEST

START_TEST(mocks_depend_on_their_seed_too)
{
    const char *mock = "upstreams: {m: {mock: {GET /: {json: 1}}}}\nroutes: {}\n";
    const char *seeded =
        "mock_seed: 2\nupstreams: {m: {mock: {GET /: {json: 1}}}}\nroutes: {}\n";

    compare(mock, mock);
    ck_assert_int_eq(change->kept[0], 0);
    end();
    compare(mock, seeded);
    ck_assert_int_eq(change->kept[0], GD_CHANGE_NEW);
    end();
}
END_TEST

START_TEST(upstreams_of_literal_urls_are_kept)
{
    const char *one = "routes: {GET /x: {calls: {a: http://10.0.0.1:1/x}}}\n";
    const char *two = "routes: {GET /y: {calls: {b: http://10.0.0.1:1/y}}}\n";

    compare(one, two);
    ck_assert_int_eq(change->kept[0], 0);
    end();
}
END_TEST

START_TEST(what_only_a_restart_changes_is_told)
{
    const char *const texts[] = {"routes: {}\n", "workers: auto\nroutes: {}\n",
                                 "workers: 3\nroutes: {}\n"};

    compare(texts[0], texts[1]);
    for (unsigned i = 0; i < after->fixed_count; i++)
        ck_assert(!change->fixed[i]);
    end();
    compare(texts[1], texts[2]);
    for (unsigned i = 0; i < after->fixed_count; i++)
        ck_assert(change->fixed[i] == (strcmp(after->fixed[i].path, "workers") == 0));
    end();
    compare("log: {access: {to: stderr}}\nroutes: {}\n",
            "log: {access: {to: stderr, buffer: 2MiB}}\nroutes: {}\n");
    for (unsigned i = 0; i < after->fixed_count; i++)
        ck_assert(change->fixed[i] ==
                  (strcmp(after->fixed[i].path, "log.access.buffer") == 0));
    end();
}
END_TEST

START_TEST(counters_of_what_stays_are_the_same_and_the_rest_is_zero)
{
    static const int routes[] = {1, GD_STAT_NEW}, upstreams[] = {0},
                     servers[] = {GD_STAT_NEW, 0};
    struct gd_stat_origins origins = {2, 1, 2, routes, upstreams, servers};
    struct gd_stats *first = gd_stats_new(2, 1, 1);
    struct gd_stats *next;

    gd_stat_inc(&first->worker[GD_WORKER_REQUESTS]);
    gd_stat_inc(&first->routes[1]->values[GD_ROUTE_REQUESTS]);
    gd_stat_inc(&first->servers[0]->values[GD_SERVER_CONNECTS]);
    next = gd_stats_next(first, &origins);
    /* What began before is still counted where it began. */
    gd_stat_inc(&first->routes[1]->values[GD_ROUTE_REQUESTS]);
    gd_stats_free(first);
    ck_assert_uint_eq(next->worker[GD_WORKER_REQUESTS], 1);
    ck_assert_uint_eq(next->routes[0]->values[GD_ROUTE_REQUESTS], 2);
    ck_assert_uint_eq(next->routes[1]->values[GD_ROUTE_REQUESTS], 0);
    ck_assert_uint_eq(next->servers[0]->values[GD_SERVER_CONNECTS], 0);
    ck_assert_uint_eq(next->servers[1]->values[GD_SERVER_CONNECTS], 1);
    ck_assert_ptr_null(gd_stats_jar(next, 0));
    gd_stats_free(next);
}
END_TEST

GD_SUITE("change", routes_are_the_same_by_their_pattern,
         upstreams_and_servers_are_the_same_by_their_names,
         an_upstream_is_kept_while_the_file_says_the_same,
         what_a_variable_stands_for_counts_and_not_its_name,
         text_cannot_be_cut_another_way, mocks_depend_on_their_seed_too,
         upstreams_of_literal_urls_are_kept, what_only_a_restart_changes_is_told,
         counters_of_what_stays_are_the_same_and_the_rest_is_zero)
