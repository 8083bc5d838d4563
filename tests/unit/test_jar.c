#include <stdio.h>

#include "base/stat.h"
#include "suite.h"
#include "upstream/jar.h"

/* The jar of an upstream: whose cookies are kept, and where they are sent. */

enum { NOW = 1700000000 };

struct scene {
    struct gd_jar *jar;
    uint64_t stats[GD_UPSTREAM_STATS];
};

static void begin(struct scene *scene)
{
    *scene = (struct scene){.jar = NULL};
    scene->jar = gd_jar_new(scene->stats);
}

static void end(struct scene *scene)
{
    gd_jar_free(scene->jar);
    ck_assert_uint_eq(scene->stats[GD_UPSTREAM_COOKIES], 0);
}

static struct gd_jar_place at(const char *host, const char *path)
{
    return (struct gd_jar_place){.host = gd_span_of(host), .path = gd_span_of(path)};
}

static void set_at(struct scene *scene, const char *host, const char *path,
                   const char *cookie, int64_t now_s)
{
    struct gd_field items[] = {
        {GD_FIELD_OTHER, GD_SPAN("X-A"), GD_SPAN("b=c")},
        {GD_FIELD_OTHER, GD_SPAN("SET-cookie"), gd_span_of(cookie)},
    };
    struct gd_fields fields = {items, 2};
    struct gd_jar_place place = at(host, path);

    gd_jar_store(scene->jar, &place, &fields, now_s);
}

static void set(struct scene *scene, const char *cookie)
{
    set_at(scene, "a.example.com", "/x/y", cookie, NOW);
}

/* What is sent to a place, as `name=value` with ";" between. */
static const char *sent_to(struct scene *scene, struct gd_jar_place place, int64_t now_s)
{
    static char text[65536];
    const struct gd_jar_cookie *cookie = NULL;
    size_t len = 0;

    *text = '\0';
    while ((cookie = gd_jar_next(scene->jar, &place, now_s, cookie)))
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s=%.*s",
                                len ? ";" : "", GD_SPAN_ARG(cookie->name),
                                GD_SPAN_ARG(cookie->value));
    return text;
}

static const char *sent(struct scene *scene, const char *host, const char *path)
{
    return sent_to(scene, at(host, path), NOW);
}

START_TEST(a_cookie_without_a_domain_is_for_its_host_alone)
{
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/x/z"), "a=1");
    ck_assert_str_eq(sent(&scene, "A.EXAMPLE.com", "/x"), "a=1");
    ck_assert_str_eq(sent(&scene, "b.a.example.com", "/x"), "");
    ck_assert_str_eq(sent(&scene, "example.com", "/x"), "");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/"), "");
    end(&scene);
}
END_TEST

START_TEST(a_domain_is_shared_by_the_names_below_it)
{
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1; Domain=example.com; Path=/");
    ck_assert_str_eq(sent(&scene, "b.example.com", "/"), "a=1");
    ck_assert_str_eq(sent(&scene, "example.com", "/"), "a=1");
    ck_assert_str_eq(sent(&scene, "badexample.com", "/"), "");
    end(&scene);
}
END_TEST

START_TEST(cookies_for_somebody_else_are_refused)
{
    static const char *const wrong[] = {
        "a=1; Domain=b.example.com",   "a=1; Domain=com",     "a=1; Domain=other.test",
        "a=1; Domain=x.a.example.com", "a=1; Domain=.com",    "a b=1",
        "a=1; Domain=..example.com",   "a=1; Domain=ple.com",
    };
    struct scene scene;

    begin(&scene);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        set(&scene, wrong[i]);
        ck_assert_msg(scene.stats[GD_UPSTREAM_COOKIES] == 0, "%s", wrong[i]);
        ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES_REFUSED], i + 1);
    }
    end(&scene);
}
END_TEST

START_TEST(a_public_suffix_speaks_for_itself_alone)
{
    struct scene scene;

    begin(&scene);
    set_at(&scene, "shop.co.uk", "/", "a=1; Domain=co.uk", NOW);
    set_at(&scene, "users.internal", "/", "a=1; Domain=internal", NOW);
    set_at(&scene, "ada.github.io", "/", "a=1; Domain=github.io", NOW);
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES_REFUSED], 3);
    set_at(&scene, "github.io", "/", "a=1; Domain=github.io", NOW);
    set_at(&scene, "localhost", "/", "b=1; Domain=localhost", NOW);
    ck_assert_str_eq(sent(&scene, "github.io", "/"), "a=1");
    ck_assert_str_eq(sent(&scene, "ada.github.io", "/"), "");
    ck_assert_str_eq(sent(&scene, "localhost", "/"), "b=1");
    ck_assert_str_eq(sent(&scene, "x.localhost", "/"), "");
    end(&scene);
}
END_TEST

START_TEST(an_address_is_its_own_domain)
{
    struct scene scene;

    begin(&scene);
    set_at(&scene, "10.0.0.5", "/", "a=1; Domain=10.0.0.5", NOW);
    set_at(&scene, "10.0.0.5", "/", "b=1; Domain=0.0.5", NOW);
    set_at(&scene, "[::1]", "/", "c=1", NOW);
    ck_assert_str_eq(sent(&scene, "10.0.0.5", "/"), "a=1");
    ck_assert_str_eq(sent(&scene, "[::1]", "/"), "c=1");
    ck_assert_str_eq(sent(&scene, "10.0.0.6", "/"), "");
    end(&scene);
}
END_TEST

START_TEST(longer_paths_come_first_and_then_older_cookies)
{
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1; Path=/");
    set(&scene, "b=1; Path=/x/y");
    set(&scene, "c=1; Path=/x");
    set(&scene, "d=1; Path=/x");
    set(&scene, "a=2; Path=/x");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/x/y/z"), "b=1;c=1;d=1;a=2;a=1");
    set(&scene, "c=3; Path=/x");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/x/y/z"), "b=1;c=3;d=1;a=2;a=1");
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES], 5);
    end(&scene);
}
END_TEST

START_TEST(a_cookie_lasts_as_long_as_it_says)
{
    struct gd_jar_place place = at("a.example.com", "/x");
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1; Max-Age=10");
    set(&scene, "b=1; Expires=Wed, 15 Nov 2023 00:00:00 GMT");
    set(&scene, "c=1");
    set(&scene, "d=1; Expires=Wed, 09 Jun 2021 10:18:14 GMT");
    set(&scene, "e=1; Max-Age=0");
    ck_assert_str_eq(sent_to(&scene, place, NOW), "a=1;b=1;c=1");
    ck_assert_str_eq(sent_to(&scene, place, NOW + 9), "a=1;b=1;c=1");
    ck_assert_str_eq(sent_to(&scene, place, NOW + 10), "b=1;c=1");
    ck_assert_str_eq(sent_to(&scene, place, NOW + 86400), "c=1");
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES], 3);
    set_at(&scene, "a.example.com", "/x/y", "f=1", NOW + 86400);
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES], 2);
    end(&scene);
}
END_TEST

START_TEST(a_time_that_is_over_removes_a_cookie)
{
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1");
    set(&scene, "a=; Max-Age=0; Path=/other");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/x"), "a=1");
    set(&scene, "a=; Max-Age=0");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/x"), "");
    end(&scene);
}
END_TEST

START_TEST(a_secure_cookie_goes_over_tls_only)
{
    struct gd_jar_place place = at("a.example.com", "/x");
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1; Secure");
    ck_assert_str_eq(sent_to(&scene, place, NOW), "");
    place.secure = true;
    ck_assert_str_eq(sent_to(&scene, place, NOW), "a=1");
    end(&scene);
}
END_TEST

START_TEST(the_cookie_not_sent_for_the_longest_time_makes_room)
{
    char cookie[64];
    struct scene scene;

    begin(&scene);
    for (int i = 0; i < GD_JAR_COOKIES; i++) {
        snprintf(cookie, sizeof(cookie), "c%d=1; Path=/p%d", i, i);
        set(&scene, cookie);
    }
    ck_assert_str_eq(sent(&scene, "a.example.com", "/p0"), "c0=1");
    set(&scene, "new=1; Path=/");
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES], GD_JAR_COOKIES);
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES_EVICTED], 1);
    ck_assert_str_eq(sent(&scene, "a.example.com", "/p0"), "c0=1;new=1");
    ck_assert_str_eq(sent(&scene, "a.example.com", "/p1"), "new=1");
    end(&scene);
}
END_TEST

/* A cookie whose name, value, domain and path have so many bytes. */
static const char *large(char name, size_t bytes)
{
    static char cookie[2 * GD_JAR_COOKIE_BYTES];
    size_t rest = strlen("a.example.com") + strlen("/x") + 1;

    ck_assert_uint_gt(bytes, rest);
    cookie[0] = name;
    cookie[1] = '=';
    memset(cookie + 2, 'v', bytes - rest);
    cookie[2 + bytes - rest] = '\0';
    return cookie;
}

START_TEST(the_bytes_of_one_cookie_and_of_all_are_bounded)
{
    struct scene scene;

    begin(&scene);
    set(&scene, large('a', GD_JAR_COOKIE_BYTES + 1));
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES_REFUSED], 1);
    for (int i = 0; i < GD_JAR_BYTES / GD_JAR_COOKIE_BYTES; i++)
        set(&scene, large((char)('a' + i), GD_JAR_COOKIE_BYTES));
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES], 4);
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES_EVICTED], 0);
    set(&scene, "z=1");
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES], 4);
    ck_assert_uint_eq(scene.stats[GD_UPSTREAM_COOKIES_EVICTED], 1);
    end(&scene);
}
END_TEST

static void on_each(void *arg, const struct gd_jar_cookie *cookie)
{
    (*(unsigned *)arg)++;
    ck_assert(gd_span_is(cookie->domain, "a.example.com"));
}

START_TEST(what_has_not_expired_is_shown)
{
    unsigned seen = 0;
    struct scene scene;

    begin(&scene);
    set(&scene, "a=1; Max-Age=10");
    set(&scene, "b=1; Secure");
    gd_jar_each(scene.jar, NOW + 9, on_each, &seen);
    ck_assert_uint_eq(seen, 2);
    gd_jar_each(scene.jar, NOW + 10, on_each, &seen);
    ck_assert_uint_eq(seen, 3);
    end(&scene);
}
END_TEST

GD_SUITE("jar", a_cookie_without_a_domain_is_for_its_host_alone,
         a_domain_is_shared_by_the_names_below_it, cookies_for_somebody_else_are_refused,
         a_public_suffix_speaks_for_itself_alone, an_address_is_its_own_domain,
         longer_paths_come_first_and_then_older_cookies,
         a_cookie_lasts_as_long_as_it_says, a_time_that_is_over_removes_a_cookie,
         a_secure_cookie_goes_over_tls_only,
         the_cookie_not_sent_for_the_longest_time_makes_room,
         the_bytes_of_one_cookie_and_of_all_are_bounded, what_has_not_expired_is_shown)
