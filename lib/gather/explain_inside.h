#ifndef GD_GATHER_EXPLAIN_INSIDE_H
#define GD_GATHER_EXPLAIN_INSIDE_H
/**
 * The inside of an explanation: explain.c makes the document, with the choice of the
 * route (explain_route.c) and each call (explain_call.c, explain_passed.c) in it;
 * explain_text.c prints it.
 *
 * Documents of jansson are made by functions that return owned values.
 */
#include "gather/explain.h"
#include "plan/route.h"
#include "plan/template.h"

enum {
    GD_EXPLAIN_TEXT_MAX = 1 << 20, /* bytes of one target or value */
    GD_EXPLAIN_ROUTES_MAX = 20,    /* other routes that are named */
    GD_EXPLAIN_SERVERS_MAX = 16,   /* of an upstream */
    GD_EXPLAIN_NAMES_MAX = 50,     /* of one list of what is passed on */
    GD_EXPLAIN_NEAREST_MAX = 3,
};

struct gd_explaining {
    const struct gd_plan *plan;
    const struct gd_explain_request *request;
    struct gd_facts facts;
    enum gd_method method;
    enum gd_match_result result;
    struct gd_match match;
    const struct gd_plan_route *route; /* NULL: none takes it */
    struct gd_values values;           /* what is known of the request */
    uint64_t chosen, wanted;           /* bits of the calls that are shown, and made */
};

/* explain.c ----------------------------------------------------------------------------
 */

/** A string of any bytes; what is not UTF-8 is shown as "?". */
json_t *gd_explain_span(struct gd_span text);

/** One field with its value as far as it is known: `{"name":…,"value":…}`. */
json_t *gd_explain_field(const struct gd_explaining *x,
                         const struct gd_plan_field *field);

/** A member of what was written (struct gd_plan_written); NULL: it is not there. */
json_t *gd_explain_written(struct gd_span object, const char *key);

/* explain_route.c ----------------------------------------------------------------------
 */

/** Sets "why" and "others", or what helps to find the right one. */
void gd_explain_choice(const struct gd_explaining *x, json_t *document);

/* explain_call.c -----------------------------------------------------------------------
 */

/** All of one call that is made. */
json_t *gd_explain_call(const struct gd_explaining *x, const struct gd_plan_call *call);

/** A service and its servers. */
json_t *gd_explain_upstream(const struct gd_plan_upstream *upstream);

/** The host of a server's `Host: …` line. */
struct gd_span gd_explain_host(const struct gd_plan_server *server);

/* explain_direct.c ---------------------------------------------------------------------
 */

/** Where a request is passed to, and where a client is sent. */
void gd_explain_pass(struct gd_explaining *x, json_t *document);
void gd_explain_files(struct gd_explaining *x, json_t *document);
void gd_explain_redirect(struct gd_explaining *x, json_t *document);

/* explain_passed.c ---------------------------------------------------------------------
 */

/** What of the request's headers, query and cookies is "kept", "named" or "dropped";
 *  "left_out" counts what is not told. */
json_t *gd_explain_passed(const struct gd_explaining *x, const struct gd_plan_call *call);

/* explain_finish.c --------------------------------------------------------------------
 */

/** Adds what the route makes of its answers to what is told of them. */
void gd_explain_finish(const struct gd_explaining *x, json_t *answer);

#endif
