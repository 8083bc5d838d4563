/*
 * What upstreams hear of a client. The input is a request's head. Whether its peer is
 * trusted or not, the lines that are sent on are read back strictly: they are the known
 * ones, each once, and of a peer that is not trusted they do not depend on its fields.
 */
#include <stdio.h>
#include <stdlib.h>

#include "front/facts.h"
#include "gather/forward.h"
#include "http/forwarded.h"

enum { FIELDS_MAX = 64, OUT_MAX = 64 * 1024 };

static const struct gd_head_limits limits = {8192, 32768, FIELDS_MAX};

static void stop(const char *what, struct gd_span text)
{
    fprintf(stderr, "forward: %s: %.*s\n", what, GD_SPAN_ARG(text));
    abort();
}

static void check_line(const struct gd_fields *fields, const char *name,
                       const char *value)
{
    struct gd_span found = gd_fields_only(fields, gd_span_of(name));

    if (found.ptr == NULL || (value && !gd_span_is(found, value)))
        stop(name, found);
}

static void check_lines(struct gd_span head_text, bool trusted)
{
    struct gd_field fields[FIELDS_MAX];
    struct gd_head_state state = {0};
    struct gd_request_head head;
    struct gd_trace trace;
    struct gd_span parent;

    if (gd_request_head_parse(&state, head_text, &limits, fields, &head) !=
            GD_PARSE_DONE ||
        head.bytes != head_text.len)
        stop("not a head", head_text);
    for (unsigned i = 0; i < head.fields.count; i++)
        if (!gd_is_forwarding_field(fields[i].name) && fields[i].id != GD_FIELD_HOST)
            stop("a line was added", head_text);
    check_line(&head.fields, "X-Request-Id", "id");
    check_line(&head.fields, "X-Forwarded-For", trusted ? NULL : "192.0.2.1");
    check_line(&head.fields, "X-Forwarded-Proto", trusted ? NULL : "http");
    check_line(&head.fields, "traceparent", NULL);
    parent = gd_fields_only(&head.fields, GD_SPAN("traceparent"));
    if (!gd_traceparent_read(parent, &trace) || (trace.sampled && !trusted))
        stop("not a traceparent", parent);
    if (!trusted && gd_fields_find(&head.fields, GD_SPAN("tracestate")))
        stop("a client's tracestate is passed on", head_text);
}

static void check_ip(struct gd_span ip, bool trusted)
{
    struct gd_ip parsed;

    if (trusted ? !gd_ip_parse(ip, &parsed) : !gd_span_is(ip, "192.0.2.1"))
        stop("not an address", ip);
}

static void forward(struct gd_request *request, bool trusted)
{
    struct gd_network network;
    struct gd_trusted proxies = {.networks = &network, .count = 1, .unix_peers = true};
    struct gd_forwarder forwarder;
    struct gd_forward *lines;
    struct gd_facts facts;
    struct gd_buf out;

    if (!gd_network_parse(GD_SPAN("10.0.0.0/8"), &network, NULL) ||
        !gd_forwarder_init(&forwarder, NULL))
        abort();
    gd_buf_init(&out, NULL, OUT_MAX);
    request->trusted = trusted;
    gd_facts_fill(&facts, request, &proxies);
    check_ip(facts.ip, trusted);
    lines = gd_forward_new(&forwarder, &facts, request->arena);
    if (lines == NULL || !gd_buf_add_text(&out, "GET / HTTP/1.1\r\nHost: upstream\r\n") ||
        !gd_forward_write(&out, lines) || !gd_buf_add_text(&out, "\r\n"))
        stop("no lines", request->peer);
    check_lines(gd_buf_span(&out), trusted);
    gd_buf_free(&out);
    gd_forwarder_free(&forwarder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_field fields[FIELDS_MAX];
    struct gd_head_state state = {0};
    struct gd_arena arena;
    struct gd_request request = {
        .arena = &arena, .id = GD_SPAN("id"), .peer = GD_SPAN("192.0.2.1")};

    gd_arena_init(&arena, NULL, 4096, 1 << 20);
    if (gd_request_head_parse(&state, (struct gd_span){(const char *)data, size}, &limits,
                              fields, &request.head) == GD_PARSE_DONE) {
        forward(&request, false);
        forward(&request, true);
    }
    gd_arena_free(&arena);
    return 0;
}
