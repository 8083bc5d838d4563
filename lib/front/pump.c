#include "front/pump.h"

#include <assert.h>

enum { WRITE_LEAST_BYTES = 16 * 1024, OUT_MAX_BYTES = 256 * 1024 };

/* Of a file in a turn: the disk may be waited for. */
enum { FILE_TURN_BYTES = 128 * 1024 };

struct gd_pump {
    struct gd_passage *passage;
    struct gd_body_source source;
    struct gd_encoder *encoder; /* NULL: pieces go as they are */
    struct gd_buf out;          /* of the encoder: not written yet */
    int status;
    bool by_file; /* the source's file is sent by the system */
    bool headed;  /* … behind the head, which is sent */
    bool queued;
    struct gd_pump *next; /* of those that wait for their turn */
    void (*release)(void *arg);
    void *release_arg;
};

static void take_turn(void *arg);

/* Turns ---------------------------------------------------------------------------------
 */

static void queue(struct gd_pump *pump)
{
    struct gd_pumps *pumps = &pump->passage->engine->pumps;

    *(pumps->first ? &pumps->last->next : &pumps->first) = pump;
    pumps->last = pump;
    pump->next = NULL;
    pump->queued = true;
    if (!gd_work_queued(&pumps->turn))
        gd_loop_defer(pump->passage->engine->loop, &pumps->turn, take_turn, pumps);
}

static void unqueue(struct gd_pump *pump)
{
    struct gd_pumps *pumps = &pump->passage->engine->pumps;
    struct gd_pump **at = &pumps->first, *before = NULL;

    if (!pump->queued)
        return;
    while (*at != pump) {
        before = *at;
        at = &before->next;
    }
    *at = pump->next;
    if (pumps->last == pump)
        pumps->last = before;
    pump->queued = false;
    if (pumps->first == NULL)
        gd_work_cancel(&pumps->turn);
}

/* Slices --------------------------------------------------------------------------------
 */

/* Reads and codes a slice. piece: what is to be written. */
static enum gd_pumped make_slice(struct gd_pump *pump, struct gd_span *piece)
{
    enum gd_pumped more = GD_PUMPED_PIECE;
    size_t taken = 0;

    if (pump->encoder == NULL)
        return pump->source.next(pump->source.arg, piece);
    while (more == GD_PUMPED_PIECE && taken < GD_PUMP_SLICE_BYTES) {
        more = pump->source.next(pump->source.arg, piece);
        if (more == GD_PUMPED_BROKEN ||
            !gd_encoder_feed(pump->encoder, *piece,
                             more == GD_PUMPED_LAST ? GD_ENCODE_END : GD_ENCODE_MORE,
                             &pump->out))
            return GD_PUMPED_BROKEN;
        taken += piece->len;
    }
    *piece = gd_buf_span(&pump->out);
    return more;
}

static void end_broken(struct gd_pump *pump)
{
    gd_passage_account(pump->passage, pump->status);
    gd_request_abort(pump->passage->request);
}

static void end_whole(struct gd_pump *pump, const struct iovec *last, int count)
{
    gd_passage_account(pump->passage, pump->status);
    gd_request_write(pump->passage->request, last, count, true);
}

static void send_file(struct gd_pump *pump)
{
    struct gd_request *request = pump->passage->request;
    struct gd_file_part *part = pump->source.file;
    size_t want = part->left < FILE_TURN_BYTES ? (size_t)part->left : FILE_TURN_BYTES;
    off_t before = part->at;

    if (!pump->headed) {
        pump->headed = true;
        if (!gd_request_write(request, NULL, 0, false))
            return; /* on_writable */
    }
    switch (gd_request_send_file(request, part->fd, &part->at, want)) {
    case GD_IO_OK:
        part->left -= (uint64_t)(part->at - before);
        if (part->left == 0)
            end_whole(pump, NULL, 0);
        else
            queue(pump);
        break;
    case GD_IO_AGAIN:
        break; /* on_writable */
    case GD_IO_EOF:
        end_broken(pump);
        break;
    case GD_IO_ERROR:
        pump->by_file = false;
        queue(pump);
        break;
    }
}

static void step(struct gd_pump *pump)
{
    struct gd_request *request = pump->passage->request;
    struct gd_span piece = GD_SPAN_NONE;
    enum gd_pumped more = make_slice(pump, &piece);
    struct iovec iov = {(char *)piece.ptr, piece.len};

    if (more == GD_PUMPED_BROKEN) {
        end_broken(pump);
        return;
    }
    if (more == GD_PUMPED_LAST) {
        end_whole(pump, &iov, piece.len > 0);
        return;
    }
    if (pump->encoder && piece.len < WRITE_LEAST_BYTES) {
        queue(pump);
        return;
    }
    if (!gd_request_write(request, &iov, 1, false))
        return; /* on_writable */
    pump->out.len = 0;
    queue(pump);
}

static void take_turn(void *arg)
{
    struct gd_pumps *pumps = arg;
    struct gd_pump *pump = pumps->first;

    unqueue(pump);
    if (pumps->first)
        gd_loop_defer(pump->passage->engine->loop, &pumps->turn, take_turn, pumps);
    if (pump->by_file)
        send_file(pump);
    else
        step(pump);
}

static void on_writable(void *arg)
{
    struct gd_pump *pump = arg;

    pump->out.len = 0;
    queue(pump);
}

/* The life of it ------------------------------------------------------------------------
 */

static void dispose(struct gd_pump *pump)
{
    unqueue(pump);
    gd_encoder_free(pump->encoder);
    pump->encoder = NULL;
    gd_buf_free(&pump->out);
}

static void on_release(void *arg)
{
    struct gd_pump *pump = arg;

    dispose(pump);
    if (pump->release)
        pump->release(pump->release_arg);
}

/* All of a short body, and its length, at once. */
static void answer_whole(struct gd_pump *pump, struct gd_answer *answer,
                         struct gd_span piece)
{
    struct iovec body = {(char *)piece.ptr, piece.len};

    answer->body = &body;
    answer->body_count = piece.len > 0;
    answer->body_bytes = piece.len;
    gd_passage_account(pump->passage, pump->status);
    gd_request_answer(pump->passage->request, answer);
}

static void answer_head(struct gd_pump *pump)
{
    gd_passage_account(pump->passage, pump->status);
    gd_request_write(pump->passage->request, NULL, 0, true);
}

bool gd_pump_start(struct gd_passage *passage, const struct gd_answer *answer,
                   const struct gd_body_source *source, struct gd_encoder *encoder)
{
    struct gd_request *request = passage->request;
    struct gd_pump *pump = gd_arena_alloc(request->arena, sizeof(*pump));
    bool is_head = request->head.method == GD_METHOD_HEAD;
    struct gd_answer own = *answer;
    struct gd_span piece;

    if (pump == NULL) {
        gd_encoder_free(encoder);
        return false;
    }
    *pump = (struct gd_pump){.passage = passage,
                             .source = *source,
                             .encoder = encoder,
                             .status = answer->status,
                             .release = answer->release,
                             .release_arg = answer->release_arg};
    gd_buf_init(&pump->out, gd_loop_blocks(passage->engine->loop), OUT_MAX_BYTES);
    pump->out.budget = request->budget;
    own.release = on_release;
    own.release_arg = pump;
    if (!is_head && answer->body_bytes <= GD_PUMP_SLICE_BYTES)
        switch (make_slice(pump, &piece)) {
        case GD_PUMPED_LAST:
            answer_whole(pump, &own, piece);
            return true;
        case GD_PUMPED_PIECE: /* what is coded of it waits in out */
            assert(encoder);
            break;
        case GD_PUMPED_BROKEN: /* a source must not be asked again */
            dispose(pump);
            return false;
        }
    if (encoder)
        own.body_bytes = GD_LENGTH_UNKNOWN;
    if (!gd_request_open(request, &own, on_writable, pump)) {
        dispose(pump);
        return false;
    }
    pump->by_file =
        source->file && encoder == NULL && !is_head && gd_request_takes_files(request);
    if (is_head)
        answer_head(pump);
    else
        queue(pump);
    return true;
}
