#ifndef GD_FRONT_PASS_HEAD_H
#define GD_FRONT_PASS_HEAD_H
/**
 * The heads of a pass, private to it: what of a request goes to the upstream, and what of
 * a reply to the browser. All end-to-end fields do; those of the hop do not.
 */
#include "front/front.h"
#include "gather/forward.h"
#include "plan/template.h"
#include "upstream/exchange.h"

/** Appends the request line. scratch: empty room for a target. GD_OK, or why not. */
enum gd_failure gd_pass_write_line(struct gd_buf *out, const struct gd_plan_pass *plan,
                                   const struct gd_request *request,
                                   const struct gd_values *values,
                                   struct gd_buf *scratch);

/** Appends the fields and the blank line. False when they cannot be passed on. */
GD_MUST_CHECK bool gd_pass_write_fields(struct gd_buf *out,
                                        const struct gd_plan_pass *plan,
                                        const struct gd_plan_server *server,
                                        const struct gd_request *request,
                                        struct gd_forward *forward);

/** Whether the request has a body of at least one byte, or of unknown length. */
static inline bool gd_pass_has_body(const struct gd_request *request)
{
    return request->head.framing == GD_FRAMING_CHUNKED ||
           (request->head.framing == GD_FRAMING_LENGTH &&
            request->head.content_length > 0);
}

enum { GD_PASS_FIELDS_MAX = GD_REPLY_FIELDS_MAX + 2 * GD_HEADERS_MAX + 4 };

/** Fills what `headers` (room for GD_PASS_FIELDS_MAX, the first answer->header_count of
 *  which are the route's own) and the rest of the answer say of
 *  a reply; borrows from its head. whole: the body has no more than these bytes, or
 *  GD_LENGTH_UNKNOWN. What the route says itself replaces what the reply says. False when
 *  it cannot be passed on. */
GD_MUST_CHECK bool gd_pass_read_head(const struct gd_plan_route *route,
                                     const struct gd_response_head *head, bool is_head,
                                     size_t whole, struct gd_plan_header *headers,
                                     struct gd_answer *answer);

/** Answers a pass that failed before its answer was opened: the client learns how it
 *  failed, and no address. */
void gd_pass_answer_problem(struct gd_request *request, enum gd_failure failure);

#endif
