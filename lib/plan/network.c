#include "plan/network.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>

#include "plan/value.h"

enum { BITS = 128, BITS_IPV4 = 32, SHOWN_MAX = 100 };

static bool is_ipv4(const struct gd_ip *ip)
{
    return ip->high == 0 && ip->low >> 32 == 0xffff;
}

void gd_ip_set4(struct gd_ip *ip, const struct in_addr *from)
{
    *ip = (struct gd_ip){0, UINT64_C(0xffff00000000) | ntohl(from->s_addr)};
}

void gd_ip_set6(struct gd_ip *ip, const struct in6_addr *from)
{
    uint64_t halves[2];

    memcpy(halves, from, sizeof(halves));
    *ip = (struct gd_ip){be64toh(halves[0]), be64toh(halves[1])};
}

bool gd_ip_parse(struct gd_span text, struct gd_ip *out)
{
    char copy[GD_IP_TEXT_MAX];
    struct in6_addr in6;
    struct in_addr in;

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &in) == 1)
        gd_ip_set4(out, &in);
    else if (inet_pton(AF_INET6, copy, &in6) == 1)
        gd_ip_set6(out, &in6);
    else
        return false;
    return true;
}

const char *gd_ip_text(const struct gd_ip *ip, char out[GD_IP_TEXT_MAX])
{
    uint64_t halves[2] = {htobe64(ip->high), htobe64(ip->low)};
    struct in_addr in = {htonl((uint32_t)ip->low)};

    if (is_ipv4(ip))
        inet_ntop(AF_INET, &in, out, GD_IP_TEXT_MAX);
    else
        inet_ntop(AF_INET6, halves, out, GD_IP_TEXT_MAX);
    return out;
}

/* The mask of the first bits of 64; bits may be beyond both ends. */
static uint64_t mask_of(int bits)
{
    if (bits <= 0)
        return 0;
    return bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

/* Reads what stands behind the slash into a number of 128 bits. */
static bool parse_bits(struct gd_span text, bool ipv4, int *bits, struct gd_err *err)
{
    uint64_t number, max = ipv4 ? BITS_IPV4 : BITS;

    if (!gd_value_number(text, &number) || number > max)
        return gd_err_set(err,
                          "\"/%.*s\" is no size of an %s network; they have /0 to /%d",
                          text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len, text.ptr,
                          ipv4 ? "IPv4" : "IPv6", (int)max);
    *bits = (int)(BITS - max + number);
    return true;
}

bool gd_network_parse(struct gd_span text, struct gd_network *out, struct gd_err *err)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    size_t len = slash ? (size_t)(slash - text.ptr) : text.len;
    struct gd_span address = {text.ptr, len};
    char right[GD_IP_TEXT_MAX];
    struct gd_ip ip;
    int bits = BITS;

    if (!gd_ip_parse(address, &ip))
        return gd_err_set(err,
                          "expected an address like 10.0.0.7, a network like 10.0.0.0/8, "
                          "or unix, found \"%.*s\"",
                          text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len, text.ptr);
    out->ipv4 = is_ipv4(&ip);
    if (slash && out->ipv4 && memchr(text.ptr, ':', len))
        return gd_err_set(err, "an IPv4 network is written as one: %s/8 or the like",
                          gd_ip_text(&ip, right));
    if (slash && !parse_bits((struct gd_span){slash + 1, text.len - len - 1}, out->ipv4,
                             &bits, err))
        return false;
    out->mask = (struct gd_ip){mask_of(bits), mask_of(bits - 64)};
    out->ip = (struct gd_ip){ip.high & out->mask.high, ip.low & out->mask.low};
    if (out->ip.high == ip.high && out->ip.low == ip.low)
        return true;
    return gd_err_set(err,
                      "%.*s is an address inside of a network; the network is written "
                      "%s/%.*s",
                      GD_SPAN_ARG(text), gd_ip_text(&out->ip, right),
                      (int)(text.len - len - 1), slash + 1);
}

bool gd_trusted_has(const struct gd_trusted *trusted, const struct gd_ip *ip)
{
    for (unsigned i = 0; i < trusted->count; i++) {
        const struct gd_network *network = &trusted->networks[i];
        uint64_t high = (ip->high ^ network->ip.high) & network->mask.high;
        uint64_t low = (ip->low ^ network->ip.low) & network->mask.low;

        if ((high | low) == 0 && network->ipv4 == is_ipv4(ip))
            return true;
    }
    return false;
}
