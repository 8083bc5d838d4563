/* Faults of mocks: whom they meet, and what is seen of them. */
#include "suite.h"

#include "mock_client.h"
#include "plan_text.h"

static const char config[] = "upstreams:\n"
                             "  u:\n"
                             "    mock:\n"
                             "      GET /reset: {json: {}, reset: 100%}\n"
                             "      GET /cut: {json: \"0123456789\", truncate: 100%}\n"
                             "      GET /drip: {json: \"0123456789\", drip: 300ms}\n"
                             "      GET /slow-cut:\n"
                             "        json: \"0123456789\"\n"
                             "        truncate: 100%\n"
                             "        drip: 50ms\n"
                             "      GET /fine: {json: 1}\n"
                             "routes: {GET /: {calls: {a: u/fine}}}\n";

static struct gd_mock_fate nth_fate(struct gd_mock_answer *answer)
{
    struct gd_mock_fate fate = {.delay_ms = 0};

    gd_mock_draw(answer, &fate);
    return fate;
}

START_TEST(a_delay_is_anywhere_in_its_range)
{
    struct gd_plan_mock_route route = {.delay = {20, 24}};
    struct gd_mock_answer answer = {.route = &route, .seed = 1};
    unsigned seen[5] = {0};

    for (int i = 0; i < 5000; i++) {
        struct gd_mock_fate fate = nth_fate(&answer);

        ck_assert(fate.delay_ms >= 20 && fate.delay_ms <= 24);
        seen[fate.delay_ms - 20]++;
    }
    for (int i = 0; i < 5; i++)
        ck_assert(seen[i] > 800 && seen[i] < 1200);
}
END_TEST

START_TEST(shares_are_kept_and_no_request_has_two_faults)
{
    enum { TIMES = 100000 };
    struct gd_plan_mock_route route = {
        .fail_share = 0.2, .reset_share = 0.05, .truncate_share = 0.1, .drip_ms = 10};
    struct gd_mock_answer answer = {.route = &route, .seed = 1};
    unsigned fail = 0, reset = 0, cut = 0;

    for (int i = 0; i < TIMES; i++) {
        struct gd_mock_fate fate = nth_fate(&answer);

        ck_assert_int_le(fate.fail + fate.reset + fate.cut, 1);
        ck_assert_uint_eq(fate.drip_ms, fate.fail ? 0 : 10);
        fail += fate.fail;
        reset += fate.reset;
        cut += fate.cut;
    }
    ck_assert(fail > TIMES / 100 * 19 && fail < TIMES / 100 * 21);
    ck_assert(reset > TIMES / 1000 * 45 && reset < TIMES / 1000 * 55);
    ck_assert(cut > TIMES / 1000 * 95 && cut < TIMES / 1000 * 105);
}
END_TEST

/* The statuses of 200 requests, after `others` of them have been made elsewhere. */
static void statuses(const char *seed, unsigned others, bool failed[200])
{
    struct gd_response_head head;
    struct fixture f;
    struct client client;
    char text[256];

    snprintf(text, sizeof(text),
             "mock_seed: %s\n"
             "upstreams: {u: {mock: {/a: {json: 1, fail: 50%%}, /b: {json: 1, fail: "
             "50%%}}}}\n"
             "routes: {/: {calls: {a: u/a}}}\n",
             seed);
    setup(&f, text);
    client_open(&f, &client);
    for (unsigned i = 0; i < others; i++)
        send_text(&client, "GET /b" HOST);
    for (int i = 0; i < 200; i++)
        send_text(&client, "GET /a" HOST);
    wait_answers(&client, others + 200);
    for (unsigned i = 0; i < 200; i++) {
        answer(&client, others + i, &head);
        failed[i] = head.status == 500;
    }
    client_close(&client);
    teardown(&f);
}

START_TEST(a_seed_decides_whom_faults_meet)
{
    bool first[200], again[200], among_others[200], other_seed[200];

    statuses("7", 0, first);
    statuses("7", 0, again);
    statuses("7", 30, among_others);
    statuses("8", 0, other_seed);
    ck_assert_mem_eq(first, again, sizeof(first));
    ck_assert_mem_eq(first, among_others, sizeof(first));
    ck_assert_mem_ne(first, other_seed, sizeof(first));
}
END_TEST

START_TEST(a_reset_comes_without_a_byte_of_an_answer)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "GET /fine" HOST);
    wait_answers(&client, 1);
    send_text(&client, "GET /reset" HOST);
    ck_assert(gd_loop_run_until(f.loop, has_ended, &client, 10000));
    ck_assert(client.reset);
    ck_assert_uint_eq(client.in.len, client.starts[1]);
    client_close(&client);
    teardown(&f);
}
END_TEST

/* What stands behind the head of the only answer. */
static struct gd_span body_so_far(struct client *client)
{
    const char *end = memmem(client->in.data, client->in.len, "\r\n\r\n", 4);

    ck_assert_ptr_nonnull(end);
    ck_assert(holds(client, "\r\nContent-Length: 12\r\n"));
    end += 4;
    return (struct gd_span){end, client->in.len - (size_t)(end - client->in.data)};
}

START_TEST(a_truncated_answer_is_half_of_the_body_and_the_end)
{
    static const char *const paths[] = {"GET /cut" HOST, "GET /slow-cut" HOST};
    struct fixture f;
    struct client client;

    setup(&f, config);
    for (int i = 0; i < 2; i++) {
        client_open(&f, &client);
        send_text(&client, paths[i]);
        ck_assert(gd_loop_run_until(f.loop, has_ended, &client, 10000));
        ck_assert(!client.reset);
        ck_assert(gd_span_is(body_so_far(&client), "\"01234"));
        client_close(&client);
    }
    teardown(&f);
}
END_TEST

START_TEST(an_answer_drips_for_its_time_and_is_complete)
{
    struct fixture f;
    struct client client;
    uint64_t start_us;

    setup(&f, config);
    client_open(&f, &client);
    start_us = gd_loop_now_us(f.loop);
    send_text(&client, "GET /drip" HOST "GET /fine" HOST);
    wait_answers(&client, 2);
    ck_assert_uint_ge(gd_loop_now_us(f.loop) - start_us, 290000);
    ck_assert_uint_ge(client.reads, 4);
    answer_is(&client, 0, 200, "\"0123456789\"");
    answer_is(&client, 1, 200, "1");
    client_close(&client);
    teardown(&f);
}
END_TEST

START_TEST(a_client_may_leave_in_the_middle_of_a_drip)
{
    struct fixture f;
    struct client client;

    setup(&f, config);
    client_open(&f, &client);
    send_text(&client, "GET /drip" HOST);
    while (client.in.len == 0)
        gd_loop_run_until(f.loop, never, NULL, 1);
    client_close(&client);
    gd_loop_run_until(f.loop, never, NULL, 50);
    ck_assert_uint_eq(f.mocks->conn_count, 0);
    teardown(&f);
}
END_TEST

START_TEST(faults_that_cannot_be_are_refused)
{
    PLAN_REFUSE(
        "upstreams: {u: {mock: {/: {json: 1, delay: 80ms..20ms}}}}\n",
        "gw.yaml:1:44: upstreams.u.mock.\"/\".delay: expected a duration like 250ms, "
        "or a range like 20ms..80ms, found \"80ms..20ms\"");
    PLAN_REFUSE(
        "upstreams: {u: {mock: {/: {json: 1, delay: 1s..25h}}}}\n",
        "gw.yaml:1:44: upstreams.u.mock.\"/\".delay: \"1s..25h\" is out of range: "
        "allowed is from 0ms to 24h");
    PLAN_REFUSE(
        "upstreams: {u: {mock: {/: {json: 1, delay: 20}}}}\n",
        "gw.yaml:1:44: upstreams.u.mock.\"/\".delay: expected a duration like 250ms, "
        "or a range like 20ms..80ms, found \"20\"; the unit is missing");
    PLAN_REFUSE("upstreams: {u: {mock: {/: {json: 1, fail: 50%, reset: 50%, "
                "truncate: 1%}}}}\n",
                "gw.yaml:1:27: upstreams.u.mock.\"/\": fail, reset and truncate are more "
                "than 100% together");
    PLAN_REFUSE(
        "upstreams: {u: {mock: {/: {status: 204, truncate: 1%, drip: 1s}}}}\n",
        "gw.yaml:1:41: upstreams.u.mock.\"/\".truncate: there is no body to "
        "truncate: json is missing",
        "gw.yaml:1:55: upstreams.u.mock.\"/\".drip: there is no body to drip: json "
        "is missing");
}
END_TEST

GD_SUITE("mock faults", a_delay_is_anywhere_in_its_range,
         shares_are_kept_and_no_request_has_two_faults, a_seed_decides_whom_faults_meet,
         a_reset_comes_without_a_byte_of_an_answer,
         a_truncated_answer_is_half_of_the_body_and_the_end,
         an_answer_drips_for_its_time_and_is_complete,
         a_client_may_leave_in_the_middle_of_a_drip, faults_that_cannot_be_are_refused)
