#include "upstream/session.h"

#include <errno.h>

#include "base/mem.h"
#include "upstream/pool.h"

static void on_readable(void *arg)
{
    struct gd_session *session = arg;

    if (session->state == GD_SESSION_IDLE) {
        /* The end of the connection, or bytes nobody asked for: no need to look. */
        gd_pool_evict(session);
    } else if (session->on_readable) {
        session->on_readable(session->arg);
    } else {
        session->spoiled = true;
        gd_stream_want_read(&session->stream, false);
    }
}

static void dial_ended(struct gd_session *session, int error)
{
    gd_timer_disarm(&session->connect_timer);
    if (error == 0)
        gd_stream_want_read(&session->stream, true);
    gd_pool_dialled(session, error);
}

static void on_writable(void *arg)
{
    struct gd_session *session = arg;

    if (session->state == GD_SESSION_DIALLING)
        dial_ended(session, gd_stream_connected(&session->stream) ? 0 : errno);
    else if (session->on_writable)
        session->on_writable(session->arg);
    else
        gd_stream_want_write(&session->stream, false);
}

static void on_connect_timeout(void *arg)
{
    dial_ended(arg, ETIMEDOUT);
}

struct gd_session *gd_session_dial(struct gd_server *server)
{
    struct gd_session *session;

    if (server->address->len == 0) {
        errno = EDESTADDRREQ;
        return NULL;
    }
    session = gd_alloc(sizeof(*session));
    session->server = server;
    session->state = GD_SESSION_DIALLING;
    gd_stream_init(&session->stream, server->loop, on_readable, on_writable, session);
    if (!gd_stream_connect(&session->stream, server->address)) {
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
    gd_stream_want_write(&session->stream, false);
    session->on_readable = session->on_writable = NULL;
    session->arg = NULL;
}
