#include "gather/compose.h"
#include "gather/gather_inside.h"
#include "json/text.h"

/* Parts as they complete: each in the order in which it ended, or, where the route gives
 * the answer a shape, each member of that as soon as all it mentions is there. */

enum { END_MAX_BYTES = GD_CALLS_MAX * (6 * GD_CALL_NAME_MAX + 32) + 64 };

static bool take(const struct gd_splice *splice, struct gd_news *news)
{
    news->pieces = splice->pieces;
    news->count = splice->count;
    return true;
}

/* `{"name":` … `}` */
static bool wrap_part(struct gd_part *part, struct gd_splice *out)
{
    bool ok = gd_splice_copy(out, GD_SPAN("{")) && gd_splice_add(out, part->plan->key) &&
              gd_part_show(part);

    for (unsigned i = 0; ok && i < part->piece_count; i++)
        ok = gd_splice_add(
            out, (struct gd_span){part->pieces[i].iov_base, part->pieces[i].iov_len});
    return ok && gd_splice_copy(out, GD_SPAN("}"));
}

static bool next_part(struct gd_gather *gather, struct gd_splice *out,
                      enum gd_failure *failure)
{
    struct gd_part *part =
        gather->last_told ? gather->last_told->next_ended : gather->first_ended;

    for (; part; part = part->next_ended) {
        gather->last_told = part;
        if (!gd_part_is_visible(gather, part))
            continue;
        if (!wrap_part(part, out))
            *failure = GD_FAIL_TOO_LARGE;
        return true;
    }
    return false;
}

static enum gd_failure failure_of(enum gd_composed result)
{
    switch (result) {
    case GD_COMPOSED:
        return GD_OK;
    case GD_COMPOSE_CONFLICT:
        return GD_FAIL_CONFLICT;
    case GD_COMPOSE_NO_MEMORY:
        break;
    }
    return GD_FAIL_TOO_LARGE;
}

/* `{"name":` … `}` of one member of the shape. */
static enum gd_failure wrap_member(struct gd_gather *gather, const struct gd_shape *shape,
                                   unsigned member, struct gd_splice *out)
{
    struct gd_values values = gather->values;
    enum gd_failure failure;

    values.showing = true;
    if (!gd_splice_copy(out, GD_SPAN("{")) || !gd_splice_add(out, shape->keys[member]))
        return GD_FAIL_TOO_LARGE;
    failure = failure_of(gd_compose(&shape->parts[member], gather, &values, out));
    if (failure)
        return failure;
    return gd_splice_copy(out, GD_SPAN("}")) ? GD_OK : GD_FAIL_TOO_LARGE;
}

static bool next_member(struct gd_gather *gather, const struct gd_shape *shape,
                        struct gd_splice *out, enum gd_failure *failure)
{
    for (unsigned i = 0; i < shape->count && i < 64; i++) {
        uint64_t bit = UINT64_C(1) << i;

        if ((gather->sent & bit) || (shape->parts[i].needs & ~gather->ended))
            continue;
        gather->sent |= bit;
        *failure = wrap_member(gather, shape, i, out);
        return true;
    }
    return false;
}

/* A shape that has no members of its own goes out as a whole, at the end. */
static bool next_whole(struct gd_gather *gather, const struct gd_shape *shape,
                       struct gd_splice *out, enum gd_failure *failure)
{
    struct gd_values values = gather->values;

    if (gather->sent || (shape->needs & ~gather->ended))
        return false;
    gather->sent = 1;
    values.showing = true;
    *failure = failure_of(gd_compose(shape, gather, &values, out));
    return true;
}

bool gd_gather_next(struct gd_gather *gather, struct gd_news *news,
                    enum gd_failure *failure)
{
    const struct gd_shape *shape = gather->about.route->shape;
    struct gd_splice splice;
    bool any;

    *failure = GD_OK;
    if (gather->done)
        gather->ended = gd_route_all(gather->about.route);
    gd_splice_init(&splice, gather->about.arena);
    if (shape == NULL || (shape->kind == GD_SHAPE_MERGE && shape->wrap))
        any = next_part(gather, &splice, failure);
    else if (shape->kind == GD_SHAPE_OBJECT && shape->count <= 64)
        any = next_member(gather, shape, &splice, failure);
    else
        any = next_whole(gather, shape, &splice, failure);
    return any && take(&splice, news);
}

static bool write_end(struct gd_gather *gather, struct gd_buf *out)
{
    bool ok = gd_buf_addf(out, "{\"complete\":%s,\"failed\":{",
                          gd_gather_whole(gather) ? "true" : "false");
    bool first = true;

    for (unsigned i = 0; ok && i < gather->count; i++) {
        const struct gd_part *part = &gather->parts[i];

        if (part->failure == GD_OK)
            continue;
        ok = gd_buf_add_text(out, first ? "" : ",") &&
             gd_json_add_string(out, gd_span_of(part->plan->name)) &&
             gd_buf_addf(out, ":\"%s\"", gd_failure_word(part->failure));
        first = false;
    }
    return ok && gd_buf_add_text(out, "}}");
}

struct gd_span gd_gather_end_event(struct gd_gather *gather)
{
    struct gd_span text = GD_SPAN_NONE;
    struct gd_buf out;

    gd_buf_init(&out, gather->about.arena->blocks, END_MAX_BYTES);
    if (write_end(gather, &out))
        text = gd_arena_copy(gather->about.arena, gd_buf_span(&out));
    gd_buf_free(&out);
    return text;
}
