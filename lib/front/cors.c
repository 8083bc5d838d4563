#include "front/cors.h"

#include "base/loop.h"
#include "http/write.h"

enum { LINES_MAX_BYTES = 48 * 1024 }; /* a head has room for them */

bool gd_cors_owns(struct gd_span name)
{
    struct gd_span mine = GD_SPAN("Access-Control-");

    return name.len > mine.len && gd_span_ieq((struct gd_span){name.ptr, mine.len}, mine);
}

/* Answers for one origin differ from those for others, unless all may read them. */
static bool is_for_all(const struct gd_plan_cors *cors)
{
    return cors->any && !cors->credentials;
}

/* Who may read, as far as that is this origin. */
static bool write_origin(struct gd_buf *out, const struct gd_plan_cors *cors,
                         struct gd_span origin)
{
    return gd_write_field(out, GD_SPAN("Access-Control-Allow-Origin"),
                          is_for_all(cors) ? GD_SPAN("*") : origin) &&
           (!cors->credentials ||
            gd_write_field(out, GD_SPAN("Access-Control-Allow-Credentials"),
                           GD_SPAN("true")));
}

static bool write_lines(struct gd_buf *out, const struct gd_plan_finish *finish,
                        struct gd_span origin)
{
    const struct gd_plan_cors *cors = finish->cors;

    if (!gd_buf_add_span(out, finish->lines) ||
        (!is_for_all(cors) && !gd_write_field(out, GD_SPAN("Vary"), GD_SPAN("Origin"))))
        return false;
    if (!is_for_all(cors) && (origin.ptr == NULL || !gd_cors_allows(cors, origin)))
        return true;
    return write_origin(out, cors, origin) &&
           (cors->expose.len == 0 ||
            gd_write_field(out, GD_SPAN("Access-Control-Expose-Headers"), cors->expose));
}

struct gd_span gd_cors_lines(const struct gd_plan_finish *finish,
                             const struct gd_fields *fields, struct gd_arena *arena)
{
    struct gd_span lines = GD_SPAN_NONE;
    struct gd_buf out;

    if (finish->cors == NULL)
        return finish->lines;
    gd_buf_init(&out, arena->blocks, LINES_MAX_BYTES);
    if (write_lines(&out, finish, gd_fields_only(fields, GD_SPAN("Origin"))))
        lines = gd_arena_copy(arena, gd_buf_span(&out));
    gd_buf_free(&out);
    return lines;
}

/* Preflights --------------------------------------------------------------------------
 */

struct preflight {
    const struct gd_plan_cors *cors;
    struct gd_span origin, method, headers;
};

static bool lists(struct gd_span list, struct gd_span word)
{
    while (list.len) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.ptr) : list.len;
        struct gd_span one = gd_span_trim((struct gd_span){list.ptr, len}, " ");

        if (gd_span_eq(one, word))
            return true;
        len += comma != NULL;
        list = (struct gd_span){list.ptr + len, list.len - len};
    }
    return false;
}

static bool is_allowed(const struct preflight *preflight)
{
    const struct gd_plan_cors *cors = preflight->cors;

    return gd_cors_allows(cors, preflight->origin) &&
           (cors->methods.len == 0 || lists(cors->methods, preflight->method));
}

static bool write_preflight(struct gd_buf *out, const struct preflight *preflight)
{
    const struct gd_plan_cors *cors = preflight->cors;
    struct gd_span headers = cors->headers.len ? cors->headers : preflight->headers;

    return write_origin(out, cors, preflight->origin) &&
           gd_write_field(out, GD_SPAN("Access-Control-Allow-Methods"),
                          cors->methods.len ? cors->methods : preflight->method) &&
           (headers.len == 0 ||
            gd_write_field(out, GD_SPAN("Access-Control-Allow-Headers"), headers)) &&
           gd_write_field_u64(out, GD_SPAN("Access-Control-Max-Age"), cors->max_age_s);
}

/* One that is not allowed is told so by what is missing. */
static struct gd_span preflight_lines(const struct gd_plan_finish *finish,
                                      const struct preflight *preflight, bool allowed,
                                      struct gd_arena *arena)
{
    struct gd_span lines = GD_SPAN_NONE;
    struct gd_buf out;

    gd_buf_init(&out, arena->blocks, LINES_MAX_BYTES);
    if (gd_buf_add_span(&out, finish->lines) &&
        gd_write_field(&out, GD_SPAN("Vary"),
                       GD_SPAN("Origin, Access-Control-Request-Method, "
                               "Access-Control-Request-Headers")) &&
        (!allowed || write_preflight(&out, preflight)))
        lines = gd_arena_copy(arena, gd_buf_span(&out));
    gd_buf_free(&out);
    return lines;
}

/* The route that the request to come would take. */
static const struct gd_plan_route *find_route(const struct gd_plan *plan,
                                              const struct gd_request *request,
                                              struct gd_span method,
                                              struct gd_match *match)
{
    if (request->target.form == GD_TARGET_ASTERISK ||
        gd_router_match(plan->router, gd_method_of(method), method, request->head.host,
                        request->target.path, match) != GD_MATCH_FOUND)
        return NULL;
    return &plan->routes[match->index];
}

bool gd_cors_preflight(const struct gd_plan *plan, struct gd_request *request,
                       struct gd_match *match, uint64_t *counters)
{
    const struct gd_fields *fields = &request->head.fields;
    struct preflight preflight = {
        .origin = gd_fields_only(fields, GD_SPAN("Origin")),
        .method = gd_fields_only(fields, GD_SPAN("Access-Control-Request-Method")),
        .headers = gd_fields_only(fields, GD_SPAN("Access-Control-Request-Headers")),
    };
    struct gd_answer answer = {.status = 204};
    const struct gd_plan_route *route;
    bool allowed;

    if (preflight.origin.ptr == NULL || !gd_is_token(preflight.method))
        return false;
    route = find_route(plan, request, preflight.method, match);
    if (route == NULL || route->finish.cors == NULL)
        return false;
    preflight.cors = route->finish.cors;
    allowed = is_allowed(&preflight);
    gd_stat_inc(
        &counters[allowed ? GD_WORKER_PREFLIGHT_ALLOWED : GD_WORKER_PREFLIGHT_DENIED]);
    request->lines = preflight_lines(&route->finish, &preflight, allowed, request->arena);
    if (request->lines.ptr)
        gd_request_answer(request, &answer);
    else
        gd_request_problem(request, 503, "no memory is left for this request",
                           GD_SPAN(""), NULL, 0);
    return true;
}
