#include "gather/call.h"
#include "upstream/jar.h"

/* The cookies of a call: those of the browser that are passed on, and those of the jar
 * that its upstream has. */

/* NULL for most; then nothing else is to be done. */
static struct gd_jar *jar_of(struct gd_call *call)
{
    if (!call->plan->upstream->cookies)
        return NULL;
    return gd_upstream_jar(gd_gather_shared(call->gather)->upstreams,
                           call->plan->upstream->index);
}

bool gd_call_note_path(struct gd_call *call, struct gd_span target)
{
    const char *query;

    if (jar_of(call) == NULL)
        return true;
    query = memchr(target.ptr, '?', target.len);
    if (query)
        target.len = (size_t)(query - target.ptr);
    call->path = gd_arena_copy(gd_gather_about(call->gather)->arena, target);
    return call->path.ptr != NULL;
}

/* Where the request goes, by the name that its server is asked for. */
static struct gd_jar_place place_of(struct gd_call *call)
{
    const struct gd_plan_server *server = gd_lease_server(&call->lease);
    struct gd_span host = server->host_line;
    size_t front = sizeof("Host: ") - 1;
    const char *end;

    host = gd_span_trim((struct gd_span){host.ptr + front, host.len - front}, "\r\n");
    end = memrchr(host.ptr, host.ptr[0] == '[' ? ']' : ':', host.len);
    if (end)
        host.len = (size_t)(end - host.ptr) + (host.ptr[0] == '[');
    return (struct gd_jar_place){
        .host = host, .path = call->path, .secure = server->https};
}

static bool add(struct gd_buf *request, bool *first, struct gd_span name,
                struct gd_span value)
{
    bool ok = gd_buf_add_text(request, *first ? "Cookie: " : "; ") &&
              gd_buf_add_span(request, name) && gd_buf_add(request, "=", 1) &&
              gd_buf_add_span(request, value);

    *first = false;
    return ok;
}

/* The value of a browser's cookie that is passed on; ptr NULL when there is none. */
static struct gd_span forwarded(struct gd_call *call, struct gd_span name)
{
    struct gd_ref ref = {.source = GD_SOURCE_COOKIE, .name = name};
    struct gd_found found = gd_values_find(gd_gather_values(call->gather), &ref);

    return found.kind == GD_FOUND_TEXT ? found.text : GD_SPAN_NONE;
}

/* Whether the browser has sent a cookie of this name that is passed on. */
static bool is_forwarded(struct gd_call *call, struct gd_span name)
{
    const struct gd_plan_forward *forward = &call->plan->forward;

    for (unsigned i = 0; i < forward->cookie_count; i++)
        if (gd_span_eq(forward->cookies[i], name))
            return forwarded(call, name).ptr != NULL;
    return false;
}

static bool write_kept(struct gd_call *call, bool *first)
{
    struct gd_jar *jar = jar_of(call);
    const struct gd_jar_cookie *cookie = NULL;
    struct gd_jar_place place;
    int64_t now_s;

    if (jar == NULL)
        return true;
    now_s = gd_loop_wall_s(gd_gather_shared(call->gather)->loop);
    place = place_of(call);
    while ((cookie = gd_jar_next(jar, &place, now_s, cookie)))
        if (!is_forwarded(call, cookie->name) &&
            !add(&call->request, first, cookie->name, cookie->value))
            return false;
    return true;
}

bool gd_call_write_cookies(struct gd_call *call)
{
    const struct gd_plan_forward *forward = &call->plan->forward;
    bool first = true;

    for (unsigned i = 0; i < forward->cookie_count; i++) {
        struct gd_span value = forwarded(call, forward->cookies[i]);

        if (value.ptr && !add(&call->request, &first, forward->cookies[i], value))
            return false;
    }
    return write_kept(call, &first) && (first || gd_buf_add_text(&call->request, "\r\n"));
}

void gd_call_keep_cookies(struct gd_call *call)
{
    struct gd_jar *jar = jar_of(call);
    struct gd_field items[GD_REPLY_FIELDS_MAX];
    struct gd_response_head head;
    struct gd_jar_place place;

    if (jar == NULL || !gd_exchange_head(&call->exchange, items, &head))
        return;
    place = place_of(call);
    gd_jar_store(jar, &place, &head.fields,
                 gd_loop_wall_s(gd_gather_shared(call->gather)->loop));
}
