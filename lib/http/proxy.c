#include "http/proxy.h"

#include <arpa/inet.h>

/* Version 1 ----------------------------------------------------------------------------
 */

/* Cuts the next word off; false when the line has no more, or an empty one. */
static bool take_word(struct gd_span *line, struct gd_span *word)
{
    const char *space = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
    size_t n = space ? (size_t)(space - line->ptr) : line->len;

    *word = (struct gd_span){line->ptr, n};
    if (n == 0)
        return false;
    n += space != NULL;
    *line = (struct gd_span){line->ptr + n, line->len - n};
    return space == NULL || line->len > 0;
}

static bool parse_ip(struct gd_span word, int family, unsigned char out[16])
{
    char text[INET6_ADDRSTRLEN];

    if (word.len >= sizeof(text) || memchr(word.ptr, '\0', word.len))
        return false;
    memcpy(text, word.ptr, word.len);
    text[word.len] = '\0';
    return inet_pton(family, text, out) == 1;
}

static bool parse_port(struct gd_span word, uint16_t *port)
{
    uint64_t number;

    if (word.len > 5 || (word.len > 1 && word.ptr[0] == '0') ||
        !gd_span_u64(word, &number) || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* `TCP4 SOURCE TARGET PORT PORT` or `UNKNOWN` and anything. */
static bool parse_line(struct gd_span line, struct gd_proxy *out)
{
    struct gd_span family, source, target, source_port, target_port;
    unsigned char unused[16];
    uint16_t unused_port;
    int af;

    if (!take_word(&line, &family))
        return false;
    if (gd_span_is(family, "UNKNOWN"))
        return true;
    if (gd_span_is(family, "TCP4"))
        out->source = GD_PROXY_IPV4;
    else if (gd_span_is(family, "TCP6"))
        out->source = GD_PROXY_IPV6;
    else
        return false;
    af = out->source == GD_PROXY_IPV4 ? AF_INET : AF_INET6;
    return take_word(&line, &source) && take_word(&line, &target) &&
           take_word(&line, &source_port) && take_word(&line, &target_port) &&
           line.len == 0 && parse_ip(source, af, out->address) &&
           parse_ip(target, af, unused) && parse_port(source_port, &out->port) &&
           parse_port(target_port, &unused_port);
}

static enum gd_proxy_result parse_v1(struct gd_span bytes, struct gd_span start,
                                     struct gd_proxy *out)
{
    size_t most =
        bytes.len < GD_PROXY_LINE_MAX_BYTES ? bytes.len : GD_PROXY_LINE_MAX_BYTES;
    const char *end = memchr(bytes.ptr, '\n', most);
    struct gd_span line;

    if (end == NULL)
        return most < GD_PROXY_LINE_MAX_BYTES ? GD_PROXY_MORE : GD_PROXY_BAD;
    out->bytes = (size_t)(end - bytes.ptr) + 1;
    if (out->bytes < start.len + 2 || end[-1] != '\r')
        return GD_PROXY_BAD;
    line = (struct gd_span){bytes.ptr + start.len, out->bytes - start.len - 2};
    return parse_line(line, out) ? GD_PROXY_DONE : GD_PROXY_BAD;
}

/* Version 2 ----------------------------------------------------------------------------
 */

enum {
    V2_HEAD_BYTES = 16,
    V2_CRC_TLV = 0x03,
    V2_TLS_TLV = 0x20,
    V2_TLS_BY_CLIENT = 0x01,
    CRC_BYTES = 4,
};

static unsigned u16_at(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* CRC-32C, with the field of the checksum itself counted as zero. */
static bool crc_holds(const unsigned char *bytes, size_t len, size_t field)
{
    uint32_t crc = UINT32_MAX, told = 0;

    for (size_t i = 0; i < len; i++) {
        bool own = i >= field && i < field + CRC_BYTES;

        told = own ? told << 8 | bytes[i] : told;
        crc ^= own ? 0 : bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
    }
    return ~crc == told;
}

/* Options: a type, a length, a value each. */
static bool parse_options(const unsigned char *bytes, size_t at, size_t end,
                          struct gd_proxy *out)
{
    while (at < end) {
        size_t len;

        if (end - at < 3)
            return false;
        len = u16_at(bytes + at + 1);
        if (end - at - 3 < len)
            return false;
        if (bytes[at] == V2_CRC_TLV &&
            (len != CRC_BYTES || !crc_holds(bytes, end, at + 3)))
            return false;
        if (bytes[at] == V2_TLS_TLV) {
            if (len < 5) /* what was done, and whether a certificate was verified */
                return false;
            out->tls = bytes[at + 3] & V2_TLS_BY_CLIENT;
        }
        at += 3 + len;
    }
    return true;
}

/* What stands in the address block of each family that has a stream. */
static bool parse_family(const unsigned char *bytes, size_t len, struct gd_proxy *out,
                         size_t *block)
{
    static const size_t blocks[] = {0, 12, 36, 216};
    unsigned family = bytes[13] >> 4, transport = bytes[13] & 15;

    if (bytes[13] == 0) {
        *block = len; /* whatever it says, it is of no known kind */
        return true;
    }
    if (family == 0 || family > 3 || transport != 1 || len < blocks[family])
        return false;
    *block = blocks[family];
    out->source = family == 1   ? GD_PROXY_IPV4
                  : family == 2 ? GD_PROXY_IPV6
                                : GD_PROXY_UNIX;
    if (family == 3)
        return true;
    memcpy(out->address, bytes + V2_HEAD_BYTES, family == 1 ? 4 : 16);
    out->port = (uint16_t)u16_at(bytes + V2_HEAD_BYTES + (family == 1 ? 8 : 32));
    return true;
}

static enum gd_proxy_result parse_v2(struct gd_span span, struct gd_proxy *out)
{
    const unsigned char *bytes = (const unsigned char *)span.ptr;
    bool local;
    size_t len, block;

    if (span.len > 12 && bytes[12] != 0x20 && bytes[12] != 0x21)
        return GD_PROXY_BAD;
    if (span.len < V2_HEAD_BYTES)
        return GD_PROXY_MORE;
    local = bytes[12] == 0x20;
    len = u16_at(bytes + 14);
    out->bytes = V2_HEAD_BYTES + len;
    if (out->bytes > GD_PROXY_MAX_BYTES)
        return GD_PROXY_BAD;
    if (span.len < out->bytes)
        return GD_PROXY_MORE;
    if (local) /* whatever else is in it is to be ignored */
        return GD_PROXY_DONE;
    if (!parse_family(bytes, len, out, &block) ||
        !parse_options(bytes, V2_HEAD_BYTES + block, out->bytes, out))
        return GD_PROXY_BAD;
    return GD_PROXY_DONE;
}

enum gd_proxy_result gd_proxy_parse(struct gd_span bytes, struct gd_proxy *out)
{
    static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
    struct gd_span line = GD_SPAN("PROXY "), v2 = {signature, sizeof(signature)};
    struct gd_span start;

    *out = (struct gd_proxy){.source = GD_PROXY_OWN};
    if (bytes.len == 0)
        return GD_PROXY_MORE;
    start = bytes.ptr[0] == 'P' ? line : v2;
    if (memcmp(bytes.ptr, start.ptr, bytes.len < start.len ? bytes.len : start.len) != 0)
        return GD_PROXY_BAD;
    if (bytes.len < start.len)
        return GD_PROXY_MORE;
    return start.ptr == line.ptr ? parse_v1(bytes, line, out) : parse_v2(bytes, out);
}
