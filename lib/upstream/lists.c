#include "upstream/lists.h"

void gd_idle_push(struct gd_server *server, struct gd_session *session)
{
    session->older = server->newest;
    session->newer = NULL;
    if (server->newest)
        server->newest->newer = session;
    else
        server->oldest = session;
    server->newest = session;
}

void gd_idle_remove(struct gd_server *server, struct gd_session *session)
{
    if (session->newer)
        session->newer->older = session->older;
    else
        server->newest = session->older;
    if (session->older)
        session->older->newer = session->newer;
    else
        server->oldest = session->newer;
    session->newer = session->older = NULL;
}

void gd_orphan_push(struct gd_server *server, struct gd_session *session)
{
    session->lease = NULL;
    session->newer = NULL;
    session->older = server->orphans;
    if (server->orphans)
        server->orphans->newer = session;
    server->orphans = session;
}

void gd_orphan_remove(struct gd_server *server, struct gd_session *session)
{
    if (session->newer)
        session->newer->older = session->older;
    else
        server->orphans = session->older;
    if (session->older)
        session->older->newer = session->newer;
    session->newer = session->older = NULL;
}

static void count_queued(struct gd_server *server, int n)
{
    server->queued += (uint32_t)n;
    gd_stat_add(&server->stats[GD_SERVER_QUEUED], n);
}

void gd_queue_push(struct gd_server *server, struct gd_lease *lease)
{
    lease->next = NULL;
    lease->prev = server->last_waiter;
    if (server->last_waiter)
        server->last_waiter->next = lease;
    else
        server->first_waiter = lease;
    server->last_waiter = lease;
    count_queued(server, 1);
}

void gd_queue_remove(struct gd_server *server, struct gd_lease *lease)
{
    if (lease->prev)
        lease->prev->next = lease->next;
    else
        server->first_waiter = lease->next;
    if (lease->next)
        lease->next->prev = lease->prev;
    else
        server->last_waiter = lease->prev;
    lease->next = lease->prev = NULL;
    gd_timer_disarm(&lease->deadline);
    count_queued(server, -1);
}
