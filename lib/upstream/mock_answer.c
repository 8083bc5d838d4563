#include "upstream/mock_parts.h"

#include "http/problem.h"
#include "http/target.h"
#include "plan/route.h"
#include "plan/template.h"

/* Rendering ---------------------------------------------------------------------------
 */

static bool has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* Fields that this server decides itself. */
static bool is_own_field(enum gd_field_id id)
{
    return id == GD_FIELD_CONNECTION || id == GD_FIELD_CONTENT_LENGTH ||
           id == GD_FIELD_DATE || id == GD_FIELD_KEEP_ALIVE ||
           id == GD_FIELD_TRANSFER_ENCODING || id == GD_FIELD_TRAILER ||
           id == GD_FIELD_UPGRADE;
}

static bool render_head(const struct gd_plan_mock_route *route, struct gd_buf *buf,
                        struct gd_err *err)
{
    bool typed = route->body == NULL;
    bool ok = gd_write_status_line(buf, route->status);

    for (unsigned i = 0; ok && i < route->header_count; i++) {
        const struct gd_plan_header *header = &route->headers[i];
        enum gd_field_id id = gd_field_id_of(header->name);

        if (is_own_field(id))
            return gd_err_set(err, "a mock can't set %.*s: it belongs to the connection",
                              GD_SPAN_ARG(header->name));
        typed |= id == GD_FIELD_CONTENT_TYPE;
        ok = gd_write_field(buf, header->name, header->value);
    }
    if (ok && !typed)
        ok = gd_write_field(buf, GD_SPAN("Content-Type"), GD_SPAN("application/json"));
    return ok ||
           gd_err_set(err, "the status or a header of a mock's answer is not valid");
}

static bool render(struct gd_mock_server *server, const struct gd_plan_mock_route *route,
                   struct gd_buf *buf, struct gd_err *err)
{
    struct gd_mock_answer *answer = &server->answers[route->index];

    buf->len = 0;
    if (!render_head(route, buf, err))
        return false;
    answer->route = route;
    answer->has_length = has_body(route->status);
    answer->seed = gd_mock_seed(server, route->index);
    answer->head = gd_arena_copy(&server->arena, gd_buf_span(buf));
    answer->literal = GD_SPAN("");
    if (answer->has_length && route->body)
        answer->literal = gd_template_literal(route->body);
    return answer->head.ptr != NULL || gd_err_set(err, "the mocks are too large");
}

bool gd_mock_render(struct gd_mock_server *server, struct gd_err *err)
{
    const struct gd_plan_mock *mock = server->upstream->mock;
    struct gd_buf buf;
    bool ok = true;

    server->answers = gd_arena_alloc(&server->arena,
                                     (mock->route_count + 1) * sizeof(*server->answers));
    if (server->answers == NULL)
        return gd_err_set(err, "the mocks are too large");
    gd_buf_init(&buf, NULL, GD_MOCK_HEAD_MAX);
    for (unsigned i = 0; ok && i < mock->route_count; i++)
        ok = render(server, &mock->routes[i], &buf, err);
    gd_buf_free(&buf);
    return ok;
}

/* Answering ---------------------------------------------------------------------------
 */

static bool add_connection(const struct gd_request_head *head, struct gd_buf *out)
{
    if (head == NULL || !head->keep_alive)
        return gd_buf_add_text(out, "Connection: close\r\n");
    return head->minor > 0 || gd_buf_add_text(out, "Connection: keep-alive\r\n");
}

static bool add_length(struct gd_buf *out, size_t len)
{
    return gd_buf_add_text(out, "Content-Length: ") && gd_buf_add_u64(out, len) &&
           gd_buf_add(out, "\r\n", 2);
}

/* Ends a head and adds the body. head NULL: the connection closes. */
static bool add_rest(struct gd_mocks *mocks, const struct gd_request_head *head,
                     bool has_length, struct gd_span body, struct gd_buf *out)
{
    bool for_head = head && head->method == GD_METHOD_HEAD;
    struct gd_span date = gd_date_line(&mocks->date, gd_loop_wall_s(mocks->loop));

    return gd_buf_add_span(out, date) && add_connection(head, out) &&
           (!has_length || add_length(out, body.len)) && gd_write_end(out) &&
           (!has_length || for_head || gd_buf_add_span(out, body));
}

/* The parts of a problem+json answer that differ. */
struct problem {
    int status;
    const char *detail;
    uint32_t allow; /* bits of methods for an Allow field; 0: none */
};

static bool add_allow(uint32_t allow, struct gd_buf *out)
{
    /* An empty list is fine: all that is allowed are methods without a name here. */
    return gd_buf_add_text(out, "Allow: ") && gd_methods_write(out, allow) &&
           gd_buf_add(out, "\r\n", 2);
}

static bool add_problem(struct gd_mocks *mocks, const struct gd_request_head *head,
                        struct problem problem, struct gd_buf *out)
{
    struct gd_buf *body = &mocks->body;

    body->len = 0;
    return gd_problem_write(body, problem.status, problem.detail, GD_SPAN_NONE) &&
           gd_write_status_line(out, problem.status) &&
           (problem.allow == 0 || add_allow(problem.allow, out)) &&
           gd_write_field(out, GD_SPAN("Content-Type"),
                          GD_SPAN("application/problem+json")) &&
           add_rest(mocks, head, true, gd_buf_span(body), out);
}

bool gd_mock_refuse(struct gd_mock_server *server, int status, const char *detail,
                    struct gd_buf *out)
{
    return add_problem(server->mocks, NULL, (struct problem){status, detail, 0}, out);
}

static bool add_answer(struct gd_mocks *mocks, const struct gd_mock_answer *answer,
                       const struct gd_request_head *head, const struct gd_values *values,
                       bool cut, struct gd_buf *out)
{
    static const struct problem unresolved = {
        500, "a placeholder of the mock had no value", 0};
    static const struct problem large = {500, "the mock's answer is too large", 0};
    struct gd_span body = answer->literal;

    if (body.ptr == NULL) {
        enum gd_failure failure;

        mocks->body.len = 0;
        failure = gd_template_expand(answer->route->body, values, &mocks->body);
        if (failure != GD_OK)
            return add_problem(mocks, head,
                               failure == GD_FAIL_TOO_LARGE ? large : unresolved, out);
        body = gd_buf_span(&mocks->body);
    }
    /* Once for all of it: Date, Connection and Content-Length are short. */
    if (!gd_buf_reserve(out, answer->head.len + body.len + 160) ||
        !gd_buf_add_span(out, answer->head) ||
        !add_rest(mocks, head, answer->has_length, body, out))
        return false;
    if (cut && head->method != GD_METHOD_HEAD)
        out->len -= body.len - body.len / 2;
    return true;
}

bool gd_mock_answer(struct gd_mock_server *server, const struct gd_request_head *head,
                    struct gd_buf *out, struct gd_mock_fate *fate)
{
    static const struct problem unreadable = {400, "the target is not valid", 0};
    static const struct problem unknown = {404, "the mock has no such route", 0};
    static const struct problem broken = {500, "the mock fails this share of requests",
                                          0};
    struct problem other = {405, "the mock's route has other methods", 0};
    struct gd_mocks *mocks = server->mocks;
    struct gd_target target = head->parsed;
    char room[GD_MOCK_LINE_MAX + 1];
    struct gd_mock_answer *answer;
    struct gd_values values;
    struct gd_facts facts;
    struct gd_match match;

    *fate = (struct gd_mock_fate){.delay_ms = 0};
    if (target.path.ptr == NULL && !gd_target_parse(head->target, room, &target))
        return add_problem(mocks, head, unreadable, out);
    switch (gd_router_match(server->upstream->mock->router, head->method,
                            head->method_text, head->host, target.path, &match)) {
    case GD_MATCH_NONE:
        return add_problem(mocks, head, unknown, out);
    case GD_MATCH_OTHER_METHOD:
        other.allow = match.allow;
        return add_problem(mocks, head, other, out);
    case GD_MATCH_FOUND:
        break;
    }
    answer = &server->answers[match.index];
    gd_mock_draw(answer, fate);
    if (fate->fail)
        return add_problem(mocks, head, broken, out);
    facts = (struct gd_facts){.query = target.query, .fields = &head->fields};
    values = (struct gd_values){
        .params = match.params, .param_count = match.param_count, .facts = &facts};
    return add_answer(mocks, answer, head, &values, fate->cut, out);
}
