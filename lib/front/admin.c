#include "front/admin.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "front/front.h"
#include "front/sum.h"
#include "gather/explain.h"

enum { DOCUMENT_MAX_BYTES = 64 * 1024 * 1024 };

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

struct gd_admin {
    struct gd_loop *loop;
    struct gd_admin_source source;
    struct gd_front *front;
    uint64_t start_us;
    uint64_t
        own_stats[GD_WORKER_STATS]; /* the admin's own traffic is not the gateway's */
};

/* A document while it is sent. */
struct document {
    struct gd_buf text;
    struct iovec piece;
};

const char *gd_life_word(enum gd_life life)
{
    static const char *const words[] = {"starting", "ready", "draining"};

    return words[life];
}

static void on_sent(void *arg)
{
    struct document *document = arg;

    gd_buf_free(&document->text);
    gd_free(document);
}

static struct document *document_new(void)
{
    struct document *document = gd_alloc(sizeof(*document));

    gd_buf_init(&document->text, NULL, DOCUMENT_MAX_BYTES);
    return document;
}

/* Sends document and frees it. whole: it was written without passing the bound. */
static void answer_document(struct gd_request *request, int status, struct gd_span type,
                            struct document *document, bool whole)
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

static enum gd_life life_of(const struct gd_admin *admin)
{
    return (enum gd_life)atomic_load(admin->source.life);
}

static void show_status(struct gd_admin *admin, struct gd_request *request)
{
    struct document *document = document_new();
    uint64_t uptime_s = (gd_loop_now_us(admin->loop) - admin->start_us) / 1000000;

    answer_document(request, 200, GD_SPAN("application/json"), document,
                    gd_sum_status(&document->text, &admin->source, uptime_s,
                                  gd_loop_wall_s(admin->loop)));
}

static void show_metrics(struct gd_admin *admin, struct gd_request *request)
{
    struct document *document = document_new();

    answer_document(request, 200, GD_SPAN("text/plain; version=0.0.4; charset=utf-8"),
                    document, gd_sum_metrics(&document->text, &admin->source));
}

/* A parameter of the query, decoded into the request's arena; absent: ptr NULL. */
static struct gd_span parameter(struct gd_request *request, struct gd_span name)
{
    struct gd_span value = gd_query_get(request->target.query, name);
    char *decoded = value.ptr ? gd_arena_raw(request->arena, value.len + 1) : NULL;

    if (decoded == NULL)
        return GD_SPAN_NONE;
    /* What is asked for is a path with its query, where "+" has its own meaning. */
    return (struct gd_span){decoded, gd_percent_decode(value, false, decoded)};
}

static int on_json(const char *text, size_t size, void *arg)
{
    return gd_buf_add(arg, text, size) ? 0 : -1;
}

static void show_explanation(struct gd_admin *admin, struct gd_request *request)
{
    struct gd_fields none = {NULL, 0};
    struct gd_explain_request about = {
        .method = parameter(request, GD_SPAN("method")),
        .target = parameter(request, GD_SPAN("path")),
        .host = parameter(request, GD_SPAN("host")),
        .fields = &none,
    };
    struct document *document;
    json_t *json;
    bool whole;

    if (about.method.ptr == NULL)
        about.method = GD_SPAN("GET");
    json = gd_explain(admin->source.plan, &about, NULL);
    if (json == NULL) {
        gd_request_problem(request, 400,
                           "path, method and host have to be those of a request, as in "
                           "/explain?method=GET&path=/profile/7",
                           GD_SPAN(""), NULL, 0);
        return;
    }
    document = document_new();
    whole = json_dump_callback(json, on_json, &document->text,
                               JSON_INDENT(1) | JSON_REAL_PRECISION(15)) == 0 &&
            gd_buf_add_text(&document->text, "\n");
    json_decref(json);
    answer_document(request, 200, GD_SPAN("application/json"), document, whole);
}

static void answer_word(struct gd_request *request, int status, const char *word)
{
    struct document *document = document_new();
    bool whole = gd_buf_addf(&document->text, "%s\n", word);

    answer_document(request, status, GD_SPAN("text/plain; charset=utf-8"), document,
                    whole);
}

static void show_health(struct gd_admin *admin, struct gd_request *request)
{
    (void)admin;
    answer_word(request, 200, "ok");
}

static void show_readiness(struct gd_admin *admin, struct gd_request *request)
{
    enum gd_life life = life_of(admin);

    answer_word(request, life == GD_LIFE_READY ? 200 : 503, gd_life_word(life));
}

/* The pages: a row each. open: also without the token, for probes. */
static const struct {
    const char *path;
    bool open;
    void (*show)(struct gd_admin *admin, struct gd_request *request);
} pages[] = {
    {"/status", false, show_status},       {"/metrics", false, show_metrics},
    {"/explain", false, show_explanation}, {"/healthz", true, show_health},
    {"/readyz", true, show_readiness},
};

/* Compares in a time that does not depend on where the first difference is. */
static bool same_secret(struct gd_span a, struct gd_span b)
{
    unsigned char difference = a.len != b.len;

    for (size_t i = 0; i < a.len && i < b.len; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return difference == 0;
}

static bool authorised(const struct gd_admin *admin, const struct gd_request *request)
{
    const char *token = admin->source.plan->admin_token;
    const struct gd_field *field;
    struct gd_span scheme = GD_SPAN("Bearer ");

    if (token == NULL)
        return true;
    field = gd_fields_get(&request->head.fields, GD_FIELD_AUTHORIZATION);
    if (field == NULL || field->value.len < scheme.len ||
        !gd_span_ieq((struct gd_span){field->value.ptr, scheme.len}, scheme))
        return false;
    return same_secret(
        (struct gd_span){field->value.ptr + scheme.len, field->value.len - scheme.len},
        gd_span_of(token));
}

static void on_request(void *arg, struct gd_request *request)
{
    static const struct gd_plan_header allow = {{"Allow", 5}, {"GET, HEAD", 9}};
    static const struct gd_plan_header bearer = {{"WWW-Authenticate", 16}, {"Bearer", 6}};
    struct gd_admin *admin = arg;
    enum gd_method method = request->head.method;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (!gd_span_is(request->target.path, pages[i].path))
            continue;
        if (!pages[i].open && !authorised(admin, request))
            gd_request_problem(request, 401, "this page needs the admin token",
                               GD_SPAN(""), &bearer, 1);
        else if (method != GD_METHOD_GET && method != GD_METHOD_HEAD)
            gd_request_problem(request, 405, "this page is only read", GD_SPAN(""),
                               &allow, 1);
        else
            pages[i].show(admin, request);
        return;
    }
    gd_request_problem(request, 404, "there is no such admin page", GD_SPAN(""), NULL, 0);
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
        .handler = {.on_request = on_request},
        .arg = admin,
    };

    admin->loop = loop;
    admin->source = *source;
    admin->start_us = gd_loop_now_us(loop);
    admin->front = gd_front_new(&config, err);
    if (admin->front == NULL) {
        gd_free(admin);
        return NULL;
    }
    return admin;
}

bool gd_admin_listen(struct gd_admin *admin, int fd, struct gd_err *err)
{
    return gd_front_listen(admin->front, fd, err);
}

void gd_admin_free(struct gd_admin *admin)
{
    if (admin == NULL)
        return;
    gd_front_free(admin->front);
    gd_free(admin);
}
