#ifndef GD_HTTP_COOKIE_H
#define GD_HTTP_COOKIE_H
/**
 * Cookies as a client reads them (RFC 6265, section 5). Pure: what is kept, and for how
 * long, is decided elsewhere. Spans borrow from the input.
 */
#include "base/bytes.h"

/** What a Set-Cookie field says. */
struct gd_set_cookie {
    struct gd_span name, value;
    struct gd_span domain; /* without a leading dot, as sent; ptr NULL: none */
    struct gd_span path;   /* begins with "/"; ptr NULL: none */
    bool secure;
    bool persistent;   /* it has a time, else it lasts as long as the session */
    int64_t expires_s; /* of the wall clock, seconds since 1970 */
};

/** Reads the value of a field that came at now_s. False: it is to be ignored. Stricter
 *  than RFC 6265, since the cookie is sent again: the name is a token, and the value has
 *  no tab. */
GD_MUST_CHECK bool gd_set_cookie_read(struct gd_span field, int64_t now_s,
                                      struct gd_set_cookie *out);

/** Reads a date of Expires in any of the ways in which it is written (5.1.1). */
GD_MUST_CHECK bool gd_cookie_date_read(struct gd_span text, int64_t *wall_s);

/** Whether a host is a domain or lies below it (5.1.3), without regard to case. */
bool gd_cookie_domain_matches(struct gd_span host, struct gd_span domain);

/** Whether the path of a request is that of a cookie or lies below it (5.1.4). */
bool gd_cookie_path_matches(struct gd_span path, struct gd_span of_cookie);

/** The path of a cookie that does not say one: all but the last segment (5.1.4). */
struct gd_span gd_cookie_default_path(struct gd_span path);

#endif
