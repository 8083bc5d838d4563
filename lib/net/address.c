#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static unsigned resolve_unix(const struct gd_plan_address *from, struct gd_address *out,
                             struct gd_err *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&out->sa;
    size_t len = strlen(from->path);

    if (len == 0 || len >= sizeof(un->sun_path)) {
        gd_err_set(err, "%s: the path of a unix socket has 1 to %zu bytes", from->text,
                   sizeof(un->sun_path) - 1);
        return 0;
    }
    *out = (struct gd_address){.len = sizeof(*un)};
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, from->path, len + 1);
    return 1;
}

/* Returns how many addresses of one family were taken from the list. */
static unsigned take_family(const struct addrinfo *list, int family,
                            struct gd_address *out, unsigned max)
{
    unsigned count = 0;

    for (; list && count < max; list = list->ai_next) {
        if (list->ai_family != family || list->ai_addrlen > sizeof(out->sa))
            continue;
        out[count] = (struct gd_address){.len = list->ai_addrlen};
        memcpy(&out[count].sa, list->ai_addr, list->ai_addrlen);
        count++;
    }
    return count;
}

static unsigned resolve_tcp(const struct gd_plan_address *from, struct gd_address *out,
                            unsigned max, struct gd_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    const char *host = from->host[0] ? from->host : "::";
    char port[8];
    unsigned count;
    int rc;

    snprintf(port, sizeof(port), "%u", from->port);
    rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0) {
        /* A machine that has only its loopback counts as having no family at all. */
        hints.ai_flags = AI_NUMERICSERV;
        rc = getaddrinfo(host, port, &hints, &list);
    }
    if (rc != 0) {
        gd_err_set(err, "%s: no address found: %s", from->text, gai_strerror(rc));
        return 0;
    }
    /* IPv4 first: "localhost" is mostly meant, and mostly listened on, as 127.0.0.1. */
    count = take_family(list, AF_INET, out, max);
    count += take_family(list, AF_INET6, out + count, max - count);
    freeaddrinfo(list);
    if (count == 0)
        gd_err_set(err, "%s: no address found", from->text);
    return count;
}

unsigned gd_address_resolve(const struct gd_plan_address *from, struct gd_address *out,
                            unsigned max, struct gd_err *err)
{
    if (max == 0)
        return 0;
    if (from->kind == GD_ADDRESS_UNIX)
        return resolve_unix(from, out, err);
    if (from->kind == GD_ADDRESS_SYSTEMD) {
        gd_err_set(err, "%s: is a socket that systemd passes, and no address",
                   from->text);
        return 0;
    }
    return resolve_tcp(from, out, max, err);
}

bool gd_address_literal(const struct gd_plan_address *from, struct gd_address *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->sa;

    *out = (struct gd_address){.len = 0};
    if (from->kind == GD_ADDRESS_UNIX)
        return resolve_unix(from, out, NULL) > 0;
    if (inet_pton(AF_INET, from->host, &v4->sin_addr) == 1) {
        out->sa.ss_family = AF_INET;
        out->len = sizeof(*v4);
    } else if (inet_pton(AF_INET6, from->host, &v6->sin6_addr) == 1) {
        out->sa.ss_family = AF_INET6;
        out->len = sizeof(*v6);
    }
    gd_address_set_port(out, from->port);
    return out->len > 0;
}

void gd_address_set_port(struct gd_address *address, uint16_t port)
{
    if (address->sa.ss_family == AF_INET)
        ((struct sockaddr_in *)&address->sa)->sin_port = htons(port);
    else if (address->sa.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&address->sa)->sin6_port = htons(port);
}

bool gd_address_ip(const struct gd_address *address, struct gd_ip *out)
{
    if (address->sa.ss_family == AF_INET)
        gd_ip_set4(out, &((const struct sockaddr_in *)&address->sa)->sin_addr);
    else if (address->sa.ss_family == AF_INET6)
        gd_ip_set6(out, &((const struct sockaddr_in6 *)&address->sa)->sin6_addr);
    else
        return false;
    return true;
}

/* Writes the numeric host. An IPv4 peer of a dual-stack listener shows as IPv4. */
static void write_host(const struct gd_address *address, char out[GD_IP_TEXT_MAX])
{
    struct gd_ip ip;

    if (gd_address_ip(address, &ip))
        gd_ip_text(&ip, out);
    else
        snprintf(out, GD_IP_TEXT_MAX, "unknown");
}

const char *gd_address_text(const struct gd_address *address,
                            char out[GD_ADDRESS_TEXT_MAX])
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->sa;
    char host[GD_IP_TEXT_MAX];

    if (address->len > 0 && address->sa.ss_family == AF_UNIX) {
        snprintf(out, GD_ADDRESS_TEXT_MAX, "unix:%.*s", (int)sizeof(un->sun_path),
                 un->sun_path);
        return out;
    }
    write_host(address, host);
    snprintf(out, GD_ADDRESS_TEXT_MAX, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
             gd_address_port(address));
    return out;
}

uint16_t gd_address_port(const struct gd_address *address)
{
    if (address->sa.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&address->sa)->sin_port);
    if (address->sa.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address->sa)->sin6_port);
    return 0;
}
