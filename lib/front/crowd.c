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

/* There was less room than it seemed: who was let in last has to go instead. */
static void refuse_late(struct gd_conn *conn)
{
    struct gd_front *front = conn->front;
    bool no_fd = front->fd_most && conn->stream.fd >= front->fd_most;
    bool speaks =
        conn->state == GD_CONN_IDLE && !no_fd && front->refusing < GD_FRONT_REFUSING_MAX;

    gd_front_count(front, no_fd ? GD_WORKER_REFUSED_DESCRIPTORS : GD_WORKER_REFUSED_LIMIT,
                   1);
    if (no_fd)
        gd_front_pause(front);
    if (!speaks) {
        gd_conn_close(conn, false);
        return;
    }
    conn->refused = true;
    front->refusing++;
    gd_guard_refuse_crowded(conn);
}

static void end_credit(struct gd_front *front)
{
    struct gd_conn *next;

    for (struct gd_conn *conn = front->conns; conn && front->credit > 0; conn = next) {
        next = conn->next;
        if (!conn->on_credit)
            continue;
        conn->on_credit = false;
        front->credit--;
        if (front->evict_wanted == 0 || conn->state == GD_CONN_CLOSED)
            continue;
        front->evict_wanted--;
        refuse_late(conn);
    }
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
    end_credit(front);
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

bool gd_crowd_make_room(struct gd_front *front, unsigned total)
{
    if (!has_idle(front, total))
        return false;
    if (front->evict_wanted < total)
        front->evict_wanted = total;
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
    /* The system gives the lowest number that is free: all below are in use. Those of
     * clients above stand for as many that must not be. */
    if (front->fd_most && fd >= front->fd_most) {
        if (gd_crowd_make_room(front, front->high_count + 1))
            return GD_ADMIT_ON_CREDIT;
        gd_front_pause(front);
        return turn_away(front, GD_WORKER_REFUSED_DESCRIPTORS);
    }
    if (front->conn_count - front->refusing < limits->connections + front->evict_wanted)
        return GD_ADMIT;
    return gd_crowd_make_room(front, front->evict_wanted + 1)
               ? GD_ADMIT_ON_CREDIT
               : refuse(listener, GD_WORKER_REFUSED_LIMIT);
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
    struct gd_front *front = conn->front;

    unlist(conn);
    if (front->fd_most && conn->stream.fd >= front->fd_most)
        front->high_count--;
    if (conn->counted)
        gd_clients_remove(&front->clients, &conn->counted_as);
    conn->counted = false;
    if (conn->refused)
        front->refusing--;
    if (conn->on_credit)
        front->credit--;
    conn->on_credit = false;
}
