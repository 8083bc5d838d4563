#include "gather/forward.h"

#include "http/forwarded.h"
#include "http/write.h"

enum {
    LINES_MAX = 16 * 1024,
    VALUE_MAX = 8 * 1024,
    HOST_MAX = 255 + sizeof(":65535") - 1, /* a longer one is no name of a host */
    PARENT_BYTES = 16,
};

struct gd_forward {
    struct gd_ids *ids;
    struct gd_span lines;
    size_t parent_at; /* where the parent id stands in them */
};

bool gd_forwarder_init(struct gd_forwarder *forwarder, struct gd_err *err)
{
    gd_buf_init(&forwarder->lines, NULL, LINES_MAX);
    gd_buf_init(&forwarder->value, NULL, VALUE_MAX);
    return gd_ids_init(&forwarder->ids, err);
}

void gd_forwarder_free(struct gd_forwarder *forwarder)
{
    gd_buf_free(&forwarder->lines);
    gd_buf_free(&forwarder->value);
}

/* The chain of a trusted peer, in the order of the way, and the peer behind it. */
static bool write_chain(struct gd_forwarder *forwarder, const struct gd_facts *facts)
{
    struct gd_span hops[GD_CHAIN_HOPS_MAX];
    struct gd_buf *value = &forwarder->value;
    struct gd_chain chain;
    unsigned count = 0;

    gd_chain_begin(&chain, facts->fields, facts->chain);
    while (count < GD_CHAIN_HOPS_MAX && gd_chain_step(&chain, &hops[count]))
        count++;
    value->len = 0;
    while (count > 0)
        if (!gd_buf_add_span(value, hops[--count]) || !gd_buf_add(value, ", ", 2))
            return false;
    return gd_buf_add_span(value, facts->peer) &&
           gd_write_field(&forwarder->lines, GD_SPAN("X-Forwarded-For"),
                          gd_buf_span(value));
}

static bool write_for(struct gd_forwarder *forwarder, const struct gd_facts *facts)
{
    if (facts->trusted)
        return write_chain(forwarder, facts);
    return gd_write_field(&forwarder->lines, GD_SPAN("X-Forwarded-For"), facts->peer);
}

/* What the trusted proxy says by one of the X-Forwarded fields, or by Forwarded. */
static struct gd_span told_by(const struct gd_facts *facts, struct gd_span field,
                              struct gd_span parameter)
{
    return facts->chain == GD_CHAIN_FORWARDED
               ? gd_forwarded_last(facts->fields, parameter)
               : gd_fields_only(facts->fields, field);
}

static bool write_proto(struct gd_buf *out, const struct gd_facts *facts)
{
    struct gd_span name = GD_SPAN("X-Forwarded-Proto");
    struct gd_span http = GD_SPAN("http"), https = GD_SPAN("https"), told;
    struct gd_span proto = facts->secure ? https : http;

    if (facts->trusted) {
        told = told_by(facts, name, GD_SPAN("proto"));
        if (gd_span_ieq(told, https))
            proto = https;
        else if (gd_span_ieq(told, http))
            proto = http;
    }
    return gd_write_field(out, name, proto);
}

static bool is_usable_host(struct gd_span host)
{
    return host.len > 0 && host.len <= HOST_MAX && gd_is_host(host);
}

static bool write_host(struct gd_buf *out, const struct gd_facts *facts)
{
    struct gd_span name = GD_SPAN("X-Forwarded-Host"), host = facts->host, told;

    if (facts->trusted) {
        told = told_by(facts, name, GD_SPAN("host"));
        if (is_usable_host(told))
            host = told;
    }
    return host.len == 0 || host.len > HOST_MAX || gd_write_field(out, name, host);
}

/* Writes `00-TRACE-PARENT-FLAGS` with a parent that is replaced each time, and remembers
 * where that stands. */
static bool write_trace(struct gd_forwarder *forwarder, const struct gd_facts *facts,
                        size_t *parent_at)
{
    char text[] = "00-00000000000000000000000000000000-0000000000000000-00";
    struct gd_buf *out = &forwarder->lines;
    struct gd_trace trace = {.sampled = false};

    if (facts->trusted &&
        gd_traceparent_read(gd_fields_only(facts->fields, GD_SPAN("traceparent")),
                            &trace)) {
        forwarder->value.len = 0;
        if (gd_tracestate_write(&forwarder->value, facts->fields) &&
            !gd_write_field(out, GD_SPAN("tracestate"), gd_buf_span(&forwarder->value)))
            return false;
    } else {
        gd_ids_write(&forwarder->ids, trace.id);
    }
    memcpy(text + 3, trace.id, sizeof(trace.id));
    if (trace.sampled)
        text[sizeof(text) - 2] = '1';
    if (!gd_write_field(out, GD_SPAN("traceparent"), GD_SPAN(text)))
        return false;
    *parent_at = out->len - sizeof("0000000000000000-00\r\n") + 1;
    return true;
}

struct gd_forward *gd_forward_new(struct gd_forwarder *forwarder,
                                  const struct gd_facts *facts, struct gd_arena *arena)
{
    struct gd_forward *forward = gd_arena_raw(arena, sizeof(*forward));
    struct gd_buf *lines = &forwarder->lines;

    if (forward == NULL)
        return NULL;
    forward->ids = &forwarder->ids;
    lines->len = 0;
    if (!gd_write_field(lines, GD_SPAN("X-Request-Id"), facts->id) ||
        !write_for(forwarder, facts) || !write_proto(lines, facts) ||
        !write_host(lines, facts) || !write_trace(forwarder, facts, &forward->parent_at))
        return NULL;
    forward->lines = gd_arena_copy(arena, gd_buf_span(lines));
    return forward->lines.ptr ? forward : NULL;
}

bool gd_forward_write(struct gd_buf *out, struct gd_forward *forward)
{
    size_t start = out->len;

    if (!gd_buf_add_span(out, forward->lines))
        return false;
    gd_hex16_write(gd_ids_next(forward->ids), out->data + start + forward->parent_at);
    return true;
}
