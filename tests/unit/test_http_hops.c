/*
 * Which fields stay on their connection.
 */
#include <stdio.h>

#include "http/hops.h"
#include "suite.h"

/* Parses a request head with these field lines; the fields live until the next call. */
static const struct gd_fields *parse(const char *lines)
{
    static const struct gd_head_limits limits = {8192, 65536, 100};
    static struct gd_field items[100];
    static struct gd_request_head head;
    static char text[8192];
    struct gd_head_state state = {0};
    int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

    ck_assert_int_eq(gd_request_head_parse(&state, (struct gd_span){text, (size_t)len},
                                           &limits, items, &head),
                     GD_PARSE_DONE);
    return &head.fields;
}

static bool goes_on(const char *lines, const char *name)
{
    const struct gd_fields *fields = parse(lines);
    struct gd_hops hops;

    ck_assert(gd_hops_read(&hops, fields));
    return !gd_hops_has(&hops, gd_fields_find(fields, gd_span_of(name)));
}

START_TEST(fields_of_the_connection_and_of_framing_stay)
{
    static const char stay[][24] = {"Connection",
                                    "Content-Length",
                                    "Expect",
                                    "Host",
                                    "Keep-Alive",
                                    "TE",
                                    "Trailer",
                                    "Upgrade",
                                    "PROXY-connection",
                                    "Proxy-Authorization",
                                    "proxy-authenticate"};
    static const char go[][16] = {"Accept", "Cookie",   "Date", "P",
                                  "Via",    "Proxy-Go", "Vary", "Authorization"};
    char line[512];

    for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++) {
        snprintf(line, sizeof(line), "%s: %s\r\n", stay[i],
                 strcmp(stay[i], "Expect") == 0 ? "100-continue" : "1");
        ck_assert_msg(!goes_on(strcmp(stay[i], "Host") ? line : "", stay[i]), "%s",
                      stay[i]);
    }
    for (size_t i = 0; i < sizeof(go) / sizeof(go[0]); i++) {
        snprintf(line, sizeof(line), "%s: 1\r\n", go[i]);
        ck_assert_msg(goes_on(line, go[i]), "%s", go[i]);
    }
    ck_assert(!goes_on("Transfer-Encoding: chunked\r\n", "Transfer-Encoding"));
}
END_TEST

START_TEST(what_connection_names_stays_whatever_its_case_and_line)
{
    static const char lines[] = "Connection: close, X-One ,,x-two\r\nX-ONE: 1\r\n"
                                "Connection: keep-alive,cookie\r\nX-Two: 2\r\n"
                                "X-Three: 3\r\nCookie: a\r\nClose: 1\r\n";

    ck_assert(!goes_on(lines, "x-one"));
    ck_assert(!goes_on(lines, "x-two"));
    ck_assert(!goes_on(lines, "cookie"));
    ck_assert(goes_on(lines, "x-three"));
    ck_assert(goes_on(lines, "close"));
}
END_TEST

START_TEST(a_list_of_too_many_names_is_refused)
{
    for (int more = 0; more < 2; more++) {
        char lines[1024] = "Connection: close";
        size_t len = strlen(lines);
        struct gd_hops hops;

        for (int i = 0; i < GD_HOPS_NAMED_MAX; i++)
            len += (size_t)snprintf(lines + len, 16, ", x%d", i);
        snprintf(lines + len, 32, "\r\n%s", more ? "Connection: y\r\n" : "");
        ck_assert(gd_hops_read(&hops, parse(lines)) == !more);
        ck_assert_uint_eq(hops.count, GD_HOPS_NAMED_MAX);
    }
}
END_TEST

GD_SUITE("http_hops", fields_of_the_connection_and_of_framing_stay,
         what_connection_names_stays_whatever_its_case_and_line,
         a_list_of_too_many_names_is_refused)
