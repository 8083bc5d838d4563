#ifndef GD_TESTS_HTTP_CASE_H
#define GD_TESTS_HTTP_CASE_H
/**
 * A case of the battery of http_cases.h, and what the standard says about it.
 */
#include <stddef.h>

/* What the standard says: X(id, where, what). */
/* clang-format off */
#define HTTP_RULE_ROWS(X) \
    X(CL_AND_TE, "RFC 9112, 6.1 and 6.3", \
      "Both at once may be request smuggling and ought to be handled as an error.") \
    X(CL_ONCE, "RFC 9110, 8.6", \
      "Several values, or a list, are invalid; a recipient may reject them or take one that all agree on.") \
    X(CL_DIGITS, "RFC 9110, 8.6; RFC 9112, 6.3", \
      "`1*DIGIT`; anything else is an unrecoverable error: 400, and the connection is closed.") \
    X(CL_LARGE, "RFC 9110, 8.6", \
      "There is no limit to the number; a recipient has to prevent errors by overflow.") \
    X(OWS, "RFC 9112, 5.1", \
      "White space around a field's value is no part of it.") \
    X(COLON, "RFC 9112, 5.1", \
      "White space between name and colon has to be answered with 400.") \
    X(OTHER_FIELD, "RFC 9110, 5.1", \
      "A field is known by its name; one of another name is another field.") \
    X(NO_LENGTH, "RFC 9112, 6.3", \
      "A request with neither field has no body.") \
    X(ANY_METHOD, "RFC 9112, 6.3", \
      "Framing does not depend on the method.") \
    X(TE_KNOWN, "RFC 9112, 6.1", \
      "A coding that is not understood ought to be answered with 501.") \
    X(TE_LAST, "RFC 9112, 6.3", \
      "Without chunked as the last coding the length of a request is not known: 400, and the connection is closed.") \
    X(TE_ONCE, "RFC 9112, 6.1", \
      "Chunked is not applied more than once.") \
    X(TE_CASE, "RFC 9112, 7", \
      "Names of codings are case-insensitive.") \
    X(TE_1_0, "RFC 9112, 6.1", \
      "A message of HTTP/1.0 with Transfer-Encoding is framed wrongly; the connection is closed.") \
    X(CHUNKS, "RFC 9112, 7.1", \
      "A recipient has to understand the chunked coding.") \
    X(CHUNK_SIZE, "RFC 9112, 7.1", \
      "`1*HEXDIG`; overflow has to be prevented.") \
    X(CHUNK_LINE, "RFC 9112, 2.2 and 7.1", \
      "A line of a chunk ends in CRLF.") \
    X(CHUNK_DATA, "RFC 9112, 7.1", \
      "A chunk has as many bytes as it says, and CRLF behind them.") \
    X(CHUNK_EXT, "RFC 9112, 7.1.1", \
      "Extensions that are not known are ignored; their grammar holds all the same.") \
    X(TRAILERS, "RFC 9112, 7.1.2", \
      "Trailers are fields, and may be dropped.") \
    X(INCOMPLETE, "RFC 9112, 8", \
      "An incomplete request is no request; it may be answered with an error before the connection is closed.") \
    X(LINE_END, "RFC 9112, 2.2", \
      "Lines end in CRLF; a recipient may take a bare LF for it. A bare CR is invalid.") \
    X(FOLD, "RFC 9112, 5.2", \
      "Folded lines are answered with 400, or unfolded.") \
    X(FIELD, "RFC 9112, 5", \
      "A field is a name, a colon, and a value.") \
    X(NAME, "RFC 9110, 5.1 and 5.6.2", \
      "A name is a token.") \
    X(VALUE, "RFC 9110, 5.5", \
      "CR, LF and NUL in a value are dangerous: the message is rejected, or they are replaced; other controls are invalid as well.") \
    X(VALUE_OK, "RFC 9110, 5.5", \
      "Octets from 0x80 on, and tabs between visible characters, are allowed.") \
    X(HOST, "RFC 9112, 3.2", \
      "A request of HTTP/1.1 without Host, or any with several or an invalid one, is answered with 400.") \
    X(HOST_FORM, "RFC 9110, 7.2; RFC 3986, 3.2", \
      "A host, maybe with a port.") \
    X(CLOSE, "RFC 9112, 9.6", \
      "Behind a request with `close` nothing more is served.") \
    X(PERSIST, "RFC 9112, 9.3", \
      "A connection of HTTP/1.1 persists without `close`; one of HTTP/1.0 only with `keep-alive`.") \
    X(EXPECT, "RFC 9110, 10.1.1", \
      "`100-continue` is understood; any other expectation may be answered with 417. HTTP/1.0 has none.") \
    X(UPGRADE, "RFC 9110, 7.8", \
      "Upgrade may be ignored.") \
    X(ABSOLUTE, "RFC 9112, 3.2.2", \
      "The absolute form has to be accepted; Host has to stand all the same.") \
    X(AUTHORITY, "RFC 9112, 3.2.3; RFC 9110, 9.3.6", \
      "The authority form is for CONNECT alone.") \
    X(ASTERISK, "RFC 9112, 3.2.4", \
      "The asterisk form is for OPTIONS alone.") \
    X(ORIGIN, "RFC 9112, 3.2.1", \
      "The origin form is an absolute path and maybe a query.") \
    X(TARGET, "RFC 9112, 3.2; RFC 3986, 2", \
      "An invalid target ought to be answered with 400; it is not repaired.") \
    X(DOTS, "RFC 3986, 5.2.4 and 6.2.2.3", \
      "Dot segments are removed; what would lead above the root is ambiguous.") \
    X(PERCENT, "RFC 3986, 2.1", \
      "`%` and two hexadecimal digits.") \
    X(REQUEST_LINE, "RFC 9112, 3", \
      "`method SP request-target SP HTTP-version`; a lenient reading of white space can be a way in for attackers.") \
    X(METHOD, "RFC 9110, 9.1", \
      "A method is a token, and case-sensitive; which ones a resource takes is its own matter.") \
    X(VERSION, "RFC 9112, 2.3", \
      "`HTTP/` in capitals, a digit, a dot, a digit.") \
    X(VERSION_MINOR, "RFC 9110, 2.5", \
      "A higher minor version is read like the highest that is known.") \
    X(VERSION_MAJOR, "RFC 9110, 15.6.6", \
      "A major version that is not spoken is answered with 505.") \
    X(EMPTY_LINES, "RFC 9112, 2.2", \
      "At least one empty line in front of a request ought to be ignored.") \
    X(PIPELINE, "RFC 9112, 9.3.2", \
      "Pipelined requests are answered in their order.") \
    X(NOT_HTTP, "RFC 9112, 2.2", \
      "What is no HTTP is answered with 400, and the connection is closed.")
/* clang-format on */

enum http_rule {
#define X(id, where, what) HTTP_##id,
    HTTP_RULE_ROWS(X)
#undef X
};

struct request_case {
    enum http_rule rule;
    const char *name;
    const char *bytes;
    size_t len;
    const char *verdict; /* of the walker; "" when the request is not complete */
};

#define CASE(rule, name, bytes, verdict)                                                 \
    {                                                                                    \
        HTTP_##rule, name, bytes, sizeof(bytes) - 1, verdict                             \
    }
#define POST "POST /p HTTP/1.1\r\nHost: a\r\n"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define NEXT "GET /NEXT HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define TARGET(rule, target, verdict)                                                    \
    CASE(rule, "target " target, "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n", verdict)

#endif
