#ifndef GD_PLAN_LOAD_H
#define GD_PLAN_LOAD_H
/**
 * From a file to a plan, or to the list of everything that is wrong with it.
 *
 * check, start and (later) reload run this very code.
 */
#include "base/bytes.h"
#include "plan/plan.h"

/** One finding, already as `FILE:LINE:COL: path.to.key: what is wrong`. */
struct gd_findings {
    char **lines; /* owned, in the order of file and line */
    size_t count;
};

void gd_findings_free(struct gd_findings *findings);

/** env: where `${NAME}` is looked up; NULL: getenv. */
struct gd_load_options {
    const char *(*env)(void *arg, const char *name);
    void *env_arg;
    struct gd_tickets *tickets; /* of the plan before it, so that sessions outlive a
                                   reload; NULL: new ones */
};

/** Loads and compiles file. Returns a plan with one reference, or NULL with at least one
 *  finding (at most 100; the last says how many were left out). options may be NULL. */
struct gd_plan *gd_plan_load(const char *file, const struct gd_load_options *options,
                             struct gd_findings *findings);

/** As gd_plan_load from memory; name stands for the file in messages, and `include` is
 *  relative to its folder. */
struct gd_plan *gd_plan_load_text(const char *name, struct gd_span text,
                                  const struct gd_load_options *options,
                                  struct gd_findings *findings);

/** Appends the JSON Schema of the file, or the Markdown reference of its options. Both
 *  are printed from the schema table. */
GD_MUST_CHECK bool gd_schema_json(struct gd_buf *out);
GD_MUST_CHECK bool gd_schema_reference(struct gd_buf *out);

#endif
