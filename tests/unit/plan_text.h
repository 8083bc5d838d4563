#ifndef GD_TESTS_PLAN_TEXT_H
#define GD_TESTS_PLAN_TEXT_H
/**
 * For tests of configurations: load a text and compare all that is said about it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan/load.h"

/* The environment of the tests. */
static const char *test_env(void *arg, const char *name)
{
    static const char *const names[][2] = {
        {"PORT", "8081"}, {"HOST", "10.1.2.3"}, {"EMPTY", ""}, {"SECRET", "s3cret"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], name) == 0)
            return names[i][1];
    return NULL;
}

static const struct gd_load_options test_options = {.env = test_env};

/** Loads text as gw.yaml; it must be accepted. Returns a reference. */
static inline struct gd_plan *plan_accept_span(struct gd_span text)
{
    struct gd_findings findings;
    struct gd_plan *plan = gd_plan_load_text("gw.yaml", text, &test_options, &findings);

    for (size_t i = 0; i < findings.count; i++)
        fprintf(stderr, "%s\n", findings.lines[i]);
    ck_assert_uint_eq(findings.count, 0);
    ck_assert_ptr_nonnull(plan);
    gd_findings_free(&findings);
    return plan;
}

static inline struct gd_plan *plan_accept(const char *text)
{
    return plan_accept_span(gd_span_of(text));
}

/** The findings must be exactly these lines (NULL ends); frees them. */
static inline void plan_compare(struct gd_findings *findings, const char *const *lines)
{
    size_t count = 0;

    while (count < findings->count && lines[count]) {
        ck_assert_str_eq(findings->lines[count], lines[count]);
        count++;
    }
    if (count < findings->count)
        ck_abort_msg("said besides: %s", findings->lines[count]);
    ck_assert_msg(lines[count] == NULL, "not said: %s", lines[count]);
    gd_findings_free(findings);
}

/** Loads text as gw.yaml; it must be refused with exactly these lines. */
static inline void plan_refuse_span(struct gd_span text, const char *const *lines)
{
    struct gd_findings findings;

    ck_assert_ptr_null(gd_plan_load_text("gw.yaml", text, &test_options, &findings));
    plan_compare(&findings, lines);
}

/** The path of a file of this project; NULL when the tests run elsewhere. */
static inline const char *project_file(const char *name, char *out, size_t size)
{
    const char *root = getenv("GD_ROOT");

    if (root == NULL)
        return NULL;
    snprintf(out, size, "%s/%s", root, name);
    return out;
}

#define PLAN_REFUSE(text, ...)                                                           \
    plan_refuse_span(gd_span_of(text), (const char *const[]){__VA_ARGS__, NULL})

#endif
