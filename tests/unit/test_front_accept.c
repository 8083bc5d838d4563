/*
 * The front and more connections than it may, or can, have.
 */
#include "front_client.h"

#include <sys/resource.h>
#include <time.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

START_TEST(connections_beyond_the_limit_are_closed_at_once)
{
    struct rig rig;
    struct client clients[3];

    rig_init(&rig);
    rig.limits.connections = 2;
    rig_start(&rig);
    for (int i = 0; i < 3; i++) {
        client_open(&clients[i], &rig);
        rig_run(&rig, 5);
    }
    client_wait_closed(&clients[2]);
    ck_assert_uint_eq(rig.stats[GD_WORKER_CONNECTIONS_REFUSED], 1);
    ck_assert_uint_eq(rig.stats[GD_WORKER_CONNECTIONS_OPEN], 2);
    ck_assert(client_say(&clients[1], GET("/")));
    client_wait(&clients[1], 1);
    ck_assert_str_eq(clients[1].verdict, "200");
    for (int i = 0; i < 3; i++)
        client_close(&clients[i]);
    rig_stop(&rig);
}
END_TEST

static double cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

START_TEST(accepting_pauses_while_there_are_no_descriptors)
{
    enum { CLIENTS = 30 };
    struct rig rig;
    struct client clients[CLIENTS];
    struct rlimit limit, low;
    double before;

    rig_init(&rig);
    rig_start(&rig);
    for (int i = 0; i < CLIENTS; i++) {
        client_open(&clients[i], &rig);
        ck_assert_uint_eq(client_try_send(&clients[i], GET("/"), strlen(GET("/"))),
                          strlen(GET("/")));
    }
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)clients[CLIENTS - 1].fd + 5;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    before = cpu_seconds();
    rig_run(&rig, 450);
    ck_assert(cpu_seconds() - before < 0.1);
    ck_assert_uint_ge(rig.stats[GD_WORKER_ACCEPT_PAUSES], 3);
    ck_assert_uint_le(rig.stats[GD_WORKER_ACCEPT_PAUSES], 6);
    ck_assert_uint_lt(rig.stats[GD_WORKER_CONNECTIONS], CLIENTS);
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < CLIENTS; i++) {
        client_wait(&clients[i], 1);
        ck_assert_str_eq(clients[i].verdict, "200");
        client_close(&clients[i]);
    }
    rig_stop(&rig);
}
END_TEST

GD_SUITE("front_accept", connections_beyond_the_limit_are_closed_at_once,
         accepting_pauses_while_there_are_no_descriptors)
