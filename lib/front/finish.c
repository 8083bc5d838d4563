#include "front/finish.h"

#include "http/condition.h"

/* An answer while it is finished. */
struct finishing {
    struct gd_passage *passage;
    struct gd_answer answer;
    struct gd_plan_header *headers; /* those of the answer, with room for more */
    char etag[GD_ETAG_BYTES];
};

enum { MORE_FIELDS = 4 };

static const struct gd_plan_finish *options_of(const struct finishing *finishing)
{
    return &finishing->passage->route->finish;
}

static void add_field(struct finishing *finishing, struct gd_span name,
                      struct gd_span value)
{
    finishing->headers[finishing->answer.header_count++] =
        (struct gd_plan_header){name, value};
}

/* Makes room for fields; false at the bound of the request's memory. */
static bool begin(struct finishing *finishing, struct gd_passage *passage,
                  const struct gd_answer *answer)
{
    size_t most = answer->header_count + MORE_FIELDS;

    finishing->passage = passage;
    finishing->answer = *answer;
    finishing->headers =
        gd_arena_raw(passage->request->arena, most * sizeof(*finishing->headers));
    if (finishing->headers == NULL)
        return false;
    if (answer->header_count)
        memcpy(finishing->headers, answer->headers,
               answer->header_count * sizeof(*finishing->headers));
    finishing->answer.headers = finishing->headers;
    return true;
}

/* What differs by fields of the request, for those who keep answers. */
static void say_vary(struct finishing *finishing)
{
    const struct gd_plan_route *route = finishing->passage->route;

    if (route->stream && route->kind == GD_ROUTE_KIND_GATHER)
        add_field(finishing, GD_SPAN("Vary"), GD_SPAN("Accept"));
}

static void say_cache_control(struct finishing *finishing, bool complete)
{
    const struct gd_plan_finish *options = options_of(finishing);

    if (options->cache_control.len == 0 && !options->etag)
        return;
    if (!complete)
        add_field(finishing, GD_SPAN("Cache-Control"), GD_SPAN("no-store"));
    else if (options->cache_control.len)
        add_field(finishing, GD_SPAN("Cache-Control"), options->cache_control);
    if (complete)
        say_vary(finishing);
}

/* What the client has already is not sent again (RFC 9110 13.2). */
static enum gd_condition say_etag(struct finishing *finishing)
{
    const struct gd_request *request = finishing->passage->request;
    struct gd_answer *answer = &finishing->answer;
    struct gd_validators validators = {.modified_s = -1};

    validators.etag = gd_etag_of(answer->body, answer->body_count, finishing->etag);
    add_field(finishing, GD_SPAN("ETag"), validators.etag);
    return gd_condition_check(&request->head.fields, request->head.method, &validators);
}

static bool wants_etag(const struct finishing *finishing, bool complete)
{
    enum gd_method method = finishing->passage->request->head.method;

    return options_of(finishing)->etag && complete && finishing->answer.status == 200 &&
           (method == GD_METHOD_GET || method == GD_METHOD_HEAD);
}

/* The body is not needed. */
static void drop_body(struct gd_answer *answer)
{
    answer->body = NULL;
    answer->body_count = 0;
    answer->body_bytes = 0;
}

static void refuse(struct finishing *finishing, int status, const char *detail)
{
    struct gd_answer *answer = &finishing->answer;

    if (answer->release)
        answer->release(answer->release_arg);
    gd_passage_refuse(finishing->passage, status, detail);
}

static void send_it(struct finishing *finishing)
{
    struct gd_answer *answer = &finishing->answer;

    gd_passage_account(finishing->passage, answer->status);
    gd_request_answer(finishing->passage->request, answer);
}

void gd_finish_answer(struct gd_passage *passage, const struct gd_answer *answer,
                      bool complete, struct gd_span timing)
{
    struct finishing finishing = {.passage = passage, .answer = *answer};
    enum gd_condition condition = GD_CONDITION_HOLDS;

    if (!passage->route->finish.any) {
        send_it(&finishing);
        return;
    }
    if (!begin(&finishing, passage, answer)) {
        refuse(&finishing, 503, "no memory is left for this request");
        return;
    }
    if (timing.len)
        add_field(&finishing, GD_SPAN("Server-Timing"), timing);
    say_cache_control(&finishing, complete);
    if (wants_etag(&finishing, complete))
        condition = say_etag(&finishing);
    if (condition == GD_CONDITION_FAILED) {
        refuse(&finishing, 412, "the answer is not the one the condition wants");
        return;
    }
    if (condition == GD_CONDITION_NOT_MODIFIED) {
        finishing.answer.status = 304;
        finishing.answer.content_type = GD_SPAN_NONE;
        drop_body(&finishing.answer);
    }
    send_it(&finishing);
}
