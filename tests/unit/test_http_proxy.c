/* The header of the PROXY protocol. */
#include "suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) ((struct gd_span){literal, sizeof(literal) - 1})
#define V4 "\xc0\x00\x02\x09\x0a\x00\x00\x01\x13\x88\x00\x50"

static enum gd_proxy_result parse(struct gd_span bytes, struct gd_proxy *out)
{
    /* In memory of its own, so that a read beyond its end is seen. */
    char *copy = malloc(bytes.len + !bytes.len);
    enum gd_proxy_result result;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    result = gd_proxy_parse((struct gd_span){copy, bytes.len}, out);
    free(copy);
    return result;
}

/* Complete with exactly these bytes, and incomplete with any fewer. */
static struct gd_proxy accept_only(struct gd_span bytes)
{
    struct gd_proxy proxy;
    char more[512];

    for (size_t n = 0; n < bytes.len; n++)
        ck_assert_int_eq(parse((struct gd_span){bytes.ptr, n}, &proxy), GD_PROXY_MORE);
    ck_assert_uint_lt(bytes.len + 3, sizeof(more));
    memcpy(more, bytes.ptr, bytes.len);
    memcpy(more + bytes.len, "GET", 3);
    ck_assert_int_eq(parse((struct gd_span){more, bytes.len + 3}, &proxy), GD_PROXY_DONE);
    ck_assert_uint_eq(proxy.bytes, bytes.len);
    return proxy;
}

static const char *source(const struct gd_proxy *proxy)
{
    static char text[INET6_ADDRSTRLEN + 8];
    int family = proxy->source == GD_PROXY_IPV4 ? AF_INET : AF_INET6;
    char ip[INET6_ADDRSTRLEN];

    if (proxy->source == GD_PROXY_OWN)
        return "own";
    if (proxy->source == GD_PROXY_UNIX)
        return "unix";
    ck_assert_ptr_nonnull(inet_ntop(family, proxy->address, ip, sizeof(ip)));
    snprintf(text, sizeof(text), "%s %u", ip, proxy->port);
    return text;
}

START_TEST(lines_name_the_client)
{
    static const char *const cases[][2] = {
        {"PROXY TCP4 192.0.2.9 10.0.0.1 5000 80\r\n", "192.0.2.9 5000"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
         "255.255.255.255 65535"},
        {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0 0"},
        {"PROXY TCP6 2001:db8::9 ::1 1 2\r\n", "2001:db8::9 1"},
        {"PROXY TCP6 ffff:f:f:f:f:f:f:ffff ffff:f:f:f:f:f:f:ffff 65535 65535\r\n",
         "ffff:f:f:f:f:f:f:ffff 65535"},
        {"PROXY UNKNOWN\r\n", "own"},
        {"PROXY UNKNOWN anything at all\r\n", "own"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gd_proxy proxy = accept_only(gd_span_of(cases[i][0]));

        ck_assert_str_eq(source(&proxy), cases[i][1]);
        ck_assert(!proxy.tls);
    }
}
END_TEST

START_TEST(other_lines_are_refused)
{
    static const char *const cases[] = {
        "GET / HTTP/1.1\r\n",
        "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXYTCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 +2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP6 ::1%lo ::1 1 2\r\n",
        "PROXY TCP6 [::1] ::1 1 2\r\n",
        "\r\nPROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UNKNOWN "
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxx\r\n",
    };
    struct gd_proxy proxy;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(parse(gd_span_of(cases[i]), &proxy) == GD_PROXY_BAD, "%s",
                      cases[i]);
    ck_assert_int_eq(parse(BYTES("PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n"), &proxy),
                     GD_PROXY_BAD);
}
END_TEST

START_TEST(binary_headers_name_the_client)
{
    struct gd_proxy proxy = accept_only(BYTES(SIGNATURE "\x21\x11\x00\x0c" V4));

    ck_assert_str_eq(source(&proxy), "192.0.2.9 5000");
    proxy = accept_only(BYTES(SIGNATURE "\x21\x21\x00\x24"
                                        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                        "\x00\x01\x00\x02"));
    ck_assert_str_eq(source(&proxy), "2001:db8::7 1");
    proxy = accept_only(BYTES(SIGNATURE "\x20\x00\x00\x00"));
    ck_assert_str_eq(source(&proxy), "own");
    proxy = accept_only(BYTES(SIGNATURE "\x20\x11\x00\x0c" V4));
    ck_assert_str_eq(source(&proxy), "own");
    proxy = accept_only(BYTES(SIGNATURE "\x21\x00\x00\x03"
                                        "abc"));
    ck_assert_str_eq(source(&proxy), "own");
}
END_TEST

START_TEST(clients_of_unix_sockets_have_no_address)
{
    char bytes[16 + 216] = SIGNATURE "\x21\x31\x00\xd8/path";
    struct gd_proxy proxy = accept_only((struct gd_span){bytes, sizeof(bytes)});

    ck_assert_str_eq(source(&proxy), "unix");
}
END_TEST

START_TEST(options_tell_of_tls_and_are_checked)
{
    struct gd_proxy proxy =
        accept_only(BYTES(SIGNATURE "\x21\x11\x00\x14" V4 "\x20\x00\x05\x01\0\0\0\0"));

    ck_assert(proxy.tls);
    proxy =
        accept_only(BYTES(SIGNATURE "\x21\x11\x00\x14" V4 "\x20\x00\x05\x02\0\0\0\0"));
    ck_assert(!proxy.tls);
    proxy = accept_only(BYTES(SIGNATURE "\x21\x11\x00\x0f" V4 "\x04\x00\x00"));
    ck_assert(!proxy.tls);
    /* its own checksum, computed by another program */
    proxy = accept_only(
        BYTES(SIGNATURE "\x21\x11\x00\x13" V4 "\x03\x00\x04\xae\xf5\x0d\x8f"));
    ck_assert_str_eq(source(&proxy), "192.0.2.9 5000");
}
END_TEST

START_TEST(malformed_binary_headers_are_refused)
{
    static const struct gd_span cases[] = {
        {"\r\n\r\n\0\r\nQUIT\r", 12},
        {SIGNATURE "\x11\x11\x00\x0c" V4, 28},                    /* version 1 */
        {SIGNATURE "\x22\x11\x00\x0c" V4, 28},                    /* command */
        {SIGNATURE "\x21\x12\x00\x0c" V4, 28},                    /* datagram */
        {SIGNATURE "\x21\x41\x00\x0c" V4, 28},                    /* family */
        {SIGNATURE "\x21\x01\x00\x0c" V4, 28},                    /* family */
        {SIGNATURE "\x21\x10\x00\x0c" V4, 28},                    /* transport */
        {SIGNATURE "\x21\x11\x00\x0b" V4, 27},                    /* too short */
        {SIGNATURE "\x21\x21\x00\x0c" V4, 28},                    /* too short */
        {SIGNATURE "\x21\x11\x00\x0d" V4 "\x04", 29},             /* option */
        {SIGNATURE "\x21\x11\x00\x0f" V4 "\x04\x00\x01", 31},     /* option */
        {SIGNATURE "\x21\x11\x00\x10" V4 "\x20\x00\x01\x01", 32}, /* of TLS */
        {SIGNATURE "\x21\x11\x00\x13" V4 "\x03\x00\x04\xae\xf5\x0d\x8e", 35}, /* sum */
        {SIGNATURE "\x21\x11\x00\x12" V4 "\x03\x00\x03\xae\xf5\x0d", 34},     /* sum */
        {SIGNATURE "\x21\x11\xff\xff" V4, 28},                                /* length */
    };
    struct gd_proxy proxy;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(parse(cases[i], &proxy) == GD_PROXY_BAD, "case %zu", i);
}
END_TEST

GD_SUITE("http proxy", lines_name_the_client, other_lines_are_refused,
         binary_headers_name_the_client, clients_of_unix_sockets_have_no_address,
         options_tell_of_tls_and_are_checked, malformed_binary_headers_are_refused)
