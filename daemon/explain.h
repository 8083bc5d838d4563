#ifndef GD_DAEMON_EXPLAIN_H
#define GD_DAEMON_EXPLAIN_H
/**
 * `gatherd explain`: what a configuration does with a request, without calling anything.
 */
#include "base/err.h"
#include "http/head.h"
#include "plan/plan.h"

enum { GD_EXPLAIN_FIELDS_MAX = 100 };

/** The arguments, read. Spans borrow from them. */
struct gd_explain_command {
    const char *file;
    struct gd_span method, target;
    struct gd_field items[GD_EXPLAIN_FIELDS_MAX];
    struct gd_fields fields;
    bool json;
};

/** Reads `FILE [METHOD] TARGET`, `-H 'Name: value'` and `--json`, in any order of the
 *  options. False with err: what is wrong with them. */
GD_MUST_CHECK bool gd_explain_read(int argc, char **argv,
                                   struct gd_explain_command *command,
                                   struct gd_err *err);

/** Prints the explanation to standard output; returns the exit code. False with err, and
 *  nothing printed, when no request can be like that. */
GD_MUST_CHECK bool gd_explain_print(const struct gd_plan *plan,
                                    const struct gd_explain_command *command, int *code,
                                    struct gd_err *err);

#endif
