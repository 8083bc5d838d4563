/*
 * The front and more connections than it may, or can, have.
 */
#include "front_client.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

START_TEST(the_connection_that_is_idle_longest_goes_for_a_new_one)
{
    struct rig rig;
    struct client clients[4];

    rig_init(&rig);
    rig.limits.connections = 3;
    rig_start(&rig);
    for (int i = 0; i < 3; i++) {
        client_open(&clients[i], &rig);
        ck_assert(client_say(&clients[i], GET("/")));
        client_wait(&clients[i], 1);
    }
    ck_assert(client_say(&clients[0], GET("/"))); /* now the second one is the oldest */
    client_wait(&clients[0], 2);
    client_open(&clients[3], &rig);
    ck_assert(client_say(&clients[3], GET("/")));
    client_wait(&clients[3], 1);
    client_wait_closed(&clients[1]);
    ck_assert_uint_eq(rig.stats[GD_WORKER_EVICTED], 1);
    ck_assert_uint_eq(rig.stats[GD_WORKER_REFUSED_LIMIT], 0);
    ck_assert_uint_eq(rig.stats[GD_WORKER_CONNECTIONS_OPEN], 3);
    ck_assert(client_say(&clients[2], GET("/")));
    client_wait(&clients[2], 2);
    for (int i = 0; i < 4; i++)
        client_close(&clients[i]);
    rig_stop(&rig);
}
END_TEST

START_TEST(an_idle_connection_that_has_begun_to_speak_does_not_go)
{
    struct rig rig;
    struct client clients[3];

    rig_init(&rig);
    rig.limits.connections = 2;
    rig_start(&rig);
    for (int i = 0; i < 2; i++) {
        client_open(&clients[i], &rig);
        ck_assert(client_say(&clients[i], GET("/")));
        client_wait(&clients[i], 1);
    }
    /* Both arrive in the same turn. */
    client_open(&clients[2], &rig);
    ck_assert_uint_gt(client_try_send(&clients[0], GET("/"), strlen(GET("/"))), 0);
    client_wait(&clients[0], 2);
    client_wait_closed(&clients[1]);
    ck_assert(!clients[0].eof);
    for (int i = 0; i < 3; i++)
        client_close(&clients[i]);
    rig_stop(&rig);
}
END_TEST

/* Holds as many requests as there may be connections. */
static void fill(struct rig *rig, struct client *clients, int count)
{
    for (int i = 0; i < count; i++) {
        client_open(&clients[i], rig);
        ck_assert(client_say(&clients[i], GET("/later")));
        for (int turn = 0; turn < 1000 && rig->held_count <= (unsigned)i; turn++)
            rig_run(rig, 5);
    }
    ck_assert_uint_eq(rig->held_count, (unsigned)count);
}

static void end_all(struct rig *rig, struct client *clients, int count)
{
    while (rig->held_count)
        rig_answer_held(rig);
    for (int i = 0; i < count; i++) {
        client_wait(&clients[i], 1);
        ck_assert_str_eq(clients[i].verdict, "200");
        client_close(&clients[i]);
    }
}

START_TEST(when_none_is_idle_a_connection_beyond_the_limit_is_refused_with_503)
{
    struct rig rig;
    struct client clients[2], more;

    rig_init(&rig);
    rig.limits.connections = 2;
    rig_start(&rig);
    fill(&rig, clients, 2);
    client_open(&more, &rig);
    client_wait_closed(&more);
    ck_assert_str_eq(more.verdict, "503 cl");
    ck_assert_ptr_nonnull(memmem(more.got, more.len, "Retry-After: 1\r\n", 16));
    ck_assert_uint_eq(rig.stats[GD_WORKER_REFUSED_LIMIT], 1);
    ck_assert_uint_eq(rig.requests, 2);
    client_close(&more);
    end_all(&rig, clients, 2);
    rig_stop(&rig);
}
END_TEST

START_TEST(only_some_refused_connections_are_told_so)
{
    enum { MORE = 80 };
    struct rig rig;
    struct client first, more[MORE];
    unsigned told = 0;

    rig_init(&rig);
    rig.limits.connections = 1;
    rig_start(&rig);
    fill(&rig, &first, 1);
    for (int i = 0; i < MORE; i++)
        client_open(&more[i], &rig);
    for (int i = 0; i < MORE; i++) {
        client_wait_closed(&more[i]);
        told += more[i].answers == 1;
    }
    ck_assert_uint_eq(told, 64);
    ck_assert_uint_eq(rig.stats[GD_WORKER_REFUSED_LIMIT], MORE);
    for (int i = 0; i < MORE; i++)
        client_close(&more[i]);
    end_all(&rig, &first, 1);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_client_may_have_so_many_connections)
{
    struct rig rig;
    struct client clients[3], more;

    rig_init(&rig);
    rig.limits.connections_per_client = 2;
    rig_start(&rig);
    for (int i = 0; i < 2; i++)
        client_open(&clients[i], &rig);
    client_open(&more, &rig);
    client_wait_closed(&more);
    ck_assert_str_eq(more.verdict, "503 cl");
    ck_assert_uint_eq(rig.stats[GD_WORKER_REFUSED_CLIENT], 1);
    client_close(&more);
    client_close(&clients[0]);
    rig_run(&rig, 5);
    client_open(&clients[0], &rig);
    ck_assert(client_say(&clients[0], GET("/")));
    client_wait(&clients[0], 1);
    ck_assert_str_eq(clients[0].verdict, "200");
    for (int i = 0; i < 2; i++)
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
    const char *preload = getenv("LD_PRELOAD");

    /* valgrind keeps descriptors of its own and closes what it accepts beyond the limit.
     */
    if (preload && strstr(preload, "vgpreload"))
        return;
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
        ck_assert_int_eq(strncmp(clients[i].verdict, "200", 3),
                         0); /* maybe evicted then */
        client_close(&clients[i]);
    }
    rig_stop(&rig);
}
END_TEST

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

START_TEST(a_front_leaves_no_descriptor_behind)
{
    int before = open_descriptors();

    for (int drained = 0; drained < 2; drained++) {
        struct rig rig;
        struct client clients[3];

        rig_init(&rig);
        rig_start(&rig);
        for (int i = 0; i < 3; i++)
            client_open(&clients[i], &rig);
        ck_assert(client_say(&clients[0], GET("/")));
        ck_assert(client_say(&clients[1], "GARBAGE\r\n"));
        client_wait(&clients[0], 1);
        client_wait_closed(&clients[1]);
        if (drained)
            gd_front_drain(rig.front, NULL, NULL);
        for (int i = 0; i < 3; i++)
            client_close(&clients[i]);
        rig_stop(&rig);
    }
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(unix_sockets_and_several_listeners_serve_alike)
{
    struct rig rig;
    struct client tcp, local;
    struct gd_err err;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    rig_init(&rig);
    rig_start(&rig);
    client_open(&tcp, &rig);
    snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "gatherd-test-%d", getpid());
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    ck_assert(gd_front_listen(rig.front, fd, NULL, &err));
    close(fd);
    memcpy(&rig.address.sa, &name, sizeof(name));
    rig.address.len = sizeof(name);
    client_open(&local, &rig);
    ck_assert(client_say(&local, GET("/later")));
    ck_assert(client_say(&tcp, GET("/tcp")));
    client_wait(&tcp, 1);
    ck_assert_body(&tcp, "GET /tcp ");
    ck_assert_uint_eq(rig.held_count, 1);
    ck_assert_int_eq(rig.held[0]->client->sa.ss_family, AF_UNIX);
    rig_answer_held(&rig);
    client_wait(&local, 1);
    ck_assert_body(&local, "GET /later ");
    client_close(&tcp);
    client_close(&local);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_bad_descriptor_is_no_listener)
{
    struct rig rig;
    struct gd_err err = {.text = ""};

    rig_init(&rig);
    rig_start(&rig);
    ck_assert(!gd_front_listen(rig.front, -1, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "listening socket"));
    rig_stop(&rig);
}
END_TEST

GD_SUITE("front_accept", the_connection_that_is_idle_longest_goes_for_a_new_one,
         an_idle_connection_that_has_begun_to_speak_does_not_go,
         when_none_is_idle_a_connection_beyond_the_limit_is_refused_with_503,
         only_some_refused_connections_are_told_so, a_client_may_have_so_many_connections,
         accepting_pauses_while_there_are_no_descriptors,
         a_front_leaves_no_descriptor_behind,
         unix_sockets_and_several_listeners_serve_alike, a_bad_descriptor_is_no_listener)
