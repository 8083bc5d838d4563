#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "front/files.h"
#include "front/finish.h"
#include "front/pump.h"
#include "gather/fields.h"
#include "http/accept.h"
#include "http/condition.h"
#include "http/write.h"
#include "plan/folder.h"

/* A file as a request wants it. */
struct serving {
    struct gd_passage *passage;
    struct gd_file file; /* what is sent: the file, or one that stands for it coded */
    struct gd_span type;
    struct gd_span coding; /* of what is sent; empty: none */
    struct gd_encoder *encoder;
    bool ready;               /* the coding is that of a file */
    bool varies;              /* by Accept-Encoding */
    bool known;               /* the type */
    bool broken;              /* the file, while it is sent */
    struct gd_file_part part; /* what is still to be sent */
    char *room;               /* a slice */
    size_t room_cap;
    char etag[64], modified[GD_DATE_ROOM], range[80];
    struct gd_validators validators;
    struct gd_plan_header headers[2 * GD_HEADERS_MAX + 12];
    unsigned header_count;
};

static void add_field(struct serving *serving, struct gd_span name, struct gd_span value)
{
    serving->headers[serving->header_count++] = (struct gd_plan_header){name, value};
}

static const struct gd_fields *fields_of(const struct serving *serving)
{
    return &serving->passage->request->head.fields;
}

static void dispose(struct serving *serving)
{
    struct gd_blocks *blocks = gd_loop_blocks(serving->passage->engine->loop);

    gd_file_close(serving->passage, serving->file.fd);
    gd_blocks_put(blocks, serving->room, serving->room_cap);
}

static void on_release(void *arg)
{
    dispose(arg);
}

static void refuse(struct serving *serving, int status, const char *detail)
{
    gd_encoder_free(serving->encoder);
    dispose(serving);
    gd_passage_refuse(serving->passage, status, detail);
}

/* Codings -------------------------------------------------------------------------------
 */

/* A file that is the same in a coding, and not older. */
static bool open_sibling(struct serving *serving, const char *suffix)
{
    const struct timespec *age = &serving->file.stat.st_mtim, *other;
    struct gd_file sibling;
    char path[4096 + 4];

    if (snprintf(path, sizeof(path), "%s%s", serving->file.path, suffix) >=
            (int)sizeof(path) ||
        !gd_file_open(serving->passage, path, &sibling))
        return false;
    other = &sibling.stat.st_mtim;
    if (other->tv_sec < age->tv_sec ||
        (other->tv_sec == age->tv_sec && other->tv_nsec < age->tv_nsec)) {
        gd_file_close(serving->passage, sibling.fd);
        return false;
    }
    gd_file_close(serving->passage, serving->file.fd);
    serving->file.fd = sibling.fd;
    serving->file.stat = sibling.stat;
    return true;
}

static void choose_ready(struct serving *serving)
{
    static const struct gd_span words[] = {{"br", 2}, {"gzip", 4}};
    static const char *const suffixes[] = {".br", ".gz"};
    unsigned best = gd_accept_coding(fields_of(serving), words, 2);

    serving->varies = true;
    for (unsigned n = 0; best < 2 && n < 2; n++) {
        if (open_sibling(serving, suffixes[best])) {
            serving->ready = true;
            serving->coding = words[best];
            return;
        }
        /* the other one, if that is taken as well */
        best = n == 0 && gd_accept_coding(fields_of(serving), &words[1 - best], 1) == 0
                   ? 1 - best
                   : 2;
    }
}

static void choose_made(struct serving *serving)
{
    const struct gd_plan_compress *compress = serving->passage->route->finish.compress;
    const struct gd_request *request = serving->passage->request;
    size_t size = (size_t)serving->file.stat.st_size;
    unsigned best;

    if (compress == NULL || size == 0 || size < compress->min ||
        !gd_compress_has(compress, serving->type))
        return;
    serving->varies = true;
    best = gd_accept_coding(fields_of(serving), compress->words, compress->coding_count);
    if (best == compress->coding_count)
        return;
    if (request->head.method != GD_METHOD_HEAD) {
        serving->encoder = gd_encoder_new(
            (enum gd_content_coding)compress->codings[best], compress->level, size,
            gd_loop_blocks(serving->passage->engine->loop), request->budget);
        if (serving->encoder == NULL)
            return;
    }
    serving->coding = compress->words[best];
}

/* Who asks for a range gets one of the file as it is. */
static void choose_coding(struct serving *serving)
{
    bool ranged = serving->passage->request->head.method == GD_METHOD_GET &&
                  gd_fields_find(fields_of(serving), GD_SPAN("Range"));

    serving->part.at = 0;
    if (ranged) {
        serving->varies = serving->passage->route->folder->precompressed ||
                          serving->passage->route->finish.compress;
        return;
    }
    if (serving->passage->route->folder->precompressed)
        choose_ready(serving);
    if (!serving->ready)
        choose_made(serving);
}

/* Fields --------------------------------------------------------------------------------
 */

static bool is_made(const struct serving *serving)
{
    return serving->coding.len && !serving->ready;
}

/* Size and time of the last change make a tag that is the same on all machines to which a
 * file was copied with its time. What is coded while it is sent has a weak one. */
static void write_validators(struct serving *serving)
{
    const struct stat *stat = &serving->file.stat;
    int64_t now_s = gd_loop_wall_s(serving->passage->engine->loop);
    int64_t modified_s = stat->st_mtim.tv_sec < now_s ? stat->st_mtim.tv_sec : now_s;
    int len =
        snprintf(serving->etag, sizeof(serving->etag), "%s\"%llx.%lx-%llx%s%s\"",
                 is_made(serving) ? "W/" : "", (unsigned long long)stat->st_mtim.tv_sec,
                 (unsigned long)stat->st_mtim.tv_nsec, (unsigned long long)stat->st_size,
                 serving->ready ? "-" : "", serving->ready ? serving->coding.ptr : "");

    serving->validators.etag = (struct gd_span){serving->etag, (size_t)len};
    serving->validators.modified_s = modified_s;
    add_field(serving, GD_SPAN("ETag"), serving->validators.etag);
    add_field(serving, GD_SPAN("Last-Modified"),
              gd_date_write(modified_s, serving->modified));
}

static void add_fields(struct serving *serving)
{
    struct gd_span keeps = serving->passage->route->finish.cache_control;

    if (keeps.len)
        add_field(serving, GD_SPAN("Cache-Control"), keeps);
    if (serving->varies)
        add_field(serving, GD_SPAN("Vary"), GD_SPAN("Accept-Encoding"));
    if (!is_made(serving))
        add_field(serving, GD_SPAN("Accept-Ranges"), GD_SPAN("bytes"));
    if (!serving->known)
        add_field(serving, GD_SPAN("X-Content-Type-Options"), GD_SPAN("nosniff"));
}

static bool add_own_fields(struct serving *serving)
{
    struct gd_passage *passage = serving->passage;
    struct gd_values values = {.params = passage->match.params,
                               .param_count = passage->match.param_count,
                               .facts = &passage->facts};

    return gd_answer_fields(passage->route, &values, passage->request->arena,
                            &passage->generation->gathers.scratch, serving->headers,
                            &serving->header_count);
}

/* Sending -------------------------------------------------------------------------------
 */

/* Reads so many bytes, however few a file system gives at a time. False: the file has
 * become shorter, or cannot be read. */
static bool read_slice(struct serving *serving, size_t want)
{
    size_t len = 0;
    ssize_t n;

    while (len < want) {
        n = pread(serving->file.fd, serving->room + len, want - len,
                  serving->part.at + (off_t)len);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        len += n > 0 ? (size_t)n : 0;
    }
    serving->part.at += (off_t)len;
    serving->part.left -= len;
    return true;
}

static enum gd_pumped next_slice(void *arg, struct gd_span *piece)
{
    struct serving *serving = arg;
    size_t want = serving->part.left < GD_PUMP_SLICE_BYTES ? (size_t)serving->part.left
                                                           : GD_PUMP_SLICE_BYTES;

    *piece = (struct gd_span){serving->room, want};
    serving->broken = !read_slice(serving, want);
    if (serving->broken)
        return GD_PUMPED_BROKEN;
    return serving->part.left == 0 ? GD_PUMPED_LAST : GD_PUMPED_PIECE;
}

static struct gd_answer answer_of(struct serving *serving, int status)
{
    return (struct gd_answer){.status = status,
                              .content_type = serving->type,
                              .headers = serving->headers,
                              .header_count = serving->header_count,
                              .body_bytes = (size_t)serving->part.left,
                              .release = on_release,
                              .release_arg = serving};
}

static void send_not_modified(struct serving *serving)
{
    struct gd_answer answer = answer_of(serving, 304);

    gd_encoder_free(serving->encoder);
    answer.content_type = GD_SPAN_NONE;
    answer.body_bytes = 0;
    gd_passage_account(serving->passage, 304);
    gd_request_answer(serving->passage->request, &answer);
}

static void refuse_range(struct serving *serving)
{
    struct gd_plan_header range = {GD_SPAN("Content-Range"), gd_span_of(serving->range)};

    dispose(serving);
    gd_passage_account(serving->passage, 416);
    gd_request_problem(serving->passage->request, 416,
                       "the file has nothing of this range", GD_SPAN(""), &range, 1);
}

static void send_body(struct serving *serving, int status)
{
    struct gd_blocks *blocks = gd_loop_blocks(serving->passage->engine->loop);
    struct gd_body_source source = {next_slice, serving, &serving->part};
    bool is_head = serving->passage->request->head.method == GD_METHOD_HEAD;
    struct gd_answer answer;

    if (serving->coding.len)
        add_field(serving, GD_SPAN("Content-Encoding"), serving->coding);
    answer = answer_of(serving, status);
    if (is_head && is_made(serving)) /* how long it will be is not known */
        answer.body_bytes = GD_LENGTH_UNKNOWN;
    serving->room = gd_blocks_get(blocks, GD_PUMP_SLICE_BYTES, &serving->room_cap);
    if (serving->encoder)
        gd_finish_count_coded(serving->passage, gd_span_is(serving->coding, "br")
                                                    ? GD_CODING_BR
                                                    : GD_CODING_GZIP);
    if (serving->room == NULL) {
        refuse(serving, 503, "no memory is left for this request");
        return;
    }
    if (gd_pump_start(serving->passage, &answer, &source, serving->encoder))
        return;
    serving->encoder = NULL;
    refuse(serving, 503,
           serving->broken ? "the file is changing at the moment"
                           : "no memory is left for this request");
}

/* Range, or all of it. */
static void send_file(struct serving *serving)
{
    const struct gd_request *request = serving->passage->request;
    uint64_t size = (uint64_t)serving->file.stat.st_size;
    struct gd_range range = {0, size};
    enum gd_range_result result = GD_RANGE_ALL;

    if (request->head.method == GD_METHOD_GET && serving->coding.len == 0)
        result = gd_range_check(fields_of(serving), size, &serving->validators,
                                gd_loop_wall_s(serving->passage->engine->loop), &range);
    if (result == GD_RANGE_ALL)
        range = (struct gd_range){0, size};
    serving->part.fd = serving->file.fd;
    serving->part.at = (off_t)range.first;
    serving->part.left = range.bytes;
    if (result == GD_RANGE_NONE)
        snprintf(serving->range, sizeof(serving->range), "bytes */%llu",
                 (unsigned long long)size);
    else
        snprintf(serving->range, sizeof(serving->range), "bytes %llu-%llu/%llu",
                 (unsigned long long)range.first,
                 (unsigned long long)(range.first + range.bytes - 1),
                 (unsigned long long)size);
    if (result != GD_RANGE_ALL)
        add_field(serving, GD_SPAN("Content-Range"), gd_span_of(serving->range));
    if (result == GD_RANGE_NONE)
        refuse_range(serving);
    else
        send_body(serving, result == GD_RANGE_PART ? 206 : 200);
}

void gd_file_answer(struct gd_passage *passage, const struct gd_file *file)
{
    struct serving *serving = gd_arena_alloc(passage->request->arena, sizeof(*serving));
    const struct gd_request *request = passage->request;

    if (serving == NULL) {
        gd_file_close(passage, file->fd);
        gd_passage_refuse(passage, 503, "no memory is left for this request");
        return;
    }
    serving->passage = passage;
    serving->file = *file;
    serving->type =
        gd_folder_type(passage->route->folder, gd_span_of(file->path), &serving->known);
    choose_coding(serving);
    if (!add_own_fields(serving)) {
        refuse(serving, 503, "no memory is left for this request");
        return;
    }
    write_validators(serving);
    add_fields(serving);
    switch (gd_condition_check(&request->head.fields, request->head.method,
                               &serving->validators)) {
    case GD_CONDITION_HOLDS:
        send_file(serving);
        break;
    case GD_CONDITION_NOT_MODIFIED:
        send_not_modified(serving);
        break;
    case GD_CONDITION_FAILED:
        refuse(serving, 412, "the file is not the one the condition wants");
        break;
    }
}
