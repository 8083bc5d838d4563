#ifndef GD_PLAN_SCHEMA_LISTEN_H
#define GD_PLAN_SCHEMA_LISTEN_H
/**
 * The rows of schema_table.h that are about clients' connections.
 */

/* clang-format off */
#define GD_LISTEN_SECTION_ROWS(X)                                                         \
    X(LISTEN, struct gd_draft_listen, "listen[]", "The long form of an address to listen on.") \
    X(LISTEN_TLS, struct gd_draft_listen_tls, "listen[].tls",                             \
      "How clients are spoken to that connect there. Names of files are relative to the " \
      "folder of the file they stand in; what is in them is read and checked with the "   \
      "configuration.")                                                                   \
    X(CERTIFICATE, struct gd_draft_certificate, "listen[].tls.certificates[]",            \
      "One of several certificates.")

#define GD_LISTEN_OPTION_ROWS(X)                                                          \
    X(LISTEN, "url", TEXT, NONE, url, 0, 0, "!", "", APPLIED,                             \
      "A port, `http://HOST:PORT`, `https://HOST:PORT`, `unix:/PATH`, or `systemd:NAME`: " \
      "the sockets that systemd passes by that `FileDescriptorName`.")                    \
    X(LISTEN, "tls", NODE, LISTEN_TLS, tls, 0, 0, "", "", APPLIED,                        \
      "TLS, which `https` needs; `unix` and `systemd` may have it.")                      \
    X(LISTEN, "proxy_protocol", BOOL, NONE, proxy_protocol, 0, 0, "false", "", APPLIED,   \
      "Each connection begins with a PROXY header (version 1 or 2) that tells the "       \
      "client's address; connections of others than `trusted_proxies` are refused.")      \
    X(LISTEN, "backlog", INT, NONE, backlog, 1, 65535, "4096", "", APPLIED,               \
      "Connections that may wait to be accepted; the system has a limit of its own.")     \
    X(LISTEN, "mode", TEXT, NONE, mode, 0, 0, "=by umask", "", APPLIED,                   \
      "Permissions of a unix socket, like `0660`; who may write may connect.")            \
    X(LISTEN, "owner", TEXT, NONE, owner, 0, 0, "=of the process", "", APPLIED,           \
      "Owner of a unix socket, a name or number.")                                        \
    X(LISTEN, "group", TEXT, NONE, group, 0, 0, "=of the process", "", APPLIED,           \
      "Group of a unix socket, a name or number.")                                        \
    X(LISTEN_TLS, "cert", TEXT, NONE, cert, 0, 0, "", "", APPLIED,                        \
      "A file with the certificate, and those of its issuers behind it (PEM).")           \
    X(LISTEN_TLS, "key", TEXT, NONE, key, 0, 0, "", "", APPLIED,                          \
      "The file of its private key (PEM, without a password).")                           \
    X(LISTEN_TLS, "certificates", MAPS, CERTIFICATE, certificates, 0, 0, "", "", APPLIED, \
      "Further certificates, chosen by the name a client asks for (SNI): that of the "    \
      "first certificate that has it, exactly or by `*.`; else the first of all is shown.") \
    X(LISTEN_TLS, "min_version", ENUM, NONE, min_version, 0, 0, "1.2", "1.2|1.3", APPLIED, \
      "The oldest version of TLS that is spoken.")                                        \
    X(LISTEN_TLS, "tickets", BOOL, NONE, tickets, 0, 0, "true", "", APPLIED,              \
      "Clients get tickets to resume their sessions with, for two hours; the keys change " \
      "every hour.")                                                                      \
    X(LISTEN_TLS, "client_ca", TEXT, NONE, client_ca, 0, 0, "", "", APPLIED,              \
      "A file of CAs (PEM) whose certificates clients are asked for.")                    \
    X(LISTEN_TLS, "client_verify", ENUM, NONE, client_verify, 0, 0,                       \
      "=required with client_ca, else off", "off|optional|required", APPLIED,             \
      "`required`: a handshake without such a certificate fails; `optional`: only one "   \
      "with a wrong certificate does.")                                                   \
    X(CERTIFICATE, "cert", TEXT, NONE, cert, 0, 0, "!", "", APPLIED,                      \
      "A file with the certificate, and those of its issuers behind it (PEM).")           \
    X(CERTIFICATE, "key", TEXT, NONE, key, 0, 0, "!", "", APPLIED,                        \
      "The file of its private key (PEM, without a password).")

#define GD_LIMIT_OPTION_ROWS(X)                                                           \
    X(LIMITS, "request_line", SIZE, NONE, request_line, 64, 1048576, "8KiB", "", APPLIED, \
      "Longest request line; more is answered with 414.")                                 \
    X(LIMITS, "header_bytes", SIZE, NONE, header_bytes, 256, 1048576, "32KiB", "", APPLIED, \
      "Largest header block; more is answered with 431.")                                 \
    X(LIMITS, "header_fields", INT, NONE, header_fields, 1, 1000, "100", "", APPLIED,     \
      "Most header fields; more is answered with 431.")                                   \
    X(LIMITS, "handshake_timeout", DURATION, NONE, handshake_timeout_ms, 1, GD_MS_MAX, "10s", "", \
      APPLIED, "How long a connection may take until HTTP begins: PROXY header and TLS "  \
      "handshake together.")                                                              \
    X(LIMITS, "handshakes", INT, NONE, handshakes, 1, 1000000, "1024", "", APPLIED,       \
      "Connections that may be in that state at once, per worker; more are closed.")      \
    X(LIMITS, "header_timeout", DURATION, NONE, header_timeout_ms, 1, GD_MS_MAX, "10s", "", \
      APPLIED, "From the first byte of a request to the end of its header.")              \
    X(LIMITS, "body", SIZE, NONE, body, 0, GD_SIZE_MAX, "1MiB", "", APPLIED,              \
      "Largest request body of a route without `max_body`; more is answered with 413.")   \
    X(LIMITS, "body_timeout", DURATION, NONE, body_timeout_ms, 1, GD_MS_MAX, "30s", "",   \
      APPLIED, "From the end of the header to the end of the body; of a `pass`, how long " \
      "the body may make no progress.")                                                   \
    X(LIMITS, "body_least", SIZE, NONE, body_least, 0, GD_SIZE_MAX, "1KiB", "", APPLIED,  \
      "Of a `pass`: the least that has to come of a body within `body_timeout`; 0: any byte " \
      "is enough.")                                                                       \
    X(LIMITS, "idle_timeout", DURATION, NONE, idle_timeout_ms, 1, GD_MS_MAX, "75s", "",   \
      APPLIED, "How long a connection is kept open between requests.")                    \
    X(LIMITS, "write_timeout", DURATION, NONE, write_timeout_ms, 1, GD_MS_MAX, "30s", "", \
      APPLIED, "How long an answer may make no progress.")                                \
    X(LIMITS, "requests_per_connection", INT, NONE, requests_per_connection, 1, 1000000000, \
      "10000", "", APPLIED, "Requests after which a connection is closed.")               \
    X(LIMITS, "connections", INT, NONE, connections, 1, 1000000, "16384", "", APPLIED,    \
      "Client connections open at once, per worker. For one more the oldest idle one is " \
      "closed; when none is idle it is refused, with 503 where that can be said.")        \
    X(LIMITS, "connections_per_client", INT, NONE, connections_per_client, 1, 1000000, "off", "off", \
      APPLIED, "The same of one client address (of IPv6: of one /64 network); those of "  \
      "`trusted_proxies` and unix sockets do not count.")                                 \
    X(LIMITS, "json_depth", INT, NONE, json_depth, 1, 1024, "128", "", APPLIED,           \
      "How deep the JSON of an upstream may be nested.")                                  \
    X(LIMITS, "request_memory", SIZE, NONE, request_memory, 65536, GD_SIZE_MAX, "32MiB", "", \
      APPLIED, "Bytes buffered for one request, all its calls' answers included; no answer " \
      "that is made of them has more.")
/* clang-format on */

#endif
