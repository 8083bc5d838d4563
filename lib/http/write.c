#include "http/write.h"

#include <stdio.h>

#include "http/chars.h"

bool gd_write_status_line(struct gd_buf *buf, int status)
{
    const char *reason;
    size_t len;
    char *at;

    if (status < 100 || status > 999)
        return false;
    reason = gd_status_reason(status);
    len = strlen(reason);
    if (!gd_buf_reserve(buf, 13 + len + 2))
        return false;
    at = buf->data + buf->len;
    memcpy(at, "HTTP/1.1 ", 9);
    at[9] = (char)('0' + status / 100);
    at[10] = (char)('0' + status / 10 % 10);
    at[11] = (char)('0' + status % 10);
    at[12] = ' ';
    memcpy(at + 13, reason, len);
    memcpy(at + 13 + len, "\r\n", 2);
    buf->len += 13 + len + 2;
    return true;
}

static bool is_visible(struct gd_span text)
{
    const char *end = text.ptr + text.len;

    return text.len > 0 && memchr(text.ptr, ' ', text.len) == NULL &&
           gd_find_control(text.ptr, end, true) == end;
}

bool gd_write_request_line(struct gd_buf *buf, struct gd_span method,
                           struct gd_span target)
{
    static const char tail[] = " HTTP/1.1\r\n";
    const size_t tail_len = sizeof(tail) - 1;
    char *at;

    if (!gd_is_token(method) || !is_visible(target) ||
        target.len > SIZE_MAX - method.len - 1 - tail_len ||
        !gd_buf_reserve(buf, method.len + 1 + target.len + tail_len))
        return false;
    at = buf->data + buf->len;
    memcpy(at, method.ptr, method.len);
    at[method.len] = ' ';
    at += method.len + 1;
    memcpy(at, target.ptr, target.len);
    memcpy(at + target.len, tail, tail_len);
    buf->len += method.len + 1 + target.len + tail_len;
    return true;
}

bool gd_write_field(struct gd_buf *buf, struct gd_span name, struct gd_span value)
{
    char *at;

    if (!gd_is_token(name) || !gd_is_field_value(value) ||
        value.len > SIZE_MAX - name.len - 4 ||
        !gd_buf_reserve(buf, name.len + 2 + value.len + 2))
        return false;
    at = buf->data + buf->len;
    memcpy(at, name.ptr, name.len);
    memcpy(at + name.len, ": ", 2);
    at += name.len + 2;
    if (value.len)
        memcpy(at, value.ptr, value.len);
    memcpy(at + value.len, "\r\n", 2);
    buf->len += name.len + 2 + value.len + 2;
    return true;
}

bool gd_write_field_u64(struct gd_buf *buf, struct gd_span name, uint64_t value)
{
    char digits[20];

    return gd_write_field(buf, name,
                          (struct gd_span){digits, gd_u64_digits(value, digits)});
}

bool gd_write_end(struct gd_buf *buf)
{
    return gd_buf_add(buf, "\r\n", 2);
}

struct gd_span gd_write_chunk_line(char room[GD_CHUNK_LINE_ROOM], size_t bytes)
{
    char *end = room + GD_CHUNK_LINE_ROOM, *at = end - 2;

    if (bytes == 0)
        return GD_SPAN("");
    memcpy(at, "\r\n", 2);
    for (; bytes; bytes >>= 4)
        *--at = "0123456789abcdef"[bytes & 15];
    return (struct gd_span){at, (size_t)(end - at)};
}

struct gd_span gd_chunk_end(size_t bytes, bool last)
{
    if (bytes == 0)
        return last ? GD_SPAN("0\r\n\r\n") : GD_SPAN("");
    return last ? GD_SPAN("\r\n0\r\n\r\n") : GD_SPAN("\r\n");
}

struct civil {
    int year, month, day; /* month 1 to 12 */
};

/* Days since 1970-01-01 to the Gregorian date. Years are counted from March, so that the
 * leap day is the last of its year, in eras of 400 years (146097 days). */
static struct civil civil_of(int64_t days)
{
    int64_t shifted = days + 719468; /* days since 0000-03-01 */
    int64_t era = shifted / 146097;
    int64_t in_era = shifted % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153; /* 0 is March */

    return (struct civil){
        .year = (int)(year + era * 400 + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(in_year - (153 * month + 2) / 5 + 1),
    };
}

struct gd_span gd_date_write(int64_t wall_s, char room[GD_DATE_ROOM])
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const int64_t last = 253402300799; /* of the year 9999, the end of the format */
    int64_t second = wall_s < 0 ? 0 : wall_s > last ? last : wall_s;
    struct civil civil = civil_of(second / 86400);
    int of_day = (int)(second % 86400);
    char text[80]; /* as the compiler sees it, numbers may be long */

    snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             days + second / 86400 % 7 * 3, civil.day, months + (civil.month - 1) * 3,
             civil.year % 10000, of_day / 3600, of_day / 60 % 60, of_day % 60);
    memcpy(room, text, GD_DATE_ROOM);
    return (struct gd_span){room, GD_DATE_ROOM - 1};
}

struct gd_span gd_date_line(struct gd_date *date, int64_t wall_s)
{
    if (date->len == 0 || date->second != wall_s) {
        char room[GD_DATE_ROOM];

        gd_date_write(wall_s, room);
        date->len =
            (size_t)snprintf(date->line, sizeof(date->line), "Date: %s\r\n", room);
        date->second = wall_s;
    }
    return (struct gd_span){date->line, date->len};
}
