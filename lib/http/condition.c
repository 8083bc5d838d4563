#include "http/condition.h"

#define XXH_STATIC_LINKING_ONLY /* the state is one of ours, on the stack */
#include <xxhash.h>

#include "http/cookie.h"
#include "http/head_lines.h"

/* Entity tags ---------------------------------------------------------------------------
 */

struct gd_span gd_etag_of(const struct iovec *pieces, int count, char out[GD_ETAG_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    XXH128_canonical_t canonical;
    XXH3_state_t state;

    XXH3_INITSTATE(&state);
    XXH3_128bits_reset(&state);
    for (int i = 0; i < count; i++)
        XXH3_128bits_update(&state, pieces[i].iov_base, pieces[i].iov_len);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    for (size_t i = 0; i < sizeof(canonical.digest); i++) {
        out[1 + 2 * i] = digits[canonical.digest[i] >> 4];
        out[2 + 2 * i] = digits[canonical.digest[i] & 15];
    }
    out[0] = out[GD_ETAG_BYTES - 1] = '"';
    return (struct gd_span){out, GD_ETAG_BYTES};
}

static bool take_weak(struct gd_span *tag)
{
    if (!gd_span_starts(*tag, GD_SPAN("W/")))
        return false;
    tag->ptr += 2;
    tag->len -= 2;
    return true;
}

/* etagc: visible but the quote, and obs-text. */
static bool is_etag_char(char c)
{
    return (unsigned char)c > 0x20 && c != '"' && c != 0x7f;
}

/* Takes `W/"…"` or `"…"` off the front of the list; the tag has its quotes. */
static bool take_etag(struct gd_span *list, struct gd_span *tag, bool *weak)
{
    size_t n = 1;

    *weak = take_weak(list);
    if (list->len < 2 || *list->ptr != '"')
        return false;
    while (n < list->len && is_etag_char(list->ptr[n]))
        n++;
    if (n == list->len || list->ptr[n] != '"')
        return false;
    n++;
    *tag = (struct gd_span){list->ptr, n};
    list->ptr += n;
    list->len -= n;
    return true;
}

/* Takes the comma, or the end, that stands behind an element, and what is empty. */
static bool take_commas(struct gd_span *list)
{
    size_t n = 0;
    bool comma = false;

    while (n < list->len &&
           (list->ptr[n] == ' ' || list->ptr[n] == '\t' || list->ptr[n] == ',')) {
        comma |= list->ptr[n] == ',';
        n++;
    }
    list->ptr += n;
    list->len -= n;
    return comma || list->len == 0;
}

bool gd_etag_listed(struct gd_span list, struct gd_span etag, bool weak)
{
    struct gd_span opaque = etag, tag;
    bool is_weak = take_weak(&opaque), tag_weak;

    if (gd_span_is(gd_span_trim(list, " \t"), "*"))
        return true;
    take_commas(&list);
    while (take_etag(&list, &tag, &tag_weak)) {
        if (gd_span_eq(tag, opaque) && (weak || (!is_weak && !tag_weak)))
            return true;
        if (!take_commas(&list))
            return false;
    }
    return false;
}

/* Conditions ----------------------------------------------------------------------------
 */

/* Whether any line of a list field has the tag; *there: there is such a field. */
static bool any_lists(const struct gd_fields *fields, struct gd_span name,
                      struct gd_span etag, bool weak, bool *there)
{
    *there = false;
    for (unsigned i = 0; i < fields->count; i++) {
        if (!gd_span_ieq(fields->items[i].name, name))
            continue;
        *there = true;
        if (gd_etag_listed(fields->items[i].value, etag, weak))
            return true;
    }
    return false;
}

/* A date that stands once; a field that holds none is as if it was not there. */
static bool read_date(const struct gd_fields *fields, struct gd_span name, int64_t *out)
{
    struct gd_span text = gd_fields_only(fields, name);

    return text.ptr && gd_cookie_date_read(text, out);
}

static bool is_unmodified(const struct gd_fields *fields,
                          const struct gd_validators *validators)
{
    int64_t since;
    bool there,
        listed = any_lists(fields, GD_SPAN("If-Match"), validators->etag, false, &there);

    if (there)
        return listed;
    return validators->modified_s < 0 ||
           !read_date(fields, GD_SPAN("If-Unmodified-Since"), &since) ||
           validators->modified_s <= since;
}

enum gd_condition gd_condition_check(const struct gd_fields *fields,
                                     enum gd_method method,
                                     const struct gd_validators *validators)
{
    bool reads = method == GD_METHOD_GET || method == GD_METHOD_HEAD;
    bool there, listed;
    int64_t since;

    if (!is_unmodified(fields, validators))
        return GD_CONDITION_FAILED;
    listed = any_lists(fields, GD_SPAN("If-None-Match"), validators->etag, true, &there);
    if (there && listed)
        return reads ? GD_CONDITION_NOT_MODIFIED : GD_CONDITION_FAILED;
    if (!there && reads && validators->modified_s >= 0 &&
        read_date(fields, GD_SPAN("If-Modified-Since"), &since) &&
        validators->modified_s <= since)
        return GD_CONDITION_NOT_MODIFIED;
    return GD_CONDITION_HOLDS;
}

/* Ranges --------------------------------------------------------------------------------
 */

/* Takes digits off the front; a number that is too large is the largest. */
static bool take_number(struct gd_span *text, uint64_t *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9'; n++)
        if (__builtin_mul_overflow(*out, UINT64_C(10), out) ||
            __builtin_add_overflow(*out, (uint64_t)(text->ptr[n] - '0'), out))
            *out = UINT64_MAX / 16; /* beyond all contents, and stays there */
    text->ptr += n;
    text->len -= n;
    return n > 0;
}

static bool take_dash(struct gd_span *text)
{
    if (text->len == 0 || *text->ptr != '-')
        return false;
    text->ptr++;
    text->len--;
    return true;
}

/* `-N`: the last N bytes. */
static enum gd_range_result suffix_range(struct gd_span text, uint64_t size,
                                         struct gd_range *out)
{
    uint64_t count;

    if (!take_dash(&text) || !take_number(&text, &count) || text.len)
        return GD_RANGE_ALL;
    if (count == 0)
        return GD_RANGE_NONE;
    if (size == 0) /* there is no way to tell of a part of nothing */
        return GD_RANGE_ALL;
    out->bytes = count < size ? count : size;
    out->first = size - out->bytes;
    return GD_RANGE_PART;
}

static enum gd_range_result read_range(struct gd_span text, uint64_t size,
                                       struct gd_range *out)
{
    uint64_t first, last = UINT64_MAX;

    if (text.len && *text.ptr == '-')
        return suffix_range(text, size, out);
    if (!take_number(&text, &first) || !take_dash(&text) ||
        (text.len && !take_number(&text, &last)) || text.len || first > last)
        return GD_RANGE_ALL;
    if (first >= size)
        return GD_RANGE_NONE;
    if (last >= size)
        last = size - 1;
    *out = (struct gd_range){first, last - first + 1};
    return GD_RANGE_PART;
}

/* RFC 9110 13.1.5: a strong tag that is the same, or the very date of the last change,
 * when that is long enough ago that there was no other one in the same second. */
static bool is_same(struct gd_span text, const struct gd_validators *validators,
                    int64_t now_s)
{
    int64_t date;

    if (memchr(text.ptr, '"', text.len))
        return !gd_span_starts(text, GD_SPAN("W/")) && gd_span_eq(text, validators->etag);
    return gd_cookie_date_read(text, &date) && date == validators->modified_s &&
           now_s - date > 1;
}

enum gd_range_result gd_range_check(const struct gd_fields *fields, uint64_t size,
                                    const struct gd_validators *validators, int64_t now_s,
                                    struct gd_range *out)
{
    struct gd_span text = gd_fields_only(fields, GD_SPAN("Range")), unit = {text.ptr, 6};
    const struct gd_field *same = gd_fields_find(fields, GD_SPAN("If-Range"));

    if (text.ptr == NULL || text.len <= unit.len || !gd_span_ieq(unit, GD_SPAN("bytes=")))
        return GD_RANGE_ALL;
    if (same && (same->value.len == 0 || !is_same(same->value, validators, now_s)))
        return GD_RANGE_ALL;
    text.ptr += unit.len;
    text.len -= unit.len;
    return read_range(gd_span_trim(text, " \t"), size, out);
}
