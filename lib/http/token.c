#include "http/token.h"

#include "http/fields.h"

bool gd_is_token(struct gd_span text)
{
    const char *end = text.ptr + text.len;

    return text.len > 0 && gd_skip_class(text.ptr, end, GD_CHAR_TOKEN) == end;
}

bool gd_is_field_value(struct gd_span text)
{
    const char *at = text.ptr;
    const char *end = at + text.len;

    if (text.len == 0)
        return true;
    while ((at = gd_find_control(at, end, false)) != end)
        if (*at++ != '\t')
            return false;
    return true;
}

static const struct gd_span method_texts[GD_METHODS] = {
    [GD_METHOD_OTHER] = {"", 0},          [GD_METHOD_GET] = {"GET", 3},
    [GD_METHOD_HEAD] = {"HEAD", 4},       [GD_METHOD_POST] = {"POST", 4},
    [GD_METHOD_PUT] = {"PUT", 3},         [GD_METHOD_DELETE] = {"DELETE", 6},
    [GD_METHOD_PATCH] = {"PATCH", 5},     [GD_METHOD_OPTIONS] = {"OPTIONS", 7},
    [GD_METHOD_CONNECT] = {"CONNECT", 7}, [GD_METHOD_TRACE] = {"TRACE", 5},
};

/* The first two letters tell the known methods apart. */
static enum gd_method guess_method(const char *text)
{
    switch (text[0]) {
    case 'G':
        return GD_METHOD_GET;
    case 'H':
        return GD_METHOD_HEAD;
    case 'P':
        return text[1] == 'O'   ? GD_METHOD_POST
               : text[1] == 'U' ? GD_METHOD_PUT
                                : GD_METHOD_PATCH;
    case 'D':
        return GD_METHOD_DELETE;
    case 'O':
        return GD_METHOD_OPTIONS;
    case 'C':
        return GD_METHOD_CONNECT;
    case 'T':
        return GD_METHOD_TRACE;
    default:
        return GD_METHOD_OTHER;
    }
}

enum gd_method gd_method_of(struct gd_span text)
{
    enum gd_method guess;

    if (text.len < 3)
        return GD_METHOD_OTHER;
    guess = guess_method(text.ptr);
    return gd_span_eq(text, method_texts[guess]) ? guess : GD_METHOD_OTHER;
}

const char *gd_method_text(enum gd_method method)
{
    return method_texts[method < GD_METHODS ? method : GD_METHOD_OTHER].ptr;
}

bool gd_method_idempotent(enum gd_method method)
{
    return method == GD_METHOD_GET || method == GD_METHOD_HEAD ||
           method == GD_METHOD_PUT || method == GD_METHOD_DELETE ||
           method == GD_METHOD_OPTIONS || method == GD_METHOD_TRACE;
}

static const char *class_reason(int status)
{
    static const char *const texts[] = {"Informational", "Success", "Redirection",
                                        "Client Error", "Server Error"};

    return status >= 100 && status <= 599 ? texts[status / 100 - 1] : "Unknown";
}

/* clang-format off */
#define STATUS_ROWS(X)                                                                   \
    X(100, "Continue") X(101, "Switching Protocols") X(103, "Early Hints")               \
    X(200, "OK") X(201, "Created") X(202, "Accepted")                                    \
    X(203, "Non-Authoritative Information") X(204, "No Content")                         \
    X(205, "Reset Content") X(206, "Partial Content") X(207, "Multi-Status")             \
    X(300, "Multiple Choices") X(301, "Moved Permanently") X(302, "Found")               \
    X(303, "See Other") X(304, "Not Modified") X(307, "Temporary Redirect")              \
    X(308, "Permanent Redirect")                                                         \
    X(400, "Bad Request") X(401, "Unauthorized") X(402, "Payment Required")              \
    X(403, "Forbidden") X(404, "Not Found") X(405, "Method Not Allowed")                 \
    X(406, "Not Acceptable") X(407, "Proxy Authentication Required")                     \
    X(408, "Request Timeout") X(409, "Conflict") X(410, "Gone")                          \
    X(411, "Length Required") X(412, "Precondition Failed")                              \
    X(413, "Content Too Large") X(414, "URI Too Long")                                   \
    X(415, "Unsupported Media Type") X(416, "Range Not Satisfiable")                     \
    X(417, "Expectation Failed") X(421, "Misdirected Request")                           \
    X(422, "Unprocessable Content") X(423, "Locked") X(424, "Failed Dependency")         \
    X(425, "Too Early") X(426, "Upgrade Required") X(428, "Precondition Required")       \
    X(429, "Too Many Requests") X(431, "Request Header Fields Too Large")                \
    X(451, "Unavailable For Legal Reasons")                                              \
    X(500, "Internal Server Error") X(501, "Not Implemented") X(502, "Bad Gateway")      \
    X(503, "Service Unavailable") X(504, "Gateway Timeout")                              \
    X(505, "HTTP Version Not Supported") X(507, "Insufficient Storage")                  \
    X(511, "Network Authentication Required")
/* clang-format on */

const char *gd_status_reason(int status)
{
    switch (status) {
#define X(code, text)                                                                    \
    case code:                                                                           \
        return text;
        STATUS_ROWS(X)
#undef X
    default:
        return class_reason(status);
    }
}

const struct gd_span gd_field_names[GD_FIELD_IDS] = {[GD_FIELD_OTHER] = {"", 0},
#define X(id, name) [GD_FIELD_##id] = {name, sizeof(name) - 1},
                                                     GD_FIELD_ROWS(X)
#undef X
};

/* A new row of GD_FIELD_ROWS needs its slot here: the unit test of every row finds a
 * missing one, and the compiler two rows in one slot, which other factors put apart. */
#define SLOT GD_FIELD_SLOT
const uint8_t gd_field_slots[64] = {
    [SLOT(6, 'a')] = GD_FIELD_ACCEPT,
    [SLOT(13, 'a')] = GD_FIELD_AUTHORIZATION,
    [SLOT(10, 'c')] = GD_FIELD_CONNECTION,
    [SLOT(16, 'c')] = GD_FIELD_CONTENT_ENCODING,
    [SLOT(14, 'c')] = GD_FIELD_CONTENT_LENGTH,
    [SLOT(12, 'c')] = GD_FIELD_CONTENT_TYPE,
    [SLOT(6, 'c')] = GD_FIELD_COOKIE,
    [SLOT(4, 'd')] = GD_FIELD_DATE,
    [SLOT(6, 'e')] = GD_FIELD_EXPECT,
    [SLOT(4, 'h')] = GD_FIELD_HOST,
    [SLOT(10, 'k')] = GD_FIELD_KEEP_ALIVE,
    [SLOT(8, 'l')] = GD_FIELD_LOCATION,
    [SLOT(6, 'o')] = GD_FIELD_ORIGIN,
    [SLOT(11, 'r')] = GD_FIELD_RETRY_AFTER,
    [SLOT(2, 't')] = GD_FIELD_TE,
    [SLOT(7, 't')] = GD_FIELD_TRAILER,
    [SLOT(17, 't')] = GD_FIELD_TRANSFER_ENCODING,
    [SLOT(7, 'u')] = GD_FIELD_UPGRADE,
    [SLOT(10, 'u')] = GD_FIELD_USER_AGENT,
    [SLOT(3, 'v')] = GD_FIELD_VIA,
};

enum gd_field_id gd_field_id_of(struct gd_span name)
{
    return name.len ? gd_field_guess(name) : GD_FIELD_OTHER;
}
