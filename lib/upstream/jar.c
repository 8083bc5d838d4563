#include "upstream/jar.h"

#include <libpsl.h>
#include <pthread.h>

#include "base/mem.h"
#include "base/stat.h"
#include "http/cookie.h"

enum { DOMAIN_MAX = 255 };

struct gd_jar {
    pthread_mutex_t lock;
    struct gd_jar_cookie *first; /* longer paths first, then older ones */
    unsigned count;
    size_t bytes;
    uint64_t made, sent;
    uint64_t *stats;
};

struct gd_jar *gd_jar_new(uint64_t *stats)
{
    struct gd_jar *jar = gd_alloc(sizeof(*jar));

    pthread_mutex_init(&jar->lock, NULL);
    jar->stats = stats;
    return jar;
}

static size_t size_of(const struct gd_jar_cookie *cookie)
{
    return cookie->name.len + cookie->value.len + cookie->domain.len + cookie->path.len;
}

static void drop(struct gd_jar *jar, struct gd_jar_cookie **at)
{
    struct gd_jar_cookie *cookie = *at;

    *at = cookie->next;
    jar->count--;
    jar->bytes -= size_of(cookie);
    gd_stat_add(&jar->stats[GD_UPSTREAM_COOKIES], -1);
    gd_free(cookie);
}

void gd_jar_free(struct gd_jar *jar)
{
    if (jar == NULL)
        return;
    while (jar->first)
        drop(jar, &jar->first);
    pthread_mutex_destroy(&jar->lock);
    gd_free(jar);
}

/* Keeping -----------------------------------------------------------------------------
 */

/* Whether everybody may have names below it, so that a cookie for all of them would go to
 * strangers. */
static bool is_public_suffix(struct gd_span domain)
{
    const psl_ctx_t *list = psl_builtin();
    char name[DOMAIN_MAX + 1];

    if (domain.len > DOMAIN_MAX || list == NULL)
        return true;
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.ptr[i];

        name[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    name[domain.len] = '\0';
    return psl_is_public_suffix(list, name);
}

/* Fills in what a cookie that came from place is for (RFC 6265 5.3). False: it is
 * refused.
 */
static bool settle(const struct gd_set_cookie *from, const struct gd_jar_place *place,
                   struct gd_jar_cookie *cookie)
{
    struct gd_span domain = from->domain;

    /* A host may be a public suffix itself, and then speaks for itself alone. */
    if (domain.len && is_public_suffix(domain)) {
        if (!gd_span_ieq(domain, place->host))
            return false;
        domain = GD_SPAN_NONE;
    }
    if (domain.len && !gd_cookie_domain_matches(place->host, domain))
        return false;
    *cookie = (struct gd_jar_cookie){
        .name = from->name,
        .value = from->value,
        .domain = domain.len ? domain : place->host,
        .path = from->path.ptr ? from->path : gd_cookie_default_path(place->path),
        .host_only = domain.len == 0,
        .secure = from->secure,
        .persistent = from->persistent,
        .expires_s = from->persistent ? from->expires_s : INT64_MAX,
    };
    return size_of(cookie) <= GD_JAR_COOKIE_BYTES;
}

static char *put(struct gd_span *span, char *at)
{
    if (span->len)
        memcpy(at, span->ptr, span->len);
    span->ptr = at;
    return at + span->len;
}

/* A copy with its texts behind it. */
static struct gd_jar_cookie *copy_of(const struct gd_jar_cookie *cookie)
{
    struct gd_jar_cookie *copy = gd_alloc(sizeof(*copy) + size_of(cookie));
    char *at = (char *)(copy + 1);

    *copy = *cookie;
    at = put(&copy->name, at);
    at = put(&copy->value, at);
    at = put(&copy->domain, at);
    put(&copy->path, at);
    return copy;
}

/* Puts a cookie in the place of the one it renews, whose age it keeps. */
static void insert(struct gd_jar *jar, const struct gd_jar_cookie *cookie)
{
    struct gd_jar_cookie *copy = copy_of(cookie), **at = &jar->first;

    copy->made = jar->made++;
    copy->sent = jar->sent++;
    while (*at) {
        if (gd_span_eq((*at)->name, copy->name) &&
            gd_span_ieq((*at)->domain, copy->domain) &&
            gd_span_eq((*at)->path, copy->path)) {
            copy->made = (*at)->made;
            drop(jar, at);
        } else {
            at = &(*at)->next;
        }
    }
    at = &jar->first;
    while (*at && ((*at)->path.len > copy->path.len ||
                   ((*at)->path.len == copy->path.len && (*at)->made < copy->made)))
        at = &(*at)->next;
    copy->next = *at;
    *at = copy;
    jar->count++;
    jar->bytes += size_of(copy);
    gd_stat_inc(&jar->stats[GD_UPSTREAM_COOKIES]);
}

static void drop_expired(struct gd_jar *jar, int64_t now_s)
{
    struct gd_jar_cookie **at = &jar->first;

    while (*at) {
        if ((*at)->expires_s <= now_s)
            drop(jar, at);
        else
            at = &(*at)->next;
    }
}

static void make_room(struct gd_jar *jar)
{
    while (jar->count > GD_JAR_COOKIES || jar->bytes > GD_JAR_BYTES) {
        struct gd_jar_cookie **oldest = &jar->first;

        for (struct gd_jar_cookie **at = &jar->first; *at; at = &(*at)->next)
            if ((*at)->sent < (*oldest)->sent)
                oldest = at;
        drop(jar, oldest);
        gd_stat_inc(&jar->stats[GD_UPSTREAM_COOKIES_EVICTED]);
    }
}

static bool is_set_cookie(const struct gd_field *field)
{
    return gd_span_ieq(field->name, GD_SPAN("set-cookie"));
}

void gd_jar_store(struct gd_jar *jar, const struct gd_jar_place *place,
                  const struct gd_fields *fields, int64_t now_s)
{
    struct gd_set_cookie from;
    struct gd_jar_cookie cookie;
    unsigned i = 0;

    while (i < fields->count && !is_set_cookie(&fields->items[i]))
        i++;
    if (i == fields->count)
        return;
    pthread_mutex_lock(&jar->lock);
    for (; i < fields->count; i++) {
        if (!is_set_cookie(&fields->items[i]))
            continue;
        if (gd_set_cookie_read(fields->items[i].value, now_s, &from) &&
            settle(&from, place, &cookie))
            insert(jar, &cookie);
        else
            gd_stat_inc(&jar->stats[GD_UPSTREAM_COOKIES_REFUSED]);
        /* One whose time is over takes the one it renews away with it. */
        drop_expired(jar, now_s);
        make_room(jar);
    }
    pthread_mutex_unlock(&jar->lock);
}

/* Sending -----------------------------------------------------------------------------
 */

static bool is_for(const struct gd_jar_cookie *cookie, const struct gd_jar_place *place,
                   int64_t now_s)
{
    if (cookie->expires_s <= now_s || (cookie->secure && !place->secure))
        return false;
    return (cookie->host_only ? gd_span_ieq(place->host, cookie->domain)
                              : gd_cookie_domain_matches(place->host, cookie->domain)) &&
           gd_cookie_path_matches(place->path, cookie->path);
}

const struct gd_jar_cookie *gd_jar_next(struct gd_jar *jar,
                                        const struct gd_jar_place *place, int64_t now_s,
                                        const struct gd_jar_cookie *after)
{
    struct gd_jar_cookie *cookie = after ? after->next : jar->first;

    while (cookie && !is_for(cookie, place, now_s))
        cookie = cookie->next;
    if (cookie)
        cookie->sent = jar->sent++;
    return cookie;
}

void gd_jar_each(struct gd_jar *jar, int64_t now_s,
                 void (*fn)(void *arg, const struct gd_jar_cookie *cookie), void *arg)
{
    pthread_mutex_lock(&jar->lock);
    for (struct gd_jar_cookie *cookie = jar->first; cookie; cookie = cookie->next)
        if (cookie->expires_s > now_s)
            fn(arg, cookie);
    pthread_mutex_unlock(&jar->lock);
}
