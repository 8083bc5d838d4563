#ifndef GD_PLAN_FINISH_H
#define GD_PLAN_FINISH_H
/**
 * What a route makes of its answers, whatever kind it is: fields, validators, codings.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/** Who may read answers in a browser from another origin (the fetch standard's CORS). */
struct gd_plan_cors {
    bool any;                      /* `*` */
    const struct gd_span *origins; /* `https://a.example`, or with `*.` before the host */
    unsigned origin_count;
    struct gd_span methods; /* `GET, POST`; empty: the one that is asked for, if a route
                               has it */
    struct gd_span headers; /* request fields; empty: those that are asked for */
    struct gd_span expose;  /* fields of answers that scripts may read */
    bool credentials;
    uint32_t max_age_s;
};

enum { GD_COMPRESS_CODINGS_MAX = 2 };

/** What is sent in a content coding to clients that take it. */
struct gd_plan_compress {
    size_t min;                  /* bytes of the content */
    const struct gd_span *types; /* `text/html`, or `text/` with a star behind */
    unsigned type_count;
    unsigned level;
    struct gd_span
        words[GD_COMPRESS_CODINGS_MAX];       /* `br`, `gzip`: the liked ones first */
    uint8_t codings[GD_COMPRESS_CODINGS_MAX]; /* enum gd_content_coding */
    unsigned coding_count;
};

struct gd_plan_finish {
    struct gd_span lines; /* fields of every answer, problems included, each with CRLF */
    const struct gd_plan_cors *cors; /* NULL: none */
    struct gd_span cache_control;    /* of complete answers; empty: it is not said */
    const struct gd_plan_compress *compress; /* NULL: never */
    bool etag;
    bool server_timing;
    bool any; /* whole answers are not to be sent as they are */
};

/** Whether scripts of an origin, as a browser writes it, may read answers. A wildcard
 *  stands for one label or more. */
bool gd_cors_allows(const struct gd_plan_cors *cors, struct gd_span origin);

/** Whether contents of a type, given as in Content-Type, are compressed. */
bool gd_compress_has(const struct gd_plan_compress *compress, struct gd_span type);

/** Reads an origin of the configuration: scheme, host and maybe a port, in lower case, no
 *  path; `*.` may stand before the host. False with err. */
GD_MUST_CHECK bool gd_cors_check(struct gd_span origin, struct gd_err *err);

#endif
