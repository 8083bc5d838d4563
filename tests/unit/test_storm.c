#include "call_rig.h"

/*
 * Many calls at a time against servers that misbehave in every way, each with a number of
 * its own: whatever happens, an answer that counts is the answer to that very request,
 * every call ends once, and nothing is left over.
 */
enum { CALLERS = 24, CALLS = 6000 };

struct storm;

struct caller {
    struct storm *storm;
    struct gd_lease lease;
    struct gd_exchange exchange;
    struct gd_timer patience;
    unsigned number;
    bool busy;
};

struct storm {
    struct rig rig;
    struct caller callers[CALLERS];
    unsigned seed, started, ended;
    unsigned outcomes[GD_FAILURES];
};

static void caller_next(struct caller *caller);

static unsigned chance(struct storm *storm, unsigned of)
{
    return (unsigned)rand_r(&storm->seed) % of;
}

static struct storm *storm_now;

/* The server's side: echoes the number, mostly right. */
static void on_request(struct peer_conn *conn)
{
    static const char evil[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    struct storm *storm = storm_now;
    unsigned fault = chance(storm, 24);
    size_t name = 0;
    int len;

    while (5 + name < sizeof(conn->line) && conn->line[5 + name] != ' ')
        name++;
    len =
        snprintf(conn->own, sizeof(conn->own),
                 chance(storm, 2)
                     ? "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s%s"
                     : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%.*s"
                       "\r\n0\r\n\r\n%s",
                 name, (int)name, conn->line + 5, fault == 0 ? evil : "");
    conn->answer = (struct gd_span){conn->own, (size_t)len};
    conn->first = conn->piece = 0;
    conn->end = PEER_KEEP;
    if (fault == 1)
        conn->answer.len = chance(storm, (unsigned)len); /* and then silence */
    if (fault >= 2 && fault <= 5)
        conn->answer.len = chance(storm, (unsigned)len + 1);
    if (fault >= 2 && fault <= 7)
        conn->end = fault % 2 ? PEER_FIN : PEER_RESET;
    if (fault >= 8 && fault <= 12)
        conn->piece = 1 + chance(storm, 20);
    if (fault == 13)
        conn->own[chance(storm, 17)] = '!';
}

static void caller_end(struct caller *caller, enum gd_failure failure)
{
    struct storm *storm = caller->storm;
    bool reusable = caller->exchange.reusable;

    ck_assert(caller->busy);
    caller->busy = false;
    gd_timer_disarm(&caller->patience);
    gd_exchange_cancel(&caller->exchange);
    gd_exchange_free(&caller->exchange);
    gd_lease_end(&caller->lease, reusable && failure == GD_OK);
    storm->outcomes[failure]++;
    storm->ended++;
    caller_next(caller);
}

static void on_patience(void *arg)
{
    caller_end(arg, GD_FAIL_CANCELLED);
}

static void on_storm_done(void *arg, enum gd_failure failure)
{
    struct caller *caller = arg;
    char number[16];

    if (failure == GD_OK) {
        snprintf(number, sizeof(number), "%u", caller->number);
        check_span(caller->exchange.body, number);
    }
    caller_end(caller, failure);
}

static void on_storm_ready(void *arg, enum gd_failure failure)
{
    struct caller *caller = arg;
    struct gd_buf request;

    if (failure != GD_OK) {
        caller_end(caller, failure);
        return;
    }
    gd_buf_init(&request, gd_loop_blocks(caller->storm->rig.loop), 1024);
    ck_assert(
        gd_buf_addf(&request, "GET /%u HTTP/1.1\r\nHost: x\r\n\r\n", caller->number));
    gd_exchange_start(&caller->exchange, caller->lease.session, GD_METHOD_GET, &request,
                      4096, on_storm_done, caller);
}

static void caller_next(struct caller *caller)
{
    struct storm *storm = caller->storm;

    if (storm->started == CALLS)
        return;
    caller->number = storm->started++;
    caller->busy = true;
    gd_timer_arm(&caller->patience, chance(storm, 8) == 0 ? 1 : 20);
    switch (gd_upstream_lease(storm->rig.upstreams, 0, chance(storm, 20) == 0,
                              &caller->lease, on_storm_ready, caller)) {
    case GD_LEASE_READY:
        on_storm_ready(caller, GD_OK);
        break;
    case GD_LEASE_WAIT:
        break;
    case GD_LEASE_FULL:
        /* not inside itself: the patience of this one ends at once */
        gd_timer_arm(&caller->patience, 0);
        break;
    }
}

static bool storm_over(void *arg)
{
    return ((struct storm *)arg)->ended == CALLS;
}

START_TEST(every_answer_belongs_to_its_request_whatever_the_servers_do)
{
    struct storm *storm = calloc(1, sizeof(*storm));
    struct rig *rig = &storm->rig;

    storm_now = storm;
    storm->seed = 3;
    rig_open(rig, 2);
    rig->upstream.pool.max = 8;
    rig->upstream.pool.idle = 4;
    rig->upstream.pool.max_requests = 50;
    rig->upstream.timeout_ms = 10;
    rig->peers[0].on_request = rig->peers[1].on_request = on_request;
    rig_start(rig);
    for (int i = 0; i < CALLERS; i++) {
        storm->callers[i].storm = storm;
        gd_timer_init(&storm->callers[i].patience, rig->loop, on_patience,
                      &storm->callers[i]);
    }
    for (int i = 0; i < CALLERS; i++)
        caller_next(&storm->callers[i]);
    ck_assert(gd_loop_run_until(rig->loop, storm_over, storm, 40000));
    ck_assert_uint_gt(storm->outcomes[GD_OK], 0);
    ck_assert_uint_gt(storm->outcomes[GD_FAIL_RESET], 0);
    ck_assert_uint_gt(storm->outcomes[GD_FAIL_PROTOCOL], 0);
    ck_assert_uint_gt(storm->outcomes[GD_FAIL_CANCELLED], 0);
    rig_close(rig);
    free(storm);
}
END_TEST

GD_SUITE("storm", every_answer_belongs_to_its_request_whatever_the_servers_do)
