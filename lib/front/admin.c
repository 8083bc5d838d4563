#include "front/admin.h"

#include <assert.h>
#include <malloc.h>

#include "base/log.h"
#include "base/mem.h"
#include "front/admin_inside.h"
#include "http/problem.h"

enum { DOCUMENT_MAX_BYTES = 64 * 1024 * 1024, LARGE_BYTES = 1024 * 1024 };
enum { ARENA_STEP = 4096, ROUTER_MAX_BYTES = 1024 * 1024 };
enum { ALLOW_MAX_BYTES = 256, KNOWN_MAX_BYTES = 64 * 1024 };

/* Operators have bounds of their own: `limits`, however tight, must not lock them out. */
static const struct gd_plan_limits admin_limits = {
    .request_line = 8 * 1024,
    .header_bytes = 32 * 1024,
    .header_fields = 100,
    .header_timeout_ms = 10000,
    .body_timeout_ms = 10000,
    .idle_timeout_ms = 75000,
    .write_timeout_ms = 30000,
    .requests_per_connection = 10000,
    .connections = 256,
    .request_memory = 1024 * 1024,
};

/* The pages, which change nothing, and the actions: a row each. open: also without the
 * token, for probes. */
static const struct row {
    const char *pattern;
    bool open;
    gd_admin_fn *run;
} rows[] = {
    {"GET /", true, gd_admin_page}, /* it holds nothing: what it shows, it asks for */
    {"GET /status", false, gd_admin_status},
    {"GET /metrics", false, gd_admin_metrics},
    {"GET /requests", false, gd_admin_requests},
    {"GET /explain", false, gd_admin_explain},
    {"GET /config", false, gd_admin_config},
    {"GET /routes", false, gd_admin_routes},
    {"GET /healthz", true, gd_admin_health},
    {"GET /readyz", true, gd_admin_readiness},
    {"POST /reload", false, gd_admin_reload},
    {"POST /upstreams/{name}/servers/{server}/drain", false, gd_admin_drain},
    {"POST /upstreams/{name}/servers/{server}/resume", false, gd_admin_resume},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const char *gd_life_word(enum gd_life life)
{
    static const char *const words[] = {"starting", "ready", "draining"};

    return words[life];
}

/* Answers -------------------------------------------------------------------------------
 */

/* A large document is made of many small blocks, and the heap keeps their memory: for
 * good, where nobody asks again. */
static void on_sent(void *arg)
{
    struct gd_document *document = arg;
    bool large = document->text.len >= LARGE_BYTES;

    gd_buf_free(&document->text);
    gd_free(document);
    if (large)
        malloc_trim(0);
}

struct gd_document *gd_document_new(void)
{
    struct gd_document *document = gd_alloc(sizeof(*document));

    gd_buf_init(&document->text, NULL, DOCUMENT_MAX_BYTES);
    return document;
}

void gd_document_answer(struct gd_request *request, int status, struct gd_span type,
                        struct gd_document *document, bool whole)
{
    static const struct gd_plan_header headers[] = {
        {{"Cache-Control", 13}, {"no-store", 8}},
        {{"X-Content-Type-Options", 22}, {"nosniff", 7}},
    };
    struct gd_answer answer = {
        .status = status,
        .content_type = type,
        .headers = headers,
        .header_count = 2,
        .body = &document->piece,
        .body_count = 1,
        .body_bytes = document->text.len,
        .release = on_sent,
        .release_arg = document,
    };

    if (!whole) {
        on_sent(document);
        gd_request_problem(request, 500, "the document is too large", GD_SPAN(""), NULL,
                           0);
        return;
    }
    document->piece = (struct iovec){document->text.data, document->text.len};
    gd_request_answer(request, &answer);
}

static int on_json(const char *text, size_t size, void *arg)
{
    return gd_buf_add(arg, text, size) ? 0 : -1;
}

void gd_admin_answer_json(struct gd_request *request, int status, json_t *json)
{
    struct gd_document *document = gd_document_new();
    bool whole = json &&
                 json_dump_callback(json, on_json, &document->text,
                                    JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0 &&
                 gd_buf_add_text(&document->text, "\n");

    json_decref(json);
    gd_document_answer(request, status, GD_SPAN("application/json"), document, whole);
}

void gd_admin_answer_unknown(struct gd_request *request, const char *detail,
                             json_t *known)
{
    struct gd_buf extra;

    gd_buf_init(&extra, NULL, KNOWN_MAX_BYTES);
    /* A list that is too long is left out. */
    if (!gd_buf_add_text(&extra, "\"known\":") ||
        json_dump_callback(known, on_json, &extra, JSON_COMPACT) != 0)
        extra.len = 0;
    json_decref(known);
    gd_request_problem(request, 404, detail, gd_buf_span(&extra), NULL, 0);
    gd_buf_free(&extra);
}

struct gd_span gd_admin_decode(struct gd_arena *arena, struct gd_span text)
{
    char *decoded = text.ptr ? gd_arena_raw(arena, text.len + 1) : NULL;

    if (decoded == NULL)
        return GD_SPAN_NONE;
    return (struct gd_span){decoded, gd_percent_decode(text, false, decoded)};
}

/* Actions -------------------------------------------------------------------------------
 */

struct gd_admin_action *gd_admin_begin(struct gd_admin *admin, struct gd_request *request)
{
    struct gd_admin_action *action = gd_alloc(sizeof(*action));

    gd_arena_init(&action->arena, NULL, ARENA_STEP, admin_limits.request_memory);
    action->admin = admin;
    action->request = request;
    action->path = gd_arena_text(&action->arena, request->target.path);
    action->peer = gd_arena_text(&action->arena, request->peer);
    action->next = admin->actions;
    admin->actions = action;
    request->user = action;
    return action;
}

static void free_action(struct gd_admin_action *action)
{
    gd_arena_free(&action->arena);
    gd_free(action);
}

void gd_admin_end(struct gd_admin_action *action, int status, json_t *json)
{
    struct gd_admin_action **at = &action->admin->actions;
    struct gd_request *request = action->request;

    while (*at != action)
        at = &(*at)->next;
    *at = action->next;
    gd_log(GD_LOG_INFO, "admin: POST %s by %s: %d", action->path, action->peer, status);
    free_action(action);
    if (request)
        gd_admin_answer_json(request, status, json);
    else
        json_decref(json);
}

/* Requests ------------------------------------------------------------------------------
 */

static void refuse_method(struct gd_request *request, uint32_t allow)
{
    struct gd_plan_header header = {GD_SPAN("Allow"), GD_SPAN_NONE};
    struct gd_buf list;

    if (allow >> GD_METHOD_GET & 1)
        allow |= 1u << GD_METHOD_HEAD;
    gd_buf_init(&list, NULL, ALLOW_MAX_BYTES);
    if (gd_methods_write(&list, allow))
        header.value = gd_buf_span(&list);
    gd_request_problem(request, 405,
                       allow >> GD_METHOD_POST & 1
                           ? "this is an action, which takes a POST"
                           : "this page is only read",
                       GD_SPAN(""), &header, 1);
    gd_buf_free(&list);
}

/* An action has to be meant by whoever sends it. */
static bool is_meant(const struct gd_admin *admin, struct gd_request *request)
{
    static struct gd_log_limit limit;
    int status;
    const char *why = gd_admin_foreign(admin, request, &status);

    if (why == NULL)
        return true;
    gd_log_limited(&limit, GD_LOG_WARN, "admin: POST %.*s by %.*s: %d, %s",
                   GD_SPAN_ARG(request->target.path), GD_SPAN_ARG(request->peer), status,
                   why);
    gd_request_problem(request, status, why, GD_SPAN(""), NULL, 0);
    return false;
}

/* What is read stays with whoever asks this endpoint by a name of its own. */
static bool is_asked_here(const struct gd_admin *admin, struct gd_request *request)
{
    if (gd_admin_is_own(admin, request))
        return true;
    gd_request_problem(request, 403,
                       "without a token this page is for localhost, addresses and the "
                       "host in `admin` (Host)",
                       GD_SPAN(""), NULL, 0);
    return false;
}

static void on_request(void *arg, struct gd_request *request)
{
    static const struct gd_plan_header bearer = {{"WWW-Authenticate", 16}, {"Bearer", 6}};
    struct gd_admin *admin = arg;
    const struct gd_request_head *head = &request->head;
    struct gd_match match;
    enum gd_match_result found =
        gd_router_match(admin->router, head->method, head->method_text, GD_SPAN(""),
                        request->target.path, &match);

    if (found == GD_MATCH_NONE)
        gd_request_problem(request, 404, "there is no such admin page", GD_SPAN(""), NULL,
                           0);
    else if (!(found == GD_MATCH_FOUND && rows[match.index].open) &&
             !gd_admin_knows_token(admin, request))
        gd_request_problem(request, 401, "this page needs the admin token", GD_SPAN(""),
                           &bearer, 1);
    else if (found == GD_MATCH_OTHER_METHOD)
        refuse_method(request, match.allow);
    else if (head->method == GD_METHOD_POST
                 ? is_meant(admin, request)
                 : rows[match.index].open || is_asked_here(admin, request))
        rows[match.index].run(admin, request, &match);
}

/* The client of an action has left. */
static void on_gone(void *arg, struct gd_request *request)
{
    struct gd_admin_action *action = request->user;

    (void)arg;
    if (action)
        action->request = NULL;
}

/* Life ----------------------------------------------------------------------------------
 */

static void make_router(struct gd_admin *admin)
{
    bool ok;

    gd_arena_init(&admin->arena, NULL, ARENA_STEP, ROUTER_MAX_BYTES);
    admin->router = gd_router_new(&admin->arena);
    ok = admin->router != NULL;
    for (unsigned i = 0; ok && i < ROWS; i++) {
        struct gd_pattern *pattern = gd_arena_alloc(&admin->arena, sizeof(*pattern));
        unsigned other;
        struct gd_err err;

        ok =
            pattern &&
            gd_pattern_parse(gd_span_of(rows[i].pattern), &admin->arena, pattern, &err) &&
            gd_router_add(admin->router, pattern, i, &other);
    }
    gd_loop_must(ok);
}

struct gd_admin *gd_admin_new(struct gd_loop *loop, const struct gd_admin_source *source,
                              struct gd_err *err)
{
    struct gd_admin *admin = gd_alloc(sizeof(*admin));
    struct gd_front_config config = {
        .loop = loop,
        .limits = &admin_limits,
        .max_body = 0,
        .stats = admin->own_stats,
        .handler = {.on_request = on_request, .on_gone = on_gone},
        .arg = admin,
    };

    admin->loop = loop;
    admin->source = *source;
    admin->start_us = gd_loop_now_us(loop);
    make_router(admin);
    admin->front = gd_front_new(&config, err);
    if (admin->front == NULL) {
        gd_admin_free(admin);
        return NULL;
    }
    return admin;
}

bool gd_admin_listen(struct gd_admin *admin, int fd, struct gd_err *err)
{
    if (admin->listener)
        gd_listener_close(admin->listener);
    admin->listener = fd < 0 ? NULL : gd_front_listen(admin->front, fd, NULL, err);
    return fd < 0 || admin->listener != NULL;
}

void gd_admin_change(struct gd_admin *admin, const struct gd_plan *plan,
                     struct gd_stats *const *stats, const struct gd_names *names)
{
    admin->source.plan = plan;
    admin->source.names = names;
    admin->source.stats = stats;
}

void gd_admin_free(struct gd_admin *admin)
{
    if (admin == NULL)
        return;
    gd_front_free(admin->front);
    while (admin->actions) {
        struct gd_admin_action *action = admin->actions;

        admin->actions = action->next;
        free_action(action);
    }
    gd_arena_free(&admin->arena);
    gd_free(admin);
}
