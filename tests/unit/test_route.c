#include "suite.h"

#include <limits.h>
#include <stdio.h>

#include "plan/route.h"

/* A router and the patterns put into it, by their place in the list. */
struct fixture {
    struct gd_arena arena;
    struct gd_router *router;
    unsigned count;
    struct gd_match match;
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    gd_arena_init(&f->arena, NULL, 65536, 64 << 20);
    f->router = gd_router_new(&f->arena);
    ck_assert_ptr_nonnull(f->router);
}

static void teardown(struct fixture *f)
{
    gd_arena_free(&f->arena);
}

static struct gd_pattern pattern(struct fixture *f, const char *text)
{
    struct gd_pattern out;
    struct gd_err err;

    ck_assert_msg(gd_pattern_parse(gd_span_of(text), &f->arena, &out, &err), "%s: %s",
                  text, err.text);
    return out;
}

static void add(struct fixture *f, const char *text)
{
    struct gd_pattern parsed = pattern(f, text);
    unsigned other;

    ck_assert_msg(gd_router_add(f->router, &parsed, f->count, &other),
                  "%s is in conflict with number %u", text, other);
    f->count++;
}

static void add_all(struct fixture *f, const char *const *texts)
{
    for (; *texts; texts++)
        add(f, *texts);
}

/* Looks up `METHOD host path`. */
static enum gd_match_result look(struct fixture *f, const char *method, const char *host,
                                 const char *path)
{
    struct gd_span text = gd_span_of(method);

    return gd_router_match(f->router, gd_method_of(text), text, gd_span_of(host),
                           gd_span_of(path), &f->match);
}

static void finds(struct fixture *f, const char *method, const char *host,
                  const char *path, unsigned index)
{
    ck_assert_msg(look(f, method, host, path) == GD_MATCH_FOUND, "%s %s%s: not found",
                  method, host, path);
    ck_assert_msg(f->match.index == index, "%s %s%s: found %u, not %u", method, host,
                  path, f->match.index, index);
}

static void finds_none(struct fixture *f, const char *method, const char *path)
{
    ck_assert_msg(look(f, method, "h", path) == GD_MATCH_NONE, "%s %s: found", method,
                  path);
}

static void param_is(struct fixture *f, unsigned i, const char *value)
{
    ck_assert_uint_lt(i, f->match.param_count);
    ck_assert_msg(gd_span_is(f->match.params[i], value), "parameter %u is \"%.*s\"", i,
                  GD_SPAN_ARG(f->match.params[i]));
}

START_TEST(a_pattern_of_64_segments_is_found)
{
    char text[200] = "";
    struct fixture f;

    for (int i = 0; i < 64; i++)
        snprintf(text + 2 * i, sizeof(text) - 2 * (size_t)i, "/x");
    setup(&f);
    add(&f, text);
    finds(&f, "GET", "", text, 0);
    snprintf(text + 128, sizeof(text) - 128, "/x");
    finds_none(&f, "GET", text);
    teardown(&f);
}
END_TEST

START_TEST(at_each_segment_the_most_specific_wins)
{
    static const char *const routes[] = {
        "/{all...}",     "/users/{id}",      "/users/me", "/users/{id}/posts",
        "/users/{r...}", "/users/me/{r...}", "/{a}/x",    NULL};
    struct fixture f;

    setup(&f);
    add_all(&f, routes);
    finds(&f, "GET", "", "/users/me", 2);
    finds(&f, "GET", "", "/users/7", 1);
    param_is(&f, 0, "7");
    finds(&f, "GET", "", "/users/7/posts", 3);
    finds(&f, "GET", "", "/users/7/other", 4);
    param_is(&f, 0, "7/other");
    finds(&f, "GET", "", "/users/me/x", 5);
    param_is(&f, 0, "x");
    ck_assert_uint_eq(f.match.param_count, 1);
    finds(&f, "GET", "", "/", 0);
    param_is(&f, 0, "");
    finds(&f, "GET", "", "/q/x", 6);
    finds(&f, "GET", "", "/q/y", 0);
    param_is(&f, 0, "q/y");
    teardown(&f);
}
END_TEST

START_TEST(a_more_literal_branch_that_fails_deeper_down_is_left_again)
{
    static const char *const routes[] = {"/a/b/c", "/{x}/b/d", "/a/{y}/e", "/{x}/{y}/{z}",
                                         NULL};
    struct fixture f;

    setup(&f);
    add_all(&f, routes);
    finds(&f, "GET", "", "/a/b/c", 0);
    ck_assert_uint_eq(f.match.param_count, 0);
    finds(&f, "GET", "", "/a/b/d", 1);
    ck_assert_uint_eq(f.match.param_count, 1);
    param_is(&f, 0, "a");
    finds(&f, "GET", "", "/a/b/e", 2);
    param_is(&f, 0, "b");
    finds(&f, "GET", "", "/a/b/f", 3);
    ck_assert_uint_eq(f.match.param_count, 3);
    param_is(&f, 2, "f");
    finds_none(&f, "GET", "/a/b");
    finds_none(&f, "GET", "/a/b/c/d");
    teardown(&f);
}
END_TEST

START_TEST(a_placeholder_takes_one_segment_that_is_not_empty)
{
    struct fixture f;

    setup(&f);
    add(&f, "/u/{id}");
    finds_none(&f, "GET", "/u/");
    finds_none(&f, "GET", "/u");
    finds_none(&f, "GET", "/u/a/");
    finds(&f, "GET", "", "/u/a%2Fb", 0);
    param_is(&f, 0, "a%2Fb");
    finds_none(&f, "GET", "*");
    finds_none(&f, "GET", "");
    teardown(&f);
}
END_TEST

START_TEST(a_tail_takes_the_rest_even_if_it_is_empty)
{
    struct fixture f;
    char path[1000] = "/files/";

    setup(&f);
    add(&f, "/files/{rest...}");
    finds(&f, "GET", "", "/files/", 0);
    param_is(&f, 0, "");
    finds(&f, "GET", "", "/files//a/", 0);
    param_is(&f, 0, "/a/");
    finds_none(&f, "GET", "/files");
    memset(path + 7, '/', sizeof(path) - 8);
    path[sizeof(path) - 1] = '\0';
    finds(&f, "GET", "", path, 0);
    ck_assert_uint_eq(f.match.params[0].len, 992);
    teardown(&f);
}
END_TEST

START_TEST(the_slash_at_the_end_counts)
{
    struct fixture f;

    setup(&f);
    add(&f, "/a");
    add(&f, "/a/");
    add(&f, "/");
    finds(&f, "GET", "", "/a", 0);
    finds(&f, "GET", "", "/a/", 1);
    finds(&f, "GET", "", "/", 2);
    finds_none(&f, "GET", "//");
    teardown(&f);
}
END_TEST

START_TEST(methods_decide_among_equal_paths)
{
    static const char *const routes[] = {"GET /a", "/a", "POST /a", "LINK /a", NULL};
    struct fixture f;

    setup(&f);
    add_all(&f, routes);
    finds(&f, "GET", "", "/a", 0);
    finds(&f, "HEAD", "", "/a", 0);
    finds(&f, "POST", "", "/a", 2);
    finds(&f, "LINK", "", "/a", 3);
    finds(&f, "DELETE", "", "/a", 1);
    finds(&f, "UNLINK", "", "/a", 1);
    add(&f, "HEAD /a");
    finds(&f, "HEAD", "", "/a", 4);
    teardown(&f);
}
END_TEST

START_TEST(a_less_specific_path_serves_a_method_the_other_lacks)
{
    struct fixture f;

    setup(&f);
    add(&f, "GET /users/me");
    add(&f, "DELETE /users/{id}");
    add(&f, "POST h/users/me");
    finds(&f, "GET", "h", "/users/me", 0);
    finds(&f, "DELETE", "h", "/users/me", 1);
    finds(&f, "POST", "h", "/users/me", 2);
    ck_assert_int_eq(look(&f, "PUT", "h", "/users/me"), GD_MATCH_OTHER_METHOD);
    ck_assert_uint_eq(f.match.allow, 1u << GD_METHOD_GET | 1u << GD_METHOD_HEAD |
                                         1u << GD_METHOD_DELETE | 1u << GD_METHOD_POST);
    teardown(&f);
}
END_TEST

START_TEST(a_known_path_with_another_method_tells_what_is_allowed)
{
    struct fixture f;

    setup(&f);
    add(&f, "GET /a");
    add(&f, "PUT /a");
    add(&f, "LINK /b");
    ck_assert_int_eq(look(&f, "POST", "", "/a"), GD_MATCH_OTHER_METHOD);
    ck_assert_uint_eq(f.match.allow,
                      1u << GD_METHOD_GET | 1u << GD_METHOD_HEAD | 1u << GD_METHOD_PUT);
    ck_assert_int_eq(look(&f, "UNLINK", "", "/b"), GD_MATCH_OTHER_METHOD);
    ck_assert_uint_eq(f.match.allow, 1u << GD_METHOD_OTHER);
    ck_assert_int_eq(look(&f, "OPTIONS", "", "/a"), GD_MATCH_OTHER_METHOD);
    finds_none(&f, "POST", "/c");
    ck_assert_uint_eq(f.match.allow, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_host_is_compared_without_case_port_and_final_dot)
{
    struct fixture f;
    char longer[400];

    setup(&f);
    add(&f, "/a");
    add(&f, "Example.com/a");
    add(&f, "[2001:DB8::1]/a");
    add(&f, "example.com/{x}");
    finds(&f, "GET", "example.com", "/a", 1);
    finds(&f, "GET", "EXAMPLE.com:8080", "/a", 1);
    finds(&f, "GET", "example.com.", "/a", 1);
    finds(&f, "GET", "example.com.:80", "/a", 1);
    finds(&f, "GET", "www.example.com", "/a", 0);
    finds(&f, "GET", "[2001:db8::1]", "/a", 2);
    finds(&f, "GET", "[2001:db8::1]:443", "/a", 2);
    finds(&f, "GET", "[2001:db8::2]:443", "/a", 0);
    finds(&f, "GET", "[2001:db8::1", "/a", 0);
    finds(&f, "GET", "", "/a", 0);
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    finds(&f, "GET", longer, "/a", 0);
    finds_none(&f, "GET", "/b");
    finds(&f, "GET", "example.com", "/b", 3);
    teardown(&f);
}
END_TEST

static void conflicts(struct fixture *f, const char *text, unsigned with)
{
    struct gd_pattern parsed = pattern(f, text);
    unsigned other = 77;

    ck_assert_msg(!gd_router_add(f->router, &parsed, f->count, &other), "%s was added",
                  text);
    ck_assert_uint_eq(other, with);
}

START_TEST(patterns_that_mean_the_same_are_in_conflict)
{
    static const char *const routes[] = {"GET /a/{x}",  "/a/{x}",    "/b/{x...}",
                                         "GET h/a/{x}", "LINK /a/c", NULL};
    struct fixture f;

    setup(&f);
    add_all(&f, routes);
    conflicts(&f, "GET /a/{y}", 0);
    conflicts(&f, "GET /%61/{y}", 0);
    conflicts(&f, "/a/{z}", 1);
    conflicts(&f, "/b/{y...}", 2);
    conflicts(&f, "GET H/a/{y}", 3);
    conflicts(&f, "LINK /a/c", 4);
    add(&f, "HEAD /a/{x}");
    add(&f, "/b/{x}");
    add(&f, "h/a/{x}");
    add(&f, "UNLINK /a/c");
    teardown(&f);
}
END_TEST

START_TEST(a_full_arena_is_told_from_a_conflict)
{
    struct gd_arena small;
    struct gd_pattern parsed;
    struct fixture f;
    unsigned other = 0, n = 0;
    bool ok = true;

    setup(&f);
    gd_arena_init(&small, NULL, 512, 500);
    ck_assert_ptr_null(gd_router_new(&small));
    gd_arena_free(&small);
    gd_arena_init(&small, NULL, 1024, 8192);
    f.router = gd_router_new(&small);
    for (; ok && n < 1000; n++) {
        char text[32];

        snprintf(text, sizeof(text), "LINK /a/%u/{x}", n);
        parsed = pattern(&f, text);
        ok = gd_router_add(f.router, &parsed, n, &other);
    }
    ck_assert(!ok);
    ck_assert_uint_eq(other, UINT_MAX);
    finds(&f, "LINK", "", "/a/0/7", 0);
    gd_arena_free(&small);
    teardown(&f);
}
END_TEST

/* The mean and the greatest cost of finding each of n routes. */
static double steps_for(unsigned n, bool siblings, unsigned *most)
{
    struct fixture f;
    char text[64];
    unsigned sum = 0;

    *most = 0;
    setup(&f);
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof(text), siblings ? "/api/r%u" : "/s%u/{id}/r%u", i, i);
        add(&f, text);
    }
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof(text), siblings ? "/api/r%u" : "/s%u/77/r%u", i, i);
        finds(&f, "GET", "", text, i);
        sum += f.match.steps;
        if (f.match.steps > *most)
            *most = f.match.steps;
    }
    teardown(&f);
    return (double)sum / n;
}

START_TEST(five_thousand_routes_cost_no_more_per_match_than_ten)
{
    unsigned most;

    /* Nodes on the way plus table slots: the first is fixed, the second is a little
     * above one each, whatever the number of routes. */
    ck_assert_double_lt(steps_for(10, false, &most), 7.5);
    ck_assert_double_lt(steps_for(5000, false, &most), 7.5);
    ck_assert_uint_lt(most, 40);
    ck_assert_double_lt(steps_for(10, true, &most), 6.5);
    ck_assert_double_lt(steps_for(5000, true, &most), 6.5);
    ck_assert_uint_lt(most, 40);
}
END_TEST

START_TEST(backtracking_visits_no_node_twice)
{
    enum { LEVELS = 10 };
    struct fixture f;
    char text[128], path[4096] = "";
    unsigned nodes = (1u << (LEVELS + 1)) - 1;

    /* The worst patterns there are: at each level a literal and a placeholder, and the
     * path fits all of them but for its end. */
    setup(&f);
    for (unsigned bits = 0; bits < 1u << LEVELS; bits++) {
        size_t len = 0;

        for (unsigned level = 0; level < LEVELS; level++)
            len += (size_t)snprintf(text + len, sizeof(text) - len,
                                    bits >> level & 1 ? "/{p%u}" : "/a", level);
        add(&f, text);
    }
    for (unsigned level = 0; level < LEVELS; level++)
        snprintf(path + 2 * level, 3, "/a");
    finds(&f, "GET", "", path, 0);
    ck_assert_uint_le(f.match.steps, 3 * LEVELS + 2);
    snprintf(path + 2 * LEVELS, 3, "/b");
    finds_none(&f, "GET", path);
    /* Each node is entered once, and asked once for a literal child. */
    ck_assert_uint_le(f.match.steps, 3 * nodes);
    /* More segments than any pattern has add nothing. */
    for (size_t i = 2 * LEVELS; i + 2 < sizeof(path); i += 2)
        snprintf(path + i, 3, "/a");
    finds_none(&f, "GET", path);
    ck_assert_uint_le(f.match.steps, 3 * nodes);
    teardown(&f);
}
END_TEST

GD_SUITE("route", a_pattern_of_64_segments_is_found,
         at_each_segment_the_most_specific_wins,
         a_more_literal_branch_that_fails_deeper_down_is_left_again,
         a_placeholder_takes_one_segment_that_is_not_empty,
         a_tail_takes_the_rest_even_if_it_is_empty, the_slash_at_the_end_counts,
         methods_decide_among_equal_paths,
         a_less_specific_path_serves_a_method_the_other_lacks,
         a_known_path_with_another_method_tells_what_is_allowed,
         a_host_is_compared_without_case_port_and_final_dot,
         patterns_that_mean_the_same_are_in_conflict,
         a_full_arena_is_told_from_a_conflict,
         five_thousand_routes_cost_no_more_per_match_than_ten,
         backtracking_visits_no_node_twice)
