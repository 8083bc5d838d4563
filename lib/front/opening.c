#include <netinet/in.h>

#include "base/log.h"
#include "front/crowd.h"
#include "http/proxy.h"

/* Who the client is ----------------------------------------------------------------- */

/* Once a connection: text of an address takes longer than all else about a request. */
void gd_conn_name_peer(struct gd_conn *conn)
{
    struct gd_ip ip;

    if (gd_address_ip(&conn->client, &ip))
        gd_ip_text(&ip, conn->peer);
    else
        memcpy(conn->peer, "unix", sizeof("unix"));
}

void gd_conn_renew(struct gd_conn *conn)
{
    const struct gd_plan_limits *limits = conn->front->limits;
    const struct gd_trusted *trusted = conn->front->trusted;
    size_t most = limits->request_line + limits->header_bytes + 3 * GD_FRONT_READ_BYTES;
    struct gd_ip ip;

    if (conn->input.max < most) /* what is there already stays */
        conn->input.max = most;
    if (gd_address_ip(&conn->client, &ip))
        conn->trusted = trusted && gd_trusted_has(trusted, &ip);
    else
        conn->trusted = trusted && trusted->unix_peers;
}

/* HTTP begins -------------------------------------------------------------------------
 */

/* The handler hears of a client only when all of this is over. */
static void leave(struct gd_conn *conn)
{
    conn->front->opening--;
}

static void give_up(struct gd_conn *conn)
{
    gd_conn_close(conn, false);
}

static void finish(struct gd_conn *conn)
{
    leave(conn);
    gd_conn_enter(conn, GD_CONN_IDLE);
    gd_stream_want_read(&conn->stream, true);
}

/* The TLS handshake -------------------------------------------------------------------
 */

static void note_trouble(struct gd_conn *conn)
{
    static struct gd_log_limit limit;
    const char *trouble = gd_stream_trouble(&conn->stream);

    gd_front_count(conn->front, GD_WORKER_TLS_FAILURES, 1);
    if (gd_log_enabled(GD_LOG_DEBUG))
        gd_log_limited(&limit, GD_LOG_DEBUG, "TLS with %s failed: %s", conn->peer,
                       trouble ? trouble : "the connection broke");
}

static void shake(struct gd_conn *conn)
{
    switch (gd_stream_handshake(&conn->stream)) {
    case GD_IO_AGAIN:
        return;
    case GD_IO_OK:
        gd_front_count(conn->front, GD_WORKER_HANDSHAKES, 1);
        if (gd_stream_resumed(&conn->stream))
            gd_front_count(conn->front, GD_WORKER_TLS_RESUMED, 1);
        finish(conn);
        return;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        note_trouble(conn);
        give_up(conn);
    }
}

static void start_tls(struct gd_conn *conn)
{
    gd_stream_want_read(&conn->stream, false);
    gd_stream_accept_tls(&conn->stream, conn->front->acceptor, conn->listener->tls);
    conn->secure = true;
    shake(conn);
}

/* The PROXY header --------------------------------------------------------------------
 */

static void set_client(struct gd_conn *conn, const struct gd_proxy *proxy)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(proxy->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(proxy->port)};
    struct gd_address *client = &conn->client;

    switch (proxy->source) {
    case GD_PROXY_OWN:
        return;
    case GD_PROXY_IPV4:
        memcpy(&in4.sin_addr, proxy->address, sizeof(in4.sin_addr));
        memcpy(&client->sa, &in4, sizeof(in4));
        client->len = sizeof(in4);
        break;
    case GD_PROXY_IPV6:
        memcpy(&in6.sin6_addr, proxy->address, sizeof(in6.sin6_addr));
        memcpy(&client->sa, &in6, sizeof(in6));
        client->len = sizeof(in6);
        break;
    case GD_PROXY_UNIX:
        client->sa.ss_family = AF_UNIX;
        client->len = sizeof(client->sa.ss_family);
        break;
    }
    conn->secure = proxy->tls;
    gd_conn_name_peer(conn);
    gd_conn_renew(conn);
}

static void header_done(struct gd_conn *conn, const struct gd_proxy *proxy)
{
    gd_buf_free(&conn->input);
    conn->awaits_proxy = false;
    set_client(conn, proxy);
    if (!gd_crowd_count(conn))
        give_up(conn);
    else if (conn->listener->tls)
        start_tls(conn);
    else
        finish(conn);
}

static void refuse_header(struct gd_conn *conn)
{
    static struct gd_log_limit limit;

    gd_front_count(conn->front, GD_WORKER_REFUSED_PROXY, 1);
    gd_log_limited(&limit, GD_LOG_WARN,
                   "a connection from %s is closed: it begins with no PROXY header",
                   conn->peer);
    give_up(conn);
}

/* Takes so many bytes off the socket that have been looked at. */
static bool consume(struct gd_conn *conn, size_t n)
{
    size_t got = 0;

    return n == 0 ||
           (gd_stream_read(&conn->stream, conn->front->scratch, n, &got) == GD_IO_OK &&
            got == n);
}

/* Looks without taking: what stands behind the header is for TLS, or is HTTP. What
 * belongs to the header is taken at once, or the socket would stay readable. */
static void read_header(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_buf *header = &conn->input;
    size_t before = header->len, got = 0;
    struct gd_proxy proxy;

    switch (gd_stream_peek(&conn->stream, front->scratch, GD_PROXY_MAX_BYTES - before,
                           &got)) {
    case GD_IO_AGAIN:
        return;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        give_up(conn);
        return;
    case GD_IO_OK:
        break;
    }
    if (!gd_buf_add(header, front->scratch, got)) {
        give_up(conn);
        return;
    }
    switch (gd_proxy_parse(gd_buf_span(header), &proxy)) {
    case GD_PROXY_MORE:
        if (header->len == GD_PROXY_MAX_BYTES)
            refuse_header(conn);
        else if (!consume(conn, got))
            give_up(conn);
        return;
    case GD_PROXY_BAD:
        refuse_header(conn);
        return;
    case GD_PROXY_DONE:
        if (consume(conn, proxy.bytes - before))
            header_done(conn, &proxy);
        else
            give_up(conn);
    }
}

/* From outside ------------------------------------------------------------------------
 */

static void on_refused(void *arg)
{
    gd_guard_refuse_crowded(arg);
}

void gd_opening_begin(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;

    if (conn->refused) {
        gd_conn_enter(conn, GD_CONN_IDLE);
        gd_loop_defer(front->loop, &conn->again, on_refused, conn);
        return;
    }
    /* That it may be counted was asked when it was let in. */
    if (!conn->listener->proxy_protocol)
        gd_loop_must(gd_crowd_count(conn));
    if (!conn->listener->proxy_protocol && conn->listener->tls == NULL) {
        gd_conn_enter(conn, GD_CONN_IDLE);
        return;
    }
    front->opening++;
    conn->state = GD_CONN_OPENING;
    conn->awaits_proxy = conn->listener->proxy_protocol;
    gd_timer_arm(&conn->timer, front->limits->handshake_timeout_ms);
}

void gd_opening_step(struct gd_conn *conn)
{
    if (conn->awaits_proxy)
        read_header(conn);
    else if (conn->stream.tls == NULL)
        start_tls(conn);
    else
        shake(conn);
}

void gd_opening_deadline(struct gd_conn *conn)
{
    gd_front_count(conn->front, GD_WORKER_TIMEOUT_HANDSHAKE, 1);
    give_up(conn);
}

void gd_opening_left(struct gd_conn *conn)
{
    if (conn->state == GD_CONN_OPENING)
        leave(conn);
}
