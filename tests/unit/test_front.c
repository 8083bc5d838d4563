/*
 * The front as ordinary clients see it: answers, keep-alive, pipelines, bodies.
 */
#include "front_client.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: a\r\n"

static struct gd_span field_of(struct client *client, const char *name)
{
    static struct gd_field fields[100];
    static const struct gd_head_limits limits = {8192, 65536, 100};
    struct gd_head_state state = {0};
    struct gd_response_head head;
    const struct gd_field *field;

    ck_assert_int_eq(gd_response_head_parse(&state,
                                            (struct gd_span){client->got, client->len},
                                            &limits, GD_METHOD_HEAD, fields, &head),
                     GD_PARSE_DONE);
    field = gd_fields_find(&head.fields, gd_span_of(name));
    return field ? field->value : GD_SPAN_NONE;
}

#define ck_assert_field(client, name, text)                                              \
    ck_assert_msg(gd_span_is(field_of(client, name), text), "%s is \"%.*s\"", name,      \
                  GD_SPAN_ARG(field_of(client, name)))
#define ck_assert_no_field(client, name) ck_assert_ptr_null(field_of(client, name).ptr)

/* One request on a connection of its own; what came back stays in *client. */
static void ask(struct rig *rig, struct client *client, const char *text)
{
    client_open(client, rig);
    client->next_is_head = strncmp(text, "HEAD", 4) == 0;
    ck_assert(client_say(client, text));
    client_wait(client, 1);
}

START_TEST(a_request_is_answered_and_the_connection_kept)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client, GET("/one"));
    ck_assert_body(&client, "GET /one ");
    ck_assert_field(&client, "content-type", "text/plain");
    ck_assert_field(&client, "content-length", "9");
    ck_assert_field(&client, "x-request-id", rig.last_id);
    ck_assert_uint_eq(field_of(&client, "date").len, 29);
    ck_assert_no_field(&client, "connection");
    ck_assert(client_say(&client, GET("/two")));
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "200 200");
    ck_assert_body(&client, "GET /two ");
    ck_assert_uint_eq(rig.stats[GD_WORKER_CONNECTIONS], 1);
    ck_assert_uint_eq(rig.stats[GD_WORKER_REQUESTS], 2);
    client_close(&client);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.releases, 2);
    ck_assert_uint_eq(rig.gone, 0);
}
END_TEST

START_TEST(every_request_has_an_id_of_its_own)
{
    struct rig rig;
    struct client client;
    char first[33];

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client, GET("/"));
    memcpy(first, rig.last_id, sizeof(first));
    ck_assert_uint_eq(strspn(first, "0123456789abcdef"), 32);
    ck_assert(client_say(&client, GET("/")));
    client_wait(&client, 2);
    ck_assert_str_ne(first, rig.last_id);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(an_answer_can_come_later)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/later") GET("/later") GET("/three")));
    rig_run(&rig, 20);
    ck_assert_uint_eq(rig.requests, 1);
    ck_assert_uint_eq(rig.stats[GD_WORKER_IN_FLIGHT], 1);
    rig_answer_held(&rig);
    rig_run(&rig, 20);
    ck_assert_uint_eq(rig.requests, 2);
    rig_answer_held(&rig);
    client_wait(&client, 3);
    ck_assert_str_eq(client.verdict, "200 200 200");
    ck_assert_body(&client, "GET /three ");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(two_thousand_pipelined_requests_are_answered_in_order)
{
    enum { MANY = 2000 };
    struct rig rig;
    struct client client;
    char *all = malloc(MANY * 64);
    size_t used = 0;
    const char *found;

    rig_init(&rig);
    rig_start(&rig);
    ck_assert_ptr_nonnull(all);
    for (int i = 0; i < MANY; i++)
        used +=
            (size_t)snprintf(all + used, 64, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
    client_open(&client, &rig);
    ck_assert(client_send(&client, all, used));
    client_wait(&client, MANY);
    found = client.got;
    for (int i = 0; i < MANY; i++) {
        char text[32];
        size_t len = (size_t)snprintf(text, sizeof(text), "\r\n\r\nGET /%d ", i);

        found = memmem(found, client.len - (size_t)(found - client.got), text, len);
        ck_assert_msg(found != NULL, "answer %d is not in its place", i);
        found += len;
    }
    free(all);
    client_close(&client);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.releases, MANY);
}
END_TEST

START_TEST(a_long_pipeline_leaves_room_for_others)
{
    struct rig rig;
    struct client greedy, other;
    enum { MANY = 256 };
    char all[MANY * (sizeof(GET("/")) - 1)];

    rig_init(&rig);
    rig_start(&rig);
    client_open(&greedy, &rig);
    client_open(&other, &rig);
    rig_run(&rig, 5);
    for (size_t i = 0; i < MANY; i++)
        memcpy(all + i * sizeof(all) / MANY, GET("/"), sizeof(all) / MANY);
    ck_assert(client_send(&greedy, all, sizeof(all)));
    ck_assert(client_say(&other, GET("/other")));
    client_wait(&other, 1);
    ck_assert_uint_lt(rig.requests, MANY / 2);
    client_wait(&greedy, MANY);
    client_close(&greedy);
    client_close(&other);
    rig_stop(&rig);
}
END_TEST

START_TEST(head_has_the_length_and_no_body)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_field(&client, "content-length", "8");
    ck_assert_int_eq(memcmp(client.got + client.len - 4, "\r\n\r\n", 4), 0);
    ck_assert(client_say(&client, "HEAD /early HTTP/1.1\r\nHost: a\r\n\r\n"));
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "200 404");
    ck_assert_int_eq(memcmp(client.got + client.len - 4, "\r\n\r\n", 4), 0);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(no_content_and_not_modified_have_neither_body_nor_length)
{
    static const int statuses[] = {204, 304};
    struct rig rig;

    rig_init(&rig);
    rig_start(&rig);
    for (int i = 0; i < 2; i++) {
        struct client client;

        rig.status = statuses[i];
        ask(&rig, &client, GET("/"));
        ck_assert_no_field(&client, "content-length");
        ck_assert_int_eq(memcmp(client.got + client.len - 4, "\r\n\r\n", 4), 0);
        rig.status = 0;
        ck_assert(client_say(&client, GET("/")));
        client_wait(&client, 2);
        ck_assert_body(&client, "GET / ");
        client_close(&client);
    }
    rig_stop(&rig);
}
END_TEST

START_TEST(http_1_0_closes_unless_asked_to_keep)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client, "GET / HTTP/1.0\r\n\r\n");
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "200 cl");
    ck_assert_int_eq(memcmp(client.got, "HTTP/1.1 ", 9), 0);
    ck_assert_field(&client, "connection", "close");
    client_close(&client);
    ask(&rig, &client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ck_assert_field(&client, "connection", "keep-alive");
    rig_run(&rig, 5);
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "200");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(nothing_behind_connection_close_is_answered)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client,
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET("/no"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "200 cl");
    ck_assert_field(&client, "connection", "close");
    ck_assert_uint_eq(rig.requests, 1);
    client_close(&client);
    ask(&rig, &client, GET("/close") GET("/no"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "200 cl");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(a_connection_serves_its_number_of_requests)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig.limits.requests_per_connection = 2;
    rig_start(&rig);
    ask(&rig, &client, GET("/") GET("/") GET("/"));
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "200 200 cl");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(bodies_arrive_whole)
{
    static const char *const posts[] = {
        POST("/p") "Content-Length: 11\r\n\r\nhello world",
        POST("/p") "Transfer-Encoding: chunked\r\n\r\n"
                   "5;x=y\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n",
    };
    struct rig rig;

    rig_init(&rig);
    rig_start(&rig);
    for (unsigned i = 0; i < 4; i++) {
        struct client client;
        const char *text = posts[i / 2];

        if (i % 2 == 0) {
            ask(&rig, &client, text);
        } else {
            client_open(&client, &rig);
            for (size_t at = 0; at < strlen(text); at++) {
                ck_assert(client_send(&client, text + at, 1));
                rig_run(&rig, 1);
            }
            client_wait(&client, 1);
        }
        ck_assert_body(&client, "POST /p hello world");
        ck_assert(client_say(&client, GET("/next")));
        client_wait(&client, 2);
        ck_assert_body(&client, "GET /next ");
        client_close(&client);
    }
    rig_stop(&rig);
}
END_TEST

START_TEST(a_large_body_is_gathered)
{
    enum { BYTES = 1 << 20 };
    struct rig rig;
    struct client client;
    char *body = calloc(1, BYTES);

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, POST("/later") "Content-Length: 1048576\r\n\r\n"));
    ck_assert(client_send(&client, body, BYTES));
    for (int i = 0; i < 40 && rig.held_count == 0; i++)
        rig_run(&rig, 50);
    ck_assert_uint_eq(rig.last_body_len, BYTES);
    rig_answer_held(&rig);
    client_wait(&client, 1);
    ck_assert_uint_eq(client.last_body.len, BYTES + strlen("POST /later "));
    free(body);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(expect_is_answered_when_the_body_is_wanted)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client,
                         POST("/p") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    rig_run(&rig, 5);
    client_wait(&client, 0);
    ck_assert_str_eq(client.verdict, "100");
    ck_assert(client_say(&client, "hi"));
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "100 200");
    ck_assert_body(&client, "POST /p hi");
    ck_assert(client_say(
        &client, POST("/p") "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nho"));
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "100 200 200");
    client_close(&client);
    ask(&rig, &client,
        POST("/small") "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "413 cl");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(an_early_answer_keeps_the_connection_when_the_body_is_small)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client, POST("/early") "Content-Length: 5\r\n\r\n");
    ck_assert_str_eq(client.verdict, "404");
    ck_assert_no_field(&client, "connection");
    ck_assert_field(&client, "content-type", "application/problem+json");
    ck_assert_body(&client, "{\"type\":\"about:blank\",\"title\":\"Not Found\","
                            "\"status\":404,\"detail\":\"there is nothing here\","
                            "\"x\":1}\n");
    ck_assert(client_say(&client, "hello" GET("/next")));
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "404 200");
    client_close(&client);
    ask(&rig, &client, POST("/early") "Content-Length: 100000\r\n\r\n");
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "404 cl");
    client_close(&client);
    ask(&rig, &client, POST("/early") "Transfer-Encoding: chunked\r\n\r\n");
    client_wait_closed(&client);
    ck_assert_str_eq(client.verdict, "404 cl");
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(no_line_of_a_value_becomes_a_field)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    ask(&rig, &client, GET("/bad"));
    ck_assert_str_eq(client.verdict, "500");
    ck_assert_no_field(&client, "b");
    client_close(&client);
    rig_stop(&rig);
    ck_assert_uint_eq(rig.releases, 1);
}
END_TEST

START_TEST(the_client_address_is_known)
{
    struct rig rig;
    struct client client;
    struct sockaddr_in own;
    socklen_t len = sizeof(own);

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, GET("/later")));
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig.held_count, 1);
    ck_assert_int_eq(getsockname(client.fd, (struct sockaddr *)&own, &len), 0);
    ck_assert_uint_eq(rig.held[0]->client->len, sizeof(own));
    ck_assert_int_eq(memcmp(&rig.held[0]->client->sa, &own, 8), 0);
    rig_answer_held(&rig);
    client_wait(&client, 1);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

GD_SUITE("front", a_request_is_answered_and_the_connection_kept,
         every_request_has_an_id_of_its_own, an_answer_can_come_later,
         two_thousand_pipelined_requests_are_answered_in_order,
         a_long_pipeline_leaves_room_for_others, head_has_the_length_and_no_body,
         no_content_and_not_modified_have_neither_body_nor_length,
         http_1_0_closes_unless_asked_to_keep,
         nothing_behind_connection_close_is_answered,
         a_connection_serves_its_number_of_requests, bodies_arrive_whole,
         a_large_body_is_gathered, expect_is_answered_when_the_body_is_wanted,
         an_early_answer_keeps_the_connection_when_the_body_is_small,
         no_line_of_a_value_becomes_a_field, the_client_address_is_known)
