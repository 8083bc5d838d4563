#include <stdio.h>

#include "plan/finish.h"
#include "plan/url.h"

/* The `*.` of an origin behind its scheme; NULL without. */
static const char *wildcard_of(struct gd_span origin)
{
    const char *at = memmem(origin.ptr, origin.len, "://*.", 5);

    return at ? at + 3 : NULL;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
}

/* One label or more in front of a domain: nothing that could end a host. */
static bool are_labels(struct gd_span text)
{
    if (text.len == 0 || *text.ptr == '.')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_host_char(text.ptr[i]))
            return false;
    return true;
}

static bool matches(struct gd_span pattern, struct gd_span origin)
{
    const char *star = wildcard_of(pattern);
    struct gd_span scheme, domain, labels;

    if (star == NULL)
        return gd_span_eq(pattern, origin);
    scheme = (struct gd_span){pattern.ptr, (size_t)(star - pattern.ptr)};
    domain = (struct gd_span){star + 1, pattern.len - scheme.len - 1}; /* `.example` */
    if (origin.len <= scheme.len + domain.len || !gd_span_starts(origin, scheme))
        return false;
    labels =
        (struct gd_span){origin.ptr + scheme.len, origin.len - scheme.len - domain.len};
    return are_labels(labels) &&
           gd_span_eq(domain, (struct gd_span){labels.ptr + labels.len, domain.len});
}

bool gd_cors_allows(const struct gd_plan_cors *cors, struct gd_span origin)
{
    if (cors->any)
        return true;
    for (unsigned i = 0; i < cors->origin_count; i++)
        if (matches(cors->origins[i], origin))
            return true;
    return false;
}

static bool has_upper(struct gd_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return true;
    return false;
}

bool gd_cors_check(struct gd_span origin, struct gd_err *err)
{
    const char *star = wildcard_of(origin);
    struct gd_url url = {.rest = GD_SPAN_NONE};
    char plain[300];
    size_t scheme = star ? (size_t)(star - origin.ptr) : origin.len;
    int len;

    /* Without the `*.` it is an ordinary one. */
    len = snprintf(plain, sizeof(plain), "%.*s%.*s", (int)scheme, origin.ptr,
                   star ? (int)(origin.len - scheme - 2) : 0, star ? star + 2 : "");
    if (len < 0 || (size_t)len >= sizeof(plain))
        return gd_err_set(err, "an origin has at most %zu bytes", sizeof(plain) - 1);
    if (!gd_url_split(gd_span_of(plain), &url, err) || !gd_url_check(&url, err))
        return false;
    if (url.rest.len)
        return gd_err_set(err, "an origin has no path, not even a slash at its end");
    if (has_upper(origin))
        return gd_err_set(err, "browsers write origins in lower case");
    if ((url.https && url.port == 443 && url.has_port) ||
        (!url.https && url.port == 80 && url.has_port))
        return gd_err_set(err, "browsers leave the port out where it is the usual one");
    return true;
}
