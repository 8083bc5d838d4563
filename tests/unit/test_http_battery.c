/*
 * A battery of malformed, ambiguous and unusual requests, each read in one piece, byte by
 * byte and in random pieces: the verdict and all that was read must be the same.
 */
#include "suite.h"

#include "http_walker.h"

struct request_case {
    const char *name;
    const char *bytes;
    size_t len;
    const char *verdict; /* of the walker; "" when the request is not complete */
};

#define CASE(name, bytes, verdict)                                                       \
    {                                                                                    \
        name, bytes, sizeof(bytes) - 1, verdict                                          \
    }
#define POST "POST /p HTTP/1.1\r\nHost: a\r\n"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define NEXT "GET /NEXT HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define TARGET(target, verdict)                                                          \
    CASE("target " target, "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n", verdict)

static const struct request_case framing_cases[] = {
    CASE("CL and TE", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400"),
    CASE("TE then CL", POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
         "400"),
    CASE("equal CL twice",
         POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" NEXT, "400"),
    CASE("differing CL twice",
         POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello" NEXT, "400"),
    CASE("CL list", POST "Content-Length: 5, 5\r\n\r\nhello" NEXT, "400"),
    CASE("CL with sign", POST "Content-Length: +5\r\n\r\nhello" NEXT, "400"),
    CASE("CL negative", POST "Content-Length: -5\r\n\r\nhello" NEXT, "400"),
    CASE("CL hexadecimal", POST "Content-Length: 0x5\r\n\r\nhello" NEXT, "400"),
    CASE("CL with white space around", POST "Content-Length:  5 \r\n\r\nhello" NEXT,
         "200 200"),
    CASE("CL with white space inside", POST "Content-Length: 5 5\r\n\r\nhello" NEXT,
         "400"),
    CASE("CL empty", POST "Content-Length: \r\n\r\n" NEXT, "400"),
    CASE("CL behind a tab", POST "Content-Length:\t5\r\n\r\nhello" NEXT, "200 200"),
    CASE("CL of 2^64-1", POST "Content-Length: 18446744073709551615\r\n\r\n", "400"),
    CASE("CL of 2^64+5", POST "Content-Length: 18446744073709551621\r\n\r\nhello", "400"),
    CASE("CL of 18 digits", POST "Content-Length: 000000000000000005\r\n\r\nhello" NEXT,
         "200 200"),
    CASE("CL of 19 digits", POST "Content-Length: 0000000000000000005\r\n\r\nhello",
         "400"),
    CASE("CL name with space", POST "Content-Length : 5\r\n\r\nhello" NEXT, "400"),
    CASE("underscored CL is another field", POST "Content_Length: 5\r\n\r\n" NEXT,
         "200 200"),
    CASE("GET with a body", GET "Content-Length: 5\r\n\r\nhello" NEXT, "200 200"),
    CASE("TE in capitals", POST "TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n" NEXT,
         "200 200"),
    CASE("TE xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" NEXT, "501"),
    CASE("TE chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n",
         "501"),
    CASE("TE identity, chunked", POST "Transfer-Encoding: identity, chunked\r\n\r\n",
         "501"),
    CASE("TE gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501"),
    CASE("TE behind white space",
         POST "Transfer-Encoding: \tchunked \r\n\r\n0\r\n\r\n" NEXT, "200 200"),
    CASE("TE twice",
         POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
    CASE("TE chunked and TE identity",
         POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", "400"),
    CASE("TE name with space", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
         "400"),
    CASE("TE folded", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "501"),
    CASE("TE behind a vertical tab",
         POST "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n",
         "400"),
    CASE("TE on HTTP/1.0",
         "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "400"),
    CASE("TE with a parameter", POST "Transfer-Encoding: chunked;foo\r\n\r\n", "501"),
    CASE("CL and TE xchunked",
         POST "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\nhello", "501"),
    CASE("POST without framing has no body", POST "\r\n" NEXT, "200 200"),
    CASE("POST of a form", POST "Content-Length: 7\r\n\r\na=b&c=d" NEXT, "200 200"),
};

static const struct request_case chunk_cases[] = {
    CASE("chunks", CHUNKED "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n" NEXT, "200 200"),
    CASE("chunk extension", CHUNKED "5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n" NEXT,
         "200 200"),
    CASE("chunk size of 2^64+5", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n",
         "400"),
    CASE("chunk size of 2^64-1", CHUNKED "ffffffffffffffff\r\nhello", "400"),
    CASE("chunk size with space behind", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk size with space before", CHUNKED " 5\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk size with a high byte",
         CHUNKED "\x80"
                 "5\r\nhello\r\n0\r\n\r\n",
         "400"),
    CASE("chunk size with a sign", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk size with 0x", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk size empty", CHUNKED "\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk size with bare LF", CHUNKED "5\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk size with CR CR LF", CHUNKED "5\r\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("bare LF in an extension", CHUNKED "5;a\nhello\r\n0\r\n\r\n", "400"),
    CASE("bare CR in an extension", CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("NUL in an extension", CHUNKED "5;a\0b\r\nhello\r\n0\r\n\r\n", "400"),
    CASE("chunk data too long", CHUNKED "5\r\nhelloX\r\n0\r\n\r\n", "400"),
    CASE("chunk data ended by LF", CHUNKED "5\r\nhello\n0\r\n\r\n", "400"),
    CASE("one trailer", CHUNKED "0\r\nX: y\r\n\r\n" NEXT, "200 200"),
    CASE("two trailers", CHUNKED "0\r\nX: y\r\nZ:\r\n\r\n" NEXT, "200 200"),
    CASE("a request line as trailer", CHUNKED "0\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
         "400"),
    CASE("trailer without colon", CHUNKED "0\r\nfoo\r\n\r\n", "400"),
    CASE("trailer without name", CHUNKED "0\r\n: x\r\n\r\n", "400"),
    CASE("folded trailer", CHUNKED "0\r\nX: y\r\n z\r\n\r\n", "400"),
    CASE("trailer with bare LF", CHUNKED "0\r\nX: y\n\r\n", "400"),
    CASE("last chunk ended by LF", CHUNKED "0\r\n\n", "400"),
    CASE("no last chunk yet", CHUNKED "5\r\nhello\r\n", ""),
};

static const struct request_case field_cases[] = {
    CASE("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n", "400"),
    CASE("bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "400"),
    CASE("bare CR in a value", GET "X: a\rb\r\n\r\n", "400"),
    CASE("CR CR LF", GET "X: y\r\r\n\r\n", "400"),
    CASE("folded with space", GET "X: y\r\n z\r\n\r\n", "400"),
    CASE("folded with tab", GET "X: y\r\n\tz\r\n\r\n", "400"),
    CASE("first field behind a space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"),
    CASE("field without colon", GET "foo\r\n\r\n", "400"),
    CASE("field without name", GET ": foo\r\n\r\n", "400"),
    CASE("NUL in a value", GET "X: a\0b\r\n\r\n", "400"),
    CASE("NUL in a name", GET "X\0Y: a\r\n\r\n", "400"),
    CASE("other characters in a name", GET "X[]@: v\r\n\r\n", "400"),
    CASE("high byte in a name", GET "X\x80: v\r\n\r\n", "400"),
    CASE("high byte in a value", GET "X: \xc3\xa4\r\n\r\n" NEXT, "200 200"),
    CASE("control character in a value", GET "X: a\x01\r\n\r\n", "400"),
    CASE("DEL in a value", GET "X: a\x7f\r\n\r\n", "400"),
    CASE("tab in a value", GET "X: a\tb\r\n\r\n" NEXT, "200 200"),
    CASE("space before the colon", GET "X : v\r\n\r\n", "400"),
    CASE("tab before the colon", GET "X\t: v\r\n\r\n", "400"),
    CASE("stray LF behind the last field", GET "X: y\r\n\n", "400"),
    CASE("no Host", "GET / HTTP/1.1\r\n\r\n", "400"),
    CASE("no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "200 cl"),
    CASE("Host twice", GET "Host: a\r\n\r\n", "400"),
    CASE("Host twice in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400"),
    CASE("Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "200"),
    CASE("Host with a path", "GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n", "400"),
    CASE("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
    CASE("Host with a comma and port", "GET / HTTP/1.1\r\nHost: a.b-c:8080\r\n\r\n",
         "200"),
    CASE("Host not valid in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "400"),
    CASE("Connection: close and more", GET "Connection: close\r\n\r\n" NEXT, "200 cl"),
    CASE("close in a list", GET "Connection: keep-alive, close\r\n\r\n" NEXT, "200 cl"),
    CASE("CLOSE", GET "Connection: CLOSE\r\n\r\n" NEXT, "200 cl"),
    CASE("close, te", GET "Connection: close, te\r\n\r\n" NEXT, "200 cl"),
    CASE("close in a second line",
         GET "Connection: te\r\nConnection: ,close ,\r\n\r\n" NEXT, "200 cl"),
    CASE("closed is not close", GET "Connection: closed\r\n\r\n" NEXT, "200 200"),
    CASE("HTTP/1.0 with keep-alive",
         "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" NEXT, "200 200"),
    CASE("HTTP/1.0 with keep-alive and close",
         "GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n" NEXT, "200 cl"),
    CASE("Expect", POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx" NEXT,
         "200 200"),
    CASE("Expect something else", POST "Expect: bogus\r\n\r\n", "417"),
    CASE("Expect in HTTP/1.0",
         "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
         "200 cl"),
};

static const struct request_case line_cases[] = {
    TARGET("http://a/b?c", "200"),
    TARGET("HTTPS://a:1/b", "200"),
    TARGET("http://a", "200"),
    TARGET("http://a?b", "200"),
    TARGET("http://", "400"),
    TARGET("http:///b", "400"),
    TARGET("http://:80/b", "400"),
    TARGET("http://u@a/b", "400"),
    TARGET("ftp://a/b", "400"),
    TARGET("a:443", "400"),
    TARGET("a", "400"),
    TARGET("*", "400"),
    TARGET("/%00", "400"),
    TARGET("/%2e%2e%2fb", "200"),
    TARGET("/%2e%2e/b", "400"),
    TARGET("/a/%2E./b", "200"),
    TARGET("/%zz", "400"),
    TARGET("/%4", "400"),
    TARGET("/\xc3\xa4", "400"),
    TARGET("/\x01\x7f\x0b", "400"),
    TARGET("/\t", "400"),
    TARGET("/a#b", "400"),
    TARGET("/a?b#c", "400"),
    TARGET("/\"<>\\^`{}|", "400"),
    TARGET("/a?b?c/d=%0a&e", "200"),
    CASE("NUL in the path", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("absolute form with two hosts",
         "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"),
    CASE("absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n", "400"),
    CASE("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "501"),
    CASE("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" NEXT, "200 200"),
    CASE("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    CASE("HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    CASE("two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"),
    CASE("space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("method in small letters", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    CASE("unknown method", "FOO / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    CASE("method with a hyphen", "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    CASE("method that is no token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n" NEXT, "200 200"),
    CASE("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
    CASE("HTTP/3.7", "GET / HTTP/3.7\r\nHost: a\r\n\r\n", "505"),
    CASE("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505"),
    CASE("HTTP/11.1", "GET / HTTP/11.1\r\nHost: a\r\n\r\n", "400"),
    CASE("HTTP/257.1", "GET / HTTP/257.1\r\nHost: a\r\n\r\n", "400"),
    CASE("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400"),
    CASE("HTTP/1,1", "GET / HTTP/1,1\r\nHost: a\r\n\r\n", "400"),
    CASE("http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"),
    CASE("simple request", "GET /\r\n", "400"),
    CASE("simple request with LF", "GET /\n", "400"),
    CASE("line of a method only", "GET\r\n", "400"),
    CASE("version only", "HTTP/1.1\r\n", "400"),
    CASE("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
    CASE("TLS ClientHello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
    CASE("old TLS ClientHello", "\x80\x2e\x01\x03\x01", "400"),
    CASE("one CRLF before", "\r\n" GET "\r\n" NEXT, "200 200"),
    CASE("two CRLFs before", "\r\n\r\n" GET "\r\n" NEXT, "200 200"),
    CASE("three CRLFs before", "\r\n\r\n\r\n" GET "\r\n" NEXT, "400"),
    CASE("LFs before", "\n\n\n" GET "\r\n", "400"),
    CASE("CRLF between", GET "\r\n\r\n" NEXT, "200 200"),
    CASE("pipeline", GET "\r\n" NEXT NEXT NEXT NEXT, "200 200 200 200 200"),
    CASE("half a head", "GET / HTTP/1.1\r\nHost: a\r\n", ""),
    CASE("half a line", "GET / HT", ""),
};

enum { RANDOM_RUNS = 200 };

static void check_same(const struct request_case *test, const struct walker *whole,
                       size_t max_piece, uint32_t *seed)
{
    struct walker walker;

    walker_run(&walker, test->bytes, test->len, max_piece, seed);
    ck_assert_msg(strcmp(walker.verdict, whole->verdict) == 0,
                  "%s: \"%s\" in pieces up to %zu, \"%s\" in one", test->name,
                  walker.verdict, max_piece, whole->verdict);
    ck_assert_msg(walker.trace_len == whole->trace_len &&
                      (walker.trace_len == 0 ||
                       memcmp(walker.trace, whole->trace, walker.trace_len) == 0),
                  "%s: read differently in pieces:\n%.*s\nthan in one:\n%.*s", test->name,
                  (int)walker.trace_len, walker.trace, (int)whole->trace_len,
                  whole->trace);
    walker_free(&walker);
}

static void check_case(const struct request_case *test)
{
    static const size_t pieces[] = {2, 3, 7, 20, 60};
    struct walker whole;
    uint32_t seed = 88172645;

    walker_run(&whole, test->bytes, test->len, 0, &seed);
    ck_assert_msg(strcmp(whole.verdict, test->verdict) == 0,
                  "%s: \"%s\", not \"%s\" (%s)", test->name, whole.verdict, test->verdict,
                  whole.state.why ? whole.state.why : "-");
    check_same(test, &whole, 1, &seed);
    for (int i = 0; i < RANDOM_RUNS; i++)
        check_same(test, &whole, pieces[i % 5], &seed);
    walker_free(&whole);
}

#define CHECK_ALL(cases)                                                                 \
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)                        \
    check_case(&cases[i])

START_TEST(ambiguous_framing_is_refused)
{
    CHECK_ALL(framing_cases);
}
END_TEST

START_TEST(malformed_chunks_are_refused)
{
    CHECK_ALL(chunk_cases);
}
END_TEST

START_TEST(malformed_fields_are_refused)
{
    CHECK_ALL(field_cases);
}
END_TEST

START_TEST(malformed_request_lines_are_refused)
{
    CHECK_ALL(line_cases);
}
END_TEST

GD_SUITE("http_battery", ambiguous_framing_is_refused, malformed_chunks_are_refused,
         malformed_fields_are_refused, malformed_request_lines_are_refused)
