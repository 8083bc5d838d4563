#ifndef GD_PLAN_SCHEMA_UPSTREAM_H
#define GD_PLAN_SCHEMA_UPSTREAM_H
/**
 * Options of the sections inside an upstream: a part of the rows of schema_table.h, where
 * their columns are explained.
 */
/* clang-format off */
#define GD_UPSTREAM_OPTION_ROWS(X)                                                        \
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
    X(POOL, "max", INT, NONE, max, 1, 65535, "128", "", APPLIED, "Connections open at once.")\
    X(POOL, "idle", INT, NONE, idle, 0, 65535, "32", "", APPLIED,                         \
      "Connections kept open while unused; what a burst leaves above that is closed when "\
      "unused for a second. 0: none is kept.")                                            \
    X(POOL, "idle_timeout", DURATION, NONE, idle_timeout_ms, 1, GD_MS_MAX, "60s", "", APPLIED,\
      "How long an unused connection is kept.")                                           \
    X(POOL, "max_age", DURATION, NONE, max_age_ms, 1, 604800000, "10m", "", APPLIED,      \
      "Age at which a connection is no longer used again.")                               \
    X(POOL, "max_requests", INT, NONE, max_requests, 1, 1000000000, "10000", "", APPLIED, \
      "Requests after which a connection is closed.")                                     \
    X(POOL, "queue", INT, NONE, queue, 0, 1000000, "256", "", APPLIED,                    \
      "Calls that may wait for a connection; more fail with `overload`.")
/* clang-format on */

#endif
