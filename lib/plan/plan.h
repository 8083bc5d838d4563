#ifndef GD_PLAN_PLAN_H
#define GD_PLAN_PLAN_H
/**
 * The plan: a configuration compiled into immutable structs.
 *
 * Made once from the file (plan/load.h), then only read, by all threads at once. Holders
 * count references; the last one frees it. All pointers and spans inside are owned by
 * the plan. Times in milliseconds, sizes in bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "http/token.h"
#include "plan/finish.h"
#include "plan/listen.h"
#include "plan/log.h"
#include "plan/network.h"
#include "plan/statuses.h"
#include "plan/upstream.h"

struct gd_expr;
struct gd_json_path;
struct gd_plan_folder;
struct gd_plan_mock;
struct gd_plan_redirect;
struct gd_plan_tls;
struct gd_tickets;
struct gd_projection;
struct gd_ref;
struct gd_router;
struct gd_shape;
struct gd_template;

struct gd_plan_limits {
    size_t request_line; /* bytes → 414 */
    size_t header_bytes; /* → 431 */
    unsigned header_fields;
    uint32_t handshake_timeout_ms; /* what comes before HTTP */
    uint32_t handshakes;           /* at once, per worker */
    uint32_t header_timeout_ms;
    uint32_t body_timeout_ms;
    size_t body_least; /* of a streamed body in that time; less is a stall */
    uint32_t idle_timeout_ms;
    uint32_t write_timeout_ms; /* an answer that makes no progress */
    uint32_t requests_per_connection;
    uint32_t connections;            /* per worker */
    uint32_t connections_per_client; /* per worker; 0: no limit of its own */
    unsigned json_depth;
    size_t request_memory; /* bytes buffered per request */
    size_t body;           /* of a request, on routes without `max_body` */
};

struct gd_plan_header {
    struct gd_span name, value;
};

/** One address of an upstream. */
struct gd_plan_server {
    unsigned index; /* among all servers of the plan */
    struct gd_plan_address address;
    const char *name;         /* host:port, behind `https://` where that is spoken; for
                                 admin and logs */
    struct gd_span host_line; /* `Host: host:port` CRLF */
    unsigned weight;
    bool https;
};

enum { GD_CALLS_MAX = 64 };      /* calls of one route: a bit each */
enum { GD_CALL_NAME_MAX = 128 }; /* bytes */

enum { GD_HEADERS_MAX = 64 }; /* of one map; of an answer: twice that, with defaults */

/** A header field whose value may have placeholders. */
struct gd_plan_field {
    struct gd_span name, value;
    const struct gd_template *template; /* NULL: the value is fixed */
    bool secret;                        /* the value came from a `${…}` */
    bool every; /* of an answer: it stands among the lines of struct gd_plan_finish */
};

/** What of the browser's request is passed on: nothing that is not listed. */
struct gd_plan_forward {
    const struct gd_span *headers, *query, *cookies;
    unsigned header_count, query_count, cookie_count;
};

enum gd_payload {
    GD_PAYLOAD_NONE,
    GD_PAYLOAD_JSON,    /* a shape */
    GD_PAYLOAD_FORM,    /* a template `/?a=…&b=…`, of which the query is sent */
    GD_PAYLOAD_FORWARD, /* the browser's own */
};

/** A call as it stands in the file, for people to look at: secrets are masked. */
struct gd_plan_written {
    struct gd_span options; /* JSON: the options that nothing below, and no other member
                               of the call, tells as well; `{}` for the short form */
    const struct gd_template *target;   /* path and query */
    const struct gd_plan_field *fields; /* all, also those that are rendered */
    unsigned field_count;
};

struct gd_plan_call {
    unsigned index; /* its bit, and its place in the file's order */
    const char *name;
    struct gd_span key; /* the name as a JSON string, quotes included, with ":" behind */
    const struct gd_plan_upstream *upstream;
    enum gd_method method;
    struct gd_template *target; /* path and query */
    struct gd_span
        header_lines; /* rendered: upstream's headers, Accept, the call's own */
    const struct gd_plan_field *fields;
    unsigned field_count;
    struct gd_plan_forward forward;
    enum gd_payload payload;
    const struct gd_shape *json;
    const struct gd_template *form;
    uint32_t timeout_ms; /* the call in all; 0: only the route's deadline and one try's */
    bool optional;
    bool hidden;
    struct gd_span
        fallback; /* JSON text that stands in for it; "null" without `default` */
    bool has_fallback;
    const struct gd_expr *when; /* NULL: always */
    struct gd_statuses ok;
    const struct gd_json_path *select;      /* NULL: all of it */
    const struct gd_projection *projection; /* NULL: all of it is shown */
    const struct gd_ref *each;              /* NULL: one call */
    uint32_t each_limit, each_parallel;
    uint64_t needs; /* bits of the calls it depends on */
    struct gd_plan_written written;
};

/** A route that streams to one upstream. */
struct gd_plan_pass {
    const struct gd_plan_upstream *upstream;
    struct gd_template *target;     /* path and query; NULL: those of the request */
    bool adds_query;                /* the target has none: the request's goes with it */
    struct gd_plan_header *headers; /* of the upstream's `headers`, instead of the
                                       client's fields of these names */
    unsigned header_count;
    struct gd_span header_lines; /* the same, rendered */
};

enum gd_route_kind {
    GD_ROUTE_KIND_GATHER,
    GD_ROUTE_KIND_PASS,
    GD_ROUTE_KIND_REDIRECT,
    GD_ROUTE_KIND_RESPOND,
    GD_ROUTE_KIND_FILES,
};

struct gd_plan_route {
    unsigned index;
    const char *pattern;   /* as in the file: `GET /profile/{id}` */
    enum gd_method method; /* OTHER with method_text empty: any method */
    struct gd_span method_text;
    struct gd_span host, path; /* of the pattern, as in struct gd_pattern */
    enum gd_route_kind kind;
    uint32_t timeout_ms;
    size_t max_body;
    struct gd_plan_pass *pass; /* NULL: a gather of calls */
    struct gd_plan_call *calls;
    unsigned call_count;
    uint64_t required;                 /* bits of the calls that are not optional */
    uint64_t mentioned;                /* bits of the calls that others depend on */
    struct gd_plan_redirect *redirect; /* of that kind; else NULL */
    struct gd_plan_folder *folder;     /* with files; else NULL */
    unsigned param_count;
    struct gd_span *param_names;
    const struct gd_shape *shape; /* of the answer; NULL: a member for each call */
    int status;                   /* of an answer; 0: that of status_call */
    const struct gd_plan_call *status_call;
    struct gd_span answer_written;      /* JSON: `respond` or `merge` as in the file */
    struct gd_span written;             /* see effective.h */
    const struct gd_plan_field *fields; /* of an answer */
    unsigned field_count;
    unsigned own_fields; /* of these: those that only the route's own answers have */
    struct gd_plan_finish finish;
    struct gd_plan_route_log log;
    bool stream;     /* parts may be sent as they complete */
    bool parts;      /* ?parts=a,b chooses calls */
    bool reads_body; /* a reference goes into the body, which has to be JSON then */
};

/** The bits of all calls of a route. */
static inline uint64_t gd_route_all(const struct gd_plan_route *route)
{
    return route->call_count < 64 ? (UINT64_C(1) << route->call_count) - 1 : UINT64_MAX;
}

/** An option that only a restart takes over. */
struct gd_plan_fixed {
    const char *path;
    unsigned char digest[GD_DIGEST_BYTES]; /* of its value */
};

struct gd_plan {
    struct gd_plan_listen *listens;
    unsigned listen_count;
    struct gd_tickets
        *tickets; /* of its listeners' TLS; a reference; NULL: none has TLS */
    bool admin_on;
    struct gd_plan_address admin;
    const char *admin_token; /* NULL: none wanted */
    unsigned workers;        /* 0: one a core */
    uint32_t drain_grace_ms, drain_timeout_ms;
    struct gd_plan_log log;
    struct gd_plan_limits limits;
    struct gd_trusted trusted; /* trusted_proxies */
    uint32_t mock_seed;
    struct gd_plan_resolver resolver;
    struct gd_plan_upstream *upstreams;
    unsigned upstream_count;
    unsigned server_count; /* of all upstreams */
    struct gd_plan_route *routes;
    unsigned route_count;
    struct gd_router *router;    /* route index by method, host and path */
    struct gd_plan_fixed *fixed; /* in the order of the options' table */
    unsigned fixed_count;
    struct gd_plan_finish unrouted; /* of what no route answers: as `defaults` says */
    struct gd_span written;         /* see effective.h */

    struct gd_arena arena; /* owns everything above */
    _Atomic unsigned refs;
};

/** Adds a reference; returns the plan. From any thread. */
struct gd_plan *gd_plan_ref(struct gd_plan *plan);

/** Drops a reference; the last one frees the plan. NULL is fine. From any thread. */
void gd_plan_unref(struct gd_plan *plan);

#endif
