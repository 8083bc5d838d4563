/*
 * The front and more connections than it may, or can, have.
 */
#include "front_client.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/un.h>
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
        ck_assert_str_eq(clients[i].verdict, "200");
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
    ck_assert(gd_front_listen(rig.front, fd, &err));
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
    ck_assert(!gd_front_listen(rig.front, -1, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "listening socket"));
    rig_stop(&rig);
}
END_TEST

GD_SUITE("front_accept", connections_beyond_the_limit_are_closed_at_once,
         accepting_pauses_while_there_are_no_descriptors,
         a_front_leaves_no_descriptor_behind,
         unix_sockets_and_several_listeners_serve_alike, a_bad_descriptor_is_no_listener)
