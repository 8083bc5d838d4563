#include "call_rig.h"

/* Answers that are right ----------------------------------------------------------- */

struct good {
    const char *name, *answer, *body;
    int status;
    enum gd_method method;
    enum peer_end end;
    bool reusable;
};

static const struct good good[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200,
     GD_METHOD_GET, PEER_KEEP, true},
    {"empty", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "", 404,
     GD_METHOD_GET, PEER_KEEP, true},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n1\r\n \r\n005\r\nworld\r\n0\r\n\r\n",
     "hello world", 200, GD_METHOD_GET, PEER_KEEP, true},
    {"chunked, with extensions and trailers",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2;a=b;c=\"d\"\r\nhi\r\n0;last\r\nDigest: x\r\nServer-Timing: y\r\n\r\n",
     "hi", 200, GD_METHOD_GET, PEER_KEEP, true},
    {"chunked and empty",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", 200,
     GD_METHOD_GET, PEER_KEEP, true},
    {"until the end", "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello", "hello", 200,
     GD_METHOD_GET, PEER_FIN, false},
    {"until the end, empty", "HTTP/1.0 200 OK\r\n\r\n", "", 200, GD_METHOD_GET, PEER_FIN,
     false},
    {"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "", 204,
     GD_METHOD_GET, PEER_KEEP, true},
    {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "",
     304, GD_METHOD_GET, PEER_KEEP, true},
    {"HEAD with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", 200,
     GD_METHOD_HEAD, PEER_KEEP, true},
    {"HEAD and chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", 200,
     GD_METHOD_HEAD, PEER_KEEP, true},
    {"interim answers first",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
     "ok", 201, GD_METHOD_POST, PEER_KEEP, true},
    {"close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok",
     200, GD_METHOD_GET, PEER_KEEP, false},
    {"close, and it does",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok", 200,
     GD_METHOD_GET, PEER_FIN, false},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200,
     GD_METHOD_GET, PEER_FIN, false},
    {"HTTP/1.0, kept",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok",
     200, GD_METHOD_GET, PEER_KEEP, true},
};

enum { GOOD = sizeof(good) / sizeof(good[0]) };

static void check_good(struct rig *rig, struct call *call, const struct good *row)
{
    ck_assert_msg(call_run(rig, call, row->method) == GD_OK, "%s: %s", row->name,
                  call->exchange.why);
    ck_assert_int_eq(call->exchange.status, row->status);
    check_body(call, row->body);
    ck_assert_msg(call->exchange.reusable == row->reusable, "%s", row->name);
    ck_assert(call->exchange.heard);
    call_end(call);
    ck_assert_uint_eq(rig_stat(rig, GD_SERVER_SESSIONS_IDLE), row->reusable);
}

START_TEST(every_framing_is_read_however_its_bytes_arrive)
{
    for (int i = 0; i < GOOD; i++) {
        const size_t len = strlen(good[i].answer);
        struct call call = {0};
        struct rig rig;

        rig_open(&rig, 1);
        rig_start(&rig);
        rig.peers[0].end = good[i].end;
        answer_with(&rig, good[i].answer);
        check_good(&rig, &call, &good[i]);
        rig.peers[0].piece = 1;
        check_good(&rig, &call, &good[i]);
        rig.peers[0].piece = 0;
        for (size_t first = 1; first < len; first++) {
            rig.peers[0].first = first;
            check_good(&rig, &call, &good[i]);
        }
        if (good[i].reusable)
            ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_CONNECTS), 1);
        rig_close(&rig);
    }
}
END_TEST

START_TEST(an_answer_cut_at_any_byte_is_a_reset)
{
    for (int i = 0; i < GOOD; i++) {
        const char *blank = strstr(good[i].answer, "\r\n\r\n");
        const bool to_eof = good[i].end == PEER_FIN && good[i].reusable == false &&
                            !strstr(good[i].answer, "Length");
        struct call call = {0};
        struct rig rig;

        rig_open(&rig, 1);
        rig_start(&rig);
        for (size_t cut = 0; cut < 2 * strlen(good[i].answer); cut++) {
            struct peer *peer = &rig.peers[0];
            const bool reset = cut % 2;

            peer->answer = (struct gd_span){good[i].answer, cut / 2};
            peer->end = reset ? PEER_RESET : PEER_FIN;
            if (to_eof && !reset && cut / 2 >= (size_t)(blank + 4 - good[i].answer)) {
                ck_assert_int_eq(call_run(&rig, &call, good[i].method), GD_OK);
            } else {
                ck_assert_msg(call_run(&rig, &call, good[i].method) == GD_FAIL_RESET,
                              "%s cut at %zu", good[i].name, cut / 2);
                ck_assert(call.exchange.heard == (cut / 2 > 0));
                ck_assert(!call.holder.lease.reused);
            }
            call_end(&call);
            ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
        }
        rig_close(&rig);
    }
}
END_TEST

START_TEST(the_fields_of_an_answer_can_be_parsed_again)
{
    const struct gd_head_limits limits = {8192, GD_REPLY_HEAD_MAX, GD_REPLY_FIELDS_MAX};
    struct gd_field fields[GD_REPLY_FIELDS_MAX];
    struct gd_head_state state = {0};
    struct gd_response_head head;
    struct call call = {0};
    struct gd_span bytes;
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    answer_with(&rig, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                      "HTTP/1.1 200 OK\r\nRetry-After: 7\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
    bytes = (struct gd_span){call.exchange.reply.data, call.exchange.head_bytes};
    ck_assert_int_eq(
        gd_response_head_parse(&state, bytes, &limits, GD_METHOD_GET, fields, &head),
        GD_PARSE_DONE);
    ck_assert_uint_eq(head.bytes, call.exchange.head_bytes);
    ck_assert(gd_span_is(gd_fields_get(&head.fields, GD_FIELD_RETRY_AFTER)->value, "7"));
    call_end(&call);
    rig_close(&rig);
}
END_TEST

/* Answers that are wrong ----------------------------------------------------------- */

static const char *const bad[] = {
    "garbage\r\n\r\n",
    "\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1 99 Low\r\n\r\n",
    "HTTP/1.1 2000 High\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ng\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n",
};

START_TEST(what_is_no_http_is_a_protocol_failure_and_closes)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        answer_with(&rig, bad[i]);
        for (rig.peers[0].piece = 0; rig.peers[0].piece < 2; rig.peers[0].piece++) {
            ck_assert_msg(call_run(&rig, &call, GD_METHOD_GET) == GD_FAIL_PROTOCOL,
                          "answer %zu: %s", i, gd_failure_word(call.failure));
            ck_assert(call.exchange.heard);
            ck_assert_ptr_null(call.exchange.reply.data);
            call_end(&call);
            ck_assert_uint_eq(rig_stat(&rig, GD_SERVER_SESSIONS_IDLE), 0);
        }
    }
    rig_close(&rig);
}
END_TEST

START_TEST(endless_interim_answers_end_the_exchange)
{
    struct call call = {0};
    char answer[2048] = "";
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    for (int i = 0; i < GD_INFORMATIONAL_MAX; i++)
        memcpy(answer + strlen(answer), "HTTP/1.1 102 Processing\r\n\r\n", 28);
    memcpy(answer + strlen(answer), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 39);
    answer_with(&rig, answer);
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_OK);
    ck_assert_int_eq(call.exchange.status, 200);
    call_end(&call);
    memcpy(answer + GD_INFORMATIONAL_MAX * 27, "HTTP/1.1 102 Processing\r\n\r\n", 28);
    answer_with(&rig, answer);
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_FAIL_PROTOCOL);
    ck_assert_str_eq(call.exchange.why, "too many interim answers");
    call_end(&call);
    rig_close(&rig);
}
END_TEST

/* Changes a few bytes of an answer, at random but the same in each run. */
static size_t mutate(unsigned *seed, const char *from, char *to, size_t room)
{
    static const char liked[] = "\r\n:;, 0129afHT/\t\x00\x7f\xff";
    size_t len = strlen(from);

    ck_assert_uint_lt(len, room);
    memcpy(to, from, len);
    for (int i = 0; i < 3; i++) {
        size_t at = (size_t)rand_r(seed) % len;

        switch (rand_r(seed) % 3) {
        case 0:
            to[at] = liked[(size_t)rand_r(seed) % (sizeof(liked) - 1)];
            break;
        case 1:
            memmove(to + at, to + at + 1, --len - at);
            break;
        default:
            if (len + 1 < room) {
                memmove(to + at + 1, to + at, len++ - at);
                to[at] = liked[(size_t)rand_r(seed) % (sizeof(liked) - 1)];
            }
            break;
        }
    }
    return len;
}

START_TEST(what_an_answer_means_does_not_depend_on_how_it_arrives)
{
    struct call whole = {0}, split = {0};
    char answer[512];
    unsigned seed = 7;
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    rig.peers[0].end = PEER_FIN;
    for (int i = 0; i < 600; i++) {
        const struct good *row = &good[i % GOOD];

        rig.peers[0].answer =
            (struct gd_span){answer, mutate(&seed, row->answer, answer, sizeof(answer))};
        rig.peers[0].first = rig.peers[0].piece = 0;
        call_run(&rig, &whole, row->method);
        rig.peers[0].first = 1 + (size_t)rand_r(&seed) % 64;
        rig.peers[0].piece = 1 + (size_t)rand_r(&seed) % 64;
        call_run(&rig, &split, row->method);
        ck_assert_msg(whole.failure == split.failure, "%d: %s or %s", i,
                      gd_failure_word(whole.failure), gd_failure_word(split.failure));
        if (whole.failure == GD_OK) {
            ck_assert_int_eq(whole.exchange.status, split.exchange.status);
            ck_assert(gd_span_eq(whole.exchange.body, split.exchange.body));
        }
        call_end(&whole);
        call_end(&split);
    }
    rig_close(&rig);
}
END_TEST

/* Limits --------------------------------------------------------------------------- */

START_TEST(a_body_above_max_response_is_too_large_in_every_framing)
{
    const struct {
        enum framing framing;
        const char *tail;
        enum peer_end end;
    } rows[] = {
        {BY_LENGTH, "", PEER_KEEP},
        {BY_CHUNK, "\r\n0\r\n\r\n", PEER_KEEP},
        {BY_END, "", PEER_FIN},
    };
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig.upstream.max_response = 100000;
    rig_start(&rig);
    for (size_t i = 0; i < 3; i++) {
        rig.peers[0].end = rows[i].end;
        rig.peers[0].piece = 20000; /* what is sent never waits for the reader */
        ck_assert_int_eq(big_answer(&rig, &call, 100000, rows[i].framing, rows[i].tail),
                         GD_OK);
        ck_assert_uint_eq(call.exchange.body.len, 100000);
        for (size_t at = 0; at < 100000; at++)
            ck_assert(call.exchange.body.ptr[at] == 'b');
        call_end(&call);
        ck_assert_int_eq(big_answer(&rig, &call, 100001, rows[i].framing, rows[i].tail),
                         GD_FAIL_TOO_LARGE);
        ck_assert_ptr_null(call.exchange.reply.data);
        call_end(&call);
        rig_run(&rig, 2);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_length_above_max_response_is_refused_before_any_body)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig.upstream.max_response = 1000;
    rig_start(&rig);
    answer_with(&rig, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\n");
    ck_assert_int_eq(call_run(&rig, &call, GD_METHOD_GET), GD_FAIL_TOO_LARGE);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

START_TEST(a_head_above_its_limit_is_too_large)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig_start(&rig);
    rig.peers[0].piece = 9000;
    ck_assert_int_eq(big_answer(&rig, &call, GD_REPLY_HEAD_MAX, IN_FIELD, "\r\n\r\n"),
                     GD_FAIL_TOO_LARGE);
    call_end(&call);
    ck_assert_int_eq(
        big_answer(&rig, &call, GD_REPLY_HEAD_MAX - 100, IN_FIELD, "\r\n\r\n"), GD_OK);
    call_end(&call);
    rig_close(&rig);
}
END_TEST

START_TEST(a_large_answer_is_one_run_of_bytes)
{
    struct call call = {0};
    struct rig rig;

    rig_open(&rig, 1);
    rig.upstream.max_response = 10 << 20;
    rig_start(&rig);
    for (int i = 0; i < 3; i++) {
        rig.peers[0].piece = i == 0 ? 30000 : 0;
        ck_assert_int_eq(big_answer(&rig, &call, 300000, BY_LENGTH, ""), GD_OK);
        ck_assert_uint_eq(call.exchange.body.len, 300000);
        ck_assert(call.exchange.reusable);
        call_end(&call);
    }
    rig_close(&rig);
}
END_TEST

GD_SUITE("reply", every_framing_is_read_however_its_bytes_arrive,
         an_answer_cut_at_any_byte_is_a_reset,
         the_fields_of_an_answer_can_be_parsed_again,
         what_is_no_http_is_a_protocol_failure_and_closes,
         what_an_answer_means_does_not_depend_on_how_it_arrives,
         endless_interim_answers_end_the_exchange,
         a_body_above_max_response_is_too_large_in_every_framing,
         a_length_above_max_response_is_refused_before_any_body,
         a_head_above_its_limit_is_too_large, a_large_answer_is_one_run_of_bytes)
