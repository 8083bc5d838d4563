#include "front/ending.h"

#include "front/flow.h"

enum { DESCRIBED_PATH_MAX = 512 };

/* A known method and a path behind it, without query: more of bytes that are no request
 * is not worth a risk, they may be anything. */
static void describe(const struct gd_conn *conn, struct gd_request_end *end)
{
    struct gd_span line = conn->window;
    size_t len = 0;

    end->id = (struct gd_span){conn->ending.id, sizeof(conn->ending.id)};
    end->start_us =
        conn->ending.head_us ? conn->ending.head_us : gd_loop_now_us(conn->front->loop);
    if (!conn->pumping && conn->input.len > conn->input_at)
        line = (struct gd_span){conn->input.data + conn->input_at,
                                conn->input.len - conn->input_at};
    while (len < line.len && line.ptr[len] >= 'A' && line.ptr[len] <= 'Z')
        len++;
    if (len == line.len || line.ptr[len] != ' ' ||
        gd_method_of((struct gd_span){line.ptr, len}) == GD_METHOD_OTHER)
        return;
    end->method = (struct gd_span){line.ptr, len};
    line = (struct gd_span){line.ptr + len + 1, line.len - len - 1};
    if (line.len == 0 || line.ptr[0] != '/')
        return;
    for (len = 0; len < line.len && len < DESCRIBED_PATH_MAX; len++)
        if (line.ptr[len] <= ' ' || line.ptr[len] == '?' || line.ptr[len] == '#')
            break;
    end->path = (struct gd_span){line.ptr, len};
}

static uint64_t bytes_in(const struct gd_conn *conn)
{
    const struct gd_request *request = conn->request;

    if (request == NULL)
        return 0;
    if (request->stream)
        return request->head.bytes + gd_flow_received(conn);
    return request->head.bytes +
           (request->body.ptr ? request->body.len : conn->body_bytes.len);
}

static void tell(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_request *request = conn->request;
    struct gd_request_end end = {
        .how = conn->ending.refused ? GD_END_REFUSED : (enum gd_end)conn->ending.how,
        .status = conn->ending.status,
        .bytes_in = bytes_in(conn),
        .bytes_out = conn->ending.sent,
        .peer = gd_span_of(conn->peer),
    };

    if (end.how == GD_END_ANSWERED && conn->state == GD_CONN_CLOSED)
        end.how = GD_END_ABORTED;
    if (request) {
        end.id = request->id;
        end.start_us = request->start_us;
    } else {
        describe(conn, &end);
    }
    front->handler.on_end(front->arg, request, &end);
}

void gd_ending_tell(struct gd_conn *conn)
{
    struct gd_ending *ending = &conn->ending;

    if ((conn->request || ending->refused) && conn->front->handler.on_end)
        tell(conn);
    ending->refused = false;
    ending->how = GD_END_ANSWERED;
    ending->status = 0;
    ending->sent = 0;
}
