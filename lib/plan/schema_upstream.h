#ifndef GD_PLAN_SCHEMA_UPSTREAM_H
#define GD_PLAN_SCHEMA_UPSTREAM_H
/**
 * The rows of schema_table.h that are about upstreams.
 */
#define GD_MS_MAX 86400000     /* 24h */
#define GD_SIZE_MAX 1073741824 /* 1GiB */

/* clang-format off */
#define GD_UPSTREAM_SECTION_ROWS(X)                                                       \
    X(UPSTREAM, struct gd_draft_upstream, "upstreams.NAME",                               \
      "A service that is called. Short forms: a server's URL, or a list of them. "        \
      "A name has letters, digits, `_`, `-` and `.`.")                                    \
    X(SERVER, struct gd_draft_server, "upstreams.NAME.servers[]",                         \
      "The long form of a server of an upstream.")                                        \
    X(POOL, struct gd_plan_pool, "upstreams.NAME.pool",                                   \
      "Kept connections, per server and worker.")                                         \
    X(TLS, struct gd_draft_tls, "upstreams.NAME.tls",                                     \
      "How `https` servers are spoken to. Names of files are relative to the folder of "  \
      "the file they stand in; what is in them is read and checked with the configuration.")\
    X(EJECT, struct gd_plan_eject, "upstreams.NAME.eject",                                \
      "When a server is taken out, per worker.")                                          \
    X(RETRY, struct gd_draft_retry, "upstreams.NAME.retry", "When a request is sent again.") \
    X(HEALTH, struct gd_draft_health, "upstreams.NAME.health",                            \
      "Requests that ask a server how it is.")                                            \
    X(RESOLVER, struct gd_draft_resolver, "resolver",                                     \
      "How names of upstreams are looked up. `/etc/hosts` counts more than nameservers.") \
    X(MOCK, struct gd_draft_mock, "upstreams.NAME.mock.PATTERN",                          \
      "An answer from the configuration itself. The key is a pattern like a route's.")

#define GD_UPSTREAM_OPTION_ROWS(X)                                                        \
    X(UPSTREAM, "servers", SERVERS, SERVER, servers, 0, 0, "", "", APPLIED,               \
      "Its addresses: `http://HOST[:PORT]` or `https://HOST[:PORT]`, or a list of these. " \
      "Of a HOST that is a name all addresses belong to one server; the first that can "  \
      "be connected to is used.") \
    X(UPSTREAM, "dns", TEXT, NONE, dns, 0, 0, "", "", APPLIED,                            \
      "A name like `users.internal:8001`, or `https://NAME:PORT`, instead of `servers`: " \
      "each of its addresses is a server, 64 at most, and they change as the name's do.") \
    X(UPSTREAM, "srv", TEXT, NONE, srv, 0, 0, "", "", APPLIED,                            \
      "A service like `_http._tcp.users.consul`, instead of `servers`: the targets of its " \
      "SRV records are the servers, with their ports and weights, those of the lowest "   \
      "priority first, 64 at most. `https://` in front, or a service `_https`, speaks TLS.") \
    X(UPSTREAM, "balance", BALANCE, NONE, balance, 0, 0, "=least_pending", "", APPLIED,   \
      "How a server is chosen. `round_robin`: in turn; `least_pending`: the one that has " \
      "the fewest calls; `random_two`: the better one of two; `hash({header.x-user})`: "  \
      "the same one for the same text, in which the placeholders of the browser's "       \
      "request may stand. Weights count in all of them.")                                 \
    X(UPSTREAM, "timeout", DURATION, NONE, plan.timeout_ms, 1, GD_MS_MAX, "2s", "", APPLIED, \
      "One try, from asking for a connection to the last byte of the answer; of a "       \
      "`pass`, how long request or answer may make no progress.")                         \
    X(UPSTREAM, "connect_timeout", DURATION, NONE, plan.connect_timeout_ms, 1, GD_MS_MAX, \
      "500ms", "", APPLIED, "Opening a connection, with its TLS handshake.")              \
    X(UPSTREAM, "pool", SECTION, POOL, plan.pool, 0, 0, "", "", APPLIED,                  \
      "Kept connections, per server and worker.")                                         \
    X(UPSTREAM, "tls", SECTION, TLS, tls, 0, 0, "", "", APPLIED,                          \
      "How its `https` servers are spoken to.")                                           \
    X(UPSTREAM, "max_in_flight", INT, NONE, plan.max_in_flight, 1, 1000000, "1024", "",   \
      APPLIED, "Calls to all of its servers at once, per worker, those that wait for a "  \
      "connection included; more fail with `overload`.")                                  \
    X(UPSTREAM, "eject", SWITCH, EJECT, eject, 0, 0, "=see below", "", APPLIED,           \
      "When a server is taken out; `off`: never.")                                        \
    X(UPSTREAM, "retry", SWITCH, RETRY, retry, 0, 0, "=see below", "", APPLIED,           \
      "When a request is sent again, to another server where there is one; `off`: never.") \
    X(UPSTREAM, "hedge", HEDGE, NONE, hedge, 0, 0, "=off", "", APPLIED,                   \
      "How long a first request may take before a second one is sent to another server; " \
      "the first answer wins. `p95`: as long as 95 of 100 calls take, once there have "   \
      "been 100. Idempotent methods only, within the budget of `retry`.")                 \
    X(UPSTREAM, "health", SWITCH, HEALTH, health, 0, 0, "=off", "", APPLIED,              \
      "Requests that ask each server how it is, from each worker.")                       \
    X(UPSTREAM, "headers", HEADERS, NONE, headers, 0, 0, "", "", APPLIED,                 \
      "Header fields of every request to it. `{version}` is this program's version. "     \
      "`User-Agent: gatherd/{version}` and `Accept: application/json` are set unless "    \
      "given here.")                                                                      \
    X(UPSTREAM, "http", ENUM, NONE, plan.http, 0, 0, "1.1", "1.1|2|auto", APPLIED,        \
      "The version of HTTP that is spoken. `2`: servers must speak HTTP/2, with `https` "  \
      "chosen by ALPN, with `http` from the first byte (prior knowledge). `auto`: with "   \
      "`https` what the server chooses, else 1.1.")                                       \
    X(UPSTREAM, "max_response", SIZE, NONE, plan.max_response, 1, GD_SIZE_MAX, "10MiB", "", \
      APPLIED, "Largest body of an answer to a call; a `pass` has no bound.")             \
    X(UPSTREAM, "accept_encoding", BOOL, NONE, plan.accept_encoding, 0, 0, "off", "", APPLIED, \
      "Calls ask for answers in gzip, deflate or br, which are decoded within "           \
      "`max_response`; a `pass` never does.")                                             \
    X(UPSTREAM, "cookies", BOOL, NONE, plan.cookies, 0, 0, "off", "", APPLIED,            \
      "Keeps the cookies that answers to calls set, in each worker, and sends them with "  \
      "the calls that come later.")                                                       \
    X(UPSTREAM, "deadline_header", TEXT, NONE, deadline_header, 0, 0, "", "", APPLIED,    \
      "A header field, like `X-Deadline-Ms`, that tells how many milliseconds a call has left.") \
    X(UPSTREAM, "mock", MAP, MOCK, mock, 0, 0, "", "", APPLIED,                           \
      "Answers from this file instead of servers, by pattern, over a real loopback socket.") \
    X(RESOLVER, "servers", NAMES, NONE, servers, 0, 0, "=those of /etc/resolv.conf", "",  \
      APPLIED, "Nameservers, like `[10.0.0.2, \"127.0.0.1:5353\"]`.")                     \
    X(RESOLVER, "timeout", DURATION, NONE, plan.timeout_ms, 10, 60000, "3s", "", APPLIED, \
      "How long a lookup may take, all tries included.")                                  \
    X(RESOLVER, "tries", INT, NONE, plan.tries, 1, 5, "2", "", APPLIED,                   \
      "How often each nameserver is asked, with twice the patience each time.")           \
    X(RESOLVER, "min_ttl", DURATION, NONE, plan.min_ttl_ms, 100, GD_MS_MAX, "1s", "", APPLIED, \
      "How soon a name is looked up again at most, whatever its TTL.")                    \
    X(RESOLVER, "max_ttl", DURATION, NONE, plan.max_ttl_ms, 1000, GD_MS_MAX, "5m", "", APPLIED, \
      "How late, whatever its TTL.")                                                      \
    X(SERVER, "url", TEXT, NONE, url, 0, 0, "!", "", APPLIED,                             \
      "`http://HOST[:PORT]` or `https://HOST[:PORT]`.")                                   \
    X(SERVER, "weight", INT, NONE, weight, 1, 1000, "1", "", APPLIED,                     \
      "Its share of the requests, in proportion to the others.")                          \
    X(TLS, "ca", TEXT, NONE, ca, 0, 0, "=system", "", APPLIED,                            \
      "Who is trusted to say who a server is: `system`, or a file of certificates (PEM).")\
    X(TLS, "verify", BOOL, NONE, verify, 0, 0, "true", "", APPLIED,                       \
      "Whether the server has to prove who it is. With `false` whoever is on the way can "\
      "read and change everything; each start warns of it.")                              \
    X(TLS, "server_name", TEXT, NONE, server_name, 0, 0, "=auto", "", APPLIED,            \
      "The name or address the certificate must be for, and that is asked for (SNI); "    \
      "`auto` is the host of each URL.")                                                  \
    X(TLS, "cert", TEXT, NONE, cert, 0, 0, "", "", APPLIED,                               \
      "A file with the certificate shown to servers that ask for one, and those of its "  \
      "issuers behind it (PEM).")                                                         \
    X(TLS, "key", TEXT, NONE, key, 0, 0, "", "", APPLIED,                                 \
      "The file of its private key (PEM, without a password).")                           \
    X(TLS, "min_version", ENUM, NONE, min_version, 0, 0, "1.2", "1.2|1.3", APPLIED,       \
      "The oldest version of TLS that is spoken.")                                        \
    X(POOL, "max", INT, NONE, max, 1, 65535, "128", "", APPLIED, "Connections open at once.") \
    X(POOL, "min", INT, NONE, min, 0, 65535, "0", "", APPLIED,                            \
      "Connections opened at the start, before they are needed, and kept, however long they " \
      "are unused.")                                                                      \
    X(POOL, "idle", INT, NONE, idle, 0, 65535, "32", "", APPLIED,                         \
      "Connections kept open while unused; what a burst leaves above that is closed when "  \
      "unused for a second. 0: none is kept.")                                            \
    X(POOL, "idle_timeout", DURATION, NONE, idle_timeout_ms, 1, GD_MS_MAX, "60s", "", APPLIED, \
      "How long an unused connection is kept.")                                           \
    X(POOL, "max_age", DURATION, NONE, max_age_ms, 1, 604800000, "10m", "", APPLIED,      \
      "Age at which a connection is no longer used again.")                               \
    X(POOL, "max_requests", INT, NONE, max_requests, 1, 1000000000, "10000", "", APPLIED, \
      "Requests after which a connection is closed.")                                     \
    X(POOL, "streams", INT, NONE, streams, 1, 65535, "1000", "", APPLIED,                 \
      "Requests at once on a connection that speaks HTTP/2, if the server allows as many; " \
      "then another connection is opened.")                                               \
    X(POOL, "ping", DURATION, NONE, ping_ms, 100, GD_MS_MAX, "30s", "", APPLIED,          \
      "How long a connection that speaks HTTP/2 may be silent before the server is asked "  \
      "whether it is there; without an answer within `timeout` it is closed.")            \
    X(POOL, "queue", INT, NONE, queue, 0, 1000000, "256", "", APPLIED,                    \
      "Calls that may wait for a connection; more fail with `overload`.")                 \
    X(EJECT, "errors", INT, NONE, errors, 1, 1000, "5", "", APPLIED,                      \
      "Failures in a row after which a server is taken out: no connection, no TLS, a "    \
      "timeout, a broken connection, no HTTP, a 5xx, or a lost race with a hedge.")                  \
    X(EJECT, "for", DURATION, NONE, for_ms, 1, GD_MS_MAX, "10s", "", APPLIED,             \
      "For how long, the first time; it doubles up to 16 times that. Then one request "   \
      "tries it, and when that succeeds its share grows over this time, 10s at most.")    \
    X(EJECT, "max", PERCENT, NONE, max, 0, 0, "50%", "", APPLIED,                         \
      "The share of the servers that may be out at once.")                                \
    X(RETRY, "tries", INT, NONE, plan.tries, 1, 10, "1", "", APPLIED,                     \
      "Most further tries of a call, never beyond its deadlines.")                        \
    X(RETRY, "on", NAMES, NONE, on, 0, 0, "=[connect, reset, 502, 503, 504]", "", APPLIED, \
      "What is tried again: `connect` (with TLS), `reset`, `timeout`, `protocol`, and "  \
      "statuses like 503 or 5xx that are no success.")                                             \
    X(RETRY, "methods", NAMES, NONE, methods, 0, 0,                                       \
      "=[GET, HEAD, PUT, DELETE, OPTIONS, TRACE]", "", APPLIED,                           \
      "Methods that are tried again. `POST` and `PATCH` do their work twice when the first " \
      "request had arrived.")                                                             \
    X(RETRY, "budget", PERCENT, NONE, plan.budget, 0, 0, "20%", "", APPLIED,              \
      "Most further tries, as a share of the calls: of those that run (but at least 3) and " \
      "of those of the past (with at most 100 in reserve). Per worker.")                  \
    X(HEALTH, "get", TEXT, NONE, get, 0, 0, "!", "", APPLIED,                             \
      "The path that is asked for; a status of 200 to 399 is a success.")                 \
    X(HEALTH, "every", DURATION, NONE, plan.every_ms, 10, GD_MS_MAX, "5s", "", APPLIED,   \
      "How often.")                                                                       \
    X(HEALTH, "timeout", DURATION, NONE, plan.timeout_ms, 1, GD_MS_MAX, "1s", "", APPLIED, \
      "How long the answer may take.")                                                    \
    X(HEALTH, "up", INT, NONE, plan.up, 1, 100, "2", "", APPLIED,                         \
      "Successes in a row after which a server that was down is used again.")             \
    X(HEALTH, "down", INT, NONE, plan.down, 1, 100, "3", "", APPLIED,                     \
      "Failures in a row after which a server is down, and only used when all are.")
/* clang-format on */

#endif
