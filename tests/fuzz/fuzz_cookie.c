/*
 * Cookies of an upstream. The input is lines: a host, a path, and Set-Cookie fields as an
 * answer has them. What is kept keeps to the bounds, is for the host that set it, and
 * makes a valid Cookie field; the counters agree with the jar.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/stat.h"
#include "http/cookie.h"
#include "upstream/jar.h"

enum { NOW = 1700000000, FIELDS_MAX = 100 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gd_span next_line(struct gd_span *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct gd_span line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};

    rest->ptr += line.len + (end != NULL);
    rest->len -= line.len + (end != NULL);
    return line;
}

struct seen {
    struct gd_span host;
    size_t count, bytes;
};

static void check(void *arg, const struct gd_jar_cookie *cookie)
{
    struct seen *seen = arg;

    seen->count++;
    seen->bytes +=
        cookie->name.len + cookie->value.len + cookie->domain.len + cookie->path.len;
    if (!gd_is_token(cookie->name) ||
        (cookie->value.len && (!gd_is_field_value(cookie->value) ||
                               memchr(cookie->value.ptr, ';', cookie->value.len))))
        abort();
    if (!gd_cookie_domain_matches(seen->host, cookie->domain) || cookie->path.len == 0 ||
        cookie->path.ptr[0] != '/')
        abort();
}

static size_t sent(struct gd_jar *jar, const struct gd_jar_place *place)
{
    const struct gd_jar_cookie *cookie = NULL;
    size_t count = 0;

    while ((cookie = gd_jar_next(jar, place, NOW, cookie)))
        count++;
    return count;
}

static void use(const struct gd_jar_place *place, const struct gd_fields *fields)
{
    uint64_t stats[GD_UPSTREAM_STATS] = {0};
    struct gd_jar *jar = gd_jar_new(stats);
    struct gd_jar_place nowhere = {
        .host = GD_SPAN("nowhere.invalid"), .path = place->path, .secure = true};
    struct seen seen = {.host = place->host};

    gd_jar_store(jar, place, fields, NOW);
    gd_jar_each(jar, NOW, check, &seen);
    if (seen.count != stats[GD_UPSTREAM_COOKIES] || seen.count > GD_JAR_COOKIES ||
        seen.bytes > GD_JAR_BYTES || sent(jar, place) > seen.count)
        abort();
    if (seen.count + stats[GD_UPSTREAM_COOKIES_REFUSED] > fields->count)
        abort();
    if (!gd_span_ieq(place->host, nowhere.host) && sent(jar, &nowhere) > 0)
        abort();
    gd_jar_free(jar);
    if (stats[GD_UPSTREAM_COOKIES] != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gd_span rest = {(const char *)data, size};
    struct gd_field items[FIELDS_MAX];
    struct gd_fields fields = {items, 0};
    struct gd_jar_place place = {.host = next_line(&rest)};

    place.path = next_line(&rest);
    if (!gd_is_field_value(place.host) || !gd_is_field_value(place.path))
        return 0;
    while (rest.len && fields.count < FIELDS_MAX) {
        struct gd_span line = next_line(&rest);

        if (line.len == 0 || gd_is_field_value(line))
            items[fields.count++] =
                (struct gd_field){GD_FIELD_OTHER, GD_SPAN("Set-Cookie"), line};
    }
    use(&place, &fields);
    return 0;
}
