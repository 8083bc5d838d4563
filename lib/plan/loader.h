#ifndef GD_PLAN_LOADER_H
#define GD_PLAN_LOADER_H
/**
 * What the steps of loading share. Internal to the folder; from outside see load.h.
 *
 * Order: files → top level → upstreams → routes with their calls → plan. A step reports
 * what it finds wrong and goes on, so that one run shows everything; any report means
 * that there is no plan.
 */
#include "plan/dict.h"
#include "plan/digest.h"
#include "plan/draft.h"
#include "plan/plan.h"
#include "plan/report.h"
#include "plan/yamldoc.h"

enum {
    GD_SERVERS_MAX = 1000 /* of one upstream */
};

/** Header fields while they are put together. */
struct gd_headers {
    struct gd_plan_header *items;         /* of the plan's arena */
    const struct gd_template **templates; /* of each: NULL where the value is fixed */
    bool *secrets; /* of each: whether its value came from a `${…}` */
    unsigned count;
};

/** An upstream while the plan is built: it moves to its place at the end. */
struct gd_upstream_draft {
    struct gd_plan_upstream plan;
    const struct gd_yaml_node *node; /* NULL: made by a call's URL */
    struct gd_headers headers;
    struct gd_upstream_draft *next;
};

struct gd_loader {
    struct gd_report report;
    struct gd_yaml yaml;
    struct gd_plan *plan;
    const struct gd_yaml_node **roots; /* of the files, in the order of reading */
    unsigned root_count;
    bool incomplete; /* a file could not be read: names may be missing */
    struct gd_draft_top top;
    struct gd_draft_route defaults;
    bool finished;                     /* plan->unrouted is made of them */
    struct x509_store_st *trusted_cas; /* of the system; NULL: not needed so far */
    struct gd_digest *digest;          /* of the upstream that is being read; or NULL */
    struct gd_dict upstreams;          /* name → struct gd_upstream_draft */
    struct gd_upstream_draft *first_upstream, **last_upstream;
    const struct gd_yaml_node **route_nodes; /* of the plan's routes */
    unsigned route_room;                     /* routes of all files */
};

/** Returns ptr; aborts when it is NULL: what a configuration may ask for is bounded
 *  before (yamldoc.h), so only the system's memory can be at its end. */
void *gd_need(const void *ptr) __attribute__((returns_nonnull));

/** Reads the file, or text in its name, and all it includes. */
void gd_load_files(struct gd_loader *loader, const char *name,
                   const struct gd_span *text);

/** Listening addresses and the admin endpoint. */
void gd_load_listen(struct gd_loader *loader);

/** The values of options that only a restart takes over. */
void gd_load_fixed(struct gd_loader *loader);

/** TLS of a listener; NULL with something reported. */
struct gd_tls_server;
struct gd_tls_server *gd_load_listen_tls(struct gd_loader *loader,
                                         const struct gd_yaml_node *map);

/** The proxies whose word about clients is taken. */
void gd_load_trusted(struct gd_loader *loader);

/** Upstreams of all files. */
void gd_load_upstreams(struct gd_loader *loader);

/** Who is asked about names, and how. */
void gd_load_resolver(struct gd_loader *loader);

/** The server of a URL. */
struct gd_url;
struct gd_plan_server gd_load_server(struct gd_loader *loader, const struct gd_url *url);

/** `dns` or `srv` of an upstream. */
void gd_load_discovery(struct gd_loader *loader, const struct gd_yaml_node *node,
                       enum gd_discovery kind, struct gd_plan_upstream *upstream);

/** How servers are chosen and cared for: `balance`, `eject`, `retry`, `hedge` and
 *  `health`; what is not given has its default. */
void gd_load_resilience(struct gd_loader *loader, const struct gd_draft_upstream *draft,
                        struct gd_plan_upstream *out);

/** Adds `404` or `2xx` to a set; false when text is neither. */
GD_MUST_CHECK bool gd_load_status(struct gd_span text, struct gd_statuses *out);

/** Makes an upstream of a literal URL, or returns the one made before. NULL when a
 *  declared one has its name. */
struct gd_upstream_draft *gd_load_literal_upstream(struct gd_loader *loader,
                                                   const struct gd_url *url);

/** What an upstream with https servers needs; map: its own, NULL for a short form. */
void gd_load_tls(struct gd_loader *loader, const struct gd_yaml_node *map,
                 const struct gd_draft_tls *draft, struct gd_plan_upstream *upstream);

/** Moves the upstreams into the plan and points the calls there. */
void gd_load_settle_upstreams(struct gd_loader *loader);

/** The answers of a mock upstream. */
void gd_load_mock(struct gd_loader *loader, const struct gd_yaml_node *map,
                  struct gd_upstream_draft *upstream);

/** Routes of all files. */
void gd_load_routes(struct gd_loader *loader);

/** The calls of a route; names: what they may mention, names of calls included. */
struct gd_names;
void gd_load_calls(struct gd_loader *loader, const struct gd_yaml_node *map,
                   const struct gd_draft_route *draft, const struct gd_names *names,
                   struct gd_plan_route *route);

/** Reports calls that wait for themselves, be it by way of others. */
void gd_load_check_cycles(struct gd_loader *loader, const struct gd_yaml_node *map,
                          const struct gd_plan_route *route);

/** What of the request a call passes on; false with something reported. */
bool gd_load_forward(struct gd_loader *loader, const struct gd_draft_forward *draft,
                     struct gd_plan_forward *out);

/** Takes the parameters that the url of a call has itself out of what it passes on. */
void gd_load_prefer_query(struct gd_loader *loader, struct gd_span url,
                          struct gd_plan_forward *forward);

/** What a call sends: `json`, `form` or `body`. */
bool gd_load_payload(struct gd_loader *loader, const struct gd_draft_call *draft,
                     const struct gd_names *names, struct gd_plan_call *call);

/** `select`, `pick`, `drop`, `rename` and `ok`. */
bool gd_load_cut(struct gd_loader *loader, const struct gd_draft_call *draft,
                 struct gd_plan_call *call);

/** What is kept of a call as it was written, but for its fields; names: as of the call.
 */
void gd_load_written(struct gd_loader *loader, const struct gd_yaml_node *node,
                     const struct gd_names *names, struct gd_plan_call *call);

/** What is kept of an upstream or a route to show it in effect (plan/effective.h): JSON,
 *  without secrets; and of the rest of the file, in the plan. */
struct gd_span gd_load_upstream_written(struct gd_loader *loader,
                                        const struct gd_yaml_node *node);
struct gd_span gd_load_route_written(struct gd_loader *loader,
                                     const struct gd_yaml_node *node);
void gd_load_top_written(struct gd_loader *loader);

/** `respond` or `merge` as written: a JSON object with that member, or without any. */
struct gd_span gd_load_answer_written(struct gd_loader *loader,
                                      const struct gd_draft_route *draft);

/** What a route makes of its answers, whatever kind it is: `response_headers`, `cors`,
 *  `cache_control`, `etag`, `server_timing`; node: its map; names: what fields may
 *  mention. Last, when its calls are known. */
void gd_load_finish(struct gd_loader *loader, const struct gd_yaml_node *node,
                    const struct gd_draft_route *draft, const struct gd_names *names,
                    struct gd_plan_route *route);

/** What a route makes of its calls: `merge`, `respond`, `status`. */
void gd_load_answer(struct gd_loader *loader, const struct gd_draft_route *draft,
                    const struct gd_names *names, struct gd_plan_route *route);

/** One of last, first, error and concat. */
bool gd_load_conflict(struct gd_loader *loader, const struct gd_yaml_node *node,
                      unsigned *out);

/** What a route passes its requests on to. */
void gd_load_pass(struct gd_loader *loader, const struct gd_yaml_node *node,
                  const struct gd_names *names, struct gd_plan_route *route);

/** Where a redirect leads, as text or as a map; names: as of gd_load_calls. */
void gd_load_redirect(struct gd_loader *loader, const struct gd_yaml_node *node,
                      const struct gd_names *names, struct gd_plan_route *route);

/** Points the passes to the upstreams of the plan. */
void gd_load_settle_passes(struct gd_loader *loader);

/** Finds the upstream of `UPSTREAM/PATH?QUERY` and compiles the rest; *target stays NULL
 *  when there is none. NULL with something reported. */
struct gd_template;
const struct gd_upstream_draft *gd_load_destination(struct gd_loader *loader,
                                                    const struct gd_yaml_node *node,
                                                    const struct gd_names *names,
                                                    struct gd_template **target);

/** Whose fields they are: what is reserved differs. */
enum gd_headers_of { GD_HEADERS_REQUEST, GD_HEADERS_ANSWER };

/** Whether a request's field may have any name and value: it says nothing of the hop, the
 *  body or cookies. */
bool gd_header_is_free(struct gd_span name);

/** Whether a request's field is set by gatherd alone, or is about the hop or its proxies.
 */
bool gd_header_is_reserved(struct gd_span name);

/** Adds the fields of a map, each replacing one of the same name; node NULL: none.
 *  names: what values may mention; NULL: `{version}` only. */
void gd_load_headers(struct gd_loader *loader, const struct gd_yaml_node *map,
                     enum gd_headers_of whose, const struct gd_names *names,
                     struct gd_headers *headers);

/** Says that a map of fields has one that the upstream makes itself: Cookie with a jar,
 * and its deadline_header. map may be NULL. */
void gd_load_refuse_made(struct gd_loader *loader,
                         const struct gd_plan_upstream *upstream,
                         const struct gd_yaml_node *map);

/** Sets one of gatherd's own. Both borrowed: constants. */
void gd_load_set_header(struct gd_loader *loader, struct gd_span name,
                        struct gd_span value, struct gd_headers *headers);

/** A copy that can be changed. */
struct gd_headers gd_load_copy_headers(struct gd_loader *loader,
                                       const struct gd_headers *from);

/** The fields as the plan has them: all, or those with placeholders. */
struct gd_plan_field *gd_load_fields(struct gd_loader *loader,
                                     const struct gd_headers *headers, bool all,
                                     unsigned *count);

/** The fields without placeholders as lines with CRLF. */
struct gd_span gd_load_header_lines(struct gd_loader *loader,
                                    const struct gd_headers *headers);

/** A JSON string of text, and what stands behind it. */
struct gd_span gd_load_json_key(struct gd_loader *loader, struct gd_span text,
                                const char *behind);

/** Reads the file an option names, relative to the folder of the file it stands in, and
 *  gives its text to use, which borrows it; it is wiped afterwards. What is wrong is
 *  reported at the option. False then, and for node NULL. */
bool gd_load_file(struct gd_loader *loader, const struct gd_yaml_node *node,
                  bool (*use)(void *arg, struct gd_span text, struct gd_err *err),
                  void *arg);

/** Values of all files: maps that are joined, like `routes`. Calls fn for each entry. */
void gd_load_each(struct gd_loader *loader, const char *key,
                  void (*fn)(struct gd_loader *loader, const struct gd_yaml_node *node));

#endif
