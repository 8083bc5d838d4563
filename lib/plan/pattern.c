#include "plan/route.h"

#include "base/suggest.h"
#include "http/target.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(struct gd_span name)
{
    if (name.len == 0 || !(is_letter(name.ptr[0]) || name.ptr[0] == '_'))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.ptr[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static struct gd_span cut(struct gd_span from, size_t start, size_t end)
{
    return (struct gd_span){from.ptr + start, end - start};
}

static bool holds(struct gd_span span, char c)
{
    return span.len && memchr(span.ptr, c, span.len) != NULL;
}

static bool full(struct gd_err *err)
{
    return gd_err_set(err, "there are too many routes for the memory of a configuration");
}

/* Method ------------------------------------------------------------------------------
 */

/* What is meant by a method that HTTP has no word of its own for. Other tokens are
 * methods as well (PURGE, PROPFIND), but a route that nobody asks for is no use. */
static bool check_other_method(struct gd_span text, struct gd_err *err)
{
    static const char *const known[] = {"GET",   "HEAD",    "POST",    "PUT",  "DELETE",
                                        "PATCH", "OPTIONS", "CONNECT", "TRACE"};
    const char *meant = gd_suggest(text, known, sizeof(known) / sizeof(*known));

    if (gd_span_is(text, "*") || gd_span_ieq(text, GD_SPAN("ANY")) ||
        gd_span_ieq(text, GD_SPAN("ALL")))
        return gd_err_set(err, "a route for all methods has none in front of its path");
    if (meant == NULL)
        return true;
    if (gd_span_ieq(text, gd_span_of(meant)))
        return gd_err_set(err, "methods are written in capitals: %s, not %.*s", meant,
                          GD_SPAN_ARG(text));
    return gd_err_set(err, "\"%.*s\" is not a method; did you mean \"%s\"?",
                      GD_SPAN_ARG(text), meant);
}

static bool parse_method(struct gd_span text, struct gd_arena *arena,
                         struct gd_pattern *out, struct gd_err *err)
{
    if (!gd_is_token(text))
        return gd_err_set(err, "\"%.*s\" is not a method", GD_SPAN_ARG(text));
    out->method = gd_method_of(text);
    if (out->method == GD_METHOD_CONNECT)
        return gd_err_set(err, "CONNECT can't be routed");
    if (out->method == GD_METHOD_OTHER && !check_other_method(text, err))
        return false;
    out->method_text = gd_arena_copy(arena, text);
    return out->method_text.ptr != NULL || full(err);
}

/* Host --------------------------------------------------------------------------------
 */

static bool has_port(struct gd_span host)
{
    const char *colon = host.len ? memrchr(host.ptr, ':', host.len) : NULL;

    return colon && !memchr(colon, ']', (size_t)(host.ptr + host.len - colon));
}

static bool parse_host(struct gd_span host, struct gd_arena *arena,
                       struct gd_pattern *out, struct gd_err *err)
{
    char *copy;

    if (holds(host, '*') || holds(host, '{'))
        return gd_err_set(err, "the host %.*s is a wildcard; a route's host is one name",
                          GD_SPAN_ARG(host));
    if (!gd_is_host(host) || host.len > 255)
        return gd_err_set(err, "\"%.*s\" is not a host name", GD_SPAN_ARG(host));
    if (has_port(host))
        return gd_err_set(err, "the host %.*s has a port; routes look at the name only",
                          GD_SPAN_ARG(host));
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    copy = gd_arena_text(arena, host);
    if (copy == NULL)
        return full(err);
    for (size_t i = 0; i < host.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] |= 0x20;
    out->host = (struct gd_span){copy, host.len};
    return true;
}

/* Path --------------------------------------------------------------------------------
 */

static bool parse_param(struct gd_span segment, bool last, struct gd_pattern *out,
                        struct gd_arena *arena, struct gd_err *err)
{
    struct gd_span name;
    bool tail;

    if (segment.len < 2 || segment.ptr[0] != '{' || segment.ptr[segment.len - 1] != '}')
        return gd_err_set(err,
                          "\"%.*s\": a placeholder has to be a whole segment, as in "
                          "/users/{id}",
                          GD_SPAN_ARG(segment));
    name = cut(segment, 1, segment.len - 1);
    tail = name.len > 3 && memcmp(name.ptr + name.len - 3, "...", 3) == 0;
    if (tail)
        name.len -= 3;
    if (!is_name(name))
        return gd_err_set(err,
                          "\"%.*s\" is not a placeholder: a name is made of letters, "
                          "digits, _ and -, and starts with a letter or _",
                          GD_SPAN_ARG(segment));
    if (tail && !last)
        return gd_err_set(err, "%.*s takes the rest of the path, so it has to be last",
                          GD_SPAN_ARG(segment));
    for (unsigned i = 0; i < out->param_count; i++)
        if (gd_span_eq(out->params[i], name))
            return gd_err_set(err, "the placeholder {%.*s} is there twice",
                              GD_SPAN_ARG(name));
    if (out->param_count == GD_PARAMS_MAX)
        return gd_err_set(err, "a route has at most %d placeholders", GD_PARAMS_MAX);
    name = gd_arena_copy(arena, name);
    if (name.ptr == NULL)
        return full(err);
    out->params[out->param_count++] = name;
    out->tail = tail;
    return true;
}

/* Appends "/" and the segment, with bytes above 127 escaped, to buf. */
static bool add_escaped(struct gd_buf *buf, struct gd_span segment)
{
    static const char hex[] = "0123456789ABCDEF";

    if (!gd_buf_add(buf, "/", 1))
        return false;
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        char escape[3] = {'%', hex[c >> 4], hex[c & 15]};

        if (!(c < 0x80 ? gd_buf_add(buf, &segment.ptr[i], 1)
                       : gd_buf_add(buf, escape, sizeof(escape))))
            return false;
    }
    return true;
}

/* Appends "/" and the canonical form of a literal segment to out. */
static bool add_literal(struct gd_span segment, struct gd_buf *scratch,
                        struct gd_buf *out, struct gd_err *err)
{
    struct gd_target target;
    size_t len;

    scratch->len = 0;
    if (!add_escaped(scratch, segment) || !gd_buf_reserve(scratch, scratch->len + 1))
        return full(err);
    len = scratch->len;
    if (gd_span_is(segment, "..") ||
        !gd_target_parse(gd_buf_span(scratch), scratch->data + len, &target) ||
        target.form != GD_TARGET_ORIGIN)
        return gd_err_set(err,
                          "\"%.*s\" can't be a segment of a path; other characters "
                          "are written as %%XX",
                          GD_SPAN_ARG(segment));
    if (segment.len && target.path.len == 1)
        return gd_err_set(err,
                          "\"%.*s\" can't be a segment of a path: requests never "
                          "have dot segments when they are routed",
                          GD_SPAN_ARG(segment));
    return gd_buf_add_span(out, target.path) || full(err);
}

static bool parse_segments(struct gd_span path, struct gd_pattern *out,
                           struct gd_arena *arena, struct gd_buf bufs[2],
                           struct gd_err *err)
{
    unsigned count = 0;
    size_t at = 1;

    while (at <= path.len) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.ptr) : path.len;
        struct gd_span segment = cut(path, at, end);

        if (++count > GD_SEGMENTS_MAX)
            return gd_err_set(err, "a route has at most %d segments", GD_SEGMENTS_MAX);
        if (!holds(segment, '{') && !holds(segment, '}')) {
            if (!add_literal(segment, &bufs[1], &bufs[0], err))
                return false;
        } else {
            if (!parse_param(segment, slash == NULL, out, arena, err))
                return false;
            if (!gd_buf_add(&bufs[0], "/", 1) || !gd_buf_add_span(&bufs[0], segment))
                return full(err);
        }
        at = end + 1;
    }
    return true;
}

static bool parse_path(struct gd_span path, struct gd_arena *arena,
                       struct gd_pattern *out, struct gd_err *err)
{
    struct gd_buf bufs[2]; /* the canonical path, scratch */
    bool ok;

    if (holds(path, '?') || holds(path, '#'))
        return gd_err_set(err, "a route is a path only; %s is not part of it",
                          holds(path, '?') ? "a query (?...)" : "a fragment (#...)");
    if (holds(path, ' '))
        return gd_err_set(err, "there is a space in the path; write it as %%20");
    gd_buf_init(&bufs[0], NULL, 65536);
    gd_buf_init(&bufs[1], NULL, 65536 * 3);
    ok = parse_segments(path, out, arena, bufs, err);
    if (ok) {
        out->path = gd_arena_copy(arena, gd_buf_span(&bufs[0]));
        ok = out->path.ptr != NULL || full(err);
    }
    gd_buf_free(&bufs[0]);
    gd_buf_free(&bufs[1]);
    return ok;
}

bool gd_pattern_parse(struct gd_span text, struct gd_arena *arena, struct gd_pattern *out,
                      struct gd_err *err)
{
    const char *space = text.len ? memchr(text.ptr, ' ', text.len) : NULL;
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    struct gd_span rest = text;

    *out = (struct gd_pattern){.method = GD_METHOD_OTHER};
    if (text.len > 4096)
        return gd_err_set(err, "a route of more than 4096 characters is not accepted");
    if (space && (slash == NULL || space < slash)) {
        size_t len = (size_t)(space - text.ptr);

        if (!parse_method(cut(text, 0, len), arena, out, err))
            return false;
        rest = gd_span_trim(cut(text, len, text.len), " ");
    }
    slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    if (slash == NULL)
        return gd_err_set(err,
                          "\"%.*s\" has no path; a route is [METHOD ][HOST]/PATH, as "
                          "in GET /users/{id}",
                          GD_SPAN_ARG(text));
    if (slash > rest.ptr && slash[-1] == ':' && slash + 1 < rest.ptr + rest.len &&
        slash[1] == '/')
        return gd_err_set(err, "a route has no scheme; write [METHOD ][HOST]/PATH, as in "
                               "GET api.example.com/users/{id}");
    if (slash != rest.ptr &&
        !parse_host(cut(rest, 0, (size_t)(slash - rest.ptr)), arena, out, err))
        return false;
    return parse_path(cut(rest, (size_t)(slash - rest.ptr), rest.len), arena, out, err);
}
