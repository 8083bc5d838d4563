#ifndef GD_BASE_STAT_TABLE_H
#define GD_BASE_STAT_TABLE_H
/**
 * Every metric, one row each: X(id, kind, name, label, help).
 *
 * id     the enum constant is GD_<SCOPE>_<id>
 * kind   COUNTER (only grows) or GAUGE (goes up and down)
 * name   the Prometheus name; rows of one name stand together and differ by label
 * label  `key="value"` that tells rows of one name apart, or ""
 *
 * Struct, /metrics, /status and docs/metrics.md come from these rows. A row's JSON key in
 * /status is its label's value, or the name without prefix and "_total".
 */
#include "base/failure.h"

/* One set for the process. */
#define GD_STAT_PROCESS_ROWS(X)                                                          \
    X(RELOADS, COUNTER, "gatherd_reloads_total", "result=\"done\"",                      \
      "Reloads of the configuration")                                                    \
    X(RELOADS_REFUSED, COUNTER, "gatherd_reloads_total", "result=\"refused\"",           \
      "Reloads of the configuration")                                                    \
    X(CONFIG_REFUSED, GAUGE, "gatherd_config_refused", "",                               \
      "1 while the last reload was refused and an earlier configuration goes on")        \
    X(CONFIG_TIME, GAUGE, "gatherd_config_time_seconds", "",                             \
      "When the configuration at work was taken over, in seconds since 1970")            \
    X(RESTARTS_FAILED, COUNTER, "gatherd_restarts_failed_total", "",                     \
      "Successors that did not become ready, so that this process went on")              \
    X(PLANS, GAUGE, "gatherd_configs", "",                                               \
      "Configurations at work: the newest one, and those that requests began with")

/* One set a worker. */
#define GD_STAT_WORKER_ROWS(X)                                                           \
    X(CONNECTIONS, COUNTER, "gatherd_connections_total", "",                             \
      "Client connections accepted")                                                     \
    X(CONNECTIONS_OPEN, GAUGE, "gatherd_connections_open", "",                           \
      "Client connections open")                                                         \
    X(REFUSED_LIMIT, COUNTER, "gatherd_connections_refused_total", "reason=\"limit\"",   \
      "Client connections closed at once")                                               \
    X(REFUSED_CLIENT, COUNTER, "gatherd_connections_refused_total", "reason=\"client\"", \
      "Client connections closed at once")                                               \
    X(REFUSED_DESCRIPTORS, COUNTER, "gatherd_connections_refused_total",                 \
      "reason=\"descriptors\"", "Client connections closed at once")                     \
    X(REFUSED_HANDSHAKES, COUNTER, "gatherd_connections_refused_total",                  \
      "reason=\"handshakes\"", "Client connections closed at once")                      \
    X(REFUSED_PROXY, COUNTER, "gatherd_connections_refused_total", "reason=\"proxy\"",   \
      "Client connections closed at once")                                               \
    X(EVICTED, COUNTER, "gatherd_connections_evicted_total", "",                         \
      "Idle client connections closed to make room for new ones")                        \
    X(USED_UP, COUNTER, "gatherd_connections_used_up_total", "",                         \
      "Client connections closed after limits.requests_per_connection")                  \
    X(ACCEPT_PAUSES, COUNTER, "gatherd_accept_pauses_total", "",                         \
      "Times accepting paused because descriptors ran out")                              \
    X(HANDSHAKES, COUNTER, "gatherd_tls_handshakes_total", "",                           \
      "TLS handshakes of clients that succeeded")                                        \
    X(TLS_RESUMED, COUNTER, "gatherd_tls_resumed_total", "",                             \
      "Of these, those that resumed an earlier session")                                 \
    X(TLS_FAILURES, COUNTER, "gatherd_tls_failures_total", "",                           \
      "TLS handshakes of clients that failed")                                           \
    X(REQUESTS, COUNTER, "gatherd_requests_total", "", "Requests with a complete head")  \
    X(IN_FLIGHT, GAUGE, "gatherd_requests_in_flight", "", "Requests not answered yet")   \
    X(NOT_FOUND, COUNTER, "gatherd_unrouted_total", "reason=\"not_found\"",              \
      "Requests that no route took")                                                     \
    X(METHOD_NOT_ALLOWED, COUNTER, "gatherd_unrouted_total",                             \
      "reason=\"method_not_allowed\"", "Requests that no route took")                    \
    X(OPTIONS, COUNTER, "gatherd_unrouted_total", "reason=\"options\"",                  \
      "Requests that no route took")                                                     \
    X(PREFLIGHT_ALLOWED, COUNTER, "gatherd_preflights_total", "result=\"allowed\"",      \
      "CORS preflights answered")                                                        \
    X(PREFLIGHT_DENIED, COUNTER, "gatherd_preflights_total", "result=\"denied\"",        \
      "CORS preflights answered")                                                        \
    X(COMPRESSED_GZIP, COUNTER, "gatherd_compressed_total", "coding=\"gzip\"",           \
      "Answers sent in a content coding")                                                \
    X(COMPRESSED_BR, COUNTER, "gatherd_compressed_total", "coding=\"br\"",               \
      "Answers sent in a content coding")                                                \
    X(FILES_OPEN, GAUGE, "gatherd_files_open", "", "Files that are being sent")          \
    X(CLIENT_GONE, COUNTER, "gatherd_client_gone_total", "",                             \
      "Requests whose client left before the answer")                                    \
    X(REJECTED_MALFORMED, COUNTER, "gatherd_rejected_total", "reason=\"malformed\"",     \
      "Requests refused before routing")                                                 \
    X(REJECTED_TARGET, COUNTER, "gatherd_rejected_total", "reason=\"request_line\"",     \
      "Requests refused before routing")                                                 \
    X(REJECTED_HEADERS, COUNTER, "gatherd_rejected_total", "reason=\"headers\"",         \
      "Requests refused before routing")                                                 \
    X(REJECTED_BODY, COUNTER, "gatherd_rejected_total", "reason=\"body\"",               \
      "Requests refused before routing")                                                 \
    X(REJECTED_EXPECT, COUNTER, "gatherd_rejected_total", "reason=\"expect\"",           \
      "Requests refused before routing")                                                 \
    X(REJECTED_VERSION, COUNTER, "gatherd_rejected_total", "reason=\"version\"",         \
      "Requests refused before routing")                                                 \
    X(REJECTED_NOT_IMPLEMENTED, COUNTER, "gatherd_rejected_total",                       \
      "reason=\"not_implemented\"", "Requests refused before routing")                   \
    X(TIMEOUT_HANDSHAKE, COUNTER, "gatherd_client_timeouts_total", "wait=\"handshake\"", \
      "Client connections ended at a deadline")                                          \
    X(TIMEOUT_HEADER, COUNTER, "gatherd_client_timeouts_total", "wait=\"header\"",       \
      "Client connections ended at a deadline")                                          \
    X(TIMEOUT_BODY, COUNTER, "gatherd_client_timeouts_total", "wait=\"body\"",           \
      "Client connections ended at a deadline")                                          \
    X(TIMEOUT_IDLE, COUNTER, "gatherd_client_timeouts_total", "wait=\"idle\"",           \
      "Client connections ended at a deadline")                                          \
    X(TIMEOUT_WRITE, COUNTER, "gatherd_client_timeouts_total", "wait=\"write\"",         \
      "Client connections ended at a deadline")                                          \
    X(LOG_FULL, COUNTER, "gatherd_access_log_lost_total", "reason=\"full\"",             \
      "Lines of the access log that were lost: no room, or not taken")                   \
    X(LOG_UNWRITTEN, COUNTER, "gatherd_access_log_lost_total", "reason=\"unwritten\"",   \
      "Lines of the access log that were lost: no room, or not taken")

/* One set a route and worker; requests by the status class they were answered with, and
 * by the class of the required call that failed them. */
#define GD_STAT_ROUTE_ROWS(X)                                                            \
    X(REQUESTS, COUNTER, "gatherd_route_requests_total", "", "Requests of the route")    \
    X(IN_FLIGHT, GAUGE, "gatherd_route_in_flight", "", "Requests not answered yet")      \
    X(STATUS_2XX, COUNTER, "gatherd_route_answers_total", "status=\"2xx\"",              \
      "Answers by status class")                                                         \
    X(STATUS_3XX, COUNTER, "gatherd_route_answers_total", "status=\"3xx\"",              \
      "Answers by status class")                                                         \
    X(STATUS_4XX, COUNTER, "gatherd_route_answers_total", "status=\"4xx\"",              \
      "Answers by status class")                                                         \
    X(STATUS_5XX, COUNTER, "gatherd_route_answers_total", "status=\"5xx\"",              \
      "Answers by status class")                                                         \
    X(INCOMPLETE, COUNTER, "gatherd_route_incomplete_total", "",                         \
      "Answers in which an optional call failed")                                        \
    X(COLLISIONS, COUNTER, "gatherd_route_collisions_total", "",                         \
      "Members of one name that met when answers were merged")                           \
    X(CLIENT_GONE, COUNTER, "gatherd_route_client_gone_total", "",                       \
      "Requests whose client left before the answer")                                    \
    GD_STAT_FAILURE_ROWS(X, "gatherd_route_failures_total",                              \
                         "Required calls that failed a request, by class")

/* One set an upstream and worker. */
#define GD_STAT_UPSTREAM_ROWS(X)                                                         \
    X(CALLS, COUNTER, "gatherd_upstream_calls_total", "", "Calls started")               \
    X(IN_FLIGHT, GAUGE, "gatherd_upstream_in_flight", "", "Calls not ended yet")         \
    X(SUCCEEDED, COUNTER, "gatherd_upstream_succeeded_total", "",                        \
      "Calls that succeeded")                                                            \
    X(STALE_RETRIES, COUNTER, "gatherd_upstream_stale_retries_total", "",                \
      "Calls sent again because a pooled connection had gone stale")                     \
    X(COOKIES, GAUGE, "gatherd_upstream_cookies", "", "Cookies kept for it")             \
    X(COOKIES_REFUSED, COUNTER, "gatherd_upstream_cookies_dropped_total",                \
      "reason=\"refused\"", "Cookies of its answers that were not kept, or made room")   \
    X(COOKIES_EVICTED, COUNTER, "gatherd_upstream_cookies_dropped_total",                \
      "reason=\"evicted\"", "Cookies of its answers that were not kept, or made room")   \
    X(DECODED, COUNTER, "gatherd_upstream_decoded_total", "",                            \
      "Answers that came in a content coding, which was undone")                         \
    X(RETRIES, COUNTER, "gatherd_upstream_retries_total", "",                            \
      "Tries beside the first, after one that failed")                                   \
    X(HEDGES, COUNTER, "gatherd_upstream_hedges_total", "",                              \
      "Second requests sent because the first one took long")                            \
    X(HEDGES_WON, COUNTER, "gatherd_upstream_hedges_won_total", "",                      \
      "Second requests that were answered first")                                        \
    X(OVER_BUDGET, COUNTER, "gatherd_upstream_over_budget_total", "",                    \
      "Retries and hedges that were not made because the budget was used up")            \
    X(REFUSED, COUNTER, "gatherd_upstream_refused_total", "",                            \
      "Tries refused because max_in_flight was reached, or all servers are drained")     \
    GD_STAT_FAILURE_ROWS(X, "gatherd_upstream_failures_total",                           \
                         "Calls that failed, by class")

/* One set a server of an upstream and worker. */
#define GD_STAT_SERVER_ROWS(X)                                                           \
    X(CONNECTS, COUNTER, "gatherd_server_connects_total", "", "Connections dialled")     \
    X(AHEAD, COUNTER, "gatherd_server_connects_ahead_total", "",                         \
      "Of these, those that no call was waiting for (pool.min)")                         \
    X(CONNECT_FAILURES, COUNTER, "gatherd_server_connect_failures_total", "",            \
      "Connections that could not be opened")                                            \
    X(TLS_HANDSHAKES, COUNTER, "gatherd_server_tls_handshakes_total", "",                \
      "TLS handshakes that succeeded")                                                   \
    X(TLS_RESUMED, COUNTER, "gatherd_server_tls_resumed_total", "",                      \
      "Of these, those that resumed an earlier session")                                 \
    X(TLS_FAILURES, COUNTER, "gatherd_server_tls_failures_total", "",                    \
      "Connections that failed in TLS: in the handshake, or later by an alert or "       \
      "damage")                                                                          \
    X(REUSES, COUNTER, "gatherd_server_reuses_total", "",                                \
      "Leases answered with a pooled connection")                                        \
    X(EVICTIONS, COUNTER, "gatherd_server_evictions_total", "",                          \
      "Idle connections closed by the server, or for unasked bytes")                     \
    X(DRAINED, COUNTER, "gatherd_server_drained_total", "",                              \
      "Idle connections closed because their address is no longer the server's")         \
    X(SESSIONS_IDLE, GAUGE, "gatherd_server_sessions", "state=\"idle\"",                 \
      "Connections in the pool")                                                         \
    X(SESSIONS_LEASED, GAUGE, "gatherd_server_sessions", "state=\"leased\"",             \
      "Connections in the pool")                                                         \
    X(SESSIONS_DIALLING, GAUGE, "gatherd_server_sessions", "state=\"dialling\"",         \
      "Connections in the pool")                                                         \
    X(STREAMS, GAUGE, "gatherd_server_streams", "",                                      \
      "Requests on connections that speak HTTP/2")                                       \
    X(STREAM_RESETS, COUNTER, "gatherd_server_stream_resets_total", "",                  \
      "HTTP/2 requests that the server has reset")                                       \
    X(GOAWAYS, COUNTER, "gatherd_server_goaways_total", "",                              \
      "HTTP/2 connections on which the server takes no more requests")                   \
    X(PINGS, COUNTER, "gatherd_server_pings_total", "",                                  \
      "HTTP/2 pings, sent because a connection was silent")                              \
    X(PINGS_LOST, COUNTER, "gatherd_server_pings_lost_total", "",                        \
      "Of these, those whose answer did not come in time")                               \
    X(QUEUED, GAUGE, "gatherd_server_queued", "", "Calls waiting for a connection")      \
    X(STATE_OUT, GAUGE, "gatherd_server_state", "state=\"out\"",                         \
      "Workers for which the server is not as it should be")                             \
    X(STATE_TRIAL, GAUGE, "gatherd_server_state", "state=\"trial\"",                     \
      "Workers for which the server is not as it should be")                             \
    X(STATE_DOWN, GAUGE, "gatherd_server_state", "state=\"down\"",                       \
      "Workers for which the server is not as it should be")                             \
    X(STATE_DRAINED, GAUGE, "gatherd_server_state", "state=\"drained\"",                 \
      "Workers for which the server is not as it should be")                             \
    X(EJECTIONS, COUNTER, "gatherd_server_ejections_total", "",                          \
      "Times it was taken out because requests failed")                                  \
    X(TRIALS, COUNTER, "gatherd_server_trials_total", "",                                \
      "Requests that tried a server that had been taken out")                            \
    X(CHECKS_PASSED, COUNTER, "gatherd_server_health_checks_total", "result=\"passed\"", \
      "Health checks")                                                                   \
    X(CHECKS_FAILED, COUNTER, "gatherd_server_health_checks_total", "result=\"failed\"", \
      "Health checks")

/* One set a name that is looked up for an upstream; of the process. */
#define GD_STAT_NAME_ROWS(X)                                                             \
    X(LOOKUPS, COUNTER, "gatherd_name_lookups_total", "", "Lookups of the name")         \
    X(LOOKUPS_FAILED, COUNTER, "gatherd_name_failures_total", "",                        \
      "Lookups that failed, wholly or in part, or found nothing")                        \
    X(CHANGES, COUNTER, "gatherd_name_changes_total", "",                                \
      "Lookups that found other addresses than before")                                  \
    X(ADDRESSES, GAUGE, "gatherd_name_addresses", "", "Addresses in use")                \
    X(LEFT_OUT, GAUGE, "gatherd_name_left_out", "",                                      \
      "Addresses or targets of the last answer that are not used: there are too many")

/* A row a failure class; kept in the order of GD_FAILURE_ROWS (asserted in stat.c). */
#define GD_STAT_FAILURE_ROWS(X, name, help)                                              \
    X(FAIL_CONNECT, COUNTER, name, "class=\"connect\"", help)                            \
    X(FAIL_TLS, COUNTER, name, "class=\"tls\"", help)                                    \
    X(FAIL_TIMEOUT, COUNTER, name, "class=\"timeout\"", help)                            \
    X(FAIL_RESET, COUNTER, name, "class=\"reset\"", help)                                \
    X(FAIL_PROTOCOL, COUNTER, name, "class=\"protocol\"", help)                          \
    X(FAIL_STATUS, COUNTER, name, "class=\"status\"", help)                              \
    X(FAIL_JSON, COUNTER, name, "class=\"json\"", help)                                  \
    X(FAIL_TOO_LARGE, COUNTER, name, "class=\"too_large\"", help)                        \
    X(FAIL_OVERLOAD, COUNTER, name, "class=\"overload\"", help)                          \
    X(FAIL_UNRESOLVED, COUNTER, name, "class=\"unresolved\"", help)                      \
    X(FAIL_CONFLICT, COUNTER, name, "class=\"conflict\"", help)                          \
    X(FAIL_CANCELLED, COUNTER, name, "class=\"cancelled\"", help)

#endif
