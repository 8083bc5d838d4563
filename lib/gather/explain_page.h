#ifndef GD_GATHER_EXPLAIN_PAGE_H
#define GD_GATHER_EXPLAIN_PAGE_H
/**
 * The text of an explanation: a row a fact, its label in front, aligned. Private to
 * explain_text*.c.
 */
#include "gather/explain_inside.h"
#include "plan/value.h"

struct gd_page {
    struct gd_buf *out;
    const char *indent;
    bool ok; /* false past the bound of out */
};

/** Adds text of our own. */
void gd_page_add(struct gd_page *page, const char *text);

/** Adds text that others wrote: no control character of it reaches a terminal. */
void gd_page_add_shown(struct gd_page *page, const char *text);

/** Adds a text as it is, anything else as JSON; names with commas between. */
void gd_page_add_value(struct gd_page *page, const json_t *value);
void gd_page_add_names(struct gd_page *page, const json_t *names);

/** Begins a row; an empty label goes on with what the row above is about. */
void gd_page_label(struct gd_page *page, const char *text);

/** Whole rows; none for a value that is NULL. */
void gd_page_row(struct gd_page *page, const char *text, const char *value);
void gd_page_row_value(struct gd_page *page, const char *text, const json_t *value);

/** A member as text, "" when it is none; a member of milliseconds as a duration. */
const char *gd_page_text_of(const json_t *object, const char *key);
const char *gd_page_duration_of(const json_t *object, const char *key,
                                struct gd_value_text *room);

/** The row of a call's or a pass's upstream; and what its options say, those
 *  of the document that say the same together. */
void gd_page_upstream(struct gd_page *page, const json_t *call);
void gd_page_upstreams(struct gd_page *page, const json_t *document);

#endif
