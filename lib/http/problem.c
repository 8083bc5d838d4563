#include "http/problem.h"

#include "http/token.h"
#include "json/text.h"

bool gd_problem_write(struct gd_buf *body, int status, const char *detail,
                      struct gd_span extra)
{
    return gd_buf_add_text(body, "{\"type\":\"about:blank\",\"title\":") &&
           gd_json_add_string(body, gd_span_of(gd_status_reason(status))) &&
           gd_buf_add_text(body, ",\"status\":") &&
           gd_buf_add_u64(body, (uint64_t)status) &&
           gd_buf_add_text(body, ",\"detail\":") &&
           gd_json_add_string(body, gd_span_of(detail)) &&
           (extra.len == 0 ||
            (gd_buf_add_text(body, ",") && gd_buf_add_span(body, extra))) &&
           gd_buf_add_text(body, "}\n");
}

bool gd_methods_write(struct gd_buf *out, uint32_t methods)
{
    const char *separator = "";

    for (int method = GD_METHOD_GET; method < GD_METHODS; method++) {
        if (!(methods >> method & 1))
            continue;
        if (!gd_buf_add_text(out, separator) ||
            !gd_buf_add_text(out, gd_method_text((enum gd_method)method)))
            return false;
        separator = ", ";
    }
    return true;
}
