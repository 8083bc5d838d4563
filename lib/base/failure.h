#ifndef GD_BASE_FAILURE_H
#define GD_BASE_FAILURE_H
/**
 * How a call can fail. One row a class: identifier, the word used in answers, logs and
 * metrics, the status a route answers with when a required call fails that way, and what
 * it means. `status` keeps an upstream's own 4xx; everything else of it is a 502.
 */
#define GD_FAILURE_ROWS(X)                                                               \
    X(CONNECT, "connect", 502, "no connection could be opened")                          \
    X(TLS, "tls", 502, "TLS failed, or the server did not prove who it is")              \
    X(TIMEOUT, "timeout", 504, "the answer was not there by its deadline")               \
    X(RESET, "reset", 502, "the connection broke before the answer was complete")        \
    X(PROTOCOL, "protocol", 502, "the answer was not valid HTTP")                        \
    X(STATUS, "status", 502, "the upstream answered with a status that is no success")   \
    X(JSON, "json", 502, "the body of the answer was not valid JSON")                    \
    X(TOO_LARGE, "too_large", 502, "the answer was larger than its limit")               \
    X(OVERLOAD, "overload", 503, "the queue, or the upstream's max_in_flight, was full") \
    X(UNRESOLVED, "unresolved", 502, "a placeholder had no value")                       \
    X(CONFLICT, "conflict", 502, "two answers had a member of the same name")            \
    X(CANCELLED, "cancelled", 502, "the call was cancelled before it was complete")

enum gd_failure {
    GD_OK = 0,
#define X(id, word, status, help) GD_FAIL_##id,
    GD_FAILURE_ROWS(X)
#undef X
        GD_FAILURES
};

/** The word of a class; "ok" for GD_OK. */
const char *gd_failure_word(enum gd_failure failure);

/** The HTTP status a required call's failure of this class gives (200 for GD_OK). */
int gd_failure_status(enum gd_failure failure);

#endif
