#include "http/cookie.h"

#include "http/chars.h"
#include "http/token.h"

static const char white[] = " \t";

/* What is in front of the first `c`; rest: what is behind it. */
static struct gd_span cut(struct gd_span *rest, char c)
{
    const char *found = rest->len ? memchr(rest->ptr, c, rest->len) : NULL;
    size_t len = found ? (size_t)(found - rest->ptr) : rest->len;
    struct gd_span front = {rest->ptr, len};

    rest->ptr += len + (found != NULL);
    rest->len -= len + (found != NULL);
    return front;
}

/* Dates -------------------------------------------------------------------------------
 */

/* The parts of a date that were found so far. */
struct date {
    unsigned day, month, year, hour, minute, second;
    bool has_time, has_day, has_month, has_year;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads low to high digits that no further digit follows; *at is moved behind them. */
static bool take_number(struct gd_span text, size_t *at, size_t low, size_t high,
                        unsigned *out)
{
    size_t start = *at;

    *out = 0;
    while (*at < text.len && is_digit(text.ptr[*at]) && *at - start <= high)
        *out = *out * 10 + (unsigned)(text.ptr[(*at)++] - '0');
    return *at - start >= low && *at - start <= high;
}

static bool take_time(struct gd_span token, struct date *date)
{
    unsigned *const parts[] = {&date->hour, &date->minute, &date->second};
    size_t at = 0;

    for (int i = 0; i < 3; i++) {
        if (i > 0 && (at == token.len || token.ptr[at++] != ':'))
            return false;
        if (!take_number(token, &at, 1, 2, parts[i]))
            return false;
    }
    return true;
}

static bool take_month(struct gd_span token, struct date *date)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

    token.len = token.len > 3 ? 3 : token.len;
    for (unsigned i = 0; i < 12; i++)
        if (gd_span_ieq(token, (struct gd_span){names + 3 * i, 3})) {
            date->month = i + 1;
            return true;
        }
    return false;
}

/* Takes a token for the first part that is still wanted and fits. */
static void take_token(struct gd_span token, struct date *date)
{
    size_t at = 0;

    if (!date->has_time && take_time(token, date)) {
        date->has_time = true;
    } else if (!date->has_day && take_number(token, &at, 1, 2, &date->day)) {
        date->has_day = true;
    } else if (!date->has_month && take_month(token, date)) {
        date->has_month = true;
    } else if (!date->has_year) {
        at = 0;
        date->has_year = take_number(token, &at, 2, 4, &date->year);
    }
}

/* Days from 1970-01-01; months begin in March, so that the leap day is the last one. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return 365 * y + y / 4 - y / 100 + y / 400 + of_year - 719468;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool is_separator(char c)
{
    unsigned char u = (unsigned char)c;

    return u == '\t' || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) ||
           (u >= 0x5b && u <= 0x60) || (u >= 0x7b && u <= 0x7e);
}

bool gd_cookie_date_read(struct gd_span text, int64_t *wall_s)
{
    struct date date = {.day = 0};

    for (size_t at = 0; at < text.len;) {
        size_t start;

        while (at < text.len && is_separator(text.ptr[at]))
            at++;
        start = at;
        while (at < text.len && !is_separator(text.ptr[at]))
            at++;
        if (at > start)
            take_token((struct gd_span){text.ptr + start, at - start}, &date);
    }
    if (!date.has_time || !date.has_day || !date.has_month || !date.has_year)
        return false;
    if (date.year < 100)
        date.year += date.year < 70 ? 2000 : 1900;
    if (date.year < 1601 || date.day < 1 || date.day > days_in(date.year, date.month) ||
        date.hour > 23 || date.minute > 59 || date.second > 59)
        return false;
    *wall_s = days_of(date.year, date.month, date.day) * 86400 + date.hour * 3600 +
              date.minute * 60 + date.second;
    return true;
}

/* Set-Cookie --------------------------------------------------------------------------
 */

enum { AGE_DIGITS = 10 }; /* more are as good as for ever */

/* `Max-Age` as seconds, at least 0; false when it is none. */
static bool read_age(struct gd_span text, int64_t *seconds)
{
    bool minus = text.len && text.ptr[0] == '-';
    size_t digits = minus;

    while (digits < text.len && is_digit(text.ptr[digits]))
        digits++;
    if (digits < text.len || digits == minus)
        return false;
    *seconds = 0;
    for (size_t i = 0; !minus && i < text.len && i < AGE_DIGITS; i++)
        *seconds = *seconds * 10 + (text.ptr[i] - '0');
    return true;
}

/* has_age: Max-Age counts more than Expires, wherever it stands. */
static void read_attribute(struct gd_span name, struct gd_span value, int64_t now_s,
                           bool *has_age, struct gd_set_cookie *out)
{
    int64_t seconds;

    if (gd_span_ieq(name, GD_SPAN("secure"))) {
        out->secure = true;
    } else if (gd_span_ieq(name, GD_SPAN("max-age")) && read_age(value, &seconds)) {
        *has_age = out->persistent = true;
        out->expires_s = now_s + seconds;
    } else if (gd_span_ieq(name, GD_SPAN("expires")) && !*has_age) {
        if (gd_cookie_date_read(value, &seconds)) {
            out->persistent = true;
            out->expires_s = seconds;
        }
    } else if (gd_span_ieq(name, GD_SPAN("domain")) && value.len) {
        size_t dot = value.ptr[0] == '.';

        out->domain = (struct gd_span){value.ptr + dot, value.len - dot};
    } else if (gd_span_ieq(name, GD_SPAN("path"))) {
        out->path = value.len && value.ptr[0] == '/' ? value : GD_SPAN_NONE;
    }
}

bool gd_set_cookie_read(struct gd_span field, int64_t now_s, struct gd_set_cookie *out)
{
    struct gd_span pair = cut(&field, ';'), name;
    bool has_age = false;

    *out = (struct gd_set_cookie){.secure = false};
    if (pair.len == 0 || memchr(pair.ptr, '=', pair.len) == NULL)
        return false;
    name = cut(&pair, '=');
    out->name = gd_span_trim(name, white);
    out->value = gd_span_trim(pair, white);
    if (!gd_is_token(out->name) ||
        (out->value.len && (!gd_is_field_value(out->value) ||
                            memchr(out->value.ptr, '\t', out->value.len))))
        return false;
    while (field.len) {
        struct gd_span value = cut(&field, ';');

        name = cut(&value, '=');
        read_attribute(gd_span_trim(name, white), gd_span_trim(value, white), now_s,
                       &has_age, out);
    }
    return true;
}

/* Matching ----------------------------------------------------------------------------
 */

/* An address is no name: nothing lies below it. */
static bool is_address(struct gd_span host)
{
    size_t last = host.len;

    if (memchr(host.ptr, ':', host.len))
        return true;
    while (last > 0 && host.ptr[last - 1] != '.')
        last--;
    return last < host.len && is_digit(host.ptr[last]);
}

bool gd_cookie_domain_matches(struct gd_span host, struct gd_span domain)
{
    size_t above;

    if (gd_span_ieq(host, domain))
        return true;
    if (domain.len == 0 || host.len <= domain.len || is_address(host))
        return false;
    above = host.len - domain.len;
    return host.ptr[above - 1] == '.' &&
           gd_span_ieq((struct gd_span){host.ptr + above, domain.len}, domain);
}

bool gd_cookie_path_matches(struct gd_span path, struct gd_span of_cookie)
{
    if (!gd_span_starts(path, of_cookie))
        return false;
    return path.len == of_cookie.len ||
           (of_cookie.len && of_cookie.ptr[of_cookie.len - 1] == '/') ||
           path.ptr[of_cookie.len] == '/';
}

struct gd_span gd_cookie_default_path(struct gd_span path)
{
    size_t len = path.len;

    if (len == 0 || path.ptr[0] != '/')
        return GD_SPAN("/");
    while (path.ptr[len - 1] != '/')
        len--;
    return (struct gd_span){path.ptr, len > 1 ? len - 1 : 1};
}
