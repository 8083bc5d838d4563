#ifndef GD_JSON_PROJECT_H
#define GD_JSON_PROJECT_H
/**
 * Projections: what `pick`, `drop` and `rename` leave of a value.
 *
 * Rules are paths of names. They go through arrays by themselves, element by element, at
 * any depth: `owner.login` fits {"owner":{"login":…}}, [{"owner":[{"login":…}]}] and so
 * on. What is kept stands in the order and with the bytes of the original.
 *
 *   pick    only these stay. Where a rule goes into a value that is neither object nor
 *           array, null stands instead. A name that stands twice: the last one is kept.
 *   drop    these go; all of the name.
 *   rename  the last name of the path becomes another one, in place. A member that has
 *           that other name already goes, if there is one that gets it.
 *
 * Names in all rules are those of the original: pick and drop know nothing of rename. A
 * name that is picked and dropped goes.
 */
#include "json/path.h"
#include "json/splice.h"

struct gd_rename {
    struct gd_json_path from; /* names only */
    struct gd_span to;        /* decoded */
};

/** Rules; borrowed while they are compiled. Paths have names only, at least one. */
struct gd_project_rules {
    const struct gd_json_path *pick, *drop;
    const struct gd_rename *rename;
    unsigned pick_count, drop_count, rename_count;
};

struct gd_projection;

/** Compiles rules into a projection owned by the arena. NULL with err (the sentence) for
 *  rules that contradict each other: a name renamed twice, two renames of one object to
 *  the same name, a picked name without any part that is not dropped. */
struct gd_projection *gd_projection_new(struct gd_arena *arena,
                                        const struct gd_project_rules *rules,
                                        struct gd_err *err);

/** Appends what the projection leaves of the value; null when there is none. Linear in
 *  the tape of the value; calls itself as deep as paths are long, whatever the value is.
 *  False when the splice's arena is at its bound. */
GD_MUST_CHECK bool gd_project(const struct gd_projection *projection,
                              struct gd_json_value value, struct gd_splice *out);

#endif
