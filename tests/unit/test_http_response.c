#include "suite.h"

#include <stdint.h>
#include <stdio.h>

#include "http/head.h"

enum { FIELDS = 20 };
static const struct gd_head_limits limits = {200, 1000, FIELDS};

struct response_case {
    const char *bytes;
    enum gd_method method;
    int status; /* 0: malformed; -1: not complete */
    enum gd_framing framing;
    uint64_t length;
    bool keep_alive;
};

#define OK "HTTP/1.1 200 OK\r\n"
#define CL "Content-Length: 5\r\n"
#define TE "Transfer-Encoding: chunked\r\n"
#define NONE GD_FRAMING_NONE
#define LENGTH GD_FRAMING_LENGTH
#define CHUNKED GD_FRAMING_CHUNKED
#define TO_EOF GD_FRAMING_EOF
#define GET GD_METHOD_GET
#define HEAD GD_METHOD_HEAD
#define BAD 0, NONE, 0, false

static const struct response_case framing_cases[] = {
    {OK CL "\r\n", GET, 200, LENGTH, 5, true},
    {OK TE "\r\n", GET, 200, CHUNKED, 0, true},
    {OK "\r\n", GET, 200, TO_EOF, 0, false},
    {OK "Connection: keep-alive\r\n\r\n", GET, 200, TO_EOF, 0, false},
    {OK CL "\r\n", HEAD, 200, NONE, 0, true},
    {OK TE "\r\n", HEAD, 200, NONE, 0, true},
    {OK "\r\n", HEAD, 200, NONE, 0, true},
    {OK CL "\r\n", GD_METHOD_CONNECT, 200, NONE, 0, true},
    {"HTTP/1.1 300 \r\n" CL "\r\n", GD_METHOD_CONNECT, 300, LENGTH, 5, true},
    {"HTTP/1.1 404 \r\n" CL "\r\n", GD_METHOD_CONNECT, 404, LENGTH, 5, true},
    {"HTTP/1.1 100 Continue\r\n\r\n", GET, 100, NONE, 0, true},
    {"HTTP/1.1 103 Early Hints\r\n" CL "\r\n", GET, 103, NONE, 0, true},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", GET, 101, NONE, 0, true},
    {"HTTP/1.1 204 No Content\r\n" CL "\r\n", GET, 204, NONE, 0, true},
    {"HTTP/1.1 204 No Content\r\n" TE "\r\n", GET, 204, NONE, 0, true},
    {"HTTP/1.1 304 Not Modified\r\n" CL "\r\n", GET, 304, NONE, 0, true},
    {OK "Content-Length: 0\r\n\r\n", GET, 200, LENGTH, 0, true},
    {OK CL "Connection: close\r\n\r\n", GET, 200, LENGTH, 5, false},
    {OK CL "Connection: x, CLOSE\r\n\r\n", GET, 200, LENGTH, 5, false},
    {OK CL "Connection: keep-alive\r\nConnection: close\r\n\r\n", GET, 200, LENGTH, 5,
     false},
    {"HTTP/1.0 200 OK\r\n" CL "\r\n", GET, 200, LENGTH, 5, false},
    {"HTTP/1.0 200 OK\r\n" CL "Connection: Keep-Alive\r\n\r\n", GET, 200, LENGTH, 5,
     true},
    {"HTTP/1.0 200 OK\r\n\r\n", GET, 200, TO_EOF, 0, false},
    {"HTTP/1.0 200 OK\r\n" TE "\r\n", GET, BAD},
    {"HTTP/1.0 200 OK\r\n" TE "\r\n", HEAD, BAD},
    {OK CL TE "\r\n", GET, BAD},
    {OK TE CL "\r\n", HEAD, BAD},
    {OK CL CL "\r\n", GET, BAD},
    {OK CL "Content-Length: 6\r\n\r\n", GET, BAD},
    {OK "Content-Length: 5, 5\r\n\r\n", GET, BAD},
    {OK "Content-Length: \r\n\r\n", GET, BAD},
    {OK "Content-Length: -1\r\n\r\n", GET, BAD},
    {OK "Content-Length: 1000000000000000000\r\n\r\n", GET, BAD},
    {OK TE TE "\r\n", GET, BAD},
    {OK "Transfer-Encoding: gzip, chunked\r\n\r\n", GET, BAD},
    {OK "Transfer-Encoding: identity\r\n\r\n", GET, BAD},
    {OK "Transfer-Encoding: xchunked\r\n\r\n", GET, BAD},
};

static const struct response_case syntax_cases[] = {
    {"HTTP/1.1 200\r\n" CL "\r\n", GET, 200, LENGTH, 5, true},
    {"HTTP/1.1 200 \r\n" CL "\r\n", GET, 200, LENGTH, 5, true},
    {"HTTP/1.1 200 a\tb \xc3\xa4\r\n" CL "\r\n", GET, 200, LENGTH, 5, true},
    {"HTTP/1.1 999 Odd\r\n" CL "\r\n", GET, 999, LENGTH, 5, true},
    {"HTTP/1.7 200 OK\r\n" CL "\r\n", GET, 200, LENGTH, 5, true},
    {OK CL "X:  y \r\n\r\n", GET, 200, LENGTH, 5, true},
    {OK CL "Host: a b\r\nExpect: x\r\n\r\n", GET, 200, LENGTH, 5, true},
    {OK CL, GET, -1, NONE, 0, false},
    {"HTTP/1.1 20", GET, -1, NONE, 0, false},
    {"", GET, -1, NONE, 0, false},
    {"\r\n" OK CL "\r\n", GET, BAD},
    {"HTTP/2.0 200 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1 20\r\n\r\n", GET, BAD},
    {"HTTP/1.1 2000\r\n\r\n", GET, BAD},
    {"HTTP/1.1 200OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1 099 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1 2x0 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1 20\xb2 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1  200 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1\t200 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1 200\tOK\r\n\r\n", GET, BAD},
    {"HTTP/11.1 200 OK\r\n\r\n", GET, BAD},
    {"http/1.1 200 OK\r\n\r\n", GET, BAD},
    {"ICY 200 OK\r\n\r\n", GET, BAD},
    {"HTTP/1.1 200 O\x01K\r\n\r\n", GET, BAD},
    {"HTTP/1.1 200 OK\n", GET, BAD},
    {"HTTP/1.1 200 OK\rX", GET, BAD},
    {"{\"a\":1}\r\n", GET, BAD},
    {OK "X: y\r\n z\r\n\r\n", GET, BAD},
    {OK " X: y\r\n\r\n", GET, BAD},
    {OK "X : y\r\n\r\n", GET, BAD},
    {OK "X y\r\n\r\n", GET, BAD},
    {OK ": y\r\n\r\n", GET, BAD},
    {OK "X: y\n\r\n", GET, BAD},
    {OK "X: y\r\r\n\r\n", GET, BAD},
    {OK "X: \x7f", GET, BAD},
};

static enum gd_parse feed(struct gd_head_state *state, const char *bytes, size_t len,
                          const struct response_case *test, struct gd_response_head *head)
{
    char *copy = malloc(len + (len == 0)); /* of exact size */
    struct gd_field fields[FIELDS];
    enum gd_parse result;

    memcpy(copy, bytes, len);
    result = gd_response_head_parse(state, (struct gd_span){copy, len}, &limits,
                                    test->method, fields, head);
    free(copy);
    return result;
}

static void check_result(const struct response_case *test, enum gd_parse result,
                         const struct gd_head_state *state,
                         const struct gd_response_head *head)
{
    if (test->status <= 0) {
        ck_assert_msg(result == (test->status ? GD_PARSE_MORE : GD_PARSE_REFUSED), "%s",
                      test->bytes);
        ck_assert_int_eq(state->refusal,
                         test->status ? GD_REFUSE_NONE : GD_REFUSE_MALFORMED);
        return;
    }
    ck_assert_msg(result == GD_PARSE_DONE, "%s: %s", test->bytes, state->why);
    ck_assert_int_eq(head->status, test->status);
    ck_assert_msg(head->framing == test->framing, "%s: framing %d", test->bytes,
                  head->framing);
    ck_assert_uint_eq(head->content_length, test->length);
    ck_assert_msg(head->keep_alive == test->keep_alive, "%s: keep-alive", test->bytes);
    ck_assert_uint_eq(head->bytes, strlen(test->bytes));
}

/* In one piece, byte by byte, and in all two pieces. */
static void check_case(const struct response_case *test)
{
    size_t len = strlen(test->bytes);
    struct gd_response_head head;
    enum gd_parse result = GD_PARSE_MORE;
    struct gd_head_state state = {0};

    for (size_t n = 0; n <= len && result == GD_PARSE_MORE; n++)
        result = feed(&state, test->bytes, n, test, &head);
    check_result(test, result, &state, &head);
    for (size_t cut = 0; cut <= len; cut++) {
        state = (struct gd_head_state){0};
        result = feed(&state, test->bytes, cut, test, &head);
        if (result == GD_PARSE_MORE)
            result = feed(&state, test->bytes, len, test, &head);
        check_result(test, result, &state, &head);
    }
}

START_TEST(the_framing_of_an_answer_is_certain_or_it_is_refused)
{
    for (size_t i = 0; i < sizeof(framing_cases) / sizeof(framing_cases[0]); i++)
        check_case(&framing_cases[i]);
}
END_TEST

START_TEST(malformed_answers_are_refused)
{
    for (size_t i = 0; i < sizeof(syntax_cases) / sizeof(syntax_cases[0]); i++)
        check_case(&syntax_cases[i]);
}
END_TEST

static enum gd_refusal refusal_of(const char *bytes, size_t len)
{
    static const struct response_case test = {.method = GET};
    struct gd_head_state state = {0};
    struct gd_response_head head;

    feed(&state, bytes, len, &test, &head);
    return state.refusal;
}

START_TEST(an_answers_head_has_bounds)
{
    char bytes[2000];
    int len;

    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, OK, 15);
    ck_assert_int_eq(refusal_of(bytes, 200), GD_REFUSE_NONE);
    ck_assert_int_eq(refusal_of(bytes, 201), GD_REFUSE_HEAD_TOO_LARGE);
    memcpy(bytes, OK "X: ", 20);
    ck_assert_int_eq(refusal_of(bytes, 17 + 998), GD_REFUSE_NONE);
    ck_assert_int_eq(refusal_of(bytes, 17 + 1000), GD_REFUSE_HEAD_TOO_LARGE);
    len = snprintf(bytes, sizeof(bytes), OK);
    for (int i = 0; i <= FIELDS; i++) {
        ck_assert_int_eq(refusal_of(bytes, (size_t)len), GD_REFUSE_NONE);
        len += snprintf(bytes + len, sizeof(bytes) - (size_t)len, "X: y\r\n");
    }
    ck_assert_int_eq(refusal_of(bytes, (size_t)len), GD_REFUSE_HEAD_TOO_LARGE);
}
END_TEST

GD_SUITE("http_response", the_framing_of_an_answer_is_certain_or_it_is_refused,
         malformed_answers_are_refused, an_answers_head_has_bounds)
