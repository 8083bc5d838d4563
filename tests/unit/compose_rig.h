#ifndef GD_TESTS_COMPOSE_RIG_H
#define GD_TESTS_COMPOSE_RIG_H
/**
 * Tapes of texts written in tests, and what a splice comes to.
 */
#include <stdio.h>

#include "suite.h"

#include "json/path.h"
#include "json/scan.h"
#include "json/splice.h"

enum { RIG_TAPES = 8 };

struct rig {
    struct gd_arena arena;
    struct gd_tape tapes[RIG_TAPES];
    unsigned count;
    struct gd_splice splice;
};

static inline void rig_open_bounded(struct rig *rig, size_t arena_max)
{
    *rig = (struct rig){.count = 0};
    gd_arena_init(&rig->arena, NULL, 1024, arena_max);
    gd_splice_init(&rig->splice, &rig->arena);
}

static inline void rig_open(struct rig *rig)
{
    rig_open_bounded(rig, 1 << 20);
}

static inline void rig_close(struct rig *rig)
{
    for (unsigned i = 0; i < rig->count; i++)
        gd_tape_free(&rig->tapes[i]);
    gd_arena_free(&rig->arena);
}

/* The value of a text, which lives until rig_close. */
static inline struct gd_json_value rig_value_of(struct rig *rig, struct gd_span text)
{
    struct gd_tape *tape = &rig->tapes[rig->count++];
    struct gd_span value;

    ck_assert_uint_le(rig->count, RIG_TAPES);
    ck_assert(gd_json_scan(text, GD_JSON_DEPTH_MAX, &value, NULL));
    gd_tape_init(tape, NULL, NULL);
    ck_assert(gd_tape_build(tape, value));
    return (struct gd_json_value){tape, GD_NODE_ROOT};
}

static inline struct gd_json_value rig_value(struct rig *rig, const char *text)
{
    return rig_value_of(rig, gd_span_of(text));
}

static inline struct gd_json_path rig_path(struct rig *rig, const char *text)
{
    struct gd_json_path path;
    struct gd_err err = {.text = ""};

    ck_assert_msg(gd_json_path_parse(&rig->arena, gd_span_of(text), &path, &err), "%s",
                  err.text);
    return path;
}

/* Expects what was appended, and makes the splice empty again. */
static inline void rig_expect(struct rig *rig, const char *expected)
{
    struct gd_span flat = gd_splice_flat(&rig->splice);

    ck_assert_ptr_nonnull(flat.ptr);
    ck_assert_uint_eq(flat.len, rig->splice.bytes);
    ck_assert_msg(gd_span_is(flat, expected), "got %.*s, not %s", GD_SPAN_ARG(flat),
                  expected);
    gd_splice_init(&rig->splice, &rig->arena);
}

#endif
