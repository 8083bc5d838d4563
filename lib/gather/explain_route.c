#include <limits.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "gather/explain_inside.h"
#include "http/problem.h"

/* Which route takes a request, which others came near, and why they lost. */

/* Paths segment by segment --------------------------------------------------------------
 */

enum segment_kind { SEGMENT_LITERAL, SEGMENT_PARAM, SEGMENT_TAIL, SEGMENT_NONE };

/* Takes the next segment from the front of a path; false at its end. */
static bool next_segment(struct gd_span *path, struct gd_span *segment)
{
    const char *slash;
    size_t len;

    if (path->len == 0)
        return false;
    slash = memchr(path->ptr + 1, '/', path->len - 1);
    len = slash ? (size_t)(slash - path->ptr) : path->len;
    *segment = (struct gd_span){path->ptr + 1, len - 1};
    path->ptr += len;
    path->len -= len;
    return true;
}

/* The kind of a segment of a pattern. A brace of its own is escaped there. */
static enum segment_kind kind_of(struct gd_span segment)
{
    struct gd_span end = {segment.ptr + segment.len - 4, 4};

    if (segment.len == 0 || *segment.ptr != '{')
        return SEGMENT_LITERAL;
    return segment.len > 4 && gd_span_is(end, "...}") ? SEGMENT_TAIL : SEGMENT_PARAM;
}

static bool segment_fits(struct gd_span pattern, struct gd_span segment)
{
    return kind_of(pattern) == SEGMENT_LITERAL ? gd_span_eq(pattern, segment)
                                               : segment.len > 0;
}

static bool path_fits(struct gd_span pattern, struct gd_span path)
{
    struct gd_span wanted, segment;

    while (next_segment(&pattern, &wanted)) {
        if (!next_segment(&path, &segment))
            return false;
        if (kind_of(wanted) == SEGMENT_TAIL)
            return true;
        if (!segment_fits(wanted, segment))
            return false;
    }
    return path.len == 0;
}

/* Why another one lost ------------------------------------------------------------------
 */

enum loss {
    LOSS_NONE, /* its path does not fit */
    LOSS_HOST,
    LOSS_METHOD,
    LOSS_NO_HOST,
    LOSS_PATH,
    LOSS_ANY_METHOD,
};

static const char *const loss_words[] = {"",        "host", "method",
                                         "no_host", "path", "any_method"};

static bool host_fits(const struct gd_explaining *x, const struct gd_plan_route *route)
{
    char room[GD_HOST_MAX];
    struct gd_span host = x->facts.host;

    return route->host.len == 0 ||
           (host.ptr && gd_span_eq(gd_router_host(host, room), route->host));
}

static bool method_fits(const struct gd_explaining *x, const struct gd_plan_route *route)
{
    if (route->method_text.len == 0)
        return true;
    return gd_span_eq(route->method_text, x->facts.method) ||
           (x->method == GD_METHOD_HEAD && route->method == GD_METHOD_GET);
}

/* The first segments in which two patterns that fit one path are different. */
static bool find_difference(struct gd_span won, struct gd_span lost,
                            struct gd_span *won_segment, struct gd_span *lost_segment)
{
    while (next_segment(&won, won_segment) && next_segment(&lost, lost_segment))
        if (kind_of(*won_segment) != kind_of(*lost_segment))
            return true;
    return false;
}

static enum loss loss_of(const struct gd_explaining *x, const struct gd_plan_route *other)
{
    struct gd_span won, lost;

    if (other == x->route || !path_fits(other->path, x->facts.path))
        return LOSS_NONE;
    if (!host_fits(x, other))
        return LOSS_HOST;
    if (!method_fits(x, other))
        return LOSS_METHOD;
    if (x->route == NULL)
        return LOSS_NONE;
    if (x->route->host.len && other->host.len == 0)
        return LOSS_NO_HOST;
    return find_difference(x->route->path, other->path, &won, &lost) ? LOSS_PATH
                                                                     : LOSS_ANY_METHOD;
}

static bool write_path_loss(const struct gd_explaining *x,
                            const struct gd_plan_route *other, struct gd_buf *out)
{
    struct gd_span won, lost;

    if (!find_difference(x->route->path, other->path, &won, &lost))
        return true;
    return gd_buf_addf(out, "less specific: %.*s stands where the winner has %.*s",
                       GD_SPAN_ARG(lost), GD_SPAN_ARG(won));
}

static bool write_loss(const struct gd_explaining *x, const struct gd_plan_route *other,
                       enum loss loss, struct gd_buf *out)
{
    switch (loss) {
    case LOSS_NONE:
        break;
    case LOSS_HOST:
        return gd_buf_addf(out, "another host: %.*s", GD_SPAN_ARG(other->host));
    case LOSS_METHOD:
        return gd_buf_addf(out, "another method: %.*s", GD_SPAN_ARG(other->method_text));
    case LOSS_NO_HOST:
        return gd_buf_add_text(out, "for any host, and the winner names this one");
    case LOSS_PATH:
        return write_path_loss(x, other, out);
    case LOSS_ANY_METHOD:
        if (other->method_text.len == 0)
            return gd_buf_add_text(out, "for any method, and the winner names this one");
        return gd_buf_add_text(out, "HEAD is answered from GET only where no route names "
                                    "HEAD");
    }
    return true;
}

static json_t *other_json(const struct gd_explaining *x,
                          const struct gd_plan_route *other, enum loss loss)
{
    json_t *json =
        json_pack("{s:s, s:s}", "route", other->pattern, "lost_by", loss_words[loss]);
    struct gd_buf why;

    gd_buf_init(&why, NULL, GD_EXPLAIN_TEXT_MAX);
    if (write_loss(x, other, loss, &why))
        json_object_set_new(json, "why", gd_explain_span(gd_buf_span(&why)));
    gd_buf_free(&why);
    return json;
}

/* Sets "others"; returns how many of them could have taken the request. */
static unsigned set_others(const struct gd_explaining *x, json_t *document)
{
    json_t *others = json_array();
    unsigned rivals = 0, left_out = 0;

    for (unsigned i = 0; i < x->plan->route_count; i++) {
        const struct gd_plan_route *other = &x->plan->routes[i];
        enum loss loss = loss_of(x, other);

        rivals += loss > LOSS_METHOD;
        if (loss == LOSS_NONE)
            continue;
        if (json_array_size(others) < GD_EXPLAIN_ROUTES_MAX)
            json_array_append_new(others, other_json(x, other, loss));
        else
            left_out++;
    }
    json_object_set_new(document, "others", others);
    if (left_out)
        json_object_set_new(document, "others_left_out", json_integer(left_out));
    return rivals;
}

/* No route ------------------------------------------------------------------------------
 */

/* Segments of a path that are looked at for slips of the pen, which costs time. */
enum { SEGMENTS_SUGGESTED = 4 };

/* How far the segment at a place is from the one of a pattern. */
static unsigned segment_distance(unsigned at, struct gd_span pattern,
                                 struct gd_span segment)
{
    char room[64];
    const char *known = room;

    if (segment_fits(pattern, segment))
        return 0;
    if (at >= SEGMENTS_SUGGESTED || pattern.len >= sizeof(room) ||
        kind_of(pattern) != SEGMENT_LITERAL)
        return 3;
    memcpy(room, pattern.ptr, pattern.len);
    room[pattern.len] = '\0';
    return gd_suggest(segment, &known, 1) ? 1 : 3;
}

/* How far a path is from a pattern; UINT_MAX: nothing of it is alike. */
static unsigned path_distance(struct gd_span pattern, struct gd_span path)
{
    struct gd_span wanted, segment;
    unsigned distance = 0, alike = 0;

    for (unsigned at = 0; next_segment(&pattern, &wanted); at++) {
        unsigned d = 2;

        if (path.len && kind_of(wanted) == SEGMENT_TAIL)
            return alike ? distance : UINT_MAX;
        if (next_segment(&path, &segment))
            d = segment_distance(at, wanted, segment);
        alike += d < 2 && kind_of(wanted) == SEGMENT_LITERAL && wanted.len;
        distance += d;
    }
    while (next_segment(&path, &segment))
        distance += 2;
    return alike ? distance : UINT_MAX;
}

struct near {
    const struct gd_plan_route *route;
    unsigned distance;
};

/* Puts a route among the nearest, in order; the first of equally near ones stays first.
 */
static void note_near(struct near *near, struct near one)
{
    for (unsigned i = 0; i < GD_EXPLAIN_NEAREST_MAX; i++)
        if (one.distance < near[i].distance) {
            struct near pushed = near[i];

            near[i] = one;
            one = pushed;
        }
}

static void set_nearest(const struct gd_explaining *x, json_t *document)
{
    struct near near[GD_EXPLAIN_NEAREST_MAX];
    json_t *nearest = json_array();

    for (unsigned i = 0; i < GD_EXPLAIN_NEAREST_MAX; i++)
        near[i] = (struct near){NULL, UINT_MAX};
    for (unsigned i = 0; i < x->plan->route_count; i++) {
        const struct gd_plan_route *route = &x->plan->routes[i];

        note_near(near, (struct near){route, path_distance(route->path, x->facts.path)});
    }
    for (unsigned i = 0; i < GD_EXPLAIN_NEAREST_MAX && near[i].route; i++)
        json_array_append_new(nearest, json_string(near[i].route->pattern));
    json_object_set_new(document, "nearest", nearest);
}

static void set_allow(const struct gd_explaining *x, json_t *document)
{
    struct gd_buf list;

    gd_buf_init(&list, NULL, GD_EXPLAIN_TEXT_MAX);
    if (gd_methods_write(&list, x->match.allow | 1U << GD_METHOD_OPTIONS))
        json_object_set_new(document, "allow", gd_explain_span(gd_buf_span(&list)));
    gd_buf_free(&list);
}

/* ---------------------------------------------------------------------------------------
 */

static const char *why_of(const struct gd_explaining *x, unsigned rivals)
{
    if (x->result == GD_MATCH_FOUND)
        return rivals ? "the most specific of the routes that fit"
                      : "the only route whose host, method and path fit";
    if (x->result == GD_MATCH_NONE)
        return "no route has this path";
    return x->method == GD_METHOD_OPTIONS
               ? "gatherd answers OPTIONS itself where no route does"
               : "the path is there, but not with this method";
}

void gd_explain_choice(const struct gd_explaining *x, json_t *document)
{
    unsigned rivals = set_others(x, document);

    json_object_set_new(document, "why", json_string(why_of(x, rivals)));
    if (x->result == GD_MATCH_OTHER_METHOD)
        set_allow(x, document);
    if (x->result == GD_MATCH_NONE)
        set_nearest(x, document);
}
