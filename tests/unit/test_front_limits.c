/*
 * The front and clients that are slow or greedy: deadlines and limits.
 */
#include "front_client.h"

#include <fcntl.h>
#include <sys/mman.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\n"

/* Deadlines -------------------------------------------------------------------------- */

START_TEST(a_slow_head_gets_408_at_its_deadline)
{
    struct rig rig;
    struct client client;
    int i;

    rig_init(&rig);
    rig.limits.header_timeout_ms = 100;
    rig_start(&rig);
    client_open(&client, &rig);
    for (i = 0; i < 30 && !client_is_closed(&client); i++) {
        client_say(&client, i ? "a" : "GET / HTTP/1.1\r\nX: ");
        rig_run(&rig, 20);
    }
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "408 cl");
    ck_assert_int_lt(i, 20);
    ck_assert_uint_eq(rig.stats[GD_WORKER_TIMEOUT_HEADER], 1);
    ck_assert_uint_eq(rig.heads, 0);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(silence_is_closed_without_a_word)
{
    struct rig rig;
    struct client fresh, used;

    rig_init(&rig);
    rig.limits.header_timeout_ms = 50;
    rig.limits.idle_timeout_ms = 50;
    rig_start(&rig);
    client_open(&fresh, &rig);
    client_open(&used, &rig);
    ck_assert(client_say(&used, GET("/")));
    client_wait_closed(&fresh);
    client_wait_closed(&used);
    ck_assert_str_eq(fresh.verdict, "cl");
    ck_assert_str_eq(used.verdict, "200 cl");
    ck_assert_uint_eq(rig.stats[GD_WORKER_TIMEOUT_IDLE], 2);
    client_close(&fresh);
    client_close(&used);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_slow_body_gets_408_and_the_handler_is_told)
{
    struct rig rig;
    struct client client;
    int drips = 0;

    rig_init(&rig);
    rig.limits.body_timeout_ms = 100;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, POST("/p") "Content-Length: 1000\r\n\r\n"));
    while (drips < 100 && !client_is_closed(&client)) {
        client_say(&client, "a");
        rig_run(&rig, 20);
        drips++;
    }
    ck_assert_int_lt(drips, 100); /* bytes do not move the deadline */
    ck_assert_str_eq(client.verdict, "408 cl");
    ck_assert_uint_eq(rig.gone, 1);
    ck_assert_uint_eq(rig.requests, 0);
    ck_assert_uint_eq(rig.stats[GD_WORKER_TIMEOUT_BODY], 1);
    ck_assert_uint_eq(rig.stats[GD_WORKER_CLIENT_GONE], 0);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_reader_that_stops_is_cut_off)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig.big_bytes = 32 << 20;
    rig.limits.write_timeout_ms = 300;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/big")));
    rig_run(&rig, 50);
    ck_assert_uint_eq(rig.releases, 0);
    rig_run(&rig, 700);
    ck_assert_uint_eq(rig.releases, 1);
    ck_assert_uint_eq(rig.gone, 0);
    ck_assert_uint_eq(rig.stats[GD_WORKER_TIMEOUT_WRITE], 1);
    client_close(&client);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.releases, 1);
}
END_TEST

START_TEST(a_reader_that_is_slow_gets_all_of_it)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig.big_bytes = 32 << 20;
    rig.limits.write_timeout_ms = 3000;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/big") GET("/next")));
    rig_run(&rig, 30);
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "200 200");
    ck_assert_uint_gt(client.len, 32 << 20);
    client_close(&client);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.releases, 2);
}
END_TEST

/* The system has megabytes for it meanwhile, and takes no more of the answer. */
START_TEST(a_reader_that_is_steady_is_not_cut_off)
{
    struct rig rig;
    struct client client;
    char some[32 * 1024];

    rig_init(&rig);
    rig.big_bytes = 32 << 20;
    rig.limits.write_timeout_ms = 300;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/big")));
    for (int i = 0; i < 40; i++) {
        rig_run(&rig, 50);
        ck_assert_int_gt(recv(client.fd, some, sizeof(some), MSG_DONTWAIT), 0);
    }
    ck_assert_uint_eq(rig.stats[GD_WORKER_TIMEOUT_WRITE], 0);
    ck_assert_uint_eq(rig.releases, 0);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_body_nobody_wants_is_not_waited_for_without_end)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig.limits.body_timeout_ms = 50;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, POST("/early") "Content-Length: 5\r\n\r\nab"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "404 cl");
    ck_assert_uint_eq(rig.stats[GD_WORKER_TIMEOUT_BODY], 1);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_client_that_does_not_close_is_closed_after_two_seconds)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, "GARBAGE\r\n"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "400 cl");
    ck_assert_uint_eq(rig.stats[GD_WORKER_CONNECTIONS_OPEN], 1);
    ck_assert(gd_loop_run_until(rig.loop, rig_nobody_left, &rig, 4000));
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

/* Sizes ------------------------------------------------------------------------------ */

START_TEST(a_body_too_large_is_refused_before_it_is_read)
{
    enum { BYTES = 20 << 20 };
    struct rig rig;
    struct client client;
    char *form = malloc(BYTES), text[200];

    memset(form, 'a', BYTES);
    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    snprintf(text, sizeof(text),
             POST("/p") "Content-Type: application/x-www-form-urlencoded\r\n"
                        "Content-Length: %d\r\n\r\n",
             BYTES);
    ck_assert(client_say(&client, text));
    /* A client that sends all of it before it looks can still read its answer. */
    ck_assert(client_send(&client, form, BYTES));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "413 cl");
    ck_assert_uint_eq(rig.gone, 1);
    ck_assert_int_eq(rig.refused, 413);
    ck_assert_uint_eq(rig.requests, 0);
    ck_assert_uint_eq(rig.stats[GD_WORKER_REJECTED_BODY], 1);
    free(form);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_chunked_body_is_bounded_while_it_is_read)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, POST("/small") "Transfer-Encoding: chunked\r\n\r\n"
                                                 "a\r\n0123456789\r\n"));
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig.gone, 0);
    ck_assert(client_say(&client, "1\r\nx"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "413 cl");
    ck_assert_uint_eq(rig.gone, 1);
    ck_assert_int_eq(rig.refused, 413);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_form_is_nothing_special)
{
    enum { BYTES = 5 << 20 };
    struct rig rig;
    struct client client;
    char *form = malloc(BYTES), text[200];

    memset(form, '&', BYTES);
    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    snprintf(text, sizeof(text),
             POST("/p") "Content-Type: application/x-www-form-urlencoded\r\n"
                        "Content-Length: %d\r\n\r\n",
             1 << 20);
    ck_assert(client_say(&client, text));
    ck_assert(client_send(&client, form, 1 << 20));
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "200");
    free(form);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(what_a_request_may_hold_is_bounded)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig.limits.request_memory = 16384;
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, POST("/p") "Content-Length: 20000\r\n\r\n"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "413 cl");
    client_close(&client);
    rig.limits.request_memory = 1000;
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/")));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "431 cl");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_pipeline_behind_a_slow_request_is_not_read_without_end)
{
    enum { BYTES = 16 << 20 };
    struct rig rig;
    struct client client;
    char *all = malloc(BYTES);
    size_t len = strlen(GET("/")), sent = 0;

    for (size_t at = 0; at < BYTES; at++)
        all[at] = GET("/")[at % len];
    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/later")));
    for (int i = 0; i < 50; i++) {
        sent += client_try_send(&client, all + sent, BYTES - sent);
        rig_run(&rig, 2);
    }
    ck_assert_uint_lt(sent, BYTES);
    ck_assert_uint_eq(rig.requests, 1);
    free(all);
    client_close(&client);
    rig_answer_held(&rig);
    rig_stop(&rig);
}
END_TEST

START_TEST(nothing_is_printed_whatever_clients_send)
{
    static const char *const texts[] = {"\r\n\r\n\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                        GET("/") GET("/") "x", POST("/p") "\r\n\r\n\r\n"};
    struct rig rig;
    int out = memfd_create("stderr", MFD_CLOEXEC), saved = dup(STDERR_FILENO);

    ck_assert(out >= 0 && saved >= 0);
    fflush(stderr);
    dup2(out, STDERR_FILENO);
    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < 2 * sizeof(texts) / sizeof(texts[0]); i++) {
        struct client client;

        client_open(&client, &rig);
        client_say(&client, texts[i / 2]);
        rig_run(&rig, 5);
        if (i % 2)
            client_abort(&client);
        else
            client_close(&client);
    }
    rig_stop(&rig);
    dup2(saved, STDERR_FILENO);
    ck_assert_int_eq(lseek(out, 0, SEEK_END), 0);
    close(out);
    close(saved);
}
END_TEST

GD_SUITE("front_limits", a_slow_head_gets_408_at_its_deadline,
         silence_is_closed_without_a_word, a_slow_body_gets_408_and_the_handler_is_told,
         a_reader_that_stops_is_cut_off, a_reader_that_is_slow_gets_all_of_it,
         a_reader_that_is_steady_is_not_cut_off,
         a_body_nobody_wants_is_not_waited_for_without_end,
         a_client_that_does_not_close_is_closed_after_two_seconds,
         a_body_too_large_is_refused_before_it_is_read,
         a_chunked_body_is_bounded_while_it_is_read, a_form_is_nothing_special,
         what_a_request_may_hold_is_bounded,
         a_pipeline_behind_a_slow_request_is_not_read_without_end,
         nothing_is_printed_whatever_clients_send)
