#ifndef GD_FRONT_ADMIN_INSIDE_H
#define GD_FRONT_ADMIN_INSIDE_H
/**
 * What the pages and actions of the admin endpoint share. Private to front/admin*.c.
 *
 * A page or an action is a row of the table in admin.c: `GET /status`, `POST /a/{b}/c`.
 * Rows are matched as routes are; the token, methods and other sites are dealt with
 * before one runs.
 */
#include <jansson.h>

#include "front/admin.h"
#include "front/front.h"
#include "plan/route.h"

struct gd_admin_action;

struct gd_admin {
    struct gd_loop *loop;
    struct gd_admin_source source;
    struct gd_front *front;
    struct gd_listener *listener; /* NULL: none */
    struct gd_arena arena;
    struct gd_router *router;        /* of the rows */
    struct gd_admin_action *actions; /* that have begun and not ended */
    uint64_t start_us;
    uint64_t
        own_stats[GD_WORKER_STATS]; /* the admin's own traffic is not the gateway's */
};

/* Answers -------------------------------------------------------------------------------
 */

/** A document while it is sent. */
struct gd_document {
    struct gd_buf text; /* bounded */
    struct iovec piece;
};

struct gd_document *gd_document_new(void);

/** Sends document and frees it. whole: it was written without passing the bound. */
void gd_document_answer(struct gd_request *request, int status, struct gd_span type,
                        struct gd_document *document, bool whole);

/** Answers with a JSON document; takes the reference, NULL is a 500. */
void gd_admin_answer_json(struct gd_request *request, int status, json_t *json);

/** Answers 404 with what there is instead: `"known": [names]`; takes the reference. */
void gd_admin_answer_unknown(struct gd_request *request, const char *detail,
                             json_t *known);

/** A parameter of the path or the query, decoded into the arena; ptr NULL without memory,
 *  or when text has none. */
struct gd_span gd_admin_decode(struct gd_arena *arena, struct gd_span text);

/* Actions -------------------------------------------------------------------------------
 */

/** An action under way. It goes on when its client leaves. */
struct gd_admin_action {
    struct gd_admin *admin;
    struct gd_request *request; /* NULL: its client has left */
    struct gd_arena arena;      /* for what it needs until its end; of the heap */
    const char *path, *peer;    /* of the request, for the log */
    struct gd_admin_action *next;
};

/** Begins an action, which has to be ended once, now or later. Returns borrowed: it is
 * the admin's. */
struct gd_admin_action *gd_admin_begin(struct gd_admin *admin,
                                       struct gd_request *request);

/** Ends it: a line in the log, the answer (json: a reference, taken), and it is freed. */
void gd_admin_end(struct gd_admin_action *action, int status, json_t *json);

/* Rows ----------------------------------------------------------------------------------
 */

typedef void gd_admin_fn(struct gd_admin *admin, struct gd_request *request,
                         const struct gd_match *match);

gd_admin_fn gd_admin_page, gd_admin_status, gd_admin_metrics, gd_admin_requests,
    gd_admin_explain, gd_admin_health, gd_admin_readiness;
gd_admin_fn gd_admin_config, gd_admin_routes;
gd_admin_fn gd_admin_drain, gd_admin_resume, gd_admin_reload;

/* Who may -------------------------------------------------------------------------------
 */

/** Whether the request has the token, where there is one. */
bool gd_admin_knows_token(const struct gd_admin *admin, const struct gd_request *request);

/** Whether what is asked is this endpoint by its Host. Otherwise a page of a foreign site
 *  whose name has been pointed here could read all, unless there is a token. Browsers do
 * not reach unix sockets, and always send a Host. */
bool gd_admin_is_own(const struct gd_admin *admin, const struct gd_request *request);

/** Whether an action may come from a page of another site, which a browser would let act
 *  in its user's name: why it is refused, and with which status; NULL: it is fine. */
const char *gd_admin_foreign(const struct gd_admin *admin,
                             const struct gd_request *request, int *status);

#endif
