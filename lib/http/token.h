#ifndef GD_HTTP_TOKEN_H
#define GD_HTTP_TOKEN_H
/**
 * The smallest words of HTTP: characters, methods, versions, status texts, known fields.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/** RFC 9110 5.6.2: at least one character, all of them tchar. */
bool gd_is_token(struct gd_span text);

/** RFC 9110 5.5: visible characters, space, tab and obs-text; no control character. */
bool gd_is_field_value(struct gd_span text);

enum gd_method {
    GD_METHOD_OTHER, /* a token that is none of these */
    GD_METHOD_GET,
    GD_METHOD_HEAD,
    GD_METHOD_POST,
    GD_METHOD_PUT,
    GD_METHOD_DELETE,
    GD_METHOD_PATCH,
    GD_METHOD_OPTIONS,
    GD_METHOD_CONNECT,
    GD_METHOD_TRACE,
    GD_METHODS
};

/** Methods are case-sensitive; an unknown token is OTHER. */
enum gd_method gd_method_of(struct gd_span text);
const char *gd_method_text(enum gd_method method); /* "GET"; "" for OTHER */

/** RFC 9110 9.2.2: sending it twice does no more than once. */
bool gd_method_idempotent(enum gd_method method);

/** "Not Found"; a class text ("Client Error") for codes without a name. */
const char *gd_status_reason(int status);

/** Fields the program looks at, found once while parsing. */
#define GD_FIELD_ROWS(X)                                                                 \
    X(ACCEPT, "accept")                                                                  \
    X(AUTHORIZATION, "authorization")                                                    \
    X(CONNECTION, "connection")                                                          \
    X(CONTENT_ENCODING, "content-encoding")                                              \
    X(CONTENT_LENGTH, "content-length")                                                  \
    X(CONTENT_TYPE, "content-type")                                                      \
    X(COOKIE, "cookie")                                                                  \
    X(DATE, "date")                                                                      \
    X(EXPECT, "expect")                                                                  \
    X(HOST, "host")                                                                      \
    X(KEEP_ALIVE, "keep-alive")                                                          \
    X(LOCATION, "location")                                                              \
    X(ORIGIN, "origin")                                                                  \
    X(RETRY_AFTER, "retry-after")                                                        \
    X(TE, "te")                                                                          \
    X(TRAILER, "trailer")                                                                \
    X(TRANSFER_ENCODING, "transfer-encoding")                                            \
    X(UPGRADE, "upgrade")                                                                \
    X(USER_AGENT, "user-agent")                                                          \
    X(VIA, "via")

enum gd_field_id {
    GD_FIELD_OTHER,
#define X(id, name) GD_FIELD_##id,
    GD_FIELD_ROWS(X)
#undef X
        GD_FIELD_IDS
};

/** Case-insensitive. */
enum gd_field_id gd_field_id_of(struct gd_span name);

#endif
