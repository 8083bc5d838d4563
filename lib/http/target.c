#include "http/target.h"

#include <arpa/inet.h>

#include "http/chars.h"

/* Decodes the escape at text[0..3) into *c; false when it is none. */
static bool unescape(const char *text, const char *end, char *c)
{
    if (end - text < 3 || !gd_char_is(text[1], GD_CHAR_HEX) ||
        !gd_char_is(text[2], GD_CHAR_HEX))
        return false;
    *c = (char)(gd_hex_value(text[1]) << 4 | gd_hex_value(text[2]));
    return true;
}

/* A path on its way to canonical form. Without room it is only judged. */
struct canon {
    const char *at, *end; /* input left */
    char *room;           /* NULL: write nothing */
    size_t len;           /* written */
    unsigned depth;       /* segments that ".." may take back */
    bool changed;         /* the form differs from the input */
};

static void put(struct canon *canon, char c)
{
    if (canon->room)
        canon->room[canon->len] = c;
    canon->len++;
}

/* Copies one character or escape; *c is what it stands for (an escaped slash: "%"). */
static bool copy_one(struct canon *canon, char *c)
{
    static const char hex[] = "0123456789ABCDEF";
    const char *at = canon->at;

    if (*at != '%') {
        *c = *at;
        canon->at++;
        put(canon, *c);
        return gd_char_is(*c, GD_CHAR_PATH);
    }
    if (!unescape(at, canon->end, c) || (unsigned char)*c < 0x20 || *c == 0x7f)
        return false;
    canon->at += 3;
    if (gd_char_is(*c, GD_CHAR_UNRESERVED)) {
        put(canon, *c);
        canon->changed = true;
        return true;
    }
    put(canon, '%');
    put(canon, hex[(unsigned char)*c >> 4]);
    put(canon, hex[(unsigned char)*c & 15]);
    canon->changed |= at[1] >= 'a' || at[2] >= 'a';
    *c = '%';
    return true;
}

/* Takes back the last segment written before `start`. */
static bool drop_segment(struct canon *canon, size_t start)
{
    if (canon->depth == 0)
        return false;
    canon->depth--;
    canon->len = start;
    if (canon->room)
        do
            canon->len--;
        while (canon->room[canon->len] != '/');
    return true;
}

/* Handles "/" and the segment behind it. */
static bool copy_segment(struct canon *canon)
{
    const size_t start = canon->len;
    size_t count = 0, dots = 0;
    char c;

    put(canon, *canon->at++);
    for (; canon->at < canon->end && *canon->at != '/'; count++) {
        if (!copy_one(canon, &c))
            return false;
        dots += c == '.';
    }
    if (count != dots || count == 0 || count > 2) {
        canon->depth++;
        return true;
    }
    canon->changed = true;
    canon->len = start;
    if (count == 2 && !drop_segment(canon, start))
        return false;
    if (canon->at == canon->end)
        put(canon, '/');
    return true;
}

static bool canonicalise(struct gd_span path, char *room, struct gd_span *out)
{
    struct canon canon = {.at = path.ptr, .end = path.ptr + path.len, .room = room};

    while (canon.at < canon.end)
        if (!copy_segment(&canon))
            return false;
    if (!canon.changed)
        *out = path;
    else
        *out = room ? (struct gd_span){room, canon.len} : GD_SPAN_NONE;
    return true;
}

/* The path of [at, end), up to "?" or the end; *rest is behind it. */
static bool parse_path(const char *at, const char *end, char *room, struct gd_span *path,
                       const char **rest)
{
    const char *start = at;

    /* Most paths are canonical: no escapes, and no segment that starts with a dot. */
    for (;;) {
        at = gd_skip_class(at, end, GD_CHAR_PLAIN);
        if (at == end || *at != '.' || at[-1] == '/')
            break;
        at++;
    }
    if (at == end || *at == '?') {
        *path = (struct gd_span){start, (size_t)(at - start)};
        *rest = at;
        return true;
    }
    at = memchr(at, '?', (size_t)(end - at));
    *rest = at ? at : end;
    return canonicalise((struct gd_span){start, (size_t)(*rest - start)}, room, path);
}

static bool is_query(struct gd_span query)
{
    const char *at = query.ptr;
    const char *end = at + query.len;
    char c;

    for (;;) {
        at = gd_skip_class(at, end, GD_CHAR_QUERY);
        if (at == end)
            return true;
        if (*at != '%' || !unescape(at, end, &c))
            return false;
        at += 3;
    }
}

static bool parse_path_and_query(const char *at, const char *end, char *room,
                                 struct gd_target *out)
{
    const char *rest;

    if (!parse_path(at, end, room, &out->path, &rest))
        return false;
    out->query = GD_SPAN_NONE;
    if (rest == end)
        return true;
    out->query = (struct gd_span){rest + 1, (size_t)(end - rest - 1)};
    return is_query(out->query);
}

/* The length of "http://" or "https://" at the start of target, else 0. */
static size_t scheme_length(struct gd_span target)
{
    if (target.len >= 7 &&
        gd_span_ieq((struct gd_span){target.ptr, 7}, GD_SPAN("http://")))
        return 7;
    if (target.len >= 8 &&
        gd_span_ieq((struct gd_span){target.ptr, 8}, GD_SPAN("https://")))
        return 8;
    return 0;
}

static bool parse_absolute(struct gd_span target, char *room, struct gd_target *out)
{
    const size_t scheme = scheme_length(target);
    const char *start = target.ptr + scheme;
    const char *end = target.ptr + target.len;
    const char *at = start;

    while (at < end && *at != '/' && *at != '?')
        at++;
    out->form = GD_TARGET_ABSOLUTE;
    out->authority = (struct gd_span){start, (size_t)(at - start)};
    /* RFC 9110 4.2.1: a URI of http has a host. */
    if (scheme == 0 || at == start || *start == ':' || !gd_is_host(out->authority))
        return false;
    if (at < end && *at == '/')
        return parse_path_and_query(at, end, room, out);
    /* Static text would do, but callers that move the target's bytes move its path too.
     */
    out->path = room ? (struct gd_span){room, 1} : GD_SPAN_NONE;
    if (room)
        *room = '/';
    out->query = GD_SPAN_NONE;
    if (at == end)
        return true;
    out->query = (struct gd_span){at + 1, (size_t)(end - at - 1)};
    return is_query(out->query);
}

bool gd_target_parse(struct gd_span target, char *room, struct gd_target *out)
{
    if (target.len == 0)
        return false;
    if (target.ptr[0] == '/') {
        out->form = GD_TARGET_ORIGIN;
        out->authority = GD_SPAN_NONE;
        return parse_path_and_query(target.ptr, target.ptr + target.len, room, out);
    }
    if (target.len == 1 && target.ptr[0] == '*') {
        *out = (struct gd_target){.form = GD_TARGET_ASTERISK, .path = target};
        return true;
    }
    return parse_absolute(target, room, out);
}

static bool is_port(const char *at, const char *end)
{
    unsigned port = 0;

    if (end - at > 5)
        return false;
    for (; at < end; at++) {
        if (!gd_char_is(*at, GD_CHAR_DIGIT))
            return false;
        port = port * 10 + (unsigned)(*at - '0');
    }
    return port <= 65535;
}

/* An IPv6 address in brackets at [at, end); *rest is behind them. */
static bool is_ip_literal(const char *at, const char *end, const char **rest)
{
    const char *close = memchr(at, ']', (size_t)(end - at));
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    size_t len;

    if (close == NULL || (size_t)(close - at - 1) >= sizeof(text))
        return false;
    len = (size_t)(close - at - 1);
    if (memchr(at, 0, len + 1)) /* or inet_pton would see a shorter text */
        return false;
    memcpy(text, at + 1, len);
    text[len] = 0;
    *rest = close + 1;
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* A reg-name, which an IPv4 address also is, from at on; *rest is behind it. */
static bool is_name(const char *at, const char *end, const char **rest)
{
    char c;

    for (;;) {
        at = gd_skip_class(at, end, GD_CHAR_HOST);
        *rest = at;
        if (at == end || *at != '%')
            return true;
        if (!unescape(at, end, &c) || (unsigned char)c <= 0x20 || c == 0x7f)
            return false;
        at += 3;
    }
}

bool gd_is_host(struct gd_span host)
{
    const char *end;
    const char *rest;

    if (host.len == 0)
        return true;
    end = host.ptr + host.len;
    if (*host.ptr == '[' ? !is_ip_literal(host.ptr, end, &rest)
                         : !is_name(host.ptr, end, &rest))
        return false;
    return rest == end || (*rest == ':' && is_port(rest + 1, end));
}
