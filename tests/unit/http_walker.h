#ifndef GD_TESTS_HTTP_WALKER_H
#define GD_TESTS_HTTP_WALKER_H
/**
 * Reads a stream of requests as a connection would, in any segmentation, and writes down
 * what it saw. The bytes held are moved to a heap block of their exact size at every
 * step, so that a read past them, or a span kept across calls, is seen by the sanitizer.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/body.h"
#include "http/head.h"

#ifndef WALKER_LIMITS
enum { WALKER_FIELDS = 100, WALKER_LINE = 8000, WALKER_HEAD = 16384 };
#endif

static const struct gd_head_limits walker_limits = {WALKER_LINE, WALKER_HEAD,
                                                    WALKER_FIELDS};

struct walker {
    char *held; /* bytes not yet used up */
    size_t len;
    struct gd_head_state state;
    struct gd_request_head head;
    struct gd_body body;
    bool in_body, stopped;
    char verdict[256]; /* "200 200 cl": statuses, and cl when the connection closes */
    char *trace;       /* all that the heads and bodies said */
    size_t trace_len, trace_cap;
};

static inline void walker_note(struct walker *walker, const char *bytes, size_t len)
{
    if (walker->trace_len + len > walker->trace_cap) {
        walker->trace_cap = 2 * (walker->trace_len + len);
        walker->trace = realloc(walker->trace, walker->trace_cap);
        if (!walker->trace)
            abort();
    }
    if (len)
        memcpy(walker->trace + walker->trace_len, bytes, len);
    walker->trace_len += len;
}

static inline void walker_notef(struct walker *walker, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static inline void walker_notef(struct walker *walker, const char *fmt, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    walker_note(walker, text, (size_t)len);
}

static inline void walker_say(struct walker *walker, const char *word)
{
    size_t len = strlen(walker->verdict);

    snprintf(walker->verdict + len, sizeof(walker->verdict) - len, "%s%s", len ? " " : "",
             word);
}

static inline void walker_refuse(struct walker *walker, int status)
{
    char text[12];

    snprintf(text, sizeof(text), "%d", status);
    walker_say(walker, text);
    walker->stopped = true;
}

static inline void walker_use(struct walker *walker, size_t n)
{
    char *rest = malloc(walker->len - n + (walker->len == n));

    if (!rest)
        abort();
    memcpy(rest, walker->held + n, walker->len - n);
    free(walker->held);
    walker->held = rest;
    walker->len -= n;
}

static inline void walker_note_head(struct walker *walker)
{
    const struct gd_request_head *head = &walker->head;

    walker_note(walker, head->method_text.ptr, head->method_text.len);
    walker_notef(walker, " %d ", (int)head->method);
    walker_note(walker, head->target.ptr, head->target.len);
    walker_notef(walker, " %u host ", head->minor);
    walker_note(walker, head->host.ptr, head->host.len);
    walker_notef(walker, " framing %d %ju %d %d %zu\n", (int)head->framing,
                 (uintmax_t)head->content_length, head->keep_alive, head->expect_continue,
                 head->bytes);
    for (unsigned i = 0; i < head->fields.count; i++) {
        const struct gd_field *field = &head->fields.items[i];

        walker_notef(walker, "%d ", (int)field->id);
        walker_note(walker, field->name.ptr, field->name.len);
        walker_note(walker, "=", 1);
        walker_note(walker, field->value.ptr, field->value.len);
        walker_note(walker, "\n", 1);
    }
}

/* Both return whether there may be more to do with the bytes held. */
static inline bool walker_head(struct walker *walker)
{
    struct gd_field fields[WALKER_FIELDS];
    enum gd_parse result;

    memset(fields, 0xa5, sizeof(fields));
    memset(&walker->head, 0xa5, sizeof(walker->head));
    result =
        gd_request_head_parse(&walker->state, (struct gd_span){walker->held, walker->len},
                              &walker_limits, fields, &walker->head);
    if (result == GD_PARSE_REFUSED)
        walker_refuse(walker, gd_refusal_status(walker->state.refusal));
    if (result != GD_PARSE_DONE)
        return false;
    walker_note_head(walker);
    walker->in_body = true;
    gd_body_init(&walker->body, walker->head.framing, walker->head.content_length);
    walker->state = (struct gd_head_state){0};
    walker_use(walker, walker->head.bytes);
    return true;
}

static inline bool walker_body(struct walker *walker)
{
    enum gd_body_result result;
    struct gd_span data;
    size_t used;

    result = gd_body_step(&walker->body, (struct gd_span){walker->held, walker->len},
                          &used, &data);
    if (result == GD_BODY_DATA)
        walker_note(walker, data.ptr, data.len);
    walker_use(walker, used);
    if (result == GD_BODY_BAD)
        walker_refuse(walker, 400);
    if (result == GD_BODY_DONE) {
        walker_say(walker, "200");
        walker->in_body = false;
        if (!walker->head.keep_alive) {
            walker_say(walker, "cl");
            walker->stopped = true;
        }
    }
    return result == GD_BODY_DATA || result == GD_BODY_DONE;
}

static inline void walker_feed(struct walker *walker, const char *bytes, size_t len)
{
    char *all = malloc(walker->len + len + 1 - (walker->len + len > 0));

    if (!all)
        abort();
    if (walker->len)
        memcpy(all, walker->held, walker->len);
    if (len)
        memcpy(all + walker->len, bytes, len);
    free(walker->held);
    walker->held = all;
    walker->len += len;
    while (!walker->stopped &&
           (walker->in_body ? walker_body(walker) : walker_head(walker)))
        ;
}

static inline void walker_free(struct walker *walker)
{
    free(walker->held);
    free(walker->trace);
    *walker = (struct walker){0};
}

static inline uint32_t walker_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Feeds all bytes in pieces of 1 to max_piece bytes; 0: in one piece. */
static inline void walker_run(struct walker *walker, const char *bytes, size_t len,
                              size_t max_piece, uint32_t *seed)
{
    *walker = (struct walker){0};
    for (size_t at = 0, n; at < len; at += n) {
        n = max_piece ? 1 + walker_random(seed) % max_piece : len;
        if (n > len - at)
            n = len - at;
        walker_feed(walker, bytes + at, n);
    }
}

#endif
