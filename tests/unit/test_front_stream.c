/*
 * The front with answers and bodies in pieces.
 */
#include "front_client.h"

enum { BIG = 16 << 20 };

/* One request at a time, driven by the test. */
struct flow {
    struct rig rig; /* first: the handler's arg is the rig */
    struct gd_request *request;
    bool paused_at_first;
    bool held; /* a piece is borrowed */
    unsigned writable, pieces, ends;
    char body[4096];
    size_t body_len;
};

static void on_head(void *arg, struct gd_request *request)
{
    struct flow *flow = arg;

    flow->rig.heads++;
    request->stream = true;
    request->max_body = 1000;
}

static void on_request(void *arg, struct gd_request *request)
{
    struct flow *flow = arg;

    flow->rig.requests++;
    flow->request = request;
    flow->body_len = flow->pieces = flow->ends = 0;
    gd_request_pause_body(request, flow->paused_at_first);
}

static void on_body(void *arg, struct gd_request *request, struct gd_span piece,
                    bool last)
{
    struct flow *flow = arg;

    ck_assert_ptr_eq(request, flow->request);
    ck_assert_uint_eq(flow->ends, 0);
    ck_assert_uint_le(piece.len, sizeof(flow->body) - flow->body_len);
    memcpy(flow->body + flow->body_len, piece.ptr, piece.len);
    flow->body_len += piece.len;
    flow->pieces++;
    flow->ends += last;
}

static void on_gone(void *arg, struct gd_request *request)
{
    struct flow *flow = arg;

    ck_assert_ptr_eq(request, flow->request ? flow->request : request);
    flow->rig.gone++;
    flow->rig.refused = request->refused;
    flow->request = NULL;
}

static void on_writable(void *arg)
{
    struct flow *flow = arg;

    ck_assert(flow->held);
    flow->held = false;
    flow->writable++;
}

static void flow_init(struct flow *flow)
{
    static const struct gd_handler handler = {on_head, on_request, on_body, on_gone};

    *flow = (struct flow){.request = NULL};
    rig_init(&flow->rig);
    flow->rig.handler = &handler;
}

static bool has_request(void *arg)
{
    return ((struct flow *)arg)->request != NULL;
}

static void await_request(struct flow *flow)
{
    ck_assert(gd_loop_run_until(flow->rig.loop, has_request, flow, 5000));
}

/* Connects and says text, up to the point where the handler has a request. */
static void begin(struct flow *flow, struct client *client, const char *text)
{
    client_open(client, &flow->rig);
    ck_assert(client_say(client, text));
    await_request(flow);
}

static void open_answer(struct flow *flow, int status, size_t length)
{
    struct gd_answer answer = {.status = status,
                               .body_bytes = length,
                               .release = rig_on_release,
                               .release_arg = &flow->rig};

    ck_assert(gd_request_open(flow->request, &answer, on_writable, flow));
}

static bool write_piece(struct flow *flow, const char *text, bool last)
{
    struct iovec iov = {(char *)text, strlen(text)};
    struct gd_request *request = flow->request;

    if (last) {
        flow->request = NULL;
        flow->rig.answers++;
    }
    return gd_request_write(request, &iov, iov.iov_len > 0, last);
}

static void get_all(struct flow *flow, struct client *client)
{
    rig_run(&flow->rig, 10);
    client_read(client);
}

/* Whether what came ends with this text. */
static bool ends_with(const struct client *client, const char *text)
{
    size_t len = strlen(text);

    return client->len >= len && memcmp(client->got + client->len - len, text, len) == 0;
}

static bool has(const struct client *client, const char *text)
{
    return memmem(client->got, client->len, text, strlen(text)) != NULL;
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* Answers -------------------------------------------------------------------------- */

START_TEST(pieces_of_unknown_length_are_chunks_and_the_connection_goes_on)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    for (unsigned i = 1; i <= 2; i++) {
        open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
        get_all(&flow, &client);
        if (i == 1)
            ck_assert_uint_eq(client.len, 0); /* the head waits for the first piece */
        ck_assert(write_piece(&flow, "hello", false));
        ck_assert(write_piece(&flow, "", false));
        ck_assert(write_piece(&flow, " wonderful world", false));
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_IN_FLIGHT], 1);
        ck_assert(write_piece(&flow, "!", true));
        ck_assert_uint_eq(flow.rig.releases, i);
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_IN_FLIGHT], 0);
        get_all(&flow, &client);
        ck_assert(has(&client, "\r\nTransfer-Encoding: chunked\r\n"));
        ck_assert(!has(&client, "Content-Length"));
        ck_assert(ends_with(&client, "\r\n\r\n5\r\nhello\r\n10\r\n wonderful world\r\n"
                                     "1\r\n!\r\n0\r\n\r\n"));
        if (i == 1) {
            ck_assert(client_say(&client, GET));
            await_request(&flow);
        }
    }
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(the_head_can_be_sent_alone_and_so_can_the_end)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "", false));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "\r\n\r\n"));
    ck_assert(write_piece(&flow, "x", false));
    ck_assert(write_piece(&flow, "", true));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "\r\n\r\n1\r\nx\r\n0\r\n\r\n"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_known_length_is_told)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, 5);
    ck_assert(write_piece(&flow, "he", false));
    ck_assert(write_piece(&flow, "llo", true));
    client_wait(&client, 1);
    ck_assert_body(&client, "hello");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(answers_without_body_leave_the_pieces_out)
{
    static const struct {
        const char *method;
        int status;
        size_t length;
        const char *field;
    } cases[] = {{"HEAD", 200, 5, "Content-Length: 5\r\n"},
                 {"HEAD", 200, GD_LENGTH_UNKNOWN, NULL},
                 {"GET", 204, GD_LENGTH_UNKNOWN, NULL},
                 {"GET", 304, GD_LENGTH_UNKNOWN, NULL}};
    struct flow flow;

    flow_init(&flow);
    rig_start(&flow.rig);
    for (size_t i = 0; i < 4; i++) {
        struct client client;
        char text[64];

        snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].method);
        begin(&flow, &client, text);
        open_answer(&flow, cases[i].status, cases[i].length);
        ck_assert(write_piece(&flow, "he", false));
        ck_assert(write_piece(&flow, "llo", true));
        get_all(&flow, &client);
        ck_assert(ends_with(&client, "\r\n\r\n"));
        ck_assert(!has(&client, "hello") && !has(&client, "chunked"));
        ck_assert(has(&client, "Content-Length") == (cases[i].field != NULL));
        if (cases[i].field)
            ck_assert(has(&client, cases[i].field));
        ck_assert(!client.eof);
        client_close(&client);
    }
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_old_client_gets_the_end_of_the_connection)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "hello", false));
    ck_assert(write_piece(&flow, " world", true));
    get_all(&flow, &client);
    ck_assert(client.eof && !client.reset);
    ck_assert(has(&client, "Connection: close\r\n"));
    ck_assert(ends_with(&client, "\r\n\r\nhello world"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_piece_the_socket_does_not_take_stays_borrowed_until_it_does)
{
    static char big[BIG];
    struct flow flow;
    struct client client;
    struct iovec iov = {big, BIG};

    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i % 251);
    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, 2 * (size_t)BIG);
    for (unsigned i = 1; i <= 2; i++) {
        flow.held = true;
        ck_assert(!gd_request_write(flow.request, &iov, 1, i == 2));
        rig_run(&flow.rig, 20);
        ck_assert(flow.held);
        for (int turn = 0; turn < 1000 && client.len < i * (size_t)BIG; turn++) {
            client_read(&client);
            rig_run(&flow.rig, 1);
        }
        ck_assert_uint_eq(flow.writable, 1); /* none for the last piece */
    }
    flow.rig.answers++;
    client_wait(&client, 1);
    ck_assert_uint_eq(client.last_body.len, 2 * (size_t)BIG);
    ck_assert_int_eq(memcmp(client.last_body.ptr, big, BIG), 0);
    ck_assert_int_eq(memcmp(client.last_body.ptr + BIG, big, BIG), 0);
    ck_assert_uint_eq(flow.rig.releases, 1);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_answer_that_breaks_off_is_a_reset)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "half", false));
    get_all(&flow, &client);
    gd_request_abort(flow.request);
    flow.rig.answers++;
    ck_assert_uint_eq(flow.rig.releases, 1);
    get_all(&flow, &client);
    ck_assert(client.reset);
    ck_assert_uint_eq(flow.rig.gone, 0);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

static bool is_gone(void *arg)
{
    return ((struct flow *)arg)->rig.gone > 0;
}

START_TEST(a_client_that_leaves_in_the_middle_is_gone_once)
{
    struct flow flow;

    for (int abort = 0; abort < 2; abort++) {
        struct client client;

        flow_init(&flow);
        rig_start(&flow.rig);
        begin(&flow, &client, GET);
        open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
        ck_assert(write_piece(&flow, "half", false));
        get_all(&flow, &client);
        if (abort)
            client_abort(&client);
        else
            client_close(&client);
        ck_assert(gd_loop_run_until(flow.rig.loop, is_gone, &flow, 1000));
        ck_assert_uint_eq(flow.rig.gone, 1);
        ck_assert_uint_eq(flow.rig.releases, 1);
        ck_assert_uint_eq(flow.rig.stats[GD_WORKER_CLIENT_GONE], 1);
        rig_stop(&flow.rig);
    }
}
END_TEST

START_TEST(a_client_that_has_said_all_still_gets_pieces_that_come_soon)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "1", false));
    shutdown(client.fd, SHUT_WR);
    rig_run(&flow.rig, 5);
    ck_assert(write_piece(&flow, "2", true));
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "1\r\n1\r\n1\r\n2\r\n0\r\n\r\n"));
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_reader_that_takes_nothing_is_reset)
{
    static char big[BIG];
    struct flow flow;
    struct client client;
    struct iovec iov = {big, BIG};

    flow_init(&flow);
    flow.rig.limits.write_timeout_ms = 50;
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    flow.held = true;
    ck_assert(!gd_request_write(flow.request, &iov, 1, false));
    ck_assert(gd_loop_run_until(flow.rig.loop, is_gone, &flow, 2000));
    ck_assert_uint_eq(flow.rig.stats[GD_WORKER_TIMEOUT_WRITE], 1);
    ck_assert_uint_eq(flow.rig.releases, 1);
    ck_assert_uint_eq(flow.writable, 0);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

static void on_drained(void *arg)
{
    ((struct flow *)arg)->rig.drained = true;
}

START_TEST(draining_waits_for_an_open_answer)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    open_answer(&flow, 200, 10);
    ck_assert(write_piece(&flow, "hello", false));
    gd_front_drain(flow.rig.front, on_drained, &flow);
    rig_run(&flow.rig, 20);
    ck_assert(!flow.rig.drained);
    ck_assert(write_piece(&flow, "world", true));
    client_wait(&client, 1);
    ck_assert_body(&client, "helloworld");
    client_close(&client);
    rig_run(&flow.rig, 20);
    ck_assert(flow.rig.drained);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_head_that_cannot_be_written_leaves_the_request_to_be_answered)
{
    struct gd_plan_header bad = {GD_SPAN("X-Bad"), GD_SPAN("a\r\nb: c")};
    struct gd_answer answer = {.status = 200, .headers = &bad, .header_count = 1};
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, GET);
    ck_assert(!gd_request_open(flow.request, &answer, on_writable, &flow));
    gd_request_problem(flow.request, 502, "no", GD_SPAN(""), NULL, 0);
    flow.rig.answers++;
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "502");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

/* Bodies --------------------------------------------------------------------------- */

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void check_body(struct flow *flow, const char *text)
{
    ck_assert_uint_eq(flow->ends, 1);
    ck_assert_uint_eq(flow->body_len, strlen(text));
    ck_assert_int_eq(memcmp(flow->body, text, flow->body_len), 0);
}

static void answer_ok(struct flow *flow)
{
    open_answer(flow, 200, 2);
    ck_assert(write_piece(flow, "ok", true));
}

START_TEST(a_body_comes_in_pieces_however_it_is_cut)
{
    static const char *const texts[] = {
        POST "Content-Length: 11\r\n\r\nhello world",
        POST "Transfer-Encoding: chunked\r\n\r\n"
             "5;x=y\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-T: 1\r\n\r\n",
    };
    struct flow flow;

    flow_init(&flow);
    rig_start(&flow.rig);
    for (size_t i = 0; i < 2; i++)
        for (size_t cut = 1; cut <= strlen(texts[i]); cut++) {
            struct client client;

            client_open(&client, &flow.rig);
            ck_assert(client_send(&client, texts[i], cut));
            rig_run(&flow.rig, 1);
            ck_assert(client_say(&client, texts[i] + cut));
            await_request(&flow);
            for (int turn = 0; turn < 100 && flow.ends == 0; turn++)
                rig_run(&flow.rig, 1);
            check_body(&flow, "hello world");
            ck_assert_uint_le(flow.pieces, 3);
            answer_ok(&flow);
            client_wait(&client, 1);
            ck_assert_str_eq(client.verdict, "200");
            client_close(&client);
        }
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_empty_body_has_one_end_and_no_body_has_none)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 0\r\n\r\n");
    check_body(&flow, "");
    ck_assert_uint_eq(flow.pieces, 1);
    answer_ok(&flow);
    ck_assert(client_say(&client, GET));
    await_request(&flow);
    ck_assert_uint_eq(flow.pieces, 0);
    answer_ok(&flow);
    client_wait(&client, 2);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_paused_body_waits_and_so_does_100_continue)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    flow.rig.limits.body_timeout_ms = 40; /* does not run meanwhile */
    flow.paused_at_first = true;
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    rig_run(&flow.rig, 100);
    client_read(&client);
    ck_assert_uint_eq(client.len, 0);
    gd_request_pause_body(flow.request, false);
    get_all(&flow, &client);
    ck_assert(ends_with(&client, "HTTP/1.1 100 Continue\r\n\r\n"));
    gd_request_pause_body(flow.request, true);
    ck_assert(client_say(&client, "abc"));
    rig_run(&flow.rig, 100);
    ck_assert_uint_eq(flow.pieces, 0);
    gd_request_pause_body(flow.request, false);
    rig_run(&flow.rig, 10);
    check_body(&flow, "abc");
    answer_ok(&flow);
    client_wait(&client, 1);
    ck_assert_str_eq(client.verdict, "100 200");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(bodies_that_are_refused_end_the_request)
{
    static const struct {
        const char *text;
        int status;
        enum gd_stat_worker counter;
        unsigned requests;
    } cases[] = {
        {POST "Content-Length: 1001\r\n\r\n", 413, GD_WORKER_REJECTED_BODY, 0},
        {POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413, GD_WORKER_REJECTED_BODY,
         1},
        {POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab", 400,
         GD_WORKER_REJECTED_MALFORMED, 1},
        {POST "Content-Length: 5\r\n\r\nab", 408, GD_WORKER_TIMEOUT_BODY, 1},
    };

    for (size_t i = 0; i < 4; i++) {
        char more[1001], verdict[32];
        struct flow flow;
        struct client client;

        memset(more, 'x', sizeof(more));
        flow_init(&flow);
        flow.rig.limits.body_timeout_ms = 50;
        rig_start(&flow.rig);
        client_open(&client, &flow.rig);
        ck_assert(client_say(&client, cases[i].text));
        if (i == 1)
            ck_assert(client_send(&client, more, sizeof(more)));
        client_wait(&client, 1);
        snprintf(verdict, sizeof(verdict), "%d cl", cases[i].status);
        client_wait_closed(&client);
        ck_assert_str_eq(client.verdict, verdict);
        ck_assert_uint_eq(flow.rig.stats[cases[i].counter], 1);
        ck_assert_uint_eq(flow.rig.requests, cases[i].requests);
        ck_assert_uint_eq(flow.rig.gone, 1);
        ck_assert_int_eq(flow.rig.refused, cases[i].status);
        client_close(&client);
        rig_stop(&flow.rig);
    }
}
END_TEST

START_TEST(a_body_that_fails_behind_an_open_answer_breaks_it_off)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    open_answer(&flow, 200, GD_LENGTH_UNKNOWN);
    ck_assert(write_piece(&flow, "x", false));
    get_all(&flow, &client);
    ck_assert(client_say(&client, "1\r\nb\r\n"));
    rig_run(&flow.rig, 10);
    ck_assert_uint_eq(flow.body_len, 2); /* both directions at once */
    ck_assert(client_say(&client, "zz"));
    get_all(&flow, &client);
    ck_assert(client.reset);
    ck_assert_uint_eq(flow.rig.gone, 1);
    ck_assert_uint_eq(flow.rig.releases, 1);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_slow_body_that_goes_on_is_not_late)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    flow.rig.limits.body_timeout_ms = 200;
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 10\r\n\r\n");
    for (int i = 0; i < 10; i++) {
        rig_run(&flow.rig, 40);
        ck_assert(client_say(&client, "x"));
    }
    rig_run(&flow.rig, 5);
    check_body(&flow, "xxxxxxxxxx");
    answer_ok(&flow);
    client_wait(&client, 1);
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(an_answer_before_the_end_of_a_small_body_keeps_the_connection)
{
    struct flow flow;
    struct client client;

    flow_init(&flow);
    flow.paused_at_first = true;
    rig_start(&flow.rig);
    begin(&flow, &client, POST "Content-Length: 10\r\n\r\nabc");
    answer_ok(&flow);
    ck_assert(client_say(&client, "defghij" GET));
    await_request(&flow);
    ck_assert_uint_eq(flow.pieces, 0);
    answer_ok(&flow);
    client_wait(&client, 2);
    ck_assert_str_eq(client.verdict, "200 200");
    client_close(&client);
    rig_stop(&flow.rig);
}
END_TEST

START_TEST(a_client_that_leaves_in_the_middle_of_its_body_is_gone)
{
    struct flow flow;

    for (int abort = 0; abort < 2; abort++) {
        struct client client;

        flow_init(&flow);
        rig_start(&flow.rig);
        begin(&flow, &client, POST "Content-Length: 10\r\n\r\nabc");
        if (abort)
            client_abort(&client);
        else
            client_close(&client);
        ck_assert(gd_loop_run_until(flow.rig.loop, is_gone, &flow, 1000));
        ck_assert_int_eq(flow.rig.refused, 0);
        ck_assert_uint_eq(flow.ends, 0);
        rig_stop(&flow.rig);
    }
}
END_TEST

GD_SUITE("front stream", pieces_of_unknown_length_are_chunks_and_the_connection_goes_on,
         the_head_can_be_sent_alone_and_so_can_the_end, a_known_length_is_told,
         answers_without_body_leave_the_pieces_out,
         an_old_client_gets_the_end_of_the_connection,
         a_piece_the_socket_does_not_take_stays_borrowed_until_it_does,
         an_answer_that_breaks_off_is_a_reset,
         a_client_that_leaves_in_the_middle_is_gone_once,
         a_client_that_has_said_all_still_gets_pieces_that_come_soon,
         a_reader_that_takes_nothing_is_reset, draining_waits_for_an_open_answer,
         a_head_that_cannot_be_written_leaves_the_request_to_be_answered,
         a_body_comes_in_pieces_however_it_is_cut,
         an_empty_body_has_one_end_and_no_body_has_none,
         a_paused_body_waits_and_so_does_100_continue,
         bodies_that_are_refused_end_the_request,
         a_body_that_fails_behind_an_open_answer_breaks_it_off,
         a_slow_body_that_goes_on_is_not_late,
         an_answer_before_the_end_of_a_small_body_keeps_the_connection,
         a_client_that_leaves_in_the_middle_of_its_body_is_gone)
