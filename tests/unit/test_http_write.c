#include "suite.h"

#include <stdio.h>
#include <time.h>

#include "http/chars.h"
#include "http/head.h"
#include "http/write.h"

static struct gd_buf buf;

static void setup(size_t max)
{
    gd_buf_init(&buf, NULL, max);
}

START_TEST(heads_are_written_as_they_are_read)
{
    static const struct gd_head_limits limits = {1000, 1000, 10};
    struct gd_head_state state = {0};
    struct gd_request_head head;
    struct gd_field fields[10];

    setup(1000);
    ck_assert(gd_write_request_line(&buf, GD_SPAN("PUT"), GD_SPAN("/a?b")));
    ck_assert(gd_write_field(&buf, GD_SPAN("Host"), GD_SPAN("a:80")));
    ck_assert(gd_write_field(&buf, GD_SPAN("X-Empty"), GD_SPAN("")));
    ck_assert(gd_write_field_u64(&buf, GD_SPAN("Content-Length"), 123));
    ck_assert(gd_write_end(&buf));
    ck_assert(gd_span_is(gd_buf_span(&buf),
                         "PUT /a?b HTTP/1.1\r\nHost: a:80\r\nX-Empty: \r\n"
                         "Content-Length: 123\r\n\r\n"));
    ck_assert_int_eq(
        gd_request_head_parse(&state, gd_buf_span(&buf), &limits, fields, &head),
        GD_PARSE_DONE);
    ck_assert_uint_eq(head.content_length, 123);
    gd_buf_free(&buf);
}
END_TEST

START_TEST(status_lines_have_three_digits)
{
    setup(1000);
    ck_assert(gd_write_status_line(&buf, 200));
    ck_assert(gd_span_is(gd_buf_span(&buf), "HTTP/1.1 200 OK\r\n"));
    buf.len = 0;
    ck_assert(gd_write_status_line(&buf, 599));
    ck_assert(gd_span_is(gd_buf_span(&buf), "HTTP/1.1 599 Server Error\r\n"));
    ck_assert(gd_write_status_line(&buf, 999));
    ck_assert(gd_write_status_line(&buf, 100));
    ck_assert(!gd_write_status_line(&buf, 99));
    ck_assert(!gd_write_status_line(&buf, 1000));
    ck_assert(!gd_write_status_line(&buf, -200));
    gd_buf_free(&buf);
}
END_TEST

enum part { METHOD, TARGET, NAME, VALUE };

static bool write_part(enum part part, struct gd_span text)
{
    switch (part) {
    case METHOD:
        return gd_write_request_line(&buf, text, GD_SPAN("/"));
    case TARGET:
        return gd_write_request_line(&buf, GD_SPAN("GET"), text);
    case NAME:
        return gd_write_field(&buf, text, GD_SPAN("v"));
    case VALUE:
        return gd_write_field(&buf, GD_SPAN("n"), text);
    }
    return false;
}

static bool is_fine(enum part part, int c)
{
    if (part == TARGET)
        return c > 0x20 && c < 0x7f;
    if (part == VALUE)
        return c == '\t' || (c >= 0x20 && c != 0x7f);
    return gd_char_is((char)c, GD_CHAR_TOKEN);
}

START_TEST(no_byte_anywhere_makes_a_line_of_its_own)
{
    char text[40];

    setup(1000);
    for (int part = METHOD; part <= VALUE; part++)
        for (size_t at = 0; at < sizeof(text); at++)
            for (int c = 0; c < 256; c++) {
                bool fine = is_fine((enum part)part, c);

                memset(text, 'x', sizeof(text));
                text[at] = (char)c;
                buf.len = 0;
                ck_assert_int_eq(
                    write_part((enum part)part, (struct gd_span){text, sizeof(text)}),
                    fine);
                ck_assert_int_eq(buf.len > 0, fine);
                if (fine)
                    ck_assert_ptr_eq(memchr(buf.data, '\n', buf.len),
                                     buf.data + buf.len - 1);
            }
    gd_buf_free(&buf);
}
END_TEST

START_TEST(empty_names_are_refused)
{
    setup(1000);
    ck_assert(!gd_write_request_line(&buf, GD_SPAN(""), GD_SPAN("/")));
    ck_assert(!gd_write_request_line(&buf, GD_SPAN("GET"), GD_SPAN("")));
    ck_assert(!gd_write_request_line(&buf, GD_SPAN("GET"), GD_SPAN_NONE));
    ck_assert(!gd_write_field(&buf, GD_SPAN(""), GD_SPAN("v")));
    ck_assert(gd_write_field(&buf, GD_SPAN("n"), GD_SPAN_NONE));
    gd_buf_free(&buf);
}
END_TEST

START_TEST(nothing_is_written_past_the_bound)
{
    for (size_t max = 0; max < 30; max++) {
        setup(max);
        ck_assert_int_eq(gd_write_status_line(&buf, 200), max >= 17);
        ck_assert_uint_eq(buf.len, max >= 17 ? 17 : 0);
        buf.len = 0;
        ck_assert_int_eq(gd_write_request_line(&buf, GD_SPAN("GET"), GD_SPAN("/")),
                         max >= 16);
        buf.len = 0;
        ck_assert_int_eq(gd_write_field(&buf, GD_SPAN("name"), GD_SPAN("val")),
                         max >= 11);
        buf.len = 0;
        ck_assert_int_eq(gd_write_end(&buf), max >= 2);
        gd_buf_free(&buf);
    }
    setup(1000);
    ck_assert(!gd_write_field(&buf, GD_SPAN("n"), (struct gd_span){"", 1}));
    gd_buf_free(&buf);
}
END_TEST

static void check_date(int64_t second, const char *wanted)
{
    struct gd_date date = {0};
    char text[64];
    struct tm tm;
    time_t at = (time_t)second;

    if (wanted)
        snprintf(text, sizeof(text), "Date: %s\r\n", wanted);
    else
        strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
                 gmtime_r(&at, &tm));
    ck_assert_msg(gd_span_is(gd_date_line(&date, second), text), "%s", text);
    ck_assert(gd_span_is(gd_date_line(&date, second), text));
}

START_TEST(dates_are_those_of_the_calendar)
{
    struct gd_date date = {0};

    check_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    check_date(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    check_date(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    check_date(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
    check_date(253402300800, "Fri, 31 Dec 9999 23:59:59 GMT");
    check_date(-1, "Thu, 01 Jan 1970 00:00:00 GMT");
    if (sizeof(time_t) == 8)
        for (int64_t day = 0; day < 366 * 500; day += day < 366 * 5 ? 1 : 29)
            check_date(day * 86400 + day % 86400, NULL);
    ck_assert(
        gd_span_is(gd_date_line(&date, 1), "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n"));
    ck_assert(
        gd_span_is(gd_date_line(&date, 0), "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
}
END_TEST

GD_SUITE("http_write", heads_are_written_as_they_are_read, status_lines_have_three_digits,
         no_byte_anywhere_makes_a_line_of_its_own, empty_names_are_refused,
         nothing_is_written_past_the_bound, dates_are_those_of_the_calendar)
