#include <stdio.h>

#include "http/cookie.h"
#include "suite.h"

/* Set-Cookie fields and what they are matched by. */

enum { NOW = 1700000000 };

static struct gd_set_cookie reads(const char *field)
{
    struct gd_set_cookie cookie;

    ck_assert_msg(gd_set_cookie_read(gd_span_of(field), NOW, &cookie), "%s", field);
    return cookie;
}

static void is(struct gd_span span, const char *text)
{
    ck_assert_msg(span.ptr && gd_span_is(span, text), "\"%.*s\" is not \"%s\"",
                  GD_SPAN_ARG(span), text);
}

START_TEST(a_pair_is_cut_at_the_first_equals_sign)
{
    struct gd_set_cookie cookie = reads("  sid \t=\t a=b \"c\", d  ; HttpOnly");

    is(cookie.name, "sid");
    is(cookie.value, "a=b \"c\", d");
    ck_assert_ptr_null(cookie.domain.ptr);
    ck_assert_ptr_null(cookie.path.ptr);
    ck_assert(!cookie.secure && !cookie.persistent);
    is(reads("sid=").value, "");
    is(reads("sid=;Path=/").value, "");
}
END_TEST

START_TEST(what_is_no_pair_is_ignored)
{
    static const char *const wrong[] = {"",      "sid",     "=x",     " =x", "a b=c",
                                        "a,b=c", "sid;a=b", "a=b\tc", ";a=b"};
    struct gd_set_cookie cookie;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!gd_set_cookie_read(gd_span_of(wrong[i]), NOW, &cookie), "%s",
                      wrong[i]);
}
END_TEST

START_TEST(attributes_are_read_without_regard_to_case)
{
    struct gd_set_cookie cookie = reads(
        "a=b;PATH=/x/y ; dOmain = .Example.com;SECURE;Max-age=60;SameSite=Lax; ;;=;x");

    is(cookie.path, "/x/y");
    is(cookie.domain, "Example.com");
    ck_assert(cookie.secure && cookie.persistent);
    ck_assert_int_eq(cookie.expires_s, NOW + 60);
}
END_TEST

START_TEST(of_attributes_of_one_name_the_last_counts)
{
    struct gd_set_cookie cookie =
        reads("a=b; Path=/x; Domain=a.test; Max-Age=1; Path=/y; Domain=b.test; Domain=; "
              "Max-Age=2; Max-Age=x");

    is(cookie.path, "/y");
    is(cookie.domain, "b.test");
    ck_assert_int_eq(cookie.expires_s, NOW + 2);
    ck_assert_ptr_null(reads("a=b; Path=/x; Path=y").path.ptr);
}
END_TEST

START_TEST(max_age_counts_more_than_expires)
{
    static const char date[] = "Wed, 09 Jun 2021 10:18:14 GMT";
    char field[128];

    snprintf(field, sizeof(field), "a=b; Max-Age=5; Expires=%s", date);
    ck_assert_int_eq(reads(field).expires_s, NOW + 5);
    snprintf(field, sizeof(field), "a=b; Expires=%s; Max-Age=5", date);
    ck_assert_int_eq(reads(field).expires_s, NOW + 5);
    snprintf(field, sizeof(field), "a=b; Expires=%s; Max-Age=+5", date);
    ck_assert_int_eq(reads(field).expires_s, 1623233894);
    ck_assert(!reads("a=b; Expires=soon").persistent);
}
END_TEST

START_TEST(max_age_is_a_number_of_seconds)
{
    static const char *const wrong[] = {"", "-", "+1", "1.5", "1s", "0x1", " "};
    char field[128];

    ck_assert_int_eq(reads("a=b; Max-Age=0").expires_s, NOW);
    ck_assert_int_eq(reads("a=b; Max-Age=-1").expires_s, NOW);
    ck_assert_int_eq(reads("a=b; Max-Age=-99999999999999999999").expires_s, NOW);
    ck_assert_int_eq(reads("a=b; Max-Age=99999999999999999999").expires_s,
                     NOW + INT64_C(9999999999));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(field, sizeof(field), "a=b; Max-Age=%s", wrong[i]);
        ck_assert_msg(!reads(field).persistent, "%s", field);
    }
}
END_TEST

START_TEST(dates_are_read_however_they_are_written)
{
    static const struct {
        const char *text;
        int64_t wall_s;
    } dates[] = {
        {"Wed, 09 Jun 2021 10:18:14 GMT", 1623233894},
        {"Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894},
        {"Wed Jun  9 10:18:14 2021", 1623233894},
        {"2021 june 9 10:18:14", 1623233894},
        {"10:18:14 9 JUNE 2021 and so on", 1623233894},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"31 Dec 1969 23:59:59", -1},
        {"29 Feb 2000 12:00:00", 951825600},
        {"1 Mar 2000 0:0:0", 951868800},
        {"1 Jan 69 00:00:00", 3124224000},
        {"1 Jan 1601 00:00:00", -11644473600},
        {"31 Dec 9999 23:59:59", 253402300799},
    };
    int64_t wall_s;

    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        ck_assert_msg(gd_cookie_date_read(gd_span_of(dates[i].text), &wall_s), "%s",
                      dates[i].text);
        ck_assert_msg(wall_s == dates[i].wall_s, "%s: %lld", dates[i].text,
                      (long long)wall_s);
    }
}
END_TEST

START_TEST(what_is_no_date_is_refused)
{
    static const char *const wrong[] = {
        "",
        "1 Jan 2021",
        "10:18:14 Jun 2021",
        "1 10:18:14 2021",
        "1 Jan 10:18:14",
        "1 Foo 2021 10:18:14",
        "0 Jan 2021 10:18:14",
        "32 Jan 2021 10:18:14",
        "31 Apr 2021 10:18:14",
        "29 Feb 2100 10:18:14",
        "29 Feb 2021 10:18:14",
        "1 Jan 1600 10:18:14",
        "1 Jan 2021 24:00:00",
        "1 Jan 2021 10:60:00",
        "1 Jan 2021 10:00:60",
        "1 Jan 2021 10:00",
        "1 Jan 2021 100:00:00",
        "1 Jan 20210 10:00:00",
    };
    int64_t wall_s;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!gd_cookie_date_read(gd_span_of(wrong[i]), &wall_s), "%s",
                      wrong[i]);
}
END_TEST

static bool domain_matches(const char *host, const char *domain)
{
    return gd_cookie_domain_matches(gd_span_of(host), gd_span_of(domain));
}

START_TEST(a_domain_has_the_names_below_it)
{
    ck_assert(domain_matches("example.com", "example.com"));
    ck_assert(domain_matches("A.Example.COM", "example.com"));
    ck_assert(domain_matches("a.b.example.com", "example.com"));
    ck_assert(!domain_matches("badexample.com", "example.com"));
    ck_assert(!domain_matches("example.com", "a.example.com"));
    ck_assert(!domain_matches("example.com", ""));
    ck_assert(!domain_matches("example.com.evil.test", "example.com"));
}
END_TEST

START_TEST(an_address_has_nothing_below_it)
{
    ck_assert(domain_matches("127.0.0.1", "127.0.0.1"));
    ck_assert(!domain_matches("127.0.0.1", "0.0.1"));
    ck_assert(!domain_matches("[::1.2]", "2]"));
    ck_assert(domain_matches("[::1]", "[::1]"));
}
END_TEST

static bool path_matches(const char *path, const char *of_cookie)
{
    return gd_cookie_path_matches(gd_span_of(path), gd_span_of(of_cookie));
}

START_TEST(a_path_has_the_segments_below_it)
{
    ck_assert(path_matches("/", "/"));
    ck_assert(path_matches("/a/b", "/"));
    ck_assert(path_matches("/a", "/a"));
    ck_assert(path_matches("/a/", "/a"));
    ck_assert(path_matches("/a/b", "/a"));
    ck_assert(path_matches("/a/b", "/a/"));
    ck_assert(!path_matches("/ab", "/a"));
    ck_assert(!path_matches("/a", "/a/"));
    ck_assert(!path_matches("/A", "/a"));
    ck_assert(!path_matches("/", "/a"));
}
END_TEST

START_TEST(a_default_path_ends_before_the_last_slash)
{
    is(gd_cookie_default_path(GD_SPAN("/a/b/c")), "/a/b");
    is(gd_cookie_default_path(GD_SPAN("/a/b/")), "/a/b");
    is(gd_cookie_default_path(GD_SPAN("/a")), "/");
    is(gd_cookie_default_path(GD_SPAN("/")), "/");
    is(gd_cookie_default_path(GD_SPAN("*")), "/");
    is(gd_cookie_default_path(GD_SPAN("")), "/");
}
END_TEST

GD_SUITE("cookie", a_pair_is_cut_at_the_first_equals_sign, what_is_no_pair_is_ignored,
         attributes_are_read_without_regard_to_case,
         of_attributes_of_one_name_the_last_counts, max_age_counts_more_than_expires,
         max_age_is_a_number_of_seconds, dates_are_read_however_they_are_written,
         what_is_no_date_is_refused, a_domain_has_the_names_below_it,
         an_address_has_nothing_below_it, a_path_has_the_segments_below_it,
         a_default_path_ends_before_the_last_slash)
