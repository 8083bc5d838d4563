#include "http/token.h"

#include "http/chars.h"

bool gd_is_token(struct gd_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!gd_char_is(text.ptr[i], GD_CHAR_TOKEN))
            return false;
    return text.len > 0;
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

static const struct gd_span field_names[GD_FIELD_IDS] = {[GD_FIELD_OTHER] = {"", 0},
#define X(id, name) [GD_FIELD_##id] = {name, sizeof(name) - 1},
                                                         GD_FIELD_ROWS(X)
#undef X
};

/* Length and first letter tell the known fields apart. A new row of GD_FIELD_ROWS needs
 * its case here; the unit test of every row finds a missing one. */
static enum gd_field_id guess_field(size_t len, char first)
{
#define KEY(n, letter) ((unsigned)(n) << 8 | (letter))
    switch (KEY(len, (unsigned char)first | 0x20)) {
    case KEY(2, 't'):
        return GD_FIELD_TE;
    case KEY(3, 'v'):
        return GD_FIELD_VIA;
    case KEY(4, 'd'):
        return GD_FIELD_DATE;
    case KEY(4, 'h'):
        return GD_FIELD_HOST;
    case KEY(6, 'a'):
        return GD_FIELD_ACCEPT;
    case KEY(6, 'c'):
        return GD_FIELD_COOKIE;
    case KEY(6, 'e'):
        return GD_FIELD_EXPECT;
    case KEY(6, 'o'):
        return GD_FIELD_ORIGIN;
    case KEY(7, 't'):
        return GD_FIELD_TRAILER;
    case KEY(7, 'u'):
        return GD_FIELD_UPGRADE;
    case KEY(8, 'l'):
        return GD_FIELD_LOCATION;
    case KEY(10, 'c'):
        return GD_FIELD_CONNECTION;
    case KEY(10, 'k'):
        return GD_FIELD_KEEP_ALIVE;
    case KEY(10, 'u'):
        return GD_FIELD_USER_AGENT;
    case KEY(11, 'r'):
        return GD_FIELD_RETRY_AFTER;
    case KEY(12, 'c'):
        return GD_FIELD_CONTENT_TYPE;
    case KEY(13, 'a'):
        return GD_FIELD_AUTHORIZATION;
    case KEY(14, 'c'):
        return GD_FIELD_CONTENT_LENGTH;
    case KEY(16, 'c'):
        return GD_FIELD_CONTENT_ENCODING;
    case KEY(17, 't'):
        return GD_FIELD_TRANSFER_ENCODING;
    default:
        return GD_FIELD_OTHER;
    }
#undef KEY
}

/* Compares eight bytes of a name with a known one in lower case. Only letters may differ
 * in bit 0x20: in known names they are the bytes with bit 0x40. */
static bool same_eight(const char *text, const char *known)
{
    uint64_t a, b;

    memcpy(&a, text, 8);
    memcpy(&b, known, 8);
    return (a | (b & GD_EIGHT(0x40)) >> 1) == b;
}

static bool same_name(const char *text, struct gd_span known)
{
    size_t len = known.len;

    if (len >= 8) {
        for (size_t i = 0; i + 8 < len; i += 8)
            if (!same_eight(text + i, known.ptr + i))
                return false;
        return same_eight(text + len - 8, known.ptr + len - 8);
    }
    for (size_t i = 0; i < len; i++)
        if (gd_ascii_lower(text[i]) != known.ptr[i])
            return false;
    return true;
}

enum gd_field_id gd_field_id_of(struct gd_span name)
{
    enum gd_field_id guess;

    if (name.len < 2 || name.len > 17)
        return GD_FIELD_OTHER;
    guess = guess_field(name.len, name.ptr[0]);
    return same_name(name.ptr, field_names[guess]) ? guess : GD_FIELD_OTHER;
}
