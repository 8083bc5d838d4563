#include "upstream/session.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "net/race.h"
#include "upstream/carrier.h"
#include "upstream/place.h"

void gd_session_dial_failed(struct gd_session *session, enum gd_failure failure,
                            const char *why)
{
    gd_timer_disarm(&session->connect_timer);
    if (session->to.len)
        gd_place_note_loser(session->server, &session->to);
    gd_pool_dialled(session, failure, why);
}

static void dial_failed_errno(struct gd_session *session)
{
    char reason[128];

    gd_session_dial_failed(session, GD_FAIL_CONNECT,
                           strerror_r(errno, reason, sizeof(reason)));
}

void gd_session_dial_done(struct gd_session *session)
{
    gd_timer_disarm(&session->connect_timer);
    gd_place_note_winner(session->server, &session->to);
    gd_pool_dialled(session, GD_OK, NULL);
}

/* Bytes can be sent: what is spoken? */
static void begin(struct gd_session *session)
{
    enum gd_plan_http http = session->server->upstream->http;
    bool chosen = gd_span_is(gd_stream_protocol(&session->stream), "h2");

    gd_stream_want_read(&session->stream, true);
    if (session->stream.tls && http == GD_HTTP_2 && !chosen)
        gd_session_dial_failed(session, GD_FAIL_TLS, "it did not choose HTTP/2 by ALPN");
    else if (chosen || (http == GD_HTTP_2 && !session->stream.tls))
        gd_carrier_start(session);
    else
        gd_session_dial_done(session);
}

static void shake_hands(struct gd_session *session)
{
    struct gd_stream *stream = &session->stream;
    uint64_t *stats = session->server->stats;

    switch (gd_stream_handshake(stream)) {
    case GD_IO_AGAIN:
        return;
    case GD_IO_OK:
        gd_stat_inc(&stats[GD_SERVER_TLS_HANDSHAKES]);
        if (gd_stream_resumed(stream))
            gd_stat_inc(&stats[GD_SERVER_TLS_RESUMED]);
        begin(session);
        return;
    case GD_IO_EOF:
    case GD_IO_ERROR:
        gd_stat_inc(&stats[GD_SERVER_TLS_FAILURES]);
        gd_session_dial_failed(session, GD_FAIL_TLS, gd_stream_trouble(stream));
        return;
    }
}

/* A socket is connected, or none could be. */
static void on_raced(void *arg, int fd, const struct gd_address *to)
{
    struct gd_session *session = arg;

    session->race = NULL;
    if (fd < 0) {
        dial_failed_errno(session);
        return;
    }
    session->to = *to;
    gd_stream_open(&session->stream, fd, true);
    if (session->server->tls) {
        gd_stream_start_tls(&session->stream, session->server->tls);
        shake_hands(session);
    } else {
        begin(session);
    }
}

bool gd_session_is_quiet(struct gd_session *session)
{
    return gd_stream_is_quiet(&session->stream);
}

enum gd_failure gd_session_failure(struct gd_session *session, const char **why)
{
    struct gd_server *server = session->server;

    if (session->h2) {
        *why = session->h2->why;
        return session->h2->failure;
    }
    *why = gd_stream_trouble(&session->stream);
    if (*why == NULL) {
        *why = "the connection was reset";
        return GD_FAIL_RESET;
    }
    gd_stat_inc(&server->stats[GD_SERVER_TLS_FAILURES]);
    gd_log_limited(&server->dial_log, GD_LOG_WARN,
                   "upstream %s: the connection to %s failed: %s", server->upstream->name,
                   server->name, *why);
    return GD_FAIL_TLS;
}

static void on_readable(void *arg)
{
    struct gd_session *session = arg;

    if (session->carrier) {
        gd_carrier_readable(session);
    } else if (session->state == GD_SESSION_DIALLING) {
        shake_hands(session);
    } else if (session->on_readable == NULL && gd_session_is_quiet(session)) {
        return;
    } else if (session->state == GD_SESSION_IDLE) {
        /* The end of the connection, or bytes nobody asked for: no need to look. */
        gd_pool_evict(session);
    } else if (session->on_readable) {
        session->on_readable(session->arg);
    } else {
        session->spoiled = true;
        gd_stream_want_read(&session->stream, false);
    }
}

static void on_writable(void *arg)
{
    struct gd_session *session = arg;

    if (session->carrier)
        gd_carrier_writable(session);
    else if (session->state == GD_SESSION_DIALLING)
        shake_hands(session);
    else if (session->on_writable)
        session->on_writable(session->arg);
    else
        gd_stream_want_write(&session->stream, false);
}

static void on_connect_timeout(void *arg)
{
    struct gd_session *session = arg;

    errno = ETIMEDOUT;
    if (session->carrier)
        gd_session_dial_failed(session, GD_FAIL_CONNECT,
                               "its HTTP/2 settings did not come by connect_timeout");
    else if (session->stream.tls)
        gd_session_dial_failed(session, GD_FAIL_CONNECT,
                               "the TLS handshake was not done by connect_timeout");
    else
        dial_failed_errno(session);
}

struct gd_session *gd_session_dial(struct gd_server *server)
{
    struct gd_session *session;

    if (server->address_count == 0) {
        errno = EDESTADDRREQ;
        return NULL;
    }
    session = gd_alloc(sizeof(*session));
    session->server = server;
    session->state = GD_SESSION_DIALLING;
    session->generation = server->generation;
    gd_stream_init(&session->stream, server->loop, on_readable, on_writable, session);
    session->race = gd_race_start(server->loop, server->addresses, server->address_count,
                                  server->first_address, on_raced, session);
    if (session->race == NULL) {
        gd_free(session);
        return NULL;
    }
    gd_timer_init(&session->connect_timer, server->loop, on_connect_timeout, session);
    gd_timer_arm(&session->connect_timer, server->upstream->connect_timeout_ms);
    return session;
}

void gd_session_close(struct gd_session *session)
{
    gd_timer_disarm(&session->connect_timer);
    gd_race_cancel(session->race);
    session->race = NULL;
    gd_carrier_close(session);
    /* In the middle of an answer a reset tells the server to stop working on it. */
    gd_stream_close(&session->stream, session->outstanding);
    gd_loop_bury(session->server->loop, &session->grave, gd_free, session);
}

void gd_session_attach(struct gd_session *session, void (*on_readable_cb)(void *arg),
                       void (*on_writable_cb)(void *arg), void *arg)
{
    session->on_readable = on_readable_cb;
    session->on_writable = on_writable_cb;
    session->arg = arg;
}

void gd_session_detach(struct gd_session *session)
{
    gd_session_want_write(session, false);
    session->on_readable = session->on_writable = NULL;
    session->arg = NULL;
}
