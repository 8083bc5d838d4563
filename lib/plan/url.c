#include "plan/url.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

#include "plan/loader.h"

enum { HOST_MAX = 253 };

static bool is_scheme_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '-' || c == '.';
}

bool gd_url_like(struct gd_span text)
{
    size_t n = 0;

    while (n < text.len && is_scheme_char(text.ptr[n]))
        n++;
    return n > 0 &&
           gd_span_starts((struct gd_span){text.ptr + n, text.len - n}, GD_SPAN("://"));
}

static bool is_ip(struct gd_span host, int family)
{
    char text[INET6_ADDRSTRLEN + 1];
    unsigned char address[sizeof(struct in6_addr)];

    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return inet_pton(family, text, address) == 1;
}

/* A name of letters, digits, `-`, `_` and dots, or an IPv4 address. */
static bool is_host(struct gd_span host)
{
    bool numeric = true;
    char before = '.';

    if (host.len == 0 || host.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool digit = c >= '0' && c <= '9';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!digit && !letter && c != '-' && c != '_' && c != '.')
            return false;
        if (c == '.' && before == '.')
            return false;
        numeric = numeric && (digit || c == '.');
        before = c;
    }
    return !numeric || is_ip(host, AF_INET);
}

bool gd_host_is_valid(struct gd_span text)
{
    return is_host(text) || is_ip(text, AF_INET6);
}

bool gd_host_is_ip(struct gd_span text)
{
    return is_ip(text, AF_INET) || is_ip(text, AF_INET6);
}

static bool parse_port(struct gd_span text, struct gd_url *out, struct gd_err *err)
{
    uint64_t port;

    if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0') ||
        !gd_span_u64(text, &port) || port > UINT16_MAX)
        return gd_err_set(err, "\"%.*s\" is no port; ports are 1 to 65535",
                          GD_SPAN_ARG(text));
    out->port = (uint16_t)port;
    out->has_port = true;
    return true;
}

bool gd_url_check(struct gd_url *url, struct gd_err *err)
{
    struct gd_span all = url->authority;
    const char *end = all.ptr + all.len;
    const char *colon;

    if (all.len && memchr(all.ptr, '@', all.len))
        return gd_err_set(err, "a URL here has no user name or password");
    if (all.len && all.ptr[0] == '[') {
        const char *close = memchr(all.ptr, ']', all.len);

        if (close == NULL)
            return gd_err_set(err, "the IPv6 address has no closing ]");
        url->host = (struct gd_span){all.ptr + 1, (size_t)(close - all.ptr - 1)};
        url->ipv6 = true;
        colon = close + 1;
        if (colon < end && *colon != ':')
            return gd_err_set(err, "only a port can follow the ] of an IPv6 address");
    } else {
        colon = all.len ? memchr(all.ptr, ':', all.len) : NULL;
        if (colon == NULL)
            colon = end;
        url->host = (struct gd_span){all.ptr, (size_t)(colon - all.ptr)};
        if (colon < end && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
            return gd_err_set(err, "an IPv6 address needs brackets: http://[::1]:8080");
    }
    if (url->host.len == 0)
        return gd_err_set(err, "the URL has no host");
    if (url->ipv6 ? !is_ip(url->host, AF_INET6) : !is_host(url->host))
        return gd_err_set(err, "\"%.*s\" is no host name or address",
                          GD_SPAN_ARG(url->host));
    if (colon == end)
        return true;
    return parse_port((struct gd_span){colon + 1, (size_t)(end - colon - 1)}, url, err);
}

/* Cuts what follows the scheme where the host ends; false without a scheme of these. */
static bool split(struct gd_span text, struct gd_url *out)
{
    bool https = gd_span_starts(text, GD_SPAN("https://"));
    size_t scheme = strlen(https ? "https://" : "http://"), at = scheme;

    if (!https && !gd_span_starts(text, GD_SPAN("http://")))
        return false;
    while (at < text.len && !strchr("/?#", text.ptr[at]))
        at++;
    *out = (struct gd_url){.https = https, .port = https ? 443 : 80};
    out->authority = (struct gd_span){text.ptr + scheme, at - scheme};
    out->rest = (struct gd_span){text.ptr + at, text.len - at};
    return true;
}

bool gd_url_split(struct gd_span text, struct gd_url *out, struct gd_err *err)
{
    if (!split(text, out))
        return gd_err_set(err, "expected a URL like https://example.com/, found \"%.*s\"",
                          text.len > 100 ? 100 : (int)text.len, text.ptr);
    return true;
}

bool gd_url_parse(struct gd_span text, struct gd_url *out, struct gd_err *err)
{
    if (!split(text, out))
        return gd_err_set(err, "expected a URL like http://10.0.0.5:8001, found \"%.*s\"",
                          text.len > 100 ? 100 : (int)text.len, text.ptr);
    return gd_url_check(out, err);
}

static const char *address_text(struct gd_arena *arena, const struct gd_url *url)
{
    struct gd_buf text;
    char *copy;

    gd_buf_init(&text, NULL, 512);
    gd_need(gd_buf_addf(&text, url->ipv6 ? "http%s://[%.*s]:%u" : "http%s://%.*s:%u",
                        url->https ? "s" : "", GD_SPAN_ARG(url->host), url->port)
                ? text.data
                : NULL);
    copy = gd_need(gd_arena_text(arena, gd_buf_span(&text)));
    gd_buf_free(&text);
    return copy;
}

struct gd_plan_address gd_url_address(struct gd_arena *arena, const struct gd_url *url)
{
    return (struct gd_plan_address){.kind = GD_ADDRESS_TCP,
                                    .host = gd_need(gd_arena_text(arena, url->host)),
                                    .port = url->port,
                                    .text = address_text(arena, url)};
}

static bool listen_tcp(struct gd_arena *arena, struct gd_span text,
                       struct gd_plan_address *out, bool *https, struct gd_err *err)
{
    struct gd_url url;

    if (!gd_url_like(text))
        return gd_err_set(err,
                          "expected a port, http://HOST:PORT,%s unix:/PATH or "
                          "systemd:NAME, found \"%.*s\"",
                          https ? " https://HOST:PORT," : "",
                          text.len > 100 ? 100 : (int)text.len, text.ptr);
    if (!gd_url_parse(text, &url, err))
        return false;
    if (url.https && https == NULL)
        return gd_err_set(err, "https is not spoken here; use a loopback address or a "
                               "unix socket");
    if (url.rest.len)
        return gd_err_set(err, "an address to listen on has no path; remove \"%.*s\"",
                          url.rest.len > 100 ? 100 : (int)url.rest.len, url.rest.ptr);
    if (https)
        *https = url.https;
    *out = gd_url_address(arena, &url);
    return true;
}

static bool listen_unix(struct gd_arena *arena, struct gd_span text, struct gd_span path,
                        struct gd_plan_address *out, struct gd_err *err)
{
    if (path.len == 0 || path.ptr[0] != '/')
        return gd_err_set(err, "a unix socket needs an absolute path: unix:/run/x.sock");
    if (path.len >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return gd_err_set(err, "the path of a unix socket has at most %zu bytes",
                          sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    *out = (struct gd_plan_address){.kind = GD_ADDRESS_UNIX,
                                    .host = "",
                                    .path = gd_need(gd_arena_text(arena, path)),
                                    .text = gd_need(gd_arena_text(arena, text))};
    return true;
}

/* systemd.socket(5): printable ASCII without a colon, 255 at most. */
static bool listen_systemd(struct gd_arena *arena, struct gd_span text,
                           struct gd_span name, struct gd_plan_address *out,
                           struct gd_err *err)
{
    bool ok = name.len > 0 && name.len <= HOST_MAX;

    for (size_t i = 0; ok && i < name.len; i++)
        ok = name.ptr[i] > ' ' && name.ptr[i] <= '~' && name.ptr[i] != ':';
    if (!ok)
        return gd_err_set(err, "systemd: needs the FileDescriptorName of a socket unit, "
                               "like systemd:http");
    *out = (struct gd_plan_address){.kind = GD_ADDRESS_SYSTEMD,
                                    .host = "",
                                    .path = gd_need(gd_arena_text(arena, name)),
                                    .text = gd_need(gd_arena_text(arena, text))};
    return true;
}

/* Whether text is `prefix` and more, which is *rest. */
static bool is_kind(struct gd_span text, struct gd_span prefix, struct gd_span *rest)
{
    *rest = (struct gd_span){text.ptr + prefix.len, text.len - prefix.len};
    return gd_span_starts(text, prefix);
}

bool gd_url_listen(struct gd_arena *arena, struct gd_span text,
                   struct gd_plan_address *out, bool *https, struct gd_err *err)
{
    struct gd_span rest;

    if (https)
        *https = false;
    if (is_kind(text, GD_SPAN("unix:"), &rest))
        return listen_unix(arena, text, rest, out, err);
    if (is_kind(text, GD_SPAN("systemd:"), &rest))
        return listen_systemd(arena, text, rest, out, err);
    return listen_tcp(arena, text, out, https, err);
}

bool gd_address_is_local(const struct gd_plan_address *address)
{
    struct gd_span host;

    if (address->kind != GD_ADDRESS_TCP) /* what systemd passes is not known here */
        return address->kind == GD_ADDRESS_UNIX;
    host = gd_span_of(address->host);
    return gd_span_ieq(host, GD_SPAN("localhost")) || gd_span_is(host, "::1") ||
           (gd_span_starts(host, GD_SPAN("127.")) && is_ip(host, AF_INET));
}

/* How an address is spelled does not matter: "::" is "0:0::0". */
static bool is_same_ip(const char *a, const char *b, int family)
{
    unsigned char left[sizeof(struct in6_addr)], right[sizeof(struct in6_addr)];
    size_t size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

    return inet_pton(family, a, left) == 1 && inet_pton(family, b, right) == 1 &&
           memcmp(left, right, size) == 0;
}

/* Whether what listens at `wide` takes the clients of `host`, too. */
static bool covers(const char *wide, const char *host)
{
    return is_same_ip(wide, "::", AF_INET6) ||
           (is_same_ip(wide, "0.0.0.0", AF_INET) && strchr(host, ':') == NULL);
}

bool gd_address_overlaps(const struct gd_plan_address *a, const struct gd_plan_address *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind != GD_ADDRESS_TCP)
        return strcmp(a->path, b->path) == 0;
    return a->port == b->port && a->port != 0 &&
           (covers(a->host, b->host) || covers(b->host, a->host) ||
            gd_span_ieq(gd_span_of(a->host), gd_span_of(b->host)) ||
            is_same_ip(a->host, b->host, AF_INET6));
}
