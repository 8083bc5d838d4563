#ifndef GD_PLAN_DRAFT_H
#define GD_PLAN_DRAFT_H
/**
 * What the rows of the schema write into while a configuration is read: the structs of
 * the plan where an option goes straight there, and nodes where more is to be made of it.
 */
#include "plan/mock.h"
#include "plan/plan.h"
#include "plan/yamldoc.h"

struct gd_draft_log {
    enum gd_log_level level;
    const struct gd_yaml_node *error, *access;
    uint32_t slow_ms;
    unsigned recent;
};

struct gd_draft_error_log {
    const struct gd_yaml_node *to, *levels;
    enum gd_log_level level;
};

struct gd_draft_access_log {
    const struct gd_yaml_node *to, *format, *headers;
    double sample;
    bool query;
    size_t buffer;
};

struct gd_draft_route_log {
    double sample;
};

struct gd_draft_drain {
    uint32_t grace_ms;
    uint32_t timeout_ms;
};

struct gd_draft_resolver {
    const struct gd_yaml_node *servers;
    struct gd_plan_resolver plan;
};

struct gd_draft_top {
    const struct gd_yaml_node *include, *listen, *admin, *trusted, *defaults, *upstreams,
        *routes;
    unsigned workers, trusted_header;
    uint32_t mock_seed;
    struct gd_draft_log log;
    struct gd_draft_drain drain;
    struct gd_draft_resolver resolver;
    struct gd_plan_limits limits;
};

struct gd_draft_listen {
    const struct gd_yaml_node *url, *tls, *mode, *owner, *group;
    bool proxy_protocol;
    unsigned backlog;
};

struct gd_draft_listen_tls {
    const struct gd_yaml_node *cert, *key, *certificates, *client_ca;
    unsigned min_version, client_verify; /* index among the words of their rows */
    bool tickets;
};

struct gd_draft_certificate {
    const struct gd_yaml_node *cert, *key;
};

struct gd_draft_admin {
    const struct gd_yaml_node *url, *token;
};

struct gd_draft_tls {
    const struct gd_yaml_node *ca, *server_name, *cert, *key;
    bool verify;
    unsigned min_version; /* index among the words of its row */
};

struct gd_draft_upstream {
    const struct gd_yaml_node *servers, *dns, *srv, *headers, *deadline_header, *mock,
        *balance, *eject, *retry, *hedge, *health;
    struct gd_draft_tls tls;
    struct gd_plan_upstream plan;
};

struct gd_draft_retry {
    const struct gd_yaml_node *on, *methods;
    struct gd_plan_retry plan;
};

struct gd_draft_health {
    const struct gd_yaml_node *get;
    struct gd_plan_health plan;
};

struct gd_draft_server {
    const struct gd_yaml_node *url;
    unsigned weight;
};

struct gd_draft_mock {
    const struct gd_yaml_node *json, *headers;
    struct gd_plan_mock_route plan;
};

struct gd_draft_forward {
    const struct gd_yaml_node *headers, *query, *cookies;
};

struct gd_draft_route {
    const struct gd_yaml_node *calls, *pass, *redirect, *files, *respond, *merge, *status,
        *response_headers, *cors, *cache_control, *compress, *access_log;
    uint32_t timeout_ms;
    size_t max_body;
    struct gd_draft_forward forward;
    bool stream, etag, server_timing;
    unsigned parts;
};

struct gd_draft_cors {
    const struct gd_yaml_node *origins, *methods, *headers, *expose;
    bool credentials;
    uint32_t max_age_ms;
};

struct gd_draft_compress {
    const struct gd_yaml_node *types, *codings;
    size_t min;
    unsigned level;
};

struct gd_draft_files {
    const struct gd_yaml_node *dir, *index, *fallback, *types;
    bool dotfiles, precompressed;
};

struct gd_draft_merge {
    unsigned mode, conflict;
};

struct gd_draft_redirect {
    const struct gd_yaml_node *to;
    unsigned status; /* index among the words of its row */
};

struct gd_draft_call {
    const struct gd_yaml_node *url, *method, *headers, *json, *form, *fallback, *when,
        *ok, *select, *pick, *drop, *rename, *each;
    struct gd_draft_forward forward;
    unsigned body;
    uint32_t timeout_ms, each_limit, each_parallel;
    bool optional, hidden;
};

#endif
