/*
 * Clients that do anything in any order, while the handler answers now, later or never:
 * whatever happens, each request has one end, each answer one release, and every gauge
 * comes back to zero. CHAOS_SEED=n in the environment takes another way through it.
 */
#include "front_client.h"

enum { CLIENTS = 8, STEPS = 3000 };

static const char *const texts[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /close HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /later HTTP/1.0\r\n\r\n",
    "HEAD /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
    "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234",
    "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
    "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "01234",
    "0\r\n\r\n",
    "\r\n",
    "GET / HTTP/1.1\r\nHo",
    "st: a\r\n\r\n",
};

static uint32_t seed = 2463534242;

static unsigned draw(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static void drop(struct client *client, bool abort)
{
    if (client->fd < 0)
        return;
    if (abort)
        client_abort(client);
    else
        client_close(client);
    client->fd = -1;
}

/* A text with up to three octets changed. */
static void say_damaged(struct client *client, const char *text)
{
    char copy[256];
    size_t len = strlen(text);

    memcpy(copy, text, len);
    for (unsigned n = draw(3); n < 3; n++)
        copy[draw((unsigned)len)] = (char)draw(256);
    (void)client_try_send(client, copy, len);
}

static void step(struct rig *rig, struct client *client)
{
    const char *text = texts[draw(sizeof(texts) / sizeof(texts[0]))];

    if (client->fd < 0) {
        client_open(client, rig);
        return;
    }
    switch (draw(16)) {
    case 0:
        drop(client, false);
        break;
    case 1:
        drop(client, true);
        break;
    case 2:
        shutdown(client->fd, SHUT_WR);
        break;
    case 3:
    case 4:
        client_read(client);
        client->len = 0;
        break;
    case 5:
    case 6:
        if (rig->held_count)
            rig_answer_held(rig);
        break;
    case 7:
        (void)client_try_send(client, text, draw((unsigned)strlen(text)));
        break;
    case 8:
        say_damaged(client, text);
        break;
    default:
        if (rig->held_count < RIG_HELD)
            (void)client_try_send(client, text, strlen(text));
        break;
    }
}

static bool turned(void *arg)
{
    return (*(int *)arg)++ > 0;
}

static void run_steps(struct rig *rig, struct client *clients, int steps)
{
    for (int i = 0; i < steps; i++) {
        step(rig, &clients[draw(CLIENTS)]);
        if (draw(2)) {
            int turns = 0;

            (void)gd_loop_run_until(rig->loop, turned, &turns, 1);
        }
    }
}

static void chaos_init(struct rig *rig, struct client *clients)
{
    const char *other = getenv("CHAOS_SEED");

    if (other)
        seed ^= (uint32_t)strtoul(other, NULL, 10);
    if (seed == 0)
        seed = 1;
    rig_init(rig);
    rig->big_bytes = 8 << 20;
    rig->limits.header_timeout_ms = 40;
    rig->limits.body_timeout_ms = 40;
    rig->limits.idle_timeout_ms = 40;
    rig->limits.write_timeout_ms = 40;
    rig_start(rig);
    for (int i = 0; i < CLIENTS; i++)
        clients[i].fd = -1;
}

START_TEST(every_request_has_one_end_whatever_clients_do)
{
    struct rig rig;
    struct client clients[CLIENTS];

    chaos_init(&rig, clients);
    run_steps(&rig, clients, STEPS);
    for (int i = 0; i < CLIENTS; i++)
        drop(&clients[i], i % 2);
    for (int i = 0; i < 100 && !rig_nobody_left(&rig); i++) {
        if (rig.held_count)
            rig_answer_held(&rig);
        rig_run(&rig, 5);
    }
    ck_assert_uint_gt(rig.requests, 50);
    ck_assert_uint_gt(rig.gone, 3);
    rig_stop(&rig);
    ck_assert_uint_le(rig.releases, rig.answers);
}
END_TEST

START_TEST(a_front_can_be_freed_in_the_midst_of_it)
{
    for (int i = 0; i < 20; i++) {
        struct rig rig;
        struct client clients[CLIENTS];

        chaos_init(&rig, clients);
        run_steps(&rig, clients, 100);
        gd_front_free(rig.front);
        rig.front = NULL;
        for (int k = 0; k < CLIENTS; k++)
            drop(&clients[k], false);
        rig_stop(&rig);
    }
}
END_TEST

static void on_drained(void *arg)
{
    ((struct rig *)arg)->drained = true;
}

static bool is_drained(void *arg)
{
    struct rig *rig = arg;

    if (rig->held_count)
        rig_answer_held(rig);
    return rig->drained;
}

START_TEST(a_front_can_be_drained_in_the_midst_of_it)
{
    for (int i = 0; i < 10; i++) {
        struct rig rig;
        struct client clients[CLIENTS];

        chaos_init(&rig, clients);
        run_steps(&rig, clients, 100);
        gd_front_drain(rig.front, on_drained, &rig);
        run_steps(&rig, clients, 20);
        for (int k = 0; k < CLIENTS; k++)
            drop(&clients[k], false);
        ck_assert(gd_loop_run_until(rig.loop, is_drained, &rig, 5000));
        rig_stop(&rig);
    }
}
END_TEST

GD_SUITE("front_chaos", every_request_has_one_end_whatever_clients_do,
         a_front_can_be_freed_in_the_midst_of_it,
         a_front_can_be_drained_in_the_midst_of_it)
