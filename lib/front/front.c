#include <evhtp/evhtp.h>

#include "front/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/mem.h"

/* What libevhtp sees of a request, whatever the client wrote. Whether the connection goes
 * on behind it is decided by reply.c. */
static const char canonical_head[] = "GET / HTTP/1.1\r\n\r\n";

/* The shell: libevhtp's objects ------------------------------------------------------ */

static void on_shell_request(evhtp_request_t *request, void *arg)
{
    struct gd_front *front = arg;

    front->beginning->shell_request = request;
}

static evhtp_res on_shell_request_fini(evhtp_request_t *request, void *arg)
{
    struct gd_conn *conn = arg;

    if (conn->shell_request == request)
        conn->shell_request = NULL;
    return EVHTP_RES_OK;
}

static evhtp_res on_shell_conn_fini(evhtp_connection_t *shell, void *arg)
{
    struct gd_conn *conn = arg;

    (void)shell;
    conn->shell = NULL;
    return EVHTP_RES_OK;
}

bool gd_shell_begin(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct bufferevent *bev = evhtp_connection_get_bev(conn->shell);
    struct evbuffer *input = bufferevent_get_input(bev);

    assert(conn->shell_request == NULL && evbuffer_get_length(input) == 0);
    front->beginning = conn;
    if (evbuffer_prepend(input, canonical_head, sizeof(canonical_head) - 1) == 0)
        front->shell_read(bev, conn->shell);
    front->beginning = NULL;
    return conn->shell && conn->shell_request;
}

void gd_shell_end(struct gd_conn *conn)
{
    if (conn->shell_request == NULL)
        return;
    evhtp_send_reply_end(conn->shell_request);
    conn->front->shell_write(evhtp_connection_get_bev(conn->shell), conn->shell);
    assert(conn->shell_request == NULL && conn->shell);
}

void gd_shell_close(struct gd_conn *conn)
{
    if (conn->shell)
        evhtp_connection_free(conn->shell);
    assert(conn->shell == NULL && conn->shell_request == NULL);
}

/* Accepting -------------------------------------------------------------------------- */

static evhtp_res on_pre_accept(evhtp_connection_t *shell, void *arg)
{
    struct gd_front *front = arg;

    (void)shell;
    if (front->conn_count < front->limits->connections)
        return EVHTP_RES_OK;
    gd_front_count(front, GD_WORKER_CONNECTIONS_REFUSED, 1);
    return EVHTP_RES_ERROR;
}

static evhtp_res on_post_accept(evhtp_connection_t *shell, void *arg)
{
    struct gd_front *front = arg;
    struct bufferevent *bev = evhtp_connection_get_bev(shell);
    int fd = bufferevent_getfd(bev);
    bufferevent_event_cb event_cb;
    struct gd_conn *conn;
    void *own;

    bufferevent_getcb(bev, &front->shell_read, &front->shell_write, &event_cb, &own);
    assert(own == shell);
    bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    conn = gd_conn_open(front, shell, fd, shell->saddr);
    /* Only now, so that the read interest passes from the one to the other without a
     * system call. */
    bufferevent_disable(bev, EV_READ | EV_WRITE);
    if (evhtp_connection_set_hook(shell, evhtp_hook_on_connection_fini,
                                  (evhtp_hook)on_shell_conn_fini, conn) == 0 &&
        evhtp_connection_set_hook(shell, evhtp_hook_on_request_fini,
                                  (evhtp_hook)on_shell_request_fini, conn) == 0)
        return EVHTP_RES_OK;
    conn->shell = NULL; /* libevhtp frees it on the way out */
    gd_conn_close(conn, false);
    return EVHTP_RES_ERROR;
}

static void on_accept_resume(void *arg)
{
    struct gd_front *front = arg;

    for (struct gd_listener *l = front->listeners; l; l = l->next)
        evconnlistener_enable(l->listener);
}

/* Without descriptors or memory the pending connection stays pending, and the listener
 * would be ready again at once: a pause keeps that from taking a core. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct evhtp *shell = arg;
    struct gd_front *front = shell->arg;

    (void)listener;
    if (gd_timer_armed(&front->accept_pause))
        return;
    gd_front_count(front, GD_WORKER_ACCEPT_PAUSES, 1);
    for (struct gd_listener *l = front->listeners; l; l = l->next)
        evconnlistener_disable(l->listener);
    gd_timer_arm(&front->accept_pause, GD_FRONT_ACCEPT_PAUSE_MS);
}

bool gd_front_listen(struct gd_front *front, int fd, struct gd_err *err)
{
    struct gd_listener *entry;
    int one = 1, flags, own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (own < 0)
        return gd_err_errno(err, "cannot duplicate a listening socket");
    flags = fcntl(own, F_GETFL);
    if (flags < 0 || fcntl(own, F_SETFL, flags | O_NONBLOCK) < 0) {
        gd_err_errno(err, "cannot set up a listening socket");
        close(own);
        return false;
    }
    /* Accepted connections inherit it: a system call less for each. Fails on UNIX. */
    setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (evhtp_accept_socket(front->shell, own, 0) != 0) {
        close(own);
        return gd_err_set(err, "cannot watch a listening socket");
    }
    entry = gd_alloc(sizeof(*entry));
    entry->listener = front->shell->server;
    entry->next = front->listeners;
    front->listeners = entry;
    evconnlistener_set_error_cb(entry->listener, on_accept_error);
    return true;
}

static void close_listeners(struct gd_front *front)
{
    gd_timer_disarm(&front->accept_pause);
    while (front->listeners) {
        struct gd_listener *entry = front->listeners;

        front->listeners = entry->next;
        front->shell->server = entry->listener;
        evhtp_unbind_socket(front->shell);
        gd_free(entry);
    }
}

/* The front -------------------------------------------------------------------------- */

/* A closed connection keeps its `next` until the end of the turn, so a walk goes on
 * behind it. */
static void each_conn(struct gd_front *front, void (*fn)(struct gd_conn *conn))
{
    struct gd_conn *next;

    for (struct gd_conn *conn = front->conns; conn; conn = next) {
        next = conn->next;
        if (conn->state != GD_CONN_CLOSED)
            fn(conn);
    }
}

void gd_front_change(struct gd_front *front, const struct gd_plan_limits *limits,
                     const struct gd_trusted *trusted)
{
    front->limits = limits;
    front->trusted = trusted;
    front->head_limits = (struct gd_head_limits){.line_bytes = limits->request_line,
                                                 .head_bytes = limits->header_bytes,
                                                 .field_count = limits->header_fields};
    gd_free(front->fields);
    front->fields = gd_alloc_array(limits->header_fields, sizeof(struct gd_field));
    each_conn(front, gd_conn_renew);
}

struct gd_front *gd_front_new(const struct gd_front_config *config, struct gd_err *err)
{
    struct gd_front *front = gd_alloc(sizeof(*front));

    front->loop = config->loop;
    front->blocks = gd_loop_blocks(config->loop);
    front->max_body = config->max_body;
    front->stats = config->stats;
    front->handler = config->handler;
    front->arg = config->arg;
    gd_front_change(front, config->limits, config->trusted);
    front->scratch = gd_alloc(GD_FRONT_READ_BYTES);
    gd_timer_init(&front->accept_pause, front->loop, on_accept_resume, front);
    front->shell = evhtp_new(gd_loop_base(front->loop), front);
    if (front->shell == NULL || !gd_ids_init(&front->ids, err)) {
        gd_err_set(err, "cannot make a front");
        gd_front_free(front);
        return NULL;
    }
    evhtp_disable_flag(front->shell, EVHTP_FLAG_ENABLE_100_CONT);
    evhtp_set_gencb(front->shell, on_shell_request, front);
    evhtp_set_pre_accept_cb(front->shell, on_pre_accept, front);
    evhtp_set_post_accept_cb(front->shell, on_post_accept, front);
    return front;
}

static void on_drained_turn(void *arg)
{
    struct gd_front *front = arg;
    void (*on_drained)(void *) = front->on_drained;

    front->on_drained = NULL;
    if (on_drained)
        on_drained(front->on_drained_arg);
}

void gd_front_conn_left(struct gd_front *front)
{
    if (front->draining && front->drain_turns == 0 && front->conn_count == 0 &&
        front->on_drained && !gd_work_queued(&front->drain_work))
        gd_loop_defer(front->loop, &front->drain_work, on_drained_turn, front);
}

/* Connections that the kernel has already accepted for us are still served: the listeners
 * stay for a last turn before they are closed. */
static void on_drain_turn(void *arg)
{
    struct gd_front *front = arg;

    if (--front->drain_turns > 0) {
        gd_loop_defer(front->loop, &front->drain_work, on_drain_turn, front);
        return;
    }
    close_listeners(front);
    each_conn(front, gd_conn_drain);
    gd_front_conn_left(front);
}

void gd_front_drain(struct gd_front *front, void (*on_drained)(void *arg), void *arg)
{
    assert(!front->draining);
    front->draining = true;
    front->on_drained = on_drained;
    front->on_drained_arg = arg;
    front->drain_turns = 2;
    gd_loop_defer(front->loop, &front->drain_work, on_drain_turn, front);
}

static void close_conn(struct gd_conn *conn)
{
    gd_conn_close(conn, false);
}

void gd_front_free(struct gd_front *front)
{
    if (front == NULL)
        return;
    front->on_drained = NULL;
    close_listeners(front);
    each_conn(front, close_conn);
    gd_work_cancel(&front->drain_work);
    if (front->shell)
        evhtp_free(front->shell);
    gd_free(front->fields);
    gd_free(front->scratch);
    gd_free(front);
}
