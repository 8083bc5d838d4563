#include "gather/timing.h"

#include "gather/gather_inside.h"

enum { TIMING_MAX_BYTES = (GD_CALLS_MAX + 1) * (GD_CALL_NAME_MAX + 64) };

static bool add_name(struct gd_buf *out, const char *name)
{
    bool ok = true;

    for (; ok && *name; name++)
        ok = gd_buf_add(out, gd_is_token((struct gd_span){name, 1}) ? name : "_", 1);
    return ok;
}

bool gd_timing_add(struct gd_buf *out, const char *name, uint64_t took_us)
{
    return (out->len == 0 || gd_buf_add_text(out, ", ")) && add_name(out, name) &&
           gd_buf_add_text(out, ";dur=") && gd_buf_add_u64(out, took_us / 1000) &&
           gd_buf_add_text(out, ".") && gd_buf_add_u64(out, took_us / 100 % 10);
}

static bool add_part(struct gd_buf *out, const struct gd_part *part)
{
    uint64_t took_us = part->started ? part->ended_us - part->calls[0].start_us : 0;
    const char *what = part->skipped ? "skipped" : gd_failure_word(part->failure);

    if (!gd_timing_add(out, part->plan->name, took_us))
        return false;
    return (!part->skipped && part->failure == GD_OK) ||
           (gd_buf_add_text(out, ";desc=\"") && gd_buf_add_text(out, what) &&
            gd_buf_add_text(out, "\""));
}

struct gd_span gd_gather_timing(const struct gd_gather *gather, uint64_t start_us)
{
    uint64_t now_us = gd_loop_now_us(gather->context->loop);
    struct gd_arena *arena = gather->about.arena;
    struct gd_span text = GD_SPAN_NONE;
    struct gd_buf out;
    bool ok = true;

    gd_buf_init(&out, arena->blocks, TIMING_MAX_BYTES);
    for (unsigned i = 0; ok && i < gather->count; i++)
        ok = add_part(&out, &gather->parts[i]);
    if (ok && gd_timing_add(&out, "total", now_us - start_us))
        text = gd_arena_copy(arena, gd_buf_span(&out));
    gd_buf_free(&out);
    return text;
}
