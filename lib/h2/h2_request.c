#include "h2/inside.h"

#include "http/token.h"

/* A request's head: from the text of HTTP/1.1, which is our own, to fields. */

static void add(struct gd_h2_request *request, struct gd_span name, struct gd_span value)
{
    request->fields[request->count++] = (nghttp2_nv){.name = (uint8_t *)name.ptr,
                                                     .value = (uint8_t *)value.ptr,
                                                     .namelen = name.len,
                                                     .valuelen = value.len};
}

/* The text up to `stop`, which is dropped with it from what is left. */
static struct gd_span take_until(struct gd_span *rest, struct gd_span stop)
{
    const char *at = memmem(rest->ptr, rest->len, stop.ptr, stop.len);
    struct gd_span taken = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
    size_t used = at ? taken.len + stop.len : taken.len;

    *rest = (struct gd_span){rest->ptr + used, rest->len - used};
    return taken;
}

/* RFC 9113 8.2.2: what is about one connection of HTTP/1.1 has no place here. */
static bool is_of_connection(enum gd_field_id id, struct gd_span name)
{
    return id == GD_FIELD_CONNECTION || id == GD_FIELD_KEEP_ALIVE || id == GD_FIELD_TE ||
           id == GD_FIELD_TRANSFER_ENCODING || id == GD_FIELD_UPGRADE ||
           gd_span_ieq(name, GD_SPAN("Proxy-Connection")) ||
           gd_span_ieq(name, GD_SPAN("HTTP2-Settings"));
}

/* RFC 7541 7.1.3: a table that many requests share must not make secrets guessable. */
static bool is_secret(enum gd_field_id id, struct gd_span name)
{
    return id == GD_FIELD_AUTHORIZATION || id == GD_FIELD_COOKIE ||
           gd_span_ieq(name, GD_SPAN("Proxy-Authorization"));
}

static void take_field(struct gd_h2_request *request, nghttp2_nv *authority,
                       struct gd_span name, struct gd_span value)
{
    enum gd_field_id id = gd_field_id_of(name);

    if (id == GD_FIELD_HOST) {
        authority->value = (uint8_t *)value.ptr;
        authority->valuelen = value.len;
        return;
    }
    if (id == GD_FIELD_TRANSFER_ENCODING)
        request->chunked = true;
    if (is_of_connection(id, name))
        return;
    if (id == GD_FIELD_CONTENT_LENGTH)
        request->sized = gd_span_u64(value, &request->length);
    add(request, name, value);
    if (is_secret(id, name))
        request->fields[request->count - 1].flags = NGHTTP2_NV_FLAG_NO_INDEX;
}

bool gd_h2_request_read(struct gd_h2_request *request, struct gd_span head, bool https)
{
    struct gd_span line = take_until(&head, GD_SPAN("\r\n"));
    nghttp2_nv *authority;

    request->count = 0;
    request->sized = request->chunked = false;
    request->length = 0;
    add(request, GD_SPAN(":method"), take_until(&line, GD_SPAN(" ")));
    add(request, GD_SPAN(":path"), take_until(&line, GD_SPAN(" ")));
    add(request, GD_SPAN(":scheme"), https ? GD_SPAN("https") : GD_SPAN("http"));
    authority = &request->fields[request->count];
    add(request, GD_SPAN(":authority"), GD_SPAN(""));
    for (line = take_until(&head, GD_SPAN("\r\n")); line.len;
         line = take_until(&head, GD_SPAN("\r\n"))) {
        struct gd_span name = take_until(&line, GD_SPAN(":"));

        if (request->count == GD_H2_REQUEST_FIELDS)
            return false;
        take_field(request, authority, name, gd_span_trim(line, " \t"));
    }
    return true;
}
