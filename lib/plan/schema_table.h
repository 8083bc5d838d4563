#ifndef GD_PLAN_SCHEMA_TABLE_H
#define GD_PLAN_SCHEMA_TABLE_H
/**
 * Every option of the configuration, one row each. Reading, checking, defaults, the JSON
 * Schema and the reference all come from here.
 *
 * Sections: X(id, struct the rows write into, title, what it is)
 *
 * Options: X(section, key, type, of, field, min, max, default, words, reload, help)
 *   type     see GD_TYPE_ROWS in schema.h
 *   of       the section of what is inside, or NONE
 *   field    where the value goes, in the section's struct
 *   min, max range of numbers, in the unit of the type (milliseconds, bytes)
 *   default  as it would be written; `=` in front: made by the loader, shown only;
 *            `!`: none, the option must stand
 *   words    ENUM: its values, in the order of the C enum; INT: the word that means 0
 *   reload   APPLIED: a reload takes a changed value over; RESTART: only a restart does
 */
#include "plan/schema_answer.h"
#include "plan/schema_listen.h"
#include "plan/schema_log.h"
#include "plan/schema_mock.h"
#include "plan/schema_upstream.h"

/* clang-format off */
#define GD_SECTION_ROWS(X)                                                                \
    X(TOP, struct gd_draft_top, "Top level", "The options of the file itself.")           \
    GD_LISTEN_SECTION_ROWS(X)                                                             \
    X(ADMIN, struct gd_draft_admin, "admin", "The long form of `admin`.")                 \
    X(LIMITS, struct gd_plan_limits, "limits", "Bounds on what clients may send and hold.") \
    GD_LOG_SECTION_ROWS(X)                                                                \
    X(DRAIN, struct gd_draft_drain, "drain", "What happens between a stop signal and the end.") \
    GD_UPSTREAM_SECTION_ROWS(X)                                                           \
    X(DEFAULTS, struct gd_draft_route, "defaults", "Route options that apply to all routes.") \
    X(ROUTE, struct gd_draft_route, "routes.PATTERN",                                     \
      "What is answered. The key is `[METHOD ][HOST]/PATH`, with `{name}` for a segment "  \
      "and `{name...}` for the rest.")                                                    \
    GD_ANSWER_SECTION_ROWS(X)                                                             \
    X(REDIRECT, struct gd_draft_redirect, "routes.PATTERN.redirect",                      \
      "The long form of `redirect`.")                                                     \
    X(CALL, struct gd_draft_call, "routes.PATTERN.calls.NAME",                            \
      "One upstream call; its name is its key in the answer. Short form: "                \
      "`[METHOD ]UPSTREAM/PATH?QUERY`.")                                                  \
    GD_ROUTE_LOG_SECTION_ROWS(X)                                                          \
    X(MERGE, struct gd_draft_merge, "routes.PATTERN.merge", "The long form of `merge`.")  \
    X(FORWARD, struct gd_draft_forward, "forward",                                        \
      "What of the browser's request is passed on to upstreams; nothing else is.")

#define GD_OPTION_ROWS(X)                                                                 \
    X(TOP, "include", PATTERNS, NONE, include, 0, 0, "", "", APPLIED,                     \
      "Files to read as well, as patterns relative to this file; what they declare is joined.") \
    X(TOP, "listen", ADDRESSES, LISTEN, listen, 0, 0, "=8080", "", APPLIED,               \
      "Where clients connect: a port (all addresses, IPv4 and IPv6), `http://HOST:PORT`, " \
      "`https://HOST:PORT` (with `tls`), `unix:/PATH`, `systemd:NAME`, or a list of these.") \
    X(TOP, "admin", ADMIN, ADMIN, admin, 0, 0, "=http://127.0.0.1:9901", "", APPLIED,     \
      "Where operators connect: a URL, `unix:/PATH`, or `off`.")                          \
    X(TOP, "workers", INT, NONE, workers, 1, 256, "auto", "auto", RESTART,                \
      "Event loops, each in a thread of its own; `auto` is one a core.")                  \
    X(TOP, "limits", SECTION, LIMITS, limits, 0, 0, "", "", APPLIED,                      \
      "Bounds on what clients may send and hold.")                                        \
    X(TOP, "trusted_proxies", NETWORKS, NONE, trusted, 0, 0, "", "", APPLIED,             \
      "Whose `X-Forwarded-*`, `X-Request-Id` and `traceparent` are believed: addresses, " \
      "networks like `10.0.0.0/8`, and `unix` for clients of UNIX sockets.")              \
    X(TOP, "trusted_header", ENUM, NONE, trusted_header, 0, 0, "X-Forwarded-For",         \
      "X-Forwarded-For|Forwarded", APPLIED,                                               \
      "Which field these proxies write: `X-Forwarded-For`, with `X-Forwarded-Proto` and "  \
      "`-Host`, or `Forwarded` (RFC 7239). The other one is not believed, for it may be "  \
      "the client's own.")                                                                \
    X(TOP, "log", SECTION, LOG, log, 0, 0, "", "", APPLIED,                               \
      "The logs: of errors and of requests.")                                             \
    X(TOP, "drain", SECTION, DRAIN, drain, 0, 0, "", "", APPLIED, "How to stop.")         \
    X(TOP, "mock_seed", INT, NONE, mock_seed, 0, 1000000000, "1", "", APPLIED,            \
      "What decides which requests of mocks meet a fault and how long each takes: the "   \
      "same number gives the same sequence for each pattern.")                            \
    X(TOP, "resolver", SECTION, RESOLVER, resolver, 0, 0, "", "", APPLIED,                \
      "How names of upstreams are looked up.")                                            \
    X(TOP, "upstreams", MAP, UPSTREAM, upstreams, 0, 0, "", "", APPLIED,                  \
      "The services that are called, by name.")                                           \
    X(TOP, "defaults", NODE, DEFAULTS, defaults, 0, 0, "", "", APPLIED,                   \
      "Route options that apply to all routes.")                                          \
    X(TOP, "routes", MAP, ROUTE, routes, 0, 0, "", "", APPLIED,                           \
      "What is answered, by pattern. The most specific pattern wins.")                    \
    X(ADMIN, "url", TEXT, NONE, url, 0, 0, "=http://127.0.0.1:9901", "", APPLIED,         \
      "Where operators connect.")                                                         \
    X(ADMIN, "token", TEXT, NONE, token, 0, 0, "", "", APPLIED,                           \
      "What they must show as `Authorization: Bearer …`; needed off loopback.")           \
    GD_LISTEN_OPTION_ROWS(X)                                                              \
    GD_LIMIT_OPTION_ROWS(X)                                                               \
    GD_LOG_OPTION_ROWS(X)                                                                 \
    X(DRAIN, "grace", DURATION, NONE, grace_ms, 0, GD_MS_MAX, "0s", "", APPLIED,          \
      "How long connections are still accepted after a stop signal, while `/readyz` says " \
      "503 already and each answer is the last one of its connection: the time a load "   \
      "balancer needs to notice.")                                                        \
    X(DRAIN, "timeout", DURATION, NONE, timeout_ms, 1, GD_MS_MAX, "30s", "", APPLIED,     \
      "How long requests in progress may take after a stop signal.")                      \
    GD_UPSTREAM_OPTION_ROWS(X)                                                            \
    GD_MOCK_OPTION_ROWS(X)                                                                \
    X(ROUTE, "timeout", DURATION, NONE, timeout_ms, 1, GD_MS_MAX, "2s", "", APPLIED,      \
      "The deadline of the whole answer; calls that are not done by then have failed. Of " \
      "a `pass`: of the answer's header, from the end of the request's body.")            \
    X(ROUTE, "max_body", SIZE, NONE, max_body, 0, GD_SIZE_MAX, "=limits.body", "", APPLIED, \
      "Largest request body; more is answered with 413.")                                 \
    X(ROUTE, "access_log", ACCESS, ROUTE_LOG, access_log, 0, 0, "=on", "", APPLIED,       \
      "Whether its requests are written to the access log, where there is one.")          \
    X(ROUTE, "calls", MAP, CALL, calls, 0, 0, "", "", APPLIED,                            \
      "What is called, side by side where nothing waits for another, by the key it has "  \
      "in the answer; 1 to 64.")                                                          \
    X(ROUTE, "pass", TEXT, NONE, pass, 0, 0, "", "", APPLIED,                              \
      "Streams requests and answers of any method and content to one upstream, instead of " \
      "`calls`: `UPSTREAM/PATH?QUERY` as in a call's `url`, or `UPSTREAM` alone for the "  \
      "request's own path and query.")                                                    \
    X(ROUTE, "redirect", REDIRECT, REDIRECT, redirect, 0, 0, "", "", APPLIED,             \
      "Instead of calls: where the client is sent, as `/PATH` or `https://HOST/PATH`, "   \
      "with the same placeholders as the url of a call. The query of the request is not " \
      "kept.")                                                                            \
    X(ROUTE, "files", FOLDER, FILES, files, 0, 0, "", "", APPLIED,                        \
      "Instead of calls: the files of a folder; the pattern ends in `{name...}`.")        \
    X(ROUTE, "respond", JSON, NONE, respond, 0, 0, "", "", APPLIED,                       \
      "The shape of the answer: any value in which `$user.name` is a value of a call, "   \
      "`{user.name}` one inside a text, and `$merge`, `$concat`, `$first` and `$join` "   \
      "combine several. Without calls: a fixed answer.")                                  \
    X(ROUTE, "merge", MERGE, MERGE, merge, 0, 0, "=named", "named|flat|deep", APPLIED,    \
      "How parts become the answer: `named`, a member for each call; `flat`, the members " \
      "of all in one object; `deep`, objects merged inside as well.")                     \
    X(ROUTE, "status", TEXT, NONE, status, 0, 0, "=200", "", APPLIED,                     \
      "The status of an answer, or the name of a call whose status it is.")               \
    X(ROUTE, "response_headers", HEADERS, NONE, response_headers, 0, 0, "", "", APPLIED,  \
      "Header fields of an answer, beside those of `defaults`; one whose placeholder has " \
      "no value is left out. Those without placeholders stand in problems as well, unless " \
      "they speak of a content, like `Cache-Control`.")                                   \
    X(ROUTE, "cors", SWITCH, CORS, cors, 0, 0, "=off", "", APPLIED,                        \
      "Lets scripts of other origins read the answers, problems included, and answers "   \
      "their preflights.")                                                                \
    X(ROUTE, "cache_control", TEXT, NONE, cache_control, 0, 0, "", "", APPLIED,           \
      "The `Cache-Control` of complete answers, like `public, max-age=60`; those that are " \
      "not complete, and problems, have `no-store` then.")                                \
    X(ROUTE, "etag", BOOL, NONE, etag, 0, 0, "false", "", APPLIED,                        \
      "Complete answers have an `ETag` of their bytes, and a client that has the same "   \
      "already gets 304.")                                                                \
    X(ROUTE, "compress", ACCESS, COMPRESS, compress, 0, 0, "=off", "", APPLIED,           \
      "Answers are sent in gzip or br to clients that take it.")                          \
    X(ROUTE, "server_timing", BOOL, NONE, server_timing, 0, 0, "false", "", APPLIED,      \
      "Answers say how long each call took, in `Server-Timing`.")                         \
    X(ROUTE, "forward", SECTION, FORWARD, forward, 0, 0, "", "", APPLIED,                 \
      "What of the browser's request its calls pass on.")                                 \
    X(ROUTE, "stream", BOOL, NONE, stream, 0, 0, "true", "", APPLIED,                     \
      "Parts are sent as they complete to clients that accept `text/event-stream` or "    \
      "`application/x-ndjson`.")                                                          \
    X(ROUTE, "parts", ENUM, NONE, parts, 0, 0, "off", "off|query", APPLIED,               \
      "`query`: with `?parts=user,orders` only these calls, and what they depend on, are " \
      "made.")                                                                            \
    GD_ANSWER_OPTION_ROWS(X)                                                              \
    X(REDIRECT, "to", TEXT, NONE, to, 0, 0, "!", "", APPLIED,                             \
      "`/PATH` or `https://HOST/PATH`.")                                                  \
    X(REDIRECT, "status", ENUM, NONE, status, 0, 0, "308", "301|302|303|307|308", APPLIED, \
      "The status: 301 and 308 are permanent, and only 307 and 308 keep the method.")     \
    X(MERGE, "mode", ENUM, NONE, mode, 0, 0, "named", "named|flat|deep", APPLIED,         \
      "How parts become the answer.")                                                     \
    X(MERGE, "conflict", ENUM, NONE, conflict, 0, 0, "last", "last|first|error|concat", APPLIED, \
      "What counts when members of one name meet: that of the later call, of the first, "  \
      "none (the route fails), or a list of both.")                                       \
    X(FORWARD, "headers", NAMES, NONE, headers, 0, 0, "", "", APPLIED,                    \
      "Header fields, like `Authorization` or `Accept-Language`.")                        \
    X(FORWARD, "query", NAMES, NONE, query, 0, 0, "", "", APPLIED,                        \
      "Query parameters, added to the query of the call.")                                \
    X(FORWARD, "cookies", NAMES, NONE, cookies, 0, 0, "", "", APPLIED, "Cookies.")        \
    X(CALL, "url", TEXT, NONE, url, 0, 0, "!", "", APPLIED,                                \
      "`UPSTREAM/PATH?QUERY`, or `http://HOST[:PORT]/PATH?QUERY`; `{name}` is a path "    \
      "parameter of the route, `{user.login}` a value of another call, `{query.name}` of " \
      "the request's query, `{name?}` may be absent and `{name=text}` has a default.")    \
    X(CALL, "method", TEXT, NONE, method, 0, 0, "=GET, with a body POST", "", APPLIED,    \
      "The method.")                                                                      \
    X(CALL, "headers", HEADERS, NONE, headers, 0, 0, "", "", APPLIED,                     \
      "Header fields of this call, over those of its upstream; with placeholders.")       \
    X(CALL, "forward", SECTION, FORWARD, forward, 0, 0, "=the route's", "", APPLIED,      \
      "What of the browser's request this call passes on.")                               \
    X(CALL, "json", JSON, NONE, json, 0, 0, "", "", APPLIED,                              \
      "The request body, a shape like `respond`.")                                        \
    X(CALL, "form", TEXTS, NONE, form, 0, 0, "", "", APPLIED,                               \
      "The request body, as form fields whose values are texts with placeholders.")       \
    X(CALL, "body", ENUM, NONE, body, 0, 0, "none", "none|forward", APPLIED,              \
      "`forward`: the browser's own request body, with its type.")                        \
    X(CALL, "timeout", DURATION, NONE, timeout_ms, 1, GD_MS_MAX, "=the route's", "", APPLIED, \
      "This call in all, never beyond the route's deadline.")                             \
    X(CALL, "optional", BOOL, NONE, optional, 0, 0, "false", "", APPLIED,                 \
      "Its failure does not fail the route; `null` stands in for it.")                    \
    X(CALL, "default", JSON, NONE, fallback, 0, 0, "", "", APPLIED,                       \
      "What stands in for it when it fails; implies `optional`.")                         \
    X(CALL, "hidden", BOOL, NONE, hidden, 0, 0, "false", "", APPLIED,                     \
      "It is made, but does not stand in the answer.")                                    \
    X(CALL, "when", TEXT, NONE, when, 0, 0, "", "", APPLIED,                              \
      "A condition; when it does not hold the call is skipped, which is no failure: its "  \
      "default, else null, stands in for it.")                                            \
    X(CALL, "ok", STATUSES, NONE, ok, 0, 0, "=[2xx]", "", APPLIED,                        \
      "Statuses that count as success, like `[2xx, 404]`.")                               \
    X(CALL, "select", TEXT, NONE, select, 0, 0, "", "", APPLIED,                          \
      "A path like `data.items`: only this part of the answer is taken, null when it is "  \
      "not there.")                                                                       \
    X(CALL, "pick", NAMES, NONE, pick, 0, 0, "", "", APPLIED,                             \
      "Fields to show, like `[name, owner.login]`, through lists element by element; "    \
      "other calls see all of the answer.")                                               \
    X(CALL, "drop", NAMES, NONE, drop, 0, 0, "", "", APPLIED, "Fields not to show.")      \
    X(CALL, "rename", TEXTS, NONE, rename, 0, 0, "", "", APPLIED,                           \
      "Other names to show fields by, like `{stargazers_count: stars}`.")                 \
    X(CALL, "each", TEXT, NONE, each, 0, 0, "", "", APPLIED,                              \
      "A list in another call's answer, like `orders[*].product_id`: one call is made for " \
      "each different value, which is `{item}`; the answers become a list in that order.") \
    X(CALL, "each_limit", INT, NONE, each_limit, 1, 10000, "50", "", APPLIED,             \
      "Most values of `each`; more fail the call with `too_large`.")                      \
    X(CALL, "each_parallel", INT, NONE, each_parallel, 1, 1000, "8", "", APPLIED,         \
      "Calls of `each` that run at once.")
/* clang-format on */

#endif
