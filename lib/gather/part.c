#include "gather/part.h"

#include <assert.h>

#include "gather/items.h"
#include "json/project.h"
#include "json/splice.h"
#include "plan/expr.h"

static struct gd_arena *arena_of(struct gd_part *part)
{
    return gd_gather_about(part->gather)->arena;
}

static void init_doc(struct gd_part *part, struct gd_doc *doc)
{
    gd_tape_init(&doc->tape, gd_loop_blocks(gd_gather_shared(part->gather)->loop),
                 gd_gather_budget(part->gather));
}

/* Ending --------------------------------------------------------------------------------
 */

/* What stands in for a part that is not there at all. The default of a call with each is
 * that of one item, so without items the list is empty. */
static struct gd_span fallback_of(const struct gd_part *part)
{
    if (part->plan->each && part->plan->has_fallback)
        return GD_SPAN("[]");
    return part->plan->fallback;
}

/* References see a default; without one they see nothing. */
static void stand_in(struct gd_part *part)
{
    gd_doc_free(&part->yield->whole);
    if (part->plan->has_fallback)
        part->yield->whole.text = fallback_of(part);
}

static void mark_ended(struct gd_part *part)
{
    part->state = GD_PART_ENDED;
    part->ended_us = gd_loop_now_us(gd_gather_shared(part->gather)->loop);
}

static void end(struct gd_part *part, enum gd_failure failure)
{
    assert(part->state != GD_PART_ENDED);
    mark_ended(part);
    part->failure = failure;
    if (failure && !part->partial)
        stand_in(part);
    gd_gather_part_ended(part->gather, part);
}

/* Cuts the text down to what `select` names. */
static bool select_inside(struct gd_part *part, struct gd_doc *doc)
{
    return part->plan->select == NULL || gd_doc_select(doc, part->plan->select);
}

/* The text of an ended call, cut down; the stand-in of one that has failed. False when
 * memory is at its bound. */
static bool take_text(struct gd_part *part, const struct gd_call *call,
                      struct gd_doc *doc)
{
    if (call->failure) {
        doc->text = part->plan->fallback;
        return true;
    }
    doc->text = call->json.text;
    return select_inside(part, doc);
}

static void end_single(struct gd_part *part)
{
    struct gd_call *call = &part->calls[0];
    struct gd_yield *yield = part->yield;
    enum gd_failure failure = call->failure;

    yield->status = call->status;
    part->retry_after_s = call->retry_after_s;
    if (failure == GD_OK) {
        yield->head =
            (struct gd_span){call->exchange.reply.data, call->exchange.head_bytes};
        yield->whole = call->json;
        call->json = (struct gd_doc){.text = GD_SPAN_NONE};
        if (!select_inside(part, &yield->whole))
            failure = GD_FAIL_TOO_LARGE;
    }
    end(part, failure);
}

/* The list of what the calls for each value have yielded. */
static bool list_items(struct gd_part *part, bool shown, struct gd_splice *out)
{
    bool ok = gd_splice_copy(out, GD_SPAN("["));

    for (unsigned i = 0; ok && i < part->count; i++) {
        struct gd_doc doc = {.text = GD_SPAN_NONE};

        init_doc(part, &doc);
        ok = (i == 0 || gd_splice_copy(out, GD_SPAN(","))) &&
             take_text(part, &part->calls[i], &doc);
        if (ok && shown && part->plan->projection && part->calls[i].failure == GD_OK)
            ok = gd_doc_index(&doc) &&
                 gd_project(part->plan->projection, gd_doc_value(&doc), out);
        else
            ok = ok && gd_splice_add(out, doc.text);
        gd_doc_free(&doc);
    }
    return ok && gd_splice_copy(out, GD_SPAN("]"));
}

static enum gd_failure first_failure(const struct gd_part *part)
{
    for (unsigned i = 0; i < part->started; i++)
        if (part->calls[i].failure)
            return part->calls[i].failure;
    return GD_OK;
}

static void end_each(struct gd_part *part)
{
    enum gd_failure failure = first_failure(part);
    struct gd_splice splice;

    part->partial = failure != GD_OK;
    gd_splice_init(&splice, arena_of(part));
    if (gd_gather_is_mentioned(part->gather, part->plan)) {
        if (list_items(part, false, &splice))
            part->yield->whole.text = gd_splice_flat(&splice);
        if (part->yield->whole.text.ptr == NULL) {
            part->partial = false;
            failure = GD_FAIL_TOO_LARGE;
        }
    }
    end(part, failure);
}

/* Running -------------------------------------------------------------------------------
 */

static void stop_calls(struct gd_part *part, enum gd_failure failure)
{
    for (unsigned i = 0; i < part->started; i++)
        gd_call_stop(&part->calls[i], failure);
}

/* Whether nothing more is to be waited for. */
static bool over(const struct gd_part *part)
{
    return part->running == 0 && part->started == part->count;
}

static void finish(struct gd_part *part)
{
    if (part->plan->each)
        end_each(part);
    else
        end_single(part);
}

/* A call for one value has failed, and nothing may stand in for it. */
static void give_up(struct gd_part *part, enum gd_failure failure)
{
    stop_calls(part, GD_FAIL_CANCELLED);
    end(part, failure);
}

/* Calls are made one by one, so that what is written here is at hand when it is used. */
static struct gd_call *next_call(struct gd_part *part)
{
    unsigned index = part->started++;
    struct gd_call *call = &part->calls[index];

    memset(call, 0, sizeof(*call));
    call->plan = part->plan;
    call->part = part;
    call->gather = part->gather;
    if (part->items)
        call->item = part->items[index];
    return call;
}

/* Starts calls as far as each_parallel lets it. Those that end at once only count, so
 * that thousands of them need no stack. */
static void pump(struct gd_part *part)
{
    unsigned most = part->plan->each ? part->plan->each_parallel : 1;

    part->pumping = true;
    while (part->running < most && part->started < part->count &&
           (part->failed == 0 || part->plan->optional)) {
        struct gd_call *call = next_call(part);

        part->running++;
        gd_call_start(call);
    }
    part->pumping = false;
    if (part->plan->each && part->failed && !part->plan->optional)
        give_up(part, first_failure(part));
    else if (over(part))
        finish(part);
}

void gd_part_call_ended(struct gd_part *part, struct gd_call *call)
{
    part->running--;
    part->failed += call->failure != GD_OK;
    if (!part->pumping)
        pump(part);
}

/* Starting ------------------------------------------------------------------------------
 */

/* Takes room for the calls of a part. */
static bool make_calls(struct gd_part *part)
{
    part->calls = gd_arena_raw(arena_of(part), part->count * sizeof(*part->calls));
    if (part->calls == NULL)
        part->count = 0;
    return part->calls != NULL;
}

static void start_each(struct gd_part *part)
{
    struct gd_items items = {.arena = arena_of(part), .limit = part->plan->each_limit};
    enum gd_failure failure =
        gd_items_collect(&items, part->plan->each, gd_gather_values(part->gather));

    part->items = items.values;
    /* What all of the calls mention is looked up once. */
    part->seen = gd_arena_alloc(arena_of(part), sizeof(*part->seen));
    part->count = items.count;
    if (failure == GD_OK && part->count > 0 && !make_calls(part))
        failure = GD_FAIL_TOO_LARGE;
    if (failure) {
        part->count = 0;
        end(part, failure);
        return;
    }
    pump(part);
}

/* Whether `when` holds; GD_OK, and then *holds. */
static enum gd_failure holds(struct gd_part *part, bool *holds_out)
{
    struct gd_blocks *blocks = gd_loop_blocks(gd_gather_shared(part->gather)->loop);

    *holds_out = true;
    if (part->plan->when == NULL)
        return GD_OK;
    switch (gd_expr_eval(part->plan->when, gd_gather_values(part->gather), blocks)) {
    case GD_FALSE:
        *holds_out = false;
        return GD_OK;
    case GD_TRUE:
        return GD_OK;
    case GD_TRUTH_NO_MEMORY:
        break;
    }
    return GD_FAIL_TOO_LARGE;
}

/* With each there are many small ones; each is indexed when its turn comes. */
bool gd_part_looks_inside(const struct gd_part *part)
{
    const struct gd_plan_call *plan = part->plan;

    return plan->each == NULL && (plan->projection || plan->select ||
                                  gd_gather_is_mentioned(part->gather, plan));
}

void gd_part_init(struct gd_part *part, bool wanted)
{
    init_doc(part, &part->yield->whole);
    init_doc(part, &part->cut);
    part->yield->shown = &part->cut;
    if (wanted)
        return;
    part->state = GD_PART_ENDED;
    part->skipped = true;
    stand_in(part);
}

void gd_part_start(struct gd_part *part)
{
    enum gd_failure failure;
    bool wanted;

    assert(part->state == GD_PART_IDLE);
    part->state = GD_PART_RUNNING;
    failure = holds(part, &wanted);
    if (failure == GD_OK && !wanted) {
        part->skipped = true;
        stand_in(part);
        end(part, GD_OK);
        return;
    }
    if (failure == GD_OK && part->plan->each) {
        start_each(part);
        return;
    }
    part->count = 1;
    if (failure == GD_OK && !make_calls(part))
        failure = GD_FAIL_TOO_LARGE;
    if (failure) {
        part->count = 0;
        end(part, failure);
    } else {
        pump(part);
    }
}

void gd_part_stop(struct gd_part *part, enum gd_failure failure)
{
    if (part->state == GD_PART_ENDED)
        return;
    stop_calls(part, failure);
    mark_ended(part);
    part->failure = failure;
    stand_in(part);
}

void gd_part_free(struct gd_part *part)
{
    for (unsigned i = 0; i < part->started; i++)
        gd_call_free(&part->calls[i]);
    gd_doc_free(&part->yield->whole);
    gd_doc_free(&part->cut);
}

/* Showing -------------------------------------------------------------------------------
 */

static bool show_text(struct gd_part *part, struct gd_splice *out)
{
    struct gd_doc *whole = &part->yield->whole;
    bool own = part->failure == GD_OK && !part->skipped;

    if (!own)
        return gd_splice_add(out, fallback_of(part));
    if (part->plan->projection == NULL)
        return gd_splice_add(out, whole->text);
    return gd_doc_index(whole) &&
           gd_project(part->plan->projection, gd_doc_value(whole), out);
}

bool gd_part_show(struct gd_part *part)
{
    struct gd_splice splice;
    bool listed =
        part->plan->each && !part->skipped && (part->failure == GD_OK || part->partial);
    bool ok;

    if (part->pieces)
        return true;
    gd_splice_init(&splice, arena_of(part));
    ok = listed ? list_items(part, true, &splice) : show_text(part, &splice);
    if (!ok)
        return false;
    part->pieces = splice.pieces;
    part->piece_count = splice.count;
    return true;
}

/* Whether the text the call yielded is shown as it is. */
static bool is_uncut(const struct gd_part *part)
{
    return part->failure == GD_OK && !part->skipped && part->plan->each == NULL &&
           part->plan->projection == NULL;
}

bool gd_part_flatten(struct gd_part *part)
{
    struct gd_splice flat;

    if (part->cut.text.ptr)
        return true;
    if (is_uncut(part)) {
        part->yield->shown = &part->yield->whole;
        return true;
    }
    if (!gd_part_show(part))
        return false;
    gd_splice_init(&flat, arena_of(part));
    for (unsigned i = 0; i < part->piece_count; i++)
        if (!gd_splice_add(&flat, (struct gd_span){part->pieces[i].iov_base,
                                                   part->pieces[i].iov_len}))
            return false;
    part->cut.text = gd_splice_flat(&flat);
    return part->cut.text.ptr != NULL;
}
