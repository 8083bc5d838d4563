#ifndef GD_PLAN_REF_H
#define GD_PLAN_REF_H
/**
 * References: what a placeholder `{…}`, a value `$…` and a condition mention.
 *
 *   id                      a path parameter of the route
 *   user  user.tags[0].x    the answer of a call, or a value inside of it
 *   user:status             its status
 *   user:header.location    a field of its answer
 *   query.n  header.x  cookie.sid      of the browser's request, also query["odd name"]
 *   body  body.items[0]     its body, which has to be JSON
 *   request.id|ip|method|path|host
 *   item  item.id           in a call with `each`: the value it is made for
 */
#include "base/arena.h"
#include "json/path.h"

enum gd_source {
    GD_SOURCE_PARAM,
    GD_SOURCE_QUERY,
    GD_SOURCE_HEADER,
    GD_SOURCE_COOKIE,
    GD_SOURCE_BODY,
    GD_SOURCE_CALL,
    GD_SOURCE_STATUS, /* of a call's answer */
    GD_SOURCE_FIELD,  /* of a call's answer */
    GD_SOURCE_REQUEST_ID,
    GD_SOURCE_REQUEST_IP,
    GD_SOURCE_REQUEST_METHOD,
    GD_SOURCE_REQUEST_PATH,
    GD_SOURCE_REQUEST_HOST,
    GD_SOURCE_ITEM,
};

struct gd_ref {
    enum gd_source source;
    unsigned index;           /* PARAM, CALL, STATUS, FIELD */
    bool tail;                /* PARAM: the rest of the path, may be empty */
    struct gd_span name;      /* QUERY, HEADER, COOKIE, FIELD */
    struct gd_json_path path; /* BODY, CALL, ITEM */
};

/** What may be mentioned at a place; all borrowed. */
struct gd_names {
    const struct gd_span *params; /* path parameters of the route */
    unsigned param_count;
    bool tail;                   /* the last one is a tail */
    const struct gd_span *calls; /* names of the route's calls, by index */
    unsigned call_count;
    uint64_t each; /* bits of the calls with each */
    bool request;  /* header, cookie, body and request */
    bool item;
};

static inline bool gd_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/** Whether a name can be made of it: letters, digits, `_ - $ @` and bytes above 127. */
static inline bool gd_is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || gd_is_digit(c) ||
           c == '_' || c == '-' || c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

/** The length of the longest reference text begins with; 0 when it begins with none. */
size_t gd_ref_length(struct gd_span text);

/** Compiles a reference; all of text has to be one. What is kept is owned by the arena.
 *  False with err: the sentence, which begins with what was written, shown as `shown`
 *  (for instance `{usr.id}`); it says what was meant where that can be guessed. */
GD_MUST_CHECK bool gd_ref_parse(struct gd_arena *arena, struct gd_span text,
                                struct gd_span shown, const struct gd_names *names,
                                struct gd_ref *ref, struct gd_err *err);

/** The bit of the call it mentions, or 0. */
static inline uint64_t gd_ref_needs(const struct gd_ref *ref)
{
    bool call = ref->source == GD_SOURCE_CALL || ref->source == GD_SOURCE_STATUS ||
                ref->source == GD_SOURCE_FIELD;

    return call ? UINT64_C(1) << ref->index : 0;
}

/** Whether it is the query parameter, header or cookie of that name. */
static inline bool gd_ref_names(const struct gd_ref *ref, enum gd_source source,
                                struct gd_span name)
{
    return ref->source == source &&
           (source == GD_SOURCE_HEADER ? gd_span_ieq(ref->name, name)
                                       : gd_span_eq(ref->name, name));
}

#endif
