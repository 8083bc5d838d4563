#include <evhtp/evhtp.h>

#include "front/crowd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

/* What libevhtp sees of a request, whatever the client wrote. Whether the connection goes
 * on behind it is decided by reply.c. */
static const char canonical_head[] = "GET / HTTP/1.1\r\n\r\n";

enum { FDS_LEFT_MAX = 256 };

/* The shell: libevhtp's objects ------------------------------------------------------ */

static void on_shell_request(evhtp_request_t *request, void *arg)
{
    struct gd_listener *listener = arg;

    listener->front->beginning->shell_request = request;
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
    struct gd_listener *listener = arg;
    enum gd_admission admission = gd_crowd_admit(listener, shell->sock, shell->saddr);

    listener->front->to_refuse = admission == GD_ADMIT_TO_REFUSE;
    listener->front->to_credit = admission == GD_ADMIT_ON_CREDIT;
    return admission == GD_TURN_AWAY ? EVHTP_RES_ERROR : EVHTP_RES_OK;
}

static evhtp_res on_post_accept(evhtp_connection_t *shell, void *arg)
{
    struct gd_listener *listener = arg;
    struct gd_front *front = listener->front;
    struct bufferevent *bev = evhtp_connection_get_bev(shell);
    int fd = bufferevent_getfd(bev);
    bufferevent_event_cb event_cb;
    struct gd_conn *conn;
    void *own;

    bufferevent_getcb(bev, &front->shell_read, &front->shell_write, &event_cb, &own);
    assert(own == shell);
    bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    conn = gd_conn_open(listener, shell, fd, shell->saddr);
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

/* What waits to be accepted stays, and the listeners would be ready again at once: a
 * pause keeps that from taking a core. */
void gd_front_pause(struct gd_front *front)
{
    if (gd_timer_armed(&front->accept_pause))
        return;
    gd_front_count(front, GD_WORKER_ACCEPT_PAUSES, 1);
    for (struct gd_listener *l = front->listeners; l; l = l->next)
        evconnlistener_disable(l->listener);
    gd_timer_arm(&front->accept_pause, GD_FRONT_ACCEPT_PAUSE_MS);
}

/* Without descriptors or memory. */
static void on_accept_error(struct evconnlistener *evlistener, void *arg)
{
    struct evhtp *shell = arg;
    struct gd_listener *listener = shell->arg;

    (void)evlistener;
    (void)gd_crowd_make_room(listener->front, 1);
    gd_front_pause(listener->front);
}

/* Listeners -------------------------------------------------------------------------- */

void gd_listener_change(struct gd_listener *listener,
                        const struct gd_plan_listen *settings)
{
    struct gd_tls_server *before = listener->tls;

    listener->proxy_protocol = settings && settings->proxy_protocol;
    listener->tls = settings && settings->tls ? gd_tls_server_ref(settings->tls) : NULL;
    gd_tls_server_unref(before);
}

/* The front may be gone. */
static void destroy_listener(void *object)
{
    struct gd_listener *listener = object;

    evhtp_free(listener->shell);
    gd_tls_server_unref(listener->tls);
    gd_free(listener);
}

static void bury_if_unused(struct gd_listener *listener)
{
    if (listener->listener == NULL && listener->conn_count == 0)
        gd_loop_bury(listener->front->loop, &listener->grave, destroy_listener, listener);
}

void gd_listener_close(struct gd_listener *listener)
{
    struct gd_listener **at = &listener->front->listeners;

    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    listener->shell->server = listener->listener;
    listener->listener = NULL;
    evhtp_unbind_socket(listener->shell);
    bury_if_unused(listener);
}

static struct evhtp *new_shell(struct gd_listener *listener)
{
    struct evhtp *shell = evhtp_new(gd_loop_base(listener->front->loop), listener);

    if (shell == NULL)
        return NULL;
    evhtp_disable_flag(shell, EVHTP_FLAG_ENABLE_100_CONT);
    evhtp_set_gencb(shell, on_shell_request, listener);
    evhtp_set_pre_accept_cb(shell, on_pre_accept, listener);
    evhtp_set_post_accept_cb(shell, on_post_accept, listener);
    return shell;
}

/* Returns a dup that can be watched. */
static int own_socket(int fd, struct gd_err *err)
{
    int one = 1, flags, own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (own < 0) {
        gd_err_errno(err, "cannot duplicate a listening socket");
        return -1;
    }
    flags = fcntl(own, F_GETFL);
    if (flags < 0 || fcntl(own, F_SETFL, flags | O_NONBLOCK) < 0) {
        gd_err_errno(err, "cannot set up a listening socket");
        close(own);
        return -1;
    }
    /* Accepted connections inherit it: a system call less for each. Fails on UNIX. */
    setsockopt(own, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return own;
}

struct gd_listener *gd_front_listen(struct gd_front *front, int fd,
                                    const struct gd_plan_listen *settings,
                                    struct gd_err *err)
{
    struct gd_listener *listener;
    int own = own_socket(fd, err);

    if (own < 0)
        return NULL;
    listener = gd_alloc(sizeof(*listener));
    listener->front = front;
    listener->shell = new_shell(listener);
    if (listener->shell == NULL || evhtp_accept_socket(listener->shell, own, 0) != 0) {
        close(own);
        evhtp_free(listener->shell);
        gd_free(listener);
        gd_err_set(err, "cannot watch a listening socket");
        return NULL;
    }
    gd_listener_change(listener, settings);
    listener->listener = listener->shell->server;
    evconnlistener_set_error_cb(listener->listener, on_accept_error);
    if (gd_timer_armed(&front->accept_pause))
        evconnlistener_disable(listener->listener);
    listener->next = front->listeners;
    front->listeners = listener;
    return listener;
}

static void close_listeners(struct gd_front *front)
{
    gd_timer_disarm(&front->accept_pause);
    while (front->listeners)
        gd_listener_close(front->listeners);
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

/* An eighth of what the process may have, but not too many, is for others. */
static int most_descriptors(void)
{
    struct rlimit limit;
    rlim_t left;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
        return 0;
    left = limit.rlim_cur / 8;
    if (left > FDS_LEFT_MAX)
        left = FDS_LEFT_MAX;
    return (int)(limit.rlim_cur - left);
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
    front->fd_most = config->leaves_fds ? most_descriptors() : 0;
    gd_clients_init(&front->clients);
    front->acceptor = gd_tls_acceptor_new();
    if (!gd_ids_init(&front->ids, err)) {
        gd_front_free(front);
        return NULL;
    }
    return front;
}

bool gd_front_spares_fd(const struct gd_front *front, int fd)
{
    return front->fd_most && fd >= front->fd_most;
}

static void on_drained_turn(void *arg)
{
    struct gd_front *front = arg;
    void (*on_drained)(void *) = front->on_drained;

    front->on_drained = NULL;
    if (on_drained)
        on_drained(front->on_drained_arg);
}

static void check_drained(struct gd_front *front)
{
    if (front->draining && front->drain_turns == 0 && front->conn_count == 0 &&
        front->on_drained && !gd_work_queued(&front->drain_work))
        gd_loop_defer(front->loop, &front->drain_work, on_drained_turn, front);
}

void gd_front_conn_left(struct gd_listener *listener)
{
    listener->conn_count--;
    bury_if_unused(listener);
    check_drained(listener->front);
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
    if (!front->draining)
        return;
    each_conn(front, gd_conn_drain);
    check_drained(front);
}

static void stop_accepting(struct gd_front *front)
{
    if (front->drain_turns > 0)
        return;
    front->drain_turns = 2;
    gd_loop_defer(front->loop, &front->drain_work, on_drain_turn, front);
}

void gd_front_leave(struct gd_front *front, bool stop)
{
    front->leaving = true;
    if (stop)
        stop_accepting(front);
}

void gd_front_drain(struct gd_front *front, void (*on_drained)(void *arg), void *arg)
{
    assert(!front->draining);
    front->leaving = front->draining = true;
    front->on_drained = on_drained;
    front->on_drained_arg = arg;
    stop_accepting(front);
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
    gd_work_cancel(&front->evict);
    gd_clients_free(&front->clients);
    gd_tls_acceptor_free(front->acceptor);
    gd_free(front->fields);
    gd_free(front->scratch);
    gd_free(front);
}
