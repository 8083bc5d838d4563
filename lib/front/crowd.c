#include <netinet/in.h>

#include "front/crowd.h"

/* The idle list -----------------------------------------------------------------------
 */

static void unlist(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;

    if (!conn->in_idle_list)
        return;
    conn->in_idle_list = false;
    *(conn->idle_prev ? &conn->idle_prev->idle_next : &front->idle_first) =
        conn->idle_next;
    *(conn->idle_next ? &conn->idle_next->idle_prev : &front->idle_last) =
        conn->idle_prev;
}

/* Those that have become busy stay in the list until they are idle again, or found: so
 * that a request costs one change of it. */
void gd_crowd_idle(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;

    if (front->idle_last == conn)
        return;
    unlist(conn);
    conn->in_idle_list = true;
    conn->idle_next = NULL;
    conn->idle_prev = front->idle_last;
    *(front->idle_last ? &front->idle_last->idle_next : &front->idle_first) = conn;
    front->idle_last = conn;
}

static bool is_idle(const struct gd_conn *conn)
{
    return conn->state == GD_CONN_IDLE && !conn->refused && !gd_work_queued(&conn->again);
}

/* The one that is idle for the longest time; it is no longer in the list. */
static struct gd_conn *take_oldest(struct gd_front *front)
{
    struct gd_conn *conn;

    while ((conn = front->idle_first) != NULL) {
        unlist(conn);
        if (is_idle(conn))
            return conn;
    }
    return NULL;
}

static void on_evict(void *arg)
{
    struct gd_front *front = arg;
    struct gd_conn *conn;

    while (front->evict_wanted > 0 && (conn = take_oldest(front)) != NULL) {
        if (!gd_conn_close_idle(conn))
            continue; /* it has just begun to say something */
        gd_front_count(front, GD_WORKER_EVICTED, 1);
        front->evict_wanted--;
    }
    front->evict_wanted = 0;
}

/* How many more could go for new ones: asked only as far as it matters. */
static bool has_idle(struct gd_front *front, unsigned count)
{
    struct gd_conn *next;

    for (struct gd_conn *conn = front->idle_first; conn && count > 0; conn = next) {
        next = conn->idle_next;
        if (is_idle(conn))
            count--;
        else
            unlist(conn);
    }
    return count == 0;
}

bool gd_crowd_make_room(struct gd_front *front)
{
    if (!has_idle(front, front->evict_wanted + 1))
        return false;
    front->evict_wanted++;
    /* Not now: this may run inside a callback of libevhtp. */
    if (!gd_work_queued(&front->evict))
        gd_loop_defer(front->loop, &front->evict, on_evict, front);
    return true;
}

/* Who is let in -----------------------------------------------------------------------
 */

static bool is_trusted(const struct gd_front *front, const struct sockaddr *sa,
                       struct gd_ip *ip)
{
    const struct gd_trusted *trusted = front->trusted;

    if (sa->sa_family == AF_INET)
        gd_ip_set4(ip, &((const struct sockaddr_in *)sa)->sin_addr);
    else if (sa->sa_family == AF_INET6)
        gd_ip_set6(ip, &((const struct sockaddr_in6 *)sa)->sin6_addr);
    else
        return trusted && trusted->unix_peers;
    return trusted && gd_trusted_has(trusted, ip);
}

static enum gd_admission turn_away(struct gd_front *front, enum gd_stat_worker counter)
{
    gd_front_count(front, counter, 1);
    return GD_TURN_AWAY;
}

/* A refusal in words needs HTTP to be spoken at once. */
static enum gd_admission refuse(struct gd_listener *listener, enum gd_stat_worker counter)
{
    struct gd_front *front = listener->front;

    gd_front_count(front, counter, 1);
    if (listener->tls || listener->proxy_protocol || front->draining ||
        front->refusing >= GD_FRONT_REFUSING_MAX)
        return GD_TURN_AWAY;
    return GD_ADMIT_TO_REFUSE;
}

static bool has_too_many(struct gd_front *front, const struct gd_ip *ip)
{
    struct gd_ip whole = gd_clients_whole(ip);

    return gd_clients_get(&front->clients, &whole) >=
           front->limits->connections_per_client;
}

enum gd_admission gd_crowd_admit(struct gd_listener *listener, int fd,
                                 const struct sockaddr *sa)
{
    static struct gd_log_limit limit;
    struct gd_front *front = listener->front;
    const struct gd_plan_limits *limits = front->limits;
    struct gd_ip ip = {0};
    bool trusted = is_trusted(front, sa, &ip);
    char text[GD_IP_TEXT_MAX];

    if (listener->proxy_protocol && !trusted) {
        gd_log_limited(&limit, GD_LOG_WARN,
                       "a connection from %s is refused: it is none of trusted_proxies, "
                       "and the listener wants the PROXY protocol",
                       sa->sa_family == AF_UNIX ? "unix" : gd_ip_text(&ip, text));
        return turn_away(front, GD_WORKER_REFUSED_PROXY);
    }
    if ((listener->tls || listener->proxy_protocol) &&
        front->opening >= limits->handshakes)
        return turn_away(front, GD_WORKER_REFUSED_HANDSHAKES);
    if (limits->connections_per_client && !trusted && sa->sa_family != AF_UNIX &&
        has_too_many(front, &ip))
        return refuse(listener, GD_WORKER_REFUSED_CLIENT);
    if (front->fd_most && fd >= front->fd_most && !gd_crowd_make_room(front)) {
        gd_front_pause(front);
        return turn_away(front, GD_WORKER_REFUSED_DESCRIPTORS);
    }
    if (front->conn_count - front->refusing >=
            limits->connections + front->evict_wanted &&
        !gd_crowd_make_room(front))
        return refuse(listener, GD_WORKER_REFUSED_LIMIT);
    return GD_ADMIT;
}

bool gd_crowd_count(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    struct gd_ip ip;

    if (front->limits->connections_per_client == 0 || conn->trusted || conn->counted ||
        conn->refused || !gd_address_ip(&conn->client, &ip))
        return true;
    if (has_too_many(front, &ip)) {
        gd_front_count(front, GD_WORKER_REFUSED_CLIENT, 1);
        return false;
    }
    conn->counted = true;
    conn->counted_as = gd_clients_whole(&ip);
    gd_clients_add(&front->clients, &conn->counted_as);
    return true;
}

void gd_crowd_left(struct gd_conn *conn)
{
    unlist(conn);
    if (conn->counted)
        gd_clients_remove(&conn->front->clients, &conn->counted_as);
    conn->counted = false;
    if (conn->refused)
        conn->front->refusing--;
}
