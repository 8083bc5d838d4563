#include "front/facts.h"

#include "http/forwarded.h"

/* Whether text is `:PORT`. */
static bool is_port(struct gd_span text)
{
    uint64_t port;

    return text.len > 1 && text.ptr[0] == ':' &&
           gd_span_u64((struct gd_span){text.ptr + 1, text.len - 1}, &port) &&
           port <= UINT16_MAX;
}

/* `[IPV6]` or `[IPV6]:PORT` */
static bool parse_bracketed(struct gd_span hop, struct gd_ip *ip)
{
    const char *close = memchr(hop.ptr, ']', hop.len);
    struct gd_span inside, rest;

    if (close == NULL)
        return false;
    inside = (struct gd_span){hop.ptr + 1, (size_t)(close - hop.ptr) - 1};
    rest = (struct gd_span){close + 1, hop.len - inside.len - 2};
    return (rest.len == 0 || is_port(rest)) && memchr(inside.ptr, ':', inside.len) &&
           gd_ip_parse(inside, ip);
}

/* An address, maybe with a port; one of IPv6 has that only with brackets. */
static bool parse_hop(struct gd_span hop, struct gd_ip *ip)
{
    const char *colon;
    struct gd_span host;

    if (hop.ptr[0] == '[')
        return parse_bracketed(hop, ip);
    if (gd_ip_parse(hop, ip))
        return true;
    colon = memchr(hop.ptr, ':', hop.len);
    if (colon == NULL)
        return false;
    host = (struct gd_span){hop.ptr, (size_t)(colon - hop.ptr)};
    return is_port((struct gd_span){colon, hop.len - host.len}) && gd_ip_parse(host, ip);
}

/* The client's address as the proxies tell it; ptr NULL when they do not. */
static struct gd_span told_ip(const struct gd_request *request,
                              const struct gd_trusted *trusted)
{
    char text[GD_IP_TEXT_MAX];
    struct gd_chain chain;
    struct gd_span hop;
    struct gd_ip ip;
    bool found = false;

    gd_chain_begin(&chain, &request->head.fields, trusted->chain);
    while (gd_chain_step(&chain, &hop)) {
        /* A gatherd before this one has written that of its UNIX socket. */
        if (trusted->unix_peers && gd_span_is(hop, "unix"))
            continue;
        if (!parse_hop(hop, &ip))
            break;
        found = true;
        if (!gd_trusted_has(trusted, &ip))
            break;
    }
    if (!found)
        return GD_SPAN_NONE;
    return gd_arena_copy(request->arena, gd_span_of(gd_ip_text(&ip, text)));
}

void gd_facts_fill(struct gd_facts *facts, const struct gd_request *request,
                   const struct gd_trusted *trusted)
{
    *facts = (struct gd_facts){
        .id = request->id,
        .peer = request->peer,
        .ip = request->peer,
        .method = request->head.method_text,
        .path = request->target.path,
        .host = request->head.host.ptr ? request->head.host : GD_SPAN(""),
        .query = request->target.query,
        .body = request->body,
        .fields = &request->head.fields,
        .trusted = request->trusted,
        .chain = trusted->chain,
        .secure = request->secure,
    };
    if (request->trusted) {
        struct gd_span ip = told_ip(request, trusted);

        if (ip.ptr)
            facts->ip = ip;
    }
}
