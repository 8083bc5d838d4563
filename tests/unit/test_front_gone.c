/*
 * The front and clients that leave, and the front that ends under its clients.
 */
#include "front_client.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\n"

/* Clients that leave ----------------------------------------------------------------- */

START_TEST(a_client_that_leaves_is_reported_within_50_ms)
{
    for (int abort = 0; abort < 2; abort++) {
        struct rig rig;
        struct client client;

        rig_init(&rig);
        rig_start(&rig);
        client_open(&client, &rig);
        ck_assert(client_say(&client, GET("/later")));
        rig_run(&rig, 20);
        ck_assert_uint_eq(rig.held_count, 1);
        if (abort)
            client_abort(&client);
        else
            client_close(&client);
        rig_run(&rig, 45);
        ck_assert_uint_eq(rig.gone, 1);
        ck_assert_int_eq(rig.refused, 0);
        ck_assert_uint_eq(rig.stats[GD_WORKER_CLIENT_GONE], 1);
        ck_assert_uint_eq(rig.stats[GD_WORKER_IN_FLIGHT], 0);
        rig_stop(&rig);
        ck_assert_uint_eq(rig.gone, 1);
        ck_assert_uint_eq(rig.releases, 0);
    }
}
END_TEST

/* On a busy machine 25 ms may be over at once; one try in ten is enough. */
START_TEST(a_quick_answer_still_finds_a_client_that_sent_fin)
{
    bool found = false;

    for (int i = 0; i < 10 && !found; i++) {
        struct rig rig;
        struct client client;

        rig_init(&rig);
        rig_start(&rig);
        client_open(&client, &rig);
        ck_assert(client_say(&client, GET("/later")));
        rig_run(&rig, 20);
        shutdown(client.fd, SHUT_WR);
        rig_run(&rig, 5);
        if (rig.held_count)
            rig_answer_held(&rig);
        client_wait_closed(&client);
        found = strcmp(client.verdict, "200 cl") == 0;
        ck_assert_uint_eq(rig.gone, !found);
        client_close(&client);
        rig_stop(&rig);
    }
    ck_assert(found);
}
END_TEST

START_TEST(clients_may_leave_in_any_state)
{
    static const struct {
        const char *text;
        unsigned gone, releases;
    } states[] = {
        {"", 0, 0},
        {"GET / HT", 0, 0},
        {POST("/p") "Content-Length: 5\r\n\r\nabc", 1, 0},
        {POST("/p") "Transfer-Encoding: chunked\r\n\r\n5\r\nab", 1, 0},
        {POST("/early") "Content-Length: 5\r\n\r\nabc", 0, 0},
        {GET("/big"), 0, 1},
        {GET("/"), 0, 1},
        {"BAD\r\n", 0, 0},
        {POST("/p") "Content-Length: 5000000\r\n\r\nabc", 1, 0},
    };
    for (size_t i = 0; i < 2 * sizeof(states) / sizeof(states[0]); i++) {
        struct rig rig;
        struct client client;

        rig_init(&rig);
        rig.big_bytes = 32 << 20;
        rig_start(&rig);
        client_open(&client, &rig);
        ck_assert(client_say(&client, states[i / 2].text));
        rig_run(&rig, 5);
        if (i % 2)
            client_abort(&client);
        else
            client_close(&client);
        rig_stop(&rig);
        ck_assert_msg(rig.gone == states[i / 2].gone &&
                          rig.releases == states[i / 2].releases,
                      "state %zu: %u gone, %u releases", i / 2, rig.gone, rig.releases);
    }
}
END_TEST

START_TEST(a_handler_without_on_head_hears_only_of_whole_requests)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig.no_head_handler = true;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, POST("/p") "Content-Length: 5\r\n\r\nabc"));
    rig_run(&rig, 5);
    client_close(&client);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.gone, 0);
    ck_assert_uint_eq(rig.requests, 0);
    ck_assert_uint_eq(rig.stats[GD_WORKER_REQUESTS], 1);
}
END_TEST

/* The end ---------------------------------------------------------------------------- */

static void on_drained(void *arg)
{
    struct rig *rig = arg;

    ck_assert(!rig->drained);
    rig->drained = true;
}

START_TEST(draining_answers_what_runs_and_closes_the_rest)
{
    struct rig rig;
    struct client idle, fresh, busy, late;

    rig_init(&rig);
    rig_start(&rig);
    client_open(&idle, &rig);
    ck_assert(client_say(&idle, GET("/")));
    client_wait(&idle, 1);
    client_open(&fresh, &rig);
    client_open(&busy, &rig);
    ck_assert(client_say(&busy, GET("/later")));
    rig_run(&rig, 10);
    client_open(&late, &rig); /* the kernel has it already, and its request */
    ck_assert(client_say(&late, GET("/late")));
    gd_front_drain(rig.front, on_drained, &rig);
    ck_assert(!rig.drained);
    client_wait_closed(&idle);
    client_wait_closed(&fresh);
    client_wait_closed(&late);
    ck_assert_str_eq(fresh.verdict, "cl");
    ck_assert_str_eq(late.verdict, "200 cl");
    ck_assert(!rig.drained);
    rig_answer_held(&rig);
    client_wait_closed(&busy);
    ck_assert_str_eq(busy.verdict, "200 cl");
    ck_assert_ptr_nonnull(memmem(busy.got, busy.len, "Connection: close\r\n", 19));
    client_close(&busy);
    client_close(&late);
    rig_run(&rig, 20);
    ck_assert(rig.drained);
    client_close(&idle);
    client_close(&fresh);
    rig_stop(&rig);
}
END_TEST

struct arrival {
    struct rig *rig;
    struct client client;
};

static void arrive_and_drain(void *arg)
{
    static const char request[] = GET("/late");
    struct arrival *arrival = arg;

    client_open(&arrival->client, arrival->rig);
    ck_assert_uint_eq(client_try_send(&arrival->client, request, sizeof(request) - 1),
                      sizeof(request) - 1);
    gd_front_drain(arrival->rig->front, on_drained, arrival->rig);
}

/* Within a turn, whose look at the sockets is over: the kernel has accepted it, the front
 * has not. */
START_TEST(who_comes_in_the_turn_in_which_draining_begins_is_answered)
{
    struct rig rig;
    struct arrival arrival = {.rig = &rig};

    rig_init(&rig);
    rig_start(&rig);
    gd_loop_post(rig.loop, arrive_and_drain, &arrival);
    rig_run(&rig, 10);
    client_wait_closed(&arrival.client);
    ck_assert_str_eq(arrival.client.verdict, "200 cl");
    client_close(&arrival.client);
    rig_run(&rig, 20);
    ck_assert(rig.drained);
    rig_stop(&rig);
}
END_TEST

START_TEST(draining_does_not_wait_for_a_body_nobody_wants)
{
    for (int before = 0; before < 2; before++) {
        struct rig rig;
        struct client client;

        rig_init(&rig);
        rig_start(&rig);
        client_open(&client, &rig);
        ck_assert(client_say(&client, POST("/early") "Content-Length: 5\r\n\r\nab"));
        client_wait(&client, 1);
        if (before)
            ck_assert(client_say(&client, "cde"));
        gd_front_drain(rig.front, on_drained, &rig);
        client_wait_closed(&client);
        ck_assert_str_eq(client.verdict, "404 cl");
        client_close(&client);
        rig_run(&rig, 20);
        ck_assert(rig.drained);
        rig_stop(&rig);
    }
}
END_TEST

START_TEST(draining_without_connections_ends_soon)
{
    struct rig rig;

    rig_init(&rig);
    rig_start(&rig);
    gd_front_drain(rig.front, on_drained, &rig);
    ck_assert(!rig.drained);
    rig_run(&rig, 10);
    ck_assert(rig.drained);
    rig_stop(&rig);
}
END_TEST

START_TEST(freeing_the_front_ends_what_is_in_flight)
{
    struct rig rig;
    struct client clients[4];

    rig_init(&rig);
    rig.big_bytes = 32 << 20;
    rig_start(&rig);
    for (int i = 0; i < 4; i++)
        client_open(&clients[i], &rig);
    ck_assert(client_say(&clients[0], GET("/later") GET("/later")));
    ck_assert(client_say(&clients[1], GET("/big")));
    ck_assert(client_say(&clients[2], "GET / HT"));
    rig_run(&rig, 20);
    ck_assert_uint_eq(rig.stats[GD_WORKER_CONNECTIONS_OPEN], 4);
    gd_front_free(rig.front);
    rig.front = NULL;
    ck_assert_uint_eq(rig.gone, 1);
    ck_assert_uint_eq(rig.releases, 1);
    rig_stop(&rig);
    for (int i = 0; i < 4; i++)
        client_close(&clients[i]);
}
END_TEST

GD_SUITE("front_gone", a_client_that_leaves_is_reported_within_50_ms,
         a_quick_answer_still_finds_a_client_that_sent_fin,
         clients_may_leave_in_any_state,
         a_handler_without_on_head_hears_only_of_whole_requests,
         draining_answers_what_runs_and_closes_the_rest,
         who_comes_in_the_turn_in_which_draining_begins_is_answered,
         draining_does_not_wait_for_a_body_nobody_wants,
         draining_without_connections_ends_soon, freeing_the_front_ends_what_is_in_flight)
