/* What is known of a client, what upstreams hear of it, and whose word counts. */
#include "gather/forward.h"

#include <unistd.h>

#include "front/facts.h"
#include "gateway.h"
#include "suite.h"

enum { FIELDS_MAX = 64 };

/* A request as it came in, with a peer that is trusted or not. Trusted are 10.0.0.0/8,
 * 2001:db8::/32 and UNIX sockets. */
struct scene {
    struct gd_network networks[2];
    struct gd_trusted trusted;
    struct gd_arena arena;
    struct gd_field fields[FIELDS_MAX];
    struct gd_request request;
    struct gd_facts facts;
    struct gd_forwarder forwarder;
    struct gd_forward *forward;
    char head[65536];
};

static struct scene scene;

static const struct gd_head_limits limits = {8192, 65536, FIELDS_MAX};

static void begin(void)
{
    memset(&scene, 0, sizeof(scene));
    ck_assert(gd_network_parse(GD_SPAN("10.0.0.0/8"), &scene.networks[0], NULL));
    ck_assert(gd_network_parse(GD_SPAN("2001:db8::/32"), &scene.networks[1], NULL));
    scene.trusted =
        (struct gd_trusted){.networks = scene.networks, .count = 2, .unix_peers = true};
    ck_assert(gd_forwarder_init(&scene.forwarder, NULL));
}

static void end(void)
{
    gd_arena_free(&scene.arena);
    gd_forwarder_free(&scene.forwarder);
}

/* Makes facts and lines of a request with these field lines. */
static void receive_span(const char *peer, bool trusted, struct gd_span lines)
{
    struct gd_head_state state = {0};
    struct gd_buf head;

    gd_arena_free(&scene.arena);
    gd_arena_init(&scene.arena, NULL, 4096, 1 << 20);
    gd_buf_init(&head, NULL, sizeof(scene.head));
    ck_assert(
        gd_buf_add_text(&head, "GET /a?b=c HTTP/1.1\r\nHost: gateway.test:81\r\n") &&
        gd_buf_add_span(&head, lines) && gd_buf_add_text(&head, "\r\n"));
    memcpy(scene.head, head.data, head.len);
    scene.request = (struct gd_request){.arena = &scene.arena,
                                        .id = GD_SPAN("the-id"),
                                        .peer = gd_span_of(peer),
                                        .trusted = trusted};
    ck_assert_int_eq(gd_request_head_parse(&state, (struct gd_span){scene.head, head.len},
                                           &limits, scene.fields, &scene.request.head),
                     GD_PARSE_DONE);
    scene.request.target = scene.request.head.parsed;
    gd_buf_free(&head);
    gd_facts_fill(&scene.facts, &scene.request, &scene.trusted);
    scene.forward = gd_forward_new(&scene.forwarder, &scene.facts, &scene.arena);
    ck_assert_ptr_nonnull(scene.forward);
}

static void receive(const char *peer, bool trusted, const char *lines)
{
    receive_span(peer, trusted, gd_span_of(lines));
}

/* The value of a field of the next upstream request, which the strict reader takes and
 * has nothing but the known fields; "" when it is not there. */
static const char *sent(const char *name)
{
    static char value[16384];
    struct gd_field fields[16];
    struct gd_request_head head;
    struct gd_head_state state = {0};
    struct gd_span found;
    struct gd_buf out;

    gd_buf_init(&out, NULL, 32768);
    ck_assert(gd_buf_add_text(&out, "GET / HTTP/1.1\r\nHost: up\r\n"));
    ck_assert(gd_forward_write(&out, scene.forward));
    ck_assert(gd_buf_add_text(&out, "\r\n"));
    ck_assert_int_eq(
        gd_request_head_parse(&state, gd_buf_span(&out), &limits, fields, &head),
        GD_PARSE_DONE);
    ck_assert_uint_eq(head.bytes, out.len);
    ck_assert_uint_ge(head.fields.count, 5);
    ck_assert_uint_le(head.fields.count, 7);
    found = gd_fields_only(&head.fields, gd_span_of(name));
    snprintf(value, sizeof(value), "%.*s", (int)found.len, found.ptr ? found.ptr : "");
    gd_buf_free(&out);
    return value;
}

static void check_ip(const char *wanted)
{
    ck_assert_msg(gd_span_is(scene.facts.ip, wanted), "the ip is %.*s, not %s",
                  GD_SPAN_ARG(scene.facts.ip), wanted);
}

START_TEST(the_facts_of_a_request_are_its_own)
{
    begin();
    receive("192.0.2.1", false, "X-A: b\r\n");
    check_ip("192.0.2.1");
    ck_assert(gd_span_is(scene.facts.peer, "192.0.2.1"));
    ck_assert(gd_span_is(scene.facts.id, "the-id"));
    ck_assert(gd_span_is(scene.facts.method, "GET"));
    ck_assert(gd_span_is(scene.facts.path, "/a"));
    ck_assert(gd_span_is(scene.facts.query, "b=c"));
    ck_assert(gd_span_is(scene.facts.host, "gateway.test:81"));
    ck_assert_ptr_null(scene.facts.body.ptr);
    ck_assert_uint_eq(scene.facts.fields->count, 2);
    ck_assert(!scene.facts.trusted);
    end();
}
END_TEST

START_TEST(the_ip_is_the_last_address_that_is_not_trusted)
{
    static const char *const cases[][2] = {
        {"", "10.0.0.1"},
        {"X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9"},
        {"X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n", "203.0.113.9"},
        {"X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1, 2001:db8::7\r\n",
         "203.0.113.9"},
        {"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n"
         "x-forwarded-for: 10.0.0.2\r\n",
         "203.0.113.9"},
        {"X-Forwarded-For: 10.0.0.2, 10.0.0.3\r\n", "10.0.0.2"},
        {"X-Forwarded-For: 203.0.113.9, unix\r\n", "203.0.113.9"},
        {"X-Forwarded-For: unix\r\n", "10.0.0.1"},
        {"X-Forwarded-For: 6.6.6.6, garbage, 10.0.0.2\r\n", "10.0.0.2"},
        {"X-Forwarded-For: 6.6.6.6, <, 10.0.0.2, 10.0.0.3\r\n", "10.0.0.2"},
        {"X-Forwarded-For: 6.6.6.6, unknown\r\n", "10.0.0.1"},
        {"X-Forwarded-For: 6.6.6.6, \"\r\n", "10.0.0.1"},
        {"X-Forwarded-For: ,, 203.0.113.9 ,,\r\n", "203.0.113.9"},
        {"X-Forwarded-For:\r\n", "10.0.0.1"},
    };

    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        receive("10.0.0.1", true, cases[i][0]);
        check_ip(cases[i][1]);
    }
    end();
}
END_TEST

START_TEST(an_address_of_the_chain_is_shown_plain)
{
    static const char *const cases[][2] = {
        {"203.0.113.9:4711", "203.0.113.9"}, {"::ffff:203.0.113.9", "203.0.113.9"},
        {"[2001:0db9::0:1]", "2001:db9::1"}, {"[2001:db9::1]:4711", "2001:db9::1"},
        {"2001:DB9::1", "2001:db9::1"},      {"[::ffff:203.0.113.9]:1", "203.0.113.9"},
    };
    static const char *const bad[] = {"203.0.113.9:",
                                      "203.0.113.9:x",
                                      "203.0.113.9:65536",
                                      "[203.0.113.9]:1",
                                      "[2001:db9::1]x",
                                      "[2001:db9::1",
                                      "[2001:db9::1]:",
                                      "]",
                                      "[",
                                      "[]",
                                      ":80",
                                      "203.0.113.9:1:2"};
    char lines[128];

    begin();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(lines, sizeof(lines), "X-Forwarded-For: 6.6.6.6, %s\r\n", cases[i][0]);
        receive("10.0.0.1", true, lines);
        check_ip(cases[i][1]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(lines, sizeof(lines), "X-Forwarded-For: 6.6.6.6, %s\r\n", bad[i]);
        receive("10.0.0.1", true, lines);
        check_ip("10.0.0.1");
    }
    end();
}
END_TEST

#define LIES                                                                             \
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"                           \
    "X-Forwarded-Host: evil.test\r\nForwarded: for=6.6.6.6\r\n"                          \
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"           \
    "tracestate: a=1\r\nX-Request-Id: mine\r\n"

START_TEST(nothing_is_believed_of_a_client)
{
    begin();
    receive("192.0.2.1", false, LIES);
    check_ip("192.0.2.1");
    ck_assert_str_eq(sent("X-Request-Id"), "the-id");
    ck_assert_str_eq(sent("X-Forwarded-For"), "192.0.2.1");
    ck_assert_str_eq(sent("X-Forwarded-Proto"), "http");
    ck_assert_str_eq(sent("X-Forwarded-Host"), "gateway.test:81");
    ck_assert_str_eq(sent("tracestate"), "");
    ck_assert_str_eq(sent("Forwarded"), "");
    ck_assert_uint_eq(strlen(sent("traceparent")), 55);
    ck_assert_ptr_null(strstr(sent("traceparent"), "0af7651916cd43dd"));
    ck_assert_str_eq(sent("traceparent") + 52, "-00");
    end();
}
END_TEST

START_TEST(a_trusted_proxy_is_believed)
{
    begin();
    receive("10.0.0.1", true, LIES);
    check_ip("6.6.6.6");
    ck_assert_str_eq(sent("X-Forwarded-For"), "6.6.6.6, 10.0.0.1");
    ck_assert_str_eq(sent("X-Forwarded-Proto"), "https");
    ck_assert_str_eq(sent("X-Forwarded-Host"), "evil.test");
    ck_assert_str_eq(sent("Forwarded"), "");
    ck_assert_str_eq(sent("tracestate"), "a=1");
    ck_assert(gd_span_starts(gd_span_of(sent("traceparent")),
                             GD_SPAN("00-0af7651916cd43dd8448eb211c80319c-")));
    ck_assert_ptr_null(strstr(sent("traceparent"), "b7ad6b7169203331"));
    ck_assert_str_eq(sent("traceparent") + 52, "-01");
    receive("unix", true, "X-Forwarded-For: a,b\r\nX-Forwarded-For:  , c\r\n");
    check_ip("unix");
    ck_assert_str_eq(sent("X-Forwarded-For"), "a, b, c, unix");
    end();
}
END_TEST

START_TEST(what_a_trusted_proxy_says_wrong_is_made_here)
{
    static const char *const lines[] = {
        "",
        "X-Forwarded-Proto: ftp\r\nX-Forwarded-Host: a b\r\ntraceparent: 00-1\r\n",
        "X-Forwarded-Proto:\r\nX-Forwarded-Host:\r\ntraceparent:\r\n",
        "X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: a, b\r\n",
        "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Host: a\r\nX-Forwarded-Host: a\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
        "tracestate: a=1\r\n",
        "X-Forwarded-Host: user@host\r\n",
        "X-Forwarded-Host: host/path\r\n",
        "X-Forwarded-Host: host:99999\r\n",
        "tracestate: a=1\r\n", /* alone it belongs to no trace */
    };

    begin();
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        receive("10.0.0.1", true, lines[i]);
        ck_assert_str_eq(sent("X-Forwarded-Proto"), "http");
        ck_assert_str_eq(sent("X-Forwarded-Host"), "gateway.test:81");
        ck_assert_str_eq(sent("tracestate"), "");
        ck_assert_ptr_null(strstr(sent("traceparent"), "0af7651916cd43dd"));
        ck_assert_str_eq(sent("traceparent") + 52, "-00");
    }
    receive("10.0.0.1", true,
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
            "tracestate: broken\r\n");
    ck_assert_str_eq(sent("tracestate"), "");
    ck_assert_ptr_nonnull(strstr(sent("traceparent"), "0af7651916cd43dd"));
    end();
}
END_TEST

START_TEST(a_long_host_is_not_passed_on)
{
    char lines[512], host[300];

    begin();
    memset(host, 'h', sizeof(host));
    host[sizeof(host) - 1] = '\0';
    snprintf(lines, sizeof(lines), "X-Forwarded-Host: %s\r\n", host);
    receive("10.0.0.1", true, lines);
    ck_assert_str_eq(sent("X-Forwarded-Host"), "gateway.test:81");
    scene.facts.host = gd_span_of(host);
    scene.facts.trusted = false;
    scene.forward = gd_forward_new(&scene.forwarder, &scene.facts, &scene.arena);
    ck_assert_str_eq(sent("X-Forwarded-Host"), "");
    scene.facts.host = GD_SPAN("");
    scene.forward = gd_forward_new(&scene.forwarder, &scene.facts, &scene.arena);
    ck_assert_str_eq(sent("X-Forwarded-Host"), "");
    end();
}
END_TEST

/* Bytes that a field value may have; all others are refused with the request. */
static bool may_stand(int c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* Each byte in each place; whoever says it, upstreams read what they should. */
START_TEST(no_byte_of_a_client_changes_what_upstreams_read)
{
    static const char *const names[] = {
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "traceparent",
        "tracestate",      "X-Request-Id",      "Forwarded"};
    struct gd_buf line;

    begin();
    gd_buf_init(&line, NULL, 1024);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (int c = 0; c < 256; c++) {
            char value[] = "1.2.3.4, x?y, a=1";

            if (!may_stand(c))
                continue;
            value[10] = (char)c;
            line.len = 0;
            ck_assert(gd_buf_addf(&line, "%s: %s\r\n", names[i], value));
            receive_span("192.0.2.1", false, gd_buf_span(&line));
            check_ip("192.0.2.1");
            ck_assert_str_eq(sent("X-Request-Id"), "the-id");
            ck_assert_str_eq(sent("X-Forwarded-For"), "192.0.2.1");
            ck_assert_str_eq(sent("X-Forwarded-Proto"), "http");
            ck_assert_str_eq(sent("X-Forwarded-Host"), "gateway.test:81");
            ck_assert_str_eq(sent("tracestate"), "");
            receive_span("10.0.0.1", true, gd_buf_span(&line));
            ck_assert_str_eq(sent("X-Request-Id"), "the-id");
            ck_assert_str_eq(sent("X-Forwarded-Proto"), "http");
            ck_assert_uint_eq(strspn(sent("X-Forwarded-For"),
                                     "0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:[]_-, "),
                              strlen(sent("X-Forwarded-For")));
        }
    gd_buf_free(&line);
    end();
}
END_TEST

START_TEST(a_chain_that_is_too_long_loses_its_beginning)
{
    char line[8192] = "X-Forwarded-For: ";
    size_t len = strlen(line);
    const char *chain;

    begin();
    for (int i = 0; i < 500; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, "10.0.%d.%d,", i / 250,
                                i % 250);
    snprintf(line + len, sizeof(line) - len, "\r\n");
    receive("10.0.0.1", true, line);
    chain = sent("X-Forwarded-For");
    ck_assert(gd_span_starts(gd_span_of(chain), GD_SPAN("10.0.1.186, 10.0.1.187, ")));
    ck_assert_str_eq(chain + strlen(chain) - 22, ", 10.0.1.249, 10.0.0.1");
    end();
}
END_TEST

START_TEST(every_upstream_request_has_a_parent_id_of_its_own)
{
    char first[64], second[64];

    begin();
    receive("192.0.2.1", false, "");
    snprintf(first, sizeof(first), "%s", sent("traceparent"));
    snprintf(second, sizeof(second), "%s", sent("traceparent"));
    ck_assert_int_eq(memcmp(first, second, 36), 0);
    ck_assert_int_ne(memcmp(first + 36, second + 36, 16), 0);
    ck_assert_uint_eq(strspn(first + 36, "0123456789abcdef"), 16);
    receive("192.0.2.1", false, "");
    ck_assert_int_ne(memcmp(first + 3, sent("traceparent") + 3, 32), 0);
    end();
}
END_TEST

START_TEST(without_room_nothing_is_written)
{
    struct gd_arena small;
    struct gd_buf out;

    begin();
    receive("192.0.2.1", false, "");
    gd_buf_init(&out, NULL, 100);
    ck_assert(gd_buf_add_text(&out, "x"));
    ck_assert(!gd_forward_write(&out, scene.forward));
    ck_assert_uint_eq(out.len, 1);
    gd_buf_free(&out);
    for (size_t used = 900; used <= 1000; used += 100) {
        gd_arena_init(&small, NULL, 1024, 1024);
        ck_assert_ptr_nonnull(gd_arena_raw(&small, used));
        ck_assert_ptr_null(gd_forward_new(&scene.forwarder, &scene.facts, &small));
        gd_arena_free(&small);
    }
    end();
}
END_TEST

/* Asks with an X-Request-Id; returns the one of the answer. */
static const char *answered_id(struct gateway *gateway, const char *target,
                               const char *lines)
{
    static char answer[4096];
    char request[1024];
    const char *id;
    int fd = gateway_connect(gateway);

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target,
             lines);
    client_send(fd, request);
    ck_assert_int_ne(client_read(fd, false, answer, sizeof(answer)), 0);
    close(fd);
    id = client_field(answer, "X-Request-Id");
    ck_assert_ptr_nonnull(id);
    return id;
}

#define MOCK                                                                             \
    "upstreams: {up: {mock: {GET /x: {json: 1}}}}\nroutes: {GET /x: {calls: {a: "        \
    "up/x}}}\n"

START_TEST(the_id_of_a_trusted_proxy_is_kept_in_every_answer)
{
    struct gateway *gateway = gateway_start("trusted_proxies: 127.0.0.0/8\n" MOCK);

    ck_assert_str_eq(answered_id(gateway, "/x", "X-Request-Id: Of.a-proxy_1\r\n"),
                     "Of.a-proxy_1");
    ck_assert_str_eq(answered_id(gateway, "/none", "X-Request-Id: Of.a-proxy_1\r\n"),
                     "Of.a-proxy_1");
    ck_assert_str_eq(
        answered_id(gateway, "/x", "X-Request-Id: 1\r\nContent-Length: 99999999\r\n"),
        "1");
    ck_assert_uint_eq(strlen(answered_id(gateway, "/x", "")), 32);
    ck_assert_uint_eq(strlen(answered_id(gateway, "/x", "X-Request-Id: a b\r\n")), 32);
    ck_assert_uint_eq(
        strlen(answered_id(gateway, "/x", "X-Request-Id: 1\r\nX-Request-Id: 2\r\n")), 32);
    gateway_end(gateway);
}
END_TEST

START_TEST(the_id_of_a_client_is_not_kept)
{
    struct gateway *gateway = gateway_start("trusted_proxies: [10.0.0.0/8, unix]\n" MOCK);

    ck_assert_uint_eq(strlen(answered_id(gateway, "/x", "X-Request-Id: mine\r\n")), 32);
    ck_assert_uint_eq(strlen(answered_id(gateway, "/none", "X-Request-Id: mine\r\n")),
                      32);
    gateway_end(gateway);
}
END_TEST

GD_SUITE("forward", the_facts_of_a_request_are_its_own,
         the_ip_is_the_last_address_that_is_not_trusted,
         an_address_of_the_chain_is_shown_plain, nothing_is_believed_of_a_client,
         a_trusted_proxy_is_believed, what_a_trusted_proxy_says_wrong_is_made_here,
         a_long_host_is_not_passed_on, no_byte_of_a_client_changes_what_upstreams_read,
         a_chain_that_is_too_long_loses_its_beginning,
         every_upstream_request_has_a_parent_id_of_its_own,
         without_room_nothing_is_written,
         the_id_of_a_trusted_proxy_is_kept_in_every_answer,
         the_id_of_a_client_is_not_kept)
