/*
 * What reading and writing heads costs, one line a piece of work. For instructions, which
 * don't depend on the machine:
 *   valgrind --tool=callgrind --toggle-collect=read_request bench_http 1000
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "http/body.h"
#include "http/head.h"
#include "http/write.h"

static const char request[] = "GET /api/profile/42?page=2 HTTP/1.1\r\n"
                              "Host: api.example.com\r\n"
                              "User-Agent: curl/8.5.0\r\n"
                              "Accept: */*\r\n"
                              "Cookie: sid=0123456789ab\r\n"
                              "Connection: keep-alive\r\n\r\n";
static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: example\r\n"
                               "Date: Mon, 23 Nov 2026 21:58:00 GMT\r\n"
                               "Content-Type: application/json\r\n"
                               "Content-Length: 1024\r\n"
                               "Connection: keep-alive\r\n\r\n";

static const struct gd_head_limits limits = {8000, 16384, 100};
static struct gd_field fields[100];
static char chunked[2048];

static void read_request(void)
{
    struct gd_head_state state = {0};
    struct gd_request_head head;

    if (gd_request_head_parse(&state, GD_SPAN(request), &limits, fields, &head) !=
        GD_PARSE_DONE)
        abort();
}

static void drip_request(void)
{
    struct gd_head_state state = {0};
    struct gd_request_head head;
    enum gd_parse result = GD_PARSE_MORE;

    for (size_t n = 1; n <= sizeof(request) - 1; n++)
        result = gd_request_head_parse(&state, (struct gd_span){request, n}, &limits,
                                       fields, &head);
    if (result != GD_PARSE_DONE)
        abort();
}

static void read_response(void)
{
    struct gd_head_state state = {0};
    struct gd_response_head head;

    if (gd_response_head_parse(&state, GD_SPAN(response), &limits, GD_METHOD_GET, fields,
                               &head) != GD_PARSE_DONE)
        abort();
}

static void read_chunked(void)
{
    struct gd_span input = gd_span_of(chunked);
    enum gd_body_result result;
    struct gd_span data;
    struct gd_body body;
    size_t used;

    gd_body_init(&body, GD_FRAMING_CHUNKED, 0);
    while ((result = gd_body_step(&body, input, &used, &data)) == GD_BODY_DATA)
        input = (struct gd_span){input.ptr + used, input.len - used};
    if (result != GD_BODY_DONE)
        abort();
}

static void write_response(void)
{
    static struct gd_date date;
    static struct gd_buf buf;

    if (buf.max == 0)
        gd_buf_init(&buf, NULL, 4096);
    buf.len = 0;
    if (!gd_write_status_line(&buf, 200) ||
        !gd_buf_add_span(&buf, gd_date_line(&date, 1795471080)) ||
        !gd_write_field(&buf, GD_SPAN("Content-Type"), GD_SPAN("application/json")) ||
        !gd_write_field_u64(&buf, GD_SPAN("Content-Length"), 1024) || !gd_write_end(&buf))
        abort();
}

static const struct {
    const char *name;
    void (*run)(void);
} works[] = {
    {"read a request head of 5 fields", read_request},
    {"read it byte by byte", drip_request},
    {"read a response head of 5 fields", read_response},
    {"read a chunked body of 1 KiB", read_chunked},
    {"write a response head of 3 fields", write_response},
};

static double now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e9 + (double)at.tv_nsec;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    char content[1025];

    memset(content, 'x', 1024);
    content[1024] = 0;
    snprintf(chunked, sizeof(chunked), "400\r\n%s\r\n0\r\n\r\n", content);
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        double start = now_ns();

        for (long n = 0; n < count; n++)
            works[i].run();
        printf("%-36s %9.1f ns\n", works[i].name, (now_ns() - start) / (double)count);
    }
    return 0;
}
