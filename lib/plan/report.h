#ifndef GD_PLAN_REPORT_H
#define GD_PLAN_REPORT_H
/**
 * The report: everything that is wrong with a configuration, collected while it is read
 * and handed out in the order of file, line and column.
 */
#include <stdarg.h>

#include "plan/dict.h"
#include "plan/load.h"

struct gd_report_line;
struct gd_yaml_node;

/** Zeroed memory is an empty report without files. */
struct gd_report {
    char **files; /* owned; their numbers stand in nodes and lines */
    unsigned file_count;
    struct gd_report_line *lines;
    size_t count, cap;
    struct gd_dict said; /* the lines by their text */
    size_t dropped;      /* found when the report was full */
};

enum { GD_REPORT_LINES = 100 };

/** A place in a file. line 0: the file as a whole. */
struct gd_place {
    unsigned file, line, col;
};

/** Adds a file; returns its number. */
unsigned gd_report_file(struct gd_report *report, const char *name);

/** Reports what is wrong at a place, without a path. Returns false. */
bool gd_report_place(struct gd_report *report, struct gd_place place, const char *fmt,
                     ...) __attribute__((format(printf, 3, 4)));

/** Reports what is wrong with a value, at its place and with its path. Returns false. */
bool gd_report_value(struct gd_report *report, const struct gd_yaml_node *node,
                     const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** As gd_report_value, at the place of the value's key. */
bool gd_report_key(struct gd_report *report, const struct gd_yaml_node *node,
                   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** As gd_report_value, `offset` characters into a scalar that stands on one line as it
 *  was read; otherwise at its start. */
bool gd_report_inside(struct gd_report *report, const struct gd_yaml_node *node,
                      size_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Whether so much was reported that what comes now is hardly shown: a reason to save the
 *  search for what was meant. */
bool gd_report_crowded(const struct gd_report *report);

/** Whether nothing was reported. */
bool gd_report_empty(const struct gd_report *report);

/** Moves the lines into findings, sorted, each once, at most GD_REPORT_LINES. */
void gd_report_finish(struct gd_report *report, struct gd_findings *findings);

/** Releases everything. */
void gd_report_free(struct gd_report *report);

/** Words for messages; the memory is the caller's and lives as long as the message. */
struct gd_words {
    char text[200];
};

/** `text` in quotes, shortened when it is long. */
const char *gd_words_quote(struct gd_words *words, struct gd_span text);

/** What stands at a node: `a list`, `a map`, `"text"`, `nothing`. The value of a
 *  `${…}` is never shown, it may be a secret. */
const char *gd_words_found(struct gd_words *words, const struct gd_yaml_node *node);

/** `FILE:LINE:COL` of a node's key, or of the node when it has none. */
const char *gd_words_place(struct gd_words *words, const struct gd_report *report,
                           const struct gd_yaml_node *node);

#endif
