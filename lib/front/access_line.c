#include "front/access_line.h"

#include <time.h>

#include "json/text.h"

const char *gd_end_word(enum gd_end how)
{
    static const char *const words[] = {
        [GD_END_ANSWERED] = "answered", [GD_END_REFUSED] = "refused",
        [GD_END_GONE] = "gone",         [GD_END_STALLED] = "stalled",
        [GD_END_ABORTED] = "aborted",
    };

    return words[how];
}

/* Time ----------------------------------------------------------------------------------
 */

void gd_access_clock_set(struct gd_access_clock *clock)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    clock->ahead_us = gd_wall_us() - ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

bool gd_access_time(struct gd_access_clock *clock, uint64_t loop_us, struct gd_buf *out)
{
    int64_t wall_us = (int64_t)loop_us + clock->ahead_us;
    int64_t second = wall_us / 1000000;
    unsigned ms = (unsigned)(wall_us % 1000000 / 1000);
    char text[25];

    if (second != clock->second) {
        time_t seconds = (time_t)second;
        struct tm tm;

        strftime(clock->text, sizeof(clock->text), "%Y-%m-%dT%H:%M:%S.",
                 gmtime_r(&seconds, &tm));
        clock->second = second;
    }
    memcpy(text, clock->text, 20);
    text[20] = (char)('0' + ms / 100);
    text[21] = (char)('0' + ms / 10 % 10);
    text[22] = (char)('0' + ms % 10);
    text[23] = 'Z';
    return gd_buf_add(out, text, 24);
}

/* Pieces --------------------------------------------------------------------------------
 */

/* The bound of a line was reserved before, so these need not look. */
struct pen {
    char *at;
};

static inline void put_span(struct pen *pen, struct gd_span text)
{
    memcpy(pen->at, text.ptr, text.len);
    pen->at += text.len;
}

#define PUT(pen, literal) put_span(pen, GD_SPAN(literal))

/* Most numbers here have four digits or less. */
static inline void put_u64(struct pen *pen, uint64_t whole)
{
    uint32_t number = (uint32_t)whole;

    if (whole >= 10000) {
        pen->at += gd_u64_digits(whole, pen->at);
        return;
    }
    if (number >= 1000)
        *pen->at++ = (char)('0' + number / 1000);
    if (number >= 100)
        *pen->at++ = (char)('0' + number / 100 % 10);
    if (number >= 10)
        *pen->at++ = (char)('0' + number / 10 % 10);
    *pen->at++ = (char)('0' + number % 10);
}

/* Milliseconds, with three digits behind the point. */
static void put_ms(struct pen *pen, uint64_t us)
{
    uint64_t ms = us / 1000;
    unsigned rest = (unsigned)(us - ms * 1000);

    put_u64(pen, ms);
    *pen->at++ = '.';
    *pen->at++ = (char)('0' + rest / 100);
    *pen->at++ = (char)('0' + rest / 10 % 10);
    *pen->at++ = (char)('0' + rest % 10);
}

static bool is_odd(unsigned char c)
{
    return c < 0x20 || c >= 0x7f || c == '"' || c == '\\';
}

/* Whether one of eight bytes may be odd; sure of those that are not. */
static inline bool may_be_odd(uint64_t bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low = bytes - ones * 0x20, quote = (bytes ^ ones * '"') - ones;
    uint64_t slash = (bytes ^ ones * '\\') - ones, del = (bytes ^ ones * 0x7f) - ones;

    return ((low | quote | slash | del | bytes) & (ones * 0x80)) != 0;
}

static inline bool copy_eight(char *to, const char *from)
{
    uint64_t bytes;

    memcpy(&bytes, from, sizeof(bytes));
    memcpy(to, &bytes, sizeof(bytes));
    return !may_be_odd(bytes);
}

/* Copies what needs no escapes, eight bytes at a time, the last ones overlapping those
 * before; returns how much that is. */
static size_t copy_plain(struct pen *pen, struct gd_span text)
{
    char *to = pen->at;
    size_t i = 0;

    while (i + 8 <= text.len && copy_eight(to + i, text.ptr + i))
        i += 8;
    if (text.len >= 8 && i + 8 > text.len &&
        copy_eight(to + text.len - 8, text.ptr + text.len - 8))
        i = text.len;
    for (; i < text.len && !is_odd((unsigned char)text.ptr[i]); i++)
        to[i] = text.ptr[i];
    pen->at += i;
    return i;
}

static inline void put_quoted(struct pen *pen, struct gd_span text)
{
    *pen->at++ = '"';
    gd_copy_short(pen->at, text.ptr, text.len);
    pen->at += text.len;
    *pen->at++ = '"';
}

/* A JSON string; most texts are copied as they are. */
static void put_string(struct pen *pen, struct gd_span text)
{
    struct gd_buf rest;
    size_t done;

    *pen->at++ = '"';
    done = copy_plain(pen, text);
    if (done < text.len) {
        gd_buf_init(&rest, NULL, 6 * text.len);
        if (gd_json_add_escaped(&rest,
                                (struct gd_span){text.ptr + done, text.len - done}))
            put_span(pen, gd_buf_span(&rest));
        gd_buf_free(&rest);
    }
    *pen->at++ = '"';
}

/* For a format: `-` stands for nothing. */
static void put_plain(struct pen *pen, struct gd_span text)
{
    static const char digits[] = "0123456789abcdef";

    if (text.len == 0)
        *pen->at++ = '-';
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (!is_odd(c)) {
            *pen->at++ = (char)c;
            continue;
        }
        PUT(pen, "\\x");
        *pen->at++ = digits[c >> 4];
        *pen->at++ = digits[c & 15];
    }
}

static void put_time(struct pen *pen, struct gd_access_clock *clock, uint64_t loop_us)
{
    struct gd_buf text = {.data = pen->at, .cap = 32, .max = 32};

    if (gd_access_time(clock, loop_us, &text))
        pen->at += text.len;
}

/* JSON ----------------------------------------------------------------------------------
 */

static void put_call(struct pen *pen, const struct gd_record_call *call,
                     struct gd_span name)
{
    PUT(pen, "{\"call\":");
    put_string(pen, name);
    if (call->item != GD_TRAIL_SINGLE) {
        PUT(pen, ",\"item\":");
        put_u64(pen, call->item);
    }
    PUT(pen, ",\"ms\":");
    put_ms(pen, call->end_us - call->start_us);
    if (call->status) {
        PUT(pen, ",\"status\":");
        put_u64(pen, call->status);
    }
    if (call->failure) {
        PUT(pen, ",\"class\":\"");
        put_span(pen, gd_span_of(gd_failure_word((enum gd_failure)call->failure)));
        PUT(pen, "\"");
    }
    if (call->tries) {
        PUT(pen, ",\"retries\":");
        put_u64(pen, call->tries);
    }
    if (call->stale)
        PUT(pen, ",\"stale\":true");
    if (call->hedged)
        PUT(pen, ",\"hedged\":true");
    PUT(pen, "}");
}

static void put_headers(struct pen *pen, struct gd_record_reader *reader)
{
    struct gd_span name, value;

    for (unsigned i = 0; i < reader->record->header_count; i++) {
        put_span(pen, i ? GD_SPAN(",") : GD_SPAN(",\"headers\":{"));
        gd_record_next_header(reader, &name, &value);
        put_string(pen, name);
        PUT(pen, ":");
        put_string(pen, value);
    }
    if (reader->record->header_count)
        PUT(pen, "}");
}

static void put_calls(struct pen *pen, struct gd_record_reader *reader)
{
    const struct gd_record *record = reader->record;
    struct gd_record_call call;
    struct gd_span name, server;

    for (unsigned i = 0; i < record->call_count; i++) {
        put_span(pen, i ? GD_SPAN(",") : GD_SPAN(",\"calls\":["));
        gd_record_next_call(reader, &call, &name, &server);
        put_call(pen, &call, name);
    }
    if (record->call_count)
        PUT(pen, "]");
    if (record->calls_left_out) {
        PUT(pen, ",\"calls_left_out\":");
        put_u64(pen, record->calls_left_out);
    }
}

static void put_json(struct pen *pen, const struct gd_plan_access_log *plan,
                     const struct gd_record *record, struct gd_access_clock *clock)
{
    struct gd_span texts[GD_RECORD_TEXTS];
    struct gd_record_reader reader = gd_record_read(record, texts);

    /* An id, an address and a method, a token, have nothing to escape. */
    PUT(pen, "{\"time\":\"");
    put_time(pen, clock, record->start_us);
    PUT(pen, "\",\"id\":");
    put_quoted(pen, texts[GD_RECORD_ID]);
    PUT(pen, ",\"ip\":");
    put_quoted(pen, texts[GD_RECORD_IP]);
    if (texts[GD_RECORD_PEER].len) {
        PUT(pen, ",\"peer\":");
        put_quoted(pen, texts[GD_RECORD_PEER]);
    }
    PUT(pen, ",\"method\":");
    put_quoted(pen, texts[GD_RECORD_METHOD]);
    PUT(pen, ",\"host\":");
    put_string(pen, texts[GD_RECORD_HOST]);
    PUT(pen, ",\"path\":");
    put_string(pen, texts[GD_RECORD_PATH]);
    if (plan->query) {
        PUT(pen, ",\"query\":");
        put_string(pen, texts[GD_RECORD_QUERY]);
    }
    PUT(pen, ",\"route\":");
    put_string(pen, texts[GD_RECORD_ROUTE]);
    PUT(pen, ",\"status\":");
    put_u64(pen, record->status);
    PUT(pen, ",\"end\":\"");
    put_span(pen, gd_span_of(gd_end_word((enum gd_end)record->how)));
    PUT(pen, "\",\"in\":");
    put_u64(pen, record->bytes_in);
    PUT(pen, ",\"out\":");
    put_u64(pen, record->bytes_out);
    PUT(pen, ",\"ms\":");
    put_ms(pen, record->duration_us);
    put_headers(pen, &reader);
    put_calls(pen, &reader);
    PUT(pen, "}\n");
}

/* Formats -------------------------------------------------------------------------------
 */

/* user=200/12.300,orders=timeout/400.000 */
static void put_plain_calls(struct pen *pen, const struct gd_record *record)
{
    struct gd_record_reader reader = gd_record_read(record, NULL);
    struct gd_record_call call;
    struct gd_span name, server;

    for (unsigned i = 0; i < record->header_count; i++)
        gd_record_next_header(&reader, &name, &server);
    if (record->call_count == 0)
        PUT(pen, "-");
    for (unsigned i = 0; i < record->call_count; i++) {
        gd_record_next_call(&reader, &call, &name, &server);
        if (i)
            PUT(pen, ",");
        put_plain(pen, name);
        if (call.item != GD_TRAIL_SINGLE) {
            PUT(pen, "[");
            put_u64(pen, call.item);
            PUT(pen, "]");
        }
        PUT(pen, "=");
        if (call.failure)
            put_span(pen, gd_span_of(gd_failure_word((enum gd_failure)call.failure)));
        else
            put_u64(pen, call.status);
        PUT(pen, "/");
        put_ms(pen, call.end_us - call.start_us);
    }
}

static void put_header(struct pen *pen, const struct gd_record *record,
                       struct gd_span wanted)
{
    struct gd_record_reader reader = gd_record_read(record, NULL);
    struct gd_span name, value;

    for (unsigned i = 0; i < record->header_count; i++) {
        gd_record_next_header(&reader, &name, &value);
        if (gd_span_eq(name, wanted)) {
            put_plain(pen, value);
            return;
        }
    }
    PUT(pen, "-");
}

static void put_field(struct pen *pen, const struct gd_record *record,
                      enum gd_log_field field, struct gd_access_clock *clock)
{
    static const enum gd_record_text texts[GD_LOG_FIELDS] = {
        [GD_LOG_FIELD_ID] = GD_RECORD_ID,       [GD_LOG_FIELD_IP] = GD_RECORD_IP,
        [GD_LOG_FIELD_PEER] = GD_RECORD_PEER,   [GD_LOG_FIELD_METHOD] = GD_RECORD_METHOD,
        [GD_LOG_FIELD_HOST] = GD_RECORD_HOST,   [GD_LOG_FIELD_PATH] = GD_RECORD_PATH,
        [GD_LOG_FIELD_QUERY] = GD_RECORD_QUERY, [GD_LOG_FIELD_ROUTE] = GD_RECORD_ROUTE,
    };

    switch ((int)field) {
    case GD_LOG_FIELD_TIME:
        put_time(pen, clock, record->start_us);
        break;
    case GD_LOG_FIELD_STATUS:
        put_u64(pen, record->status);
        break;
    case GD_LOG_FIELD_END:
        put_span(pen, gd_span_of(gd_end_word((enum gd_end)record->how)));
        break;
    case GD_LOG_FIELD_IN:
        put_u64(pen, record->bytes_in);
        break;
    case GD_LOG_FIELD_OUT:
        put_u64(pen, record->bytes_out);
        break;
    case GD_LOG_FIELD_MS:
        put_ms(pen, record->duration_us);
        break;
    case GD_LOG_FIELD_CALLS:
        put_plain_calls(pen, record);
        break;
    case GD_LOG_FIELD_PEER:
        put_plain(pen, gd_record_peer(record));
        break;
    default:
        put_plain(pen, gd_record_text(record, texts[field]));
    }
}

static void put_format(struct pen *pen, const struct gd_plan_access_log *plan,
                       const struct gd_record *record, struct gd_access_clock *clock)
{
    for (unsigned i = 0; i < plan->piece_count; i++) {
        const struct gd_log_piece *piece = &plan->pieces[i];

        if (piece->text.ptr)
            put_span(pen, piece->text);
        else if (piece->header)
            put_header(pen, record, plan->headers[piece->header - 1]);
        else
            put_field(pen, record, piece->field, clock);
    }
    PUT(pen, "\n");
}

/* Lines ---------------------------------------------------------------------------------
 */

/* No line is longer: each byte of a text becomes six at most, and around it and each
 * number there is a bounded something. */
static size_t line_max(const struct gd_plan_access_log *plan,
                       const struct gd_record *record)
{
    size_t each = 6 * (size_t)record->bytes, all = each + 1024;

    if (plan->pieces == NULL)
        return all + (size_t)record->call_count * 256;
    for (unsigned i = 0; i < plan->piece_count; i++)
        all += plan->pieces[i].text.ptr ? plan->pieces[i].text.len : each;
    return all;
}

bool gd_access_line(const struct gd_plan_access_log *plan, const struct gd_record *record,
                    struct gd_access_clock *clock, struct gd_buf *out)
{
    struct pen pen;

    if (!gd_buf_reserve(out, line_max(plan, record)))
        return false;
    pen.at = out->data + out->len;
    if (plan->pieces)
        put_format(&pen, plan, record, clock);
    else
        put_json(&pen, plan, record, clock);
    out->len = (size_t)(pen.at - out->data);
    return true;
}
