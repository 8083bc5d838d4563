/*
 * The battery of http_cases.h on a socket: in one write, byte by byte and in random
 * pieces. Each refused request gets its status, the connection is closed behind it, and
 * the handler hears of nothing that was refused.
 */
#include "front_client.h"
#include "http_cases.h"

static uint32_t seed = 2463534242;

static size_t random_below(size_t most)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return 1 + seed % most;
}

struct expected {
    char verdict[256];
    int answers;
    unsigned requests; /* that the handler must have seen */
    bool closed;
};

/* The verdict of the parser, and what the front makes of it: a close behind a refusal. */
static void expect(const char *verdict, struct expected *out)
{
    const char *word = verdict;

    *out = (struct expected){.answers = 0};
    snprintf(out->verdict, sizeof(out->verdict), "%s", verdict);
    for (; *word; word += strcspn(word, " "), word += strspn(word, " ")) {
        out->closed = *word == 'c' || *word == '4' || *word == '5';
        if (*word != 'c')
            out->answers++;
        if (*word == '2')
            out->requests++;
    }
    if (out->closed && !strstr(verdict, "cl"))
        snprintf(out->verdict, sizeof(out->verdict), "%s cl", verdict);
}

static bool one_turn(void *arg)
{
    return (*(int *)arg)++ > 0;
}

/* max_piece 0: all in one write. */
static void run_case(struct rig *rig, const struct request_case *test, size_t max_piece)
{
    struct client client;
    struct expected want;
    unsigned before = rig->requests;
    const char *got;

    expect(test->verdict, &want);
    client_open(&client, rig);
    client.next_is_head = strncmp(test->bytes, "HEAD", 4) == 0;
    for (size_t at = 0, n; at < test->len; at += n) {
        int turns = 0;

        n = max_piece ? random_below(max_piece) : test->len;
        if (n > test->len - at)
            n = test->len - at;
        if (!client_send(&client, test->bytes + at, n))
            break;
        (void)gd_loop_run_until(rig->loop, one_turn, &turns, 1);
    }
    client_wait(&client, want.answers);
    if (want.closed)
        client_wait_closed(&client);
    else
        rig_run(rig, 1);
    client_read(&client);
    client_parse(&client);
    /* Whether it says 100 first depends on the pieces. */
    got = client.verdict + (strncmp(client.verdict, "100 ", 4) ? 0 : 4);
    ck_assert_msg(strcmp(got, want.verdict) == 0,
                  "%s: \"%s\", not \"%s\", in pieces up to %zu", test->name, got,
                  want.verdict, max_piece);
    if (want.requests == (unsigned)want.answers)
        ck_assert_uint_eq(rig->requests - before, want.requests);
    else /* a malformed body comes behind a valid head, which is no request yet */
        ck_assert_uint_eq(rig->requests, before);
    client_close(&client);
}

static void run_all(const struct request_case *tests, size_t count)
{
    static const size_t pieces[] = {0, 1, 3, 9, 40};
    struct rig rig;

    rig_init(&rig);
    rig.limits.request_line = 8000;
    rig.limits.header_bytes = 16384;
    rig_start(&rig);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
            run_case(&rig, &tests[i], pieces[k]);
    rig_stop(&rig);
}

#define RUN_ALL(cases) run_all(cases, sizeof(cases) / sizeof(cases[0]))

START_TEST(ambiguous_framing_is_refused)
{
    RUN_ALL(framing_cases);
}
END_TEST

START_TEST(malformed_chunks_are_refused)
{
    RUN_ALL(chunk_cases);
}
END_TEST

START_TEST(malformed_fields_are_refused)
{
    RUN_ALL(field_cases);
}
END_TEST

START_TEST(malformed_request_lines_are_refused)
{
    RUN_ALL(line_cases);
}
END_TEST

/* A request built of a prefix, n times a unit, and a suffix. */
static void run_long(struct rig *rig, const char *prefix, const char *unit, size_t n,
                     const char *suffix, const char *verdict)
{
    size_t len = strlen(prefix) + n * strlen(unit) + strlen(suffix), at;
    char *bytes = malloc(len + 1);
    struct request_case test = {
        .name = prefix, .bytes = bytes, .len = len, .verdict = verdict};

    ck_assert_ptr_nonnull(bytes);
    at = (size_t)snprintf(bytes, len + 1, "%s", prefix);
    for (size_t i = 0; i < n; i++, at += strlen(unit))
        memcpy(bytes + at, unit, strlen(unit));
    memcpy(bytes + at, suffix, strlen(suffix) + 1);
    run_case(rig, &test, 0);
    run_case(rig, &test, 3000);
    free(bytes);
}

START_TEST(what_is_too_long_is_refused_by_its_status)
{
    struct rig rig;

    rig_init(&rig);
    rig.limits.request_line = 8000;
    rig.limits.header_bytes = 16384;
    rig_start(&rig);
    run_long(&rig, "GET /", "a", 7900, " HTTP/1.1\r\nHost: a\r\n\r\n", "200");
    run_long(&rig, "GET /", "a", 8000, " HTTP/1.1\r\nHost: a\r\n\r\n", "414");
    run_long(&rig, "GET /", "a", 500000, " HTTP/1.1\r\nHost: a\r\n\r\n", "414");
    run_long(&rig, "GET / HTTP/1.1\r\nHost: a\r\nX: ", "a", 9000, "\r\n\r\n", "200");
    run_long(&rig, "GET / HTTP/1.1\r\nHost: a\r\nX: ", "a", 17000, "\r\n\r\n", "431");
    run_long(&rig, "GET / HTTP/1.1\r\nHost: a\r\n", "A: b\r\n", 99, "\r\n", "200");
    run_long(&rig, "GET / HTTP/1.1\r\nHost: a\r\n", "A: b\r\n", 100, "\r\n", "431");
    run_long(&rig, "GET / HTTP/1.1\r\nHost: a\r\n", "A: b\r\n", 60000, "\r\n", "431");
    ck_assert_uint_eq(rig.stats[GD_WORKER_REJECTED_TARGET], 4);
    ck_assert_uint_eq(rig.stats[GD_WORKER_REJECTED_HEADERS], 6);
    rig_stop(&rig);
}
END_TEST

/* libevhtp damages long targets and reads past its buffer at these lengths; nothing of
 * the kind may reach it. */
START_TEST(targets_of_any_length_arrive_unharmed)
{
    static const size_t heads[] = {464, 976, 2000, 3000, 4048, 4092, 4096, 6000, 8000};
    struct rig rig;
    char path[9000];

    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        size_t n = heads[i] - strlen("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        for (size_t k = 0; k < n; k++)
            path[k] = (char)('a' + k % 26);
        path[n] = '\0';
        for (size_t cut = 0; cut < heads[i]; cut += 1 + heads[i] / 3) {
            struct client client;
            char text[9000];

            snprintf(text, sizeof(text), "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", path);
            client_open(&client, &rig);
            ck_assert(client_send(&client, text, cut));
            rig_run(&rig, 1);
            ck_assert(client_say(&client, text + cut));
            client_wait(&client, 1);
            snprintf(text, sizeof(text), "GET /%s ", path);
            ck_assert_body(&client, text);
            client_close(&client);
        }
    }
    rig_stop(&rig);
}
END_TEST

START_TEST(a_half_closed_client_is_answered)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    for (int i = 0; i < 2; i++) {
        client_open(&client, &rig);
        ck_assert(client_say(&client, i ? "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
                                        : "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        shutdown(client.fd, SHUT_WR);
        if (i) {
            rig_run(&rig, 30);
            ck_assert_uint_eq(rig.held_count, 1);
            rig_answer_held(&rig);
        }
        client_wait_closed(&client);
        ck_assert_str_eq(client.verdict, "200 cl");
        client_close(&client);
    }
    rig_stop(&rig);
    ck_assert_uint_eq(rig.gone, 0);
}
END_TEST

START_TEST(a_half_closed_client_is_not_waited_for_long)
{
    struct rig rig;
    struct client client;

    rig_init(&rig);
    rig_start(&rig);
    client_open(&client, &rig);
    ck_assert(client_say(&client, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
    shutdown(client.fd, SHUT_WR);
    rig_run(&rig, 130);
    ck_assert_uint_eq(rig.gone, 1);
    client_close(&client);
    rig_stop(&rig);
}
END_TEST

START_TEST(every_octet_is_taken_or_refused_everywhere)
{
    static const char *const places[][2] = {
        {"GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX", "Y: b\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: a", "b\r\n\r\n"},
        {"G", "T / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"GET / HTTP/1.", "\r\nHost: a\r\n\r\n"},
    };
    struct rig rig;

    rig_init(&rig);
    rig_start(&rig);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        for (int c = 0; c < 256; c++) {
            struct client client;
            char octet = (char)c;

            client_open(&client, &rig);
            ck_assert(client_say(&client, places[i][0]));
            ck_assert(client_send(&client, &octet, 1));
            ck_assert(client_say(&client, places[i][1]));
            client_wait(&client, 1);
            ck_assert_msg(client.answers == 1 && strlen(client.verdict) >= 3 &&
                              strchr("245", client.verdict[0]),
                          "octet %d in place %zu: \"%s\"", c, i, client.verdict);
            client_close(&client);
        }
    rig_stop(&rig);
}
END_TEST

GD_SUITE("front_battery", ambiguous_framing_is_refused, malformed_chunks_are_refused,
         malformed_fields_are_refused, malformed_request_lines_are_refused,
         what_is_too_long_is_refused_by_its_status, targets_of_any_length_arrive_unharmed,
         a_half_closed_client_is_answered, a_half_closed_client_is_not_waited_for_long,
         every_octet_is_taken_or_refused_everywhere)
