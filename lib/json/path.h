#ifndef GD_JSON_PATH_H
#define GD_JSON_PATH_H
/**
 * A path into a JSON value: `a.b[0]["odd key"][*]`.
 *
 * A name without quotes has letters, digits, `_`, `-`, `$`, `@` and bytes above 127; any
 * other is written in brackets and quotes, with \" and \\ as its only escapes. Indexes
 * count from 0. `[*]` is every element of an array, in order; a path with it names any
 * number of values.
 */
#include "base/arena.h"
#include "json/tape.h"

enum { GD_PATH_STEPS_MAX = 32 };

struct gd_json_step {
    enum { GD_STEP_NAME, GD_STEP_INDEX, GD_STEP_ALL } kind;
    struct gd_span name; /* decoded; NAME */
    uint32_t index;      /* INDEX */
};

struct gd_json_path {
    const struct gd_json_step *steps; /* owned by the arena */
    unsigned count;                   /* 0: the value itself */
    bool many;                        /* it has a `[*]` */
};

/** The length of the longest path text begins with, as it would stand behind the name of
 *  a call: `.login`, `[0].x`, or nothing. For lexers; it may still be no valid path. */
size_t gd_json_path_length(struct gd_span text);

/** Compiles a path. text: with or without a dot in front; all of it has to be a path.
 *  Everything kept is owned by the arena. False with err: the sentence. */
GD_MUST_CHECK bool gd_json_path_parse(struct gd_arena *arena, struct gd_span text,
                                      struct gd_json_path *path, struct gd_err *err);

/** The value at the path below `from`; tape NULL when there is none. For paths that are
 *  not `many` (of others: the first one). */
struct gd_json_value gd_json_path_find(const struct gd_json_path *path,
                                       struct gd_json_value from);

/** Calls visit for each value the path names, in order, until it returns false. Returns
 *  whether none did. */
bool gd_json_path_each(const struct gd_json_path *path, struct gd_json_value from,
                       bool (*visit)(void *arg, struct gd_json_value value), void *arg);

#endif
