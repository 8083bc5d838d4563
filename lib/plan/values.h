#ifndef GD_PLAN_VALUES_H
#define GD_PLAN_VALUES_H
/**
 * What references stand for in one request: parameters, facts of the request, and what
 * the calls have yielded so far.
 */
#include "plan/facts.h"
#include "plan/ref.h"

/** A JSON text that is indexed when something inside of it is first asked for. */
struct gd_doc {
    struct gd_span text; /* valid, without white space around; ptr NULL: no value */
    struct gd_tape tape; /* gd_tape_init was called by the owner */
    gd_node root;        /* once indexed: the text on the tape, which may be of more */
    bool indexed;
};

/** What a call has yielded. Zeroed: nothing (yet, or it failed without a default). */
struct gd_yield {
    int status;          /* of its answer; 0: none */
    struct gd_span head; /* of its answer, as received; empty: none */
    struct gd_doc whole; /* what other calls see: all that the upstream sent */
    struct gd_doc
        *shown; /* what answers show: cut to size; `whole` where nothing is cut */
};

/** Where paths into bodies and calls have led: what many expansions mention is looked up
 *  once. Zeroed: nothing yet; full: the rest is looked up each time. */
struct gd_seen {
    struct {
        const struct gd_json_step *steps; /* of the path: what tells it apart */
        const struct gd_tape *tape;       /* it was looked up in */
        struct gd_json_value value;       /* tape NULL: there is none */
    } paths[16];
    unsigned count;
};

/** All borrowed, for as long as it is used. */
struct gd_values {
    const struct gd_span *params; /* canonical encoded, as in struct gd_match */
    unsigned param_count;
    const struct gd_facts *facts;
    struct gd_doc *body;       /* of the request, NULL when nothing mentions it */
    struct gd_yield *yields;   /* by the index of the call; NULL: no calls */
    struct gd_json_value item; /* of a call with each; tape NULL: none */
    bool showing;              /* for an answer: parts as they are shown */
    struct gd_seen *seen; /* NULL: nothing is kept; else yields and body stay the same
                             as long as it is used */
};

/** Takes the value of bytes as the text when it is valid (see gd_json_scan), and makes
 * its tape on the way, unless there is no memory for it. False when it is not valid. */
GD_MUST_CHECK bool gd_doc_scan(struct gd_doc *doc, struct gd_span bytes,
                               unsigned max_depth);

/** Makes the tape of a text; false when it is at its bounds. */
GD_MUST_CHECK bool gd_doc_index(struct gd_doc *doc);

/** Narrows the text to what the path finds first in it, else to null. False when it is
 *  at its bounds. */
GD_MUST_CHECK bool gd_doc_select(struct gd_doc *doc, const struct gd_json_path *path);

/** The value of an indexed text. */
static inline struct gd_json_value gd_doc_value(const struct gd_doc *doc)
{
    return (struct gd_json_value){&doc->tape, doc->root};
}

/** Releases the index. */
void gd_doc_free(struct gd_doc *doc);

/** How a text that was found is written. */
enum gd_coding {
    GD_CODED_PLAIN,
    GD_CODED_PERCENT, /* as in a path */
    GD_CODED_FORM,    /* as in a query: "+" is a space */
};

/** What a reference stands for. */
struct gd_found {
    enum {
        GD_FOUND_NOTHING,
        GD_FOUND_TEXT,
        GD_FOUND_NUMBER, /* a status */
        GD_FOUND_JSON,   /* one value; also null */
        GD_FOUND_MANY,   /* the path has a `[*]`: look with gd_json_path_each */
        GD_FOUND_NO_MEMORY,
    } kind;
    struct gd_span text; /* TEXT */
    enum gd_coding coding;
    int number;
    struct gd_json_value json; /* JSON; MANY: where the path starts */
};

/** Looks a reference up. */
struct gd_found gd_values_find(const struct gd_values *values, const struct gd_ref *ref);

/** Whether the value can be told: not while it belongs to a part, an item or a body that
 * is not there (NULL), or to a fact of the request that is not known (ptr NULL). */
bool gd_values_know(const struct gd_values *values, const struct gd_ref *ref);

/** Whether what was found is one plain text for people: a string, number or boolean. Not
 *  null, lists and objects. */
bool gd_found_is_scalar(const struct gd_found *found);

/** Appends what was found as plain text, decoded: strings without quotes, numbers and
 *  booleans as they are written; of MANY (path: that of the reference) all, with commas
 *  between. False when it is no text, or past the buffer's bound (then *full). */
GD_MUST_CHECK bool gd_found_text(const struct gd_found *found,
                                 const struct gd_json_path *path, struct gd_buf *out,
                                 bool *full);

#endif
