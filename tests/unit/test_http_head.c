/* Limits, costs and details of request heads; test_http_battery.c has the verdicts. */
#include "suite.h"

#include <sys/mman.h>
#include <unistd.h>

#include "http_walker.h"

/* Appends text at bytes[len]; returns the new length. */
static size_t append(char *bytes, size_t len, const char *text)
{
    memcpy(bytes + len, text, strlen(text));
    return len + strlen(text);
}

static size_t append_number(char *bytes, size_t len, const char *before, size_t number,
                            const char *after)
{
    char text[64];

    snprintf(text, sizeof(text), "%s%zu%s", before, number, after);
    return append(bytes, len, text);
}

#define START "GET / HTTP/1.1\r\n"
#define TAIL " HTTP/1.1\r\nHost: a\r\n\r\n"

/* The verdict on bytes in one piece, which must be the one in any pieces. */
static const char *verdict_of(const char *bytes, size_t len)
{
    static const size_t pieces[] = {1, 100, 3000};
    static char verdict[256];
    struct walker walker;
    uint32_t seed = 12345;

    walker_run(&walker, bytes, len, 0, &seed);
    snprintf(verdict, sizeof(verdict), "%s", walker.verdict);
    walker_free(&walker);
    for (int i = 0; i < 9; i++) {
        if (i % 3 == 0 && len > 20000)
            continue;
        walker_run(&walker, bytes, len, pieces[i % 3], &seed);
        ck_assert_str_eq(walker.verdict, verdict);
        walker_free(&walker);
    }
    return verdict;
}

/* "GET /aaa…a" of line_len bytes with its version, and what follows. */
static size_t make_line(char *out, size_t line_len)
{
    size_t path = line_len - strlen("GET ") - strlen(" HTTP/1.1");

    memcpy(out, "GET /", 5);
    memset(out + 5, 'a', path - 1);
    memcpy(out + 4 + path, TAIL, strlen(TAIL));
    return 4 + path + strlen(TAIL);
}

START_TEST(a_request_line_has_a_bound)
{
    static char bytes[WALKER_LINE + 1000];
    size_t len = make_line(bytes, WALKER_LINE);

    ck_assert_str_eq(verdict_of(bytes, len), "200");
    len = make_line(bytes, WALKER_LINE + 1);
    ck_assert_str_eq(verdict_of(bytes, len), "414");
    /* Known as soon as the line has a byte too many. */
    ck_assert_str_eq(verdict_of(bytes, WALKER_LINE + 1), "414");
    ck_assert_str_eq(verdict_of(bytes, WALKER_LINE), "");
    /* A forbidden octet before the bound comes first, one behind it second. */
    bytes[WALKER_LINE - 1] = 1;
    ck_assert_str_eq(verdict_of(bytes, len), "400");
    bytes[WALKER_LINE - 1] = 'a';
    bytes[WALKER_LINE + 1] = 1;
    ck_assert_str_eq(verdict_of(bytes, len), "414");
    memset(bytes, 'G', sizeof(bytes));
    ck_assert_str_eq(verdict_of(bytes, sizeof(bytes)), "400");
}
END_TEST

/* A head whose field block, blank line included, has block_len bytes. */
static size_t make_block(char *out, size_t block_len)
{
    size_t len = append(out, 0, START);
    size_t end = len + block_len;

    len = append(out, len, "Host: a\r\nX: ");
    memset(out + len, 'v', end - len);
    memcpy(out + end - 4, "\r\n\r\n", 4);
    return end;
}

START_TEST(a_field_block_has_a_bound)
{
    static char bytes[WALKER_HEAD + 1000];
    size_t len = make_block(bytes, WALKER_HEAD);

    ck_assert_str_eq(verdict_of(bytes, len), "200");
    len = make_block(bytes, WALKER_HEAD + 1);
    ck_assert_str_eq(verdict_of(bytes, len), "431");
    ck_assert_str_eq(verdict_of(bytes, len - 1), "431");
    len = make_block(bytes, 9000);
    ck_assert_str_eq(verdict_of(bytes, len), "200");
    /* The bound holds for all lines together. */
    len = append(bytes, 0, START "Host: a\r\n");
    for (int i = 0; i < 50; i++) {
        memcpy(bytes + len, "X: ", 3);
        memset(bytes + len + 3, 'v', 330);
        memcpy(bytes + len + 333, "\r\n", 2);
        len += 335;
    }
    ck_assert_str_eq(verdict_of(bytes, len), "431");
}
END_TEST

START_TEST(fields_are_counted)
{
    char *bytes = malloc(1 << 20);

    for (int count = WALKER_FIELDS - 1; count < 60000;
         count += count < 1000 ? 1 : 59000) {
        size_t len = append(bytes, 0, START "Host: a\r\n");

        for (int i = 1; i < count; i++)
            len = append_number(bytes, len, "X", (size_t)i, ": v\r\n");
        len = append(bytes, len, "\r\n");
        ck_assert_str_eq(verdict_of(bytes, len), count > WALKER_FIELDS ? "431" : "200");
        if (count == WALKER_FIELDS + 1)
            count = 999;
    }
    free(bytes);
}
END_TEST

START_TEST(a_head_may_end_where_its_memory_ends)
{
    static const size_t sizes[] = {464, 976, 2000, 4048};
    static char bytes[5000];

    for (size_t i = 0; i < 4; i++)
        for (int delta = -16; delta <= 16; delta++) {
            size_t len = make_block(bytes, sizes[i] + (size_t)delta - 16);
            struct walker walker = {0};

            ck_assert_uint_eq(len, sizes[i] + (size_t)delta);
            walker_feed(&walker, bytes, len);
            ck_assert_str_eq(walker.verdict, "200");
            walker_free(&walker);
            len = make_line(bytes, len - strlen(TAIL) + strlen(" HTTP/1.1"));
            walker_feed(&walker, bytes, len);
            ck_assert_str_eq(walker.verdict, "200");
            walker_free(&walker);
        }
}
END_TEST

/* Takes access to all whole pages that a slow head has behind it away: bytes that have
 * been checked must not be looked at again before the head's end. */
START_TEST(a_dripping_head_is_not_read_again_and_again)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t size = 8 * page;
    const struct gd_head_limits limits = {100, size, 100};
    char *bytes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct gd_head_state state = {0};
    struct gd_request_head head;
    struct gd_field fields[100];
    size_t len;

    ck_assert_ptr_ne(bytes, MAP_FAILED);
    len = append(bytes, 0, START "Host: a\r\n");
    for (size_t i = 0; i < 40; i++) {
        size_t value = i == 20 ? 3 * page : 100;

        len = append_number(bytes, len, "X", i, ": ");
        memset(bytes + len, 'v', value);
        memcpy(bytes + len + value, "\r\n", 2);
        len += value + 2;
    }
    ck_assert_uint_lt(len + 2, size);
    memcpy(bytes + len, "\r\n", 2);
    for (size_t n = 1; n < len + 2; n++) {
        size_t line_page = state.line / page * page;

        ck_assert_int_eq(gd_request_head_parse(&state, (struct gd_span){bytes, n},
                                               &limits, fields, &head),
                         GD_PARSE_MORE);
        ck_assert_uint_ge(state.checked + 1, n);
        /* The line at hand is read once more when it is whole. */
        if (line_page)
            ck_assert_int_eq(mprotect(bytes, line_page, PROT_NONE), 0);
    }
    ck_assert_int_eq(mprotect(bytes, size, PROT_READ), 0);
    ck_assert_int_eq(gd_request_head_parse(&state, (struct gd_span){bytes, len + 2},
                                           &limits, fields, &head),
                     GD_PARSE_DONE);
    ck_assert_uint_eq(head.fields.count, 41);
    ck_assert_uint_eq(head.bytes, len + 2);
    munmap(bytes, size);
}
END_TEST

START_TEST(garbage_is_refused_at_its_first_octet)
{
    for (int c = 0; c < 256; c++) {
        char bytes[] = {'G', 'E', 'T', ' ', '/', (char)c};
        struct walker walker = {0};
        bool fine = c == '\r' || (c >= 0x20 && c < 0x7f);

        walker_feed(&walker, bytes, sizeof(bytes));
        ck_assert_str_eq(walker.verdict, fine ? "" : "400");
        walker_free(&walker);
    }
    for (int c = 0; c < 256; c++) {
        char bytes[] = "GET / HTTP/1.1\r\nHost: a?";
        struct walker walker = {0};
        bool fine = c == '\r' || c == '\t' || (c >= 0x20 && c != 0x7f);

        bytes[sizeof(bytes) - 2] = (char)c;
        walker_feed(&walker, bytes, sizeof(bytes) - 1);
        ck_assert_str_eq(walker.verdict, fine ? "" : "400");
        walker_free(&walker);
    }
}
END_TEST

/* Every line that is wrong is refused with its CRLF, long before the head's end. */
START_TEST(a_malformed_line_is_refused_with_its_crlf)
{
    static const struct {
        const char *line, *verdict;
    } lines[] = {
        {"foo\r\n", "400"},
        {": foo\r\n", "400"},
        {"a b: c\r\n", "400"},
        {" folded\r\n", "400"},
        {"Host: b\r\n", "400"},
        {"Content-Length: x\r\n", "400"},
        {"Transfer-Encoding: x\r\n", "501"},
        {"Expect: x\r\n", "417"},
        {"X: y\r\n", ""},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char bytes[100];
        size_t len = append(bytes, 0, START "Host: a\r\n");

        len = append(bytes, len, lines[i].line);
        ck_assert_str_eq(verdict_of(bytes, len - 1), "");
        ck_assert_str_eq(verdict_of(bytes, len), lines[i].verdict);
    }
}
END_TEST

static void parse(const char *bytes, struct gd_request_head *head)
{
    static struct gd_field fields[WALKER_FIELDS];
    struct gd_head_state state = {0};

    ck_assert_int_eq(
        gd_request_head_parse(&state, gd_span_of(bytes), &walker_limits, fields, head),
        GD_PARSE_DONE);
}

START_TEST(a_head_is_read_in_all_its_parts)
{
    struct gd_request_head head;

    parse("\r\nPUT /a/./b?c HTTP/1.5\r\nHost:  a:80 \r\nX-Y:\t1, 2\t\r\nexpect: "
          "100-Continue\r\n"
          "CONTENT-LENGTH: 7\r\nX-Empty:\r\n\r\nrest",
          &head);
    ck_assert_int_eq(head.method, GD_METHOD_PUT);
    ck_assert(gd_span_is(head.method_text, "PUT"));
    ck_assert(gd_span_is(head.target, "/a/./b?c"));
    ck_assert_ptr_null(head.parsed.path.ptr); /* to be written */
    ck_assert(gd_span_is(head.parsed.query, "c"));
    ck_assert_uint_eq(head.minor, 1);
    ck_assert(gd_span_is(head.host, "a:80"));
    ck_assert_int_eq(head.framing, GD_FRAMING_LENGTH);
    ck_assert_uint_eq(head.content_length, 7);
    ck_assert(head.keep_alive && head.expect_continue);
    ck_assert_uint_eq(head.fields.count, 5);
    ck_assert(gd_span_is(head.fields.items[1].name, "X-Y"));
    ck_assert(gd_span_is(head.fields.items[1].value, "1, 2"));
    ck_assert_int_eq(head.fields.items[1].id, GD_FIELD_OTHER);
    ck_assert(gd_span_is(head.fields.items[4].value, ""));
    ck_assert_ptr_nonnull(head.fields.items[4].value.ptr);
}
END_TEST

START_TEST(an_absolute_target_names_the_host)
{
    struct gd_request_head head;

    parse("GET http://b:1/c HTTP/1.1\r\nHost: a\r\n\r\n", &head);
    ck_assert(gd_span_is(head.host, "b:1"));
    ck_assert(gd_span_is(head.parsed.path, "/c"));
    parse("GET /c HTTP/1.0\r\n\r\n", &head);
    ck_assert_ptr_null(head.host.ptr);
    parse("GET /c HTTP/1.1\r\nHost:\r\n\r\n", &head);
    ck_assert(head.host.ptr && head.host.len == 0);
}
END_TEST

START_TEST(expect_counts_only_with_a_body_in_1_1)
{
    struct gd_request_head head;

    parse("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", &head);
    ck_assert(!head.expect_continue);
    parse(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        &head);
    ck_assert(!head.expect_continue);
    parse("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
          "Transfer-Encoding: chunked\r\n\r\n",
          &head);
    ck_assert(head.expect_continue);
    ck_assert_int_eq(head.framing, GD_FRAMING_CHUNKED);
    parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", &head);
    ck_assert(!head.expect_continue && !head.keep_alive);
}
END_TEST

START_TEST(fields_are_found_by_id_name_and_token)
{
    struct gd_request_head head;

    parse("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nTE: trailers , Gzip;q=1\r\n"
          "te:,,deflate\r\n\r\n",
          &head);
    ck_assert(gd_span_is(gd_fields_get(&head.fields, GD_FIELD_HOST)->value, "a"));
    ck_assert_ptr_null(gd_fields_get(&head.fields, GD_FIELD_COOKIE));
    ck_assert(gd_span_is(gd_fields_find(&head.fields, GD_SPAN("X-a"))->value, "1"));
    ck_assert_ptr_null(gd_fields_find(&head.fields, GD_SPAN("X-B")));
    ck_assert(gd_fields_has_token(&head.fields, GD_FIELD_TE, "TRAILERS"));
    ck_assert(gd_fields_has_token(&head.fields, GD_FIELD_TE, "deflate"));
    ck_assert(!gd_fields_has_token(&head.fields, GD_FIELD_TE, "gzip"));
    ck_assert(!gd_fields_has_token(&head.fields, GD_FIELD_CONNECTION, "close"));
    head.fields.count = 1;
    ck_assert_ptr_null(gd_fields_get(&head.fields, GD_FIELD_TE));
    ck_assert_ptr_null(gd_fields_find(&head.fields, GD_SPAN("X-A")));
    ck_assert(!gd_fields_has_token(&head.fields, GD_FIELD_TE, "trailers"));
}
END_TEST

START_TEST(every_refusal_has_a_status_and_a_text)
{
    static const int statuses[] = {200, 400, 414, 431, 417, 501, 505};

    for (int refusal = GD_REFUSE_NONE; refusal < GD_REFUSALS; refusal++) {
        ck_assert_int_eq(gd_refusal_status((enum gd_refusal)refusal), statuses[refusal]);
        ck_assert(refusal == 0 || strlen(gd_refusal_text((enum gd_refusal)refusal)) > 9);
    }
}
END_TEST

START_TEST(a_refused_head_stays_refused)
{
    struct gd_head_state state = {0};
    struct gd_request_head head;
    struct gd_field fields[WALKER_FIELDS];

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(
            gd_request_head_parse(&state, GD_SPAN("G\n"), &walker_limits, fields, &head),
            GD_PARSE_REFUSED);
        ck_assert_int_eq(state.refusal, GD_REFUSE_MALFORMED);
        ck_assert_str_eq(state.why, "bare LF");
    }
}
END_TEST

GD_SUITE("http_head", a_request_line_has_a_bound, a_field_block_has_a_bound,
         fields_are_counted, a_head_may_end_where_its_memory_ends,
         a_dripping_head_is_not_read_again_and_again,
         garbage_is_refused_at_its_first_octet, a_malformed_line_is_refused_with_its_crlf,
         a_head_is_read_in_all_its_parts, an_absolute_target_names_the_host,
         expect_counts_only_with_a_body_in_1_1, fields_are_found_by_id_name_and_token,
         every_refusal_has_a_status_and_a_text, a_refused_head_stays_refused)
