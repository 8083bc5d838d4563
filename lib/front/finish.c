#include "front/finish.h"

#include "front/pump.h"
#include "http/accept.h"
#include "http/condition.h"

/* An answer while it is finished. */
struct finishing {
    struct gd_passage *passage;
    struct gd_answer answer;
    struct gd_plan_header *headers; /* those of the answer, with room for more */
    char etag[2 + GD_ETAG_BYTES];
    const struct gd_plan_compress *compress; /* NULL: this answer never goes coded */
    unsigned coding;            /* of compress->codings; … its count: as it is */
    struct gd_encoder *encoder; /* NULL for HEAD */
};

enum { MORE_FIELDS = 5 };

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

/* Whether a field of the answer forbids another coding, or has one. */
static bool is_coded(const struct gd_answer *answer)
{
    for (unsigned i = 0; i < answer->header_count; i++)
        if (gd_span_ieq(answer->headers[i].name, GD_SPAN("Content-Encoding")))
            return true;
    return false;
}

/* Without memory for an encoder the answer goes as it is. */
static void choose_coding(struct finishing *finishing)
{
    const struct gd_plan_compress *compress = options_of(finishing)->compress;
    const struct gd_request *request = finishing->passage->request;
    const struct gd_answer *answer = &finishing->answer;

    if (compress == NULL || answer->body_bytes < compress->min ||
        answer->body_bytes == 0 || is_coded(answer) ||
        !gd_compress_has(compress, answer->content_type))
        return;
    finishing->compress = compress;
    finishing->coding =
        gd_accept_coding(&request->head.fields, compress->words, compress->coding_count);
    if (finishing->coding == compress->coding_count ||
        request->head.method == GD_METHOD_HEAD)
        return;
    finishing->encoder =
        gd_encoder_new((enum gd_content_coding)compress->codings[finishing->coding],
                       compress->level, answer->body_bytes,
                       gd_loop_blocks(finishing->passage->engine->loop), request->budget);
    if (finishing->encoder == NULL)
        finishing->coding = compress->coding_count;
}

/* Whether the client gets it in a coding. */
static bool goes_coded(const struct finishing *finishing)
{
    return finishing->compress && finishing->coding < finishing->compress->coding_count;
}

/* What differs by fields of the request, for those who keep answers. */
static void say_vary(struct finishing *finishing)
{
    const struct gd_plan_finish *options = options_of(finishing);
    const struct gd_plan_route *route = finishing->passage->route;
    bool kept = options->cache_control.len || options->etag;
    bool streams = kept && route->stream && route->kind == GD_ROUTE_KIND_GATHER;

    if (streams)
        add_field(finishing, GD_SPAN("Vary"),
                  finishing->compress ? GD_SPAN("Accept, Accept-Encoding")
                                      : GD_SPAN("Accept"));
    else if (finishing->compress)
        add_field(finishing, GD_SPAN("Vary"), GD_SPAN("Accept-Encoding"));
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
}

/* What the client has already is not sent again (RFC 9110 13.2). */
static enum gd_condition say_etag(struct finishing *finishing)
{
    const struct gd_request *request = finishing->passage->request;
    struct gd_answer *answer = &finishing->answer;
    struct gd_validators validators = {.modified_s = -1};

    /* The coded bytes are the library's affair: such a tag is weak (RFC 9110 8.8.1). */
    validators.etag = gd_etag_of(answer->body, answer->body_count, finishing->etag + 2);
    if (goes_coded(finishing)) {
        memcpy(finishing->etag, "W/", 2);
        validators.etag = (struct gd_span){finishing->etag, sizeof(finishing->etag)};
    }
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

    gd_encoder_free(finishing->encoder);
    if (answer->release)
        answer->release(answer->release_arg);
    gd_passage_refuse(finishing->passage, status, detail);
}

void gd_finish_count_coded(struct gd_passage *passage, unsigned coding)
{
    uint64_t *worker = passage->generation->stats->worker;

    gd_stat_inc(&worker[coding == GD_CODING_BR ? GD_WORKER_COMPRESSED_BR
                                               : GD_WORKER_COMPRESSED_GZIP]);
}

/* The pieces of an answer, slice by slice. */
struct pieces {
    const struct iovec *at;
    int left;
    size_t used; /* bytes of the first one */
};

static enum gd_pumped next_piece(void *arg, struct gd_span *piece)
{
    struct pieces *pieces = arg;
    size_t left = pieces->at->iov_len - pieces->used;
    size_t n = left < GD_PUMP_SLICE_BYTES ? left : GD_PUMP_SLICE_BYTES;

    *piece = (struct gd_span){(char *)pieces->at->iov_base + pieces->used, n};
    pieces->used += n;
    if (n < left)
        return GD_PUMPED_PIECE;
    pieces->used = 0;
    pieces->at++;
    return --pieces->left > 0 ? GD_PUMPED_PIECE : GD_PUMPED_LAST;
}

static void send_plain(struct finishing *finishing)
{
    gd_passage_account(finishing->passage, finishing->answer.status);
    gd_request_answer(finishing->passage->request, &finishing->answer);
}

/* False: there is no memory for it, and it may go as it is. The encoder is gone. */
static bool send_coded(struct finishing *finishing)
{
    struct gd_passage *passage = finishing->passage;
    struct pieces *pieces = gd_arena_raw(passage->request->arena, sizeof(*pieces));
    struct gd_body_source source = {next_piece, pieces, NULL};
    struct gd_answer coded;

    if (pieces == NULL) {
        gd_encoder_free(finishing->encoder);
        return false;
    }
    if (finishing->encoder)
        gd_finish_count_coded(passage, finishing->compress->codings[finishing->coding]);
    *pieces = (struct pieces){finishing->answer.body, finishing->answer.body_count, 0};
    add_field(finishing, GD_SPAN("Content-Encoding"),
              finishing->compress->words[finishing->coding]);
    coded = finishing->answer;
    if (finishing->encoder == NULL) /* HEAD: the length of what is coded is not known */
        coded.body_bytes = GD_LENGTH_UNKNOWN;
    if (gd_pump_start(passage, &coded, &source, finishing->encoder))
        return true;
    finishing->answer.header_count--;
    return false;
}

static void send_it(struct finishing *finishing)
{
    if (!goes_coded(finishing) || !send_coded(finishing))
        send_plain(finishing);
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
    choose_coding(&finishing);
    say_cache_control(&finishing, complete);
    say_vary(&finishing);
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
        gd_encoder_free(finishing.encoder);
        finishing.compress = NULL;
    }
    send_it(&finishing);
}
