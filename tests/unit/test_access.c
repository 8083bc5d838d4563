#include "suite.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "front/access_line.h"
#include "front/recent.h"
#include "plan_text.h"

static uint64_t memory[GD_RECORD_MAX / sizeof(uint64_t)];

/* A request that everything is known of. */
static struct gd_record *full_record(struct gd_span path)
{
    const struct gd_span texts[GD_RECORD_TEXTS] = {
        GD_SPAN("0123456789abcdef0123456789abcdef"),
        GD_SPAN("192.0.2.7"),
        GD_SPAN("10.0.0.1"),
        GD_SPAN("GET"),
        GD_SPAN("shop.example"),
        path,
        GD_SPAN("a=1&b=%20"),
        GD_SPAN("GET /profile/{id}"),
    };
    struct gd_trail trail = {
        .name = GD_SPAN("user"),
        .server = GD_SPAN("10.0.0.5:8001"),
        .item = GD_TRAIL_SINGLE,
        .start_us = 1000000,
        .asked_us = 1000000,
        .dial_us = 1000100,
        .leased_us = 1002000,
        .heard_us = 1010000,
        .end_us = 1012345,
        .status = 200,
    };
    struct gd_recorder to;

    gd_record_begin(&to, memory);
    to.record->start_us = 1000000;
    to.record->duration_us = 456789;
    to.record->bytes_in = 120;
    to.record->bytes_out = 2345;
    to.record->status = 502;
    to.record->failed = true;
    gd_record_texts(&to, texts);
    gd_record_header(&to, GD_SPAN("user-agent"), GD_SPAN("curl/8 \"x\""));
    gd_record_trail(&to, &trail);
    trail.name = GD_SPAN("repos");
    trail.item = 3;
    trail.failure = GD_FAIL_TIMEOUT;
    trail.status = 0;
    trail.tries = 2;
    trail.stale = trail.hedged = true;
    trail.end_us = 1456789;
    gd_record_trail(&to, &trail);
    gd_record_end(&to);
    return to.record;
}

/* A line with a clock that stands at the time of 1970. */
static const char *line_of(const char *yaml, const struct gd_record *record)
{
    static char text[1 << 16];
    struct gd_access_clock clock = {.second = -1};
    struct gd_plan *plan = plan_accept(yaml);
    struct gd_buf out;

    gd_buf_init(&out, NULL, 1 << 20);
    ck_assert(gd_access_line(&plan->log.access, record, &clock, &out));
    ck_assert_uint_lt(out.len, sizeof(text));
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    ck_assert_ptr_eq(strchr(text, '\n'), text + out.len - 1);
    gd_buf_free(&out);
    gd_plan_unref(plan);
    return text;
}

START_TEST(a_json_line_has_all_that_is_known)
{
    ck_assert_str_eq(
        line_of("log: {access: {query: true, headers: [User-Agent]}}\n",
                full_record(GD_SPAN("/profile/7"))),
        "{\"time\":\"1970-01-01T00:00:01.000Z\",\"id\":"
        "\"0123456789abcdef0123456789abcdef\","
        "\"ip\":\"192.0.2.7\",\"peer\":\"10.0.0.1\",\"method\":\"GET\","
        "\"host\":\"shop.example\",\"path\":\"/profile/7\",\"query\":\"a=1&b=%20\","
        "\"route\":\"GET /profile/{id}\",\"status\":502,\"end\":\"answered\",\"in\":120,"
        "\"out\":2345,\"ms\":456.789,\"headers\":{\"user-agent\":\"curl/8 \\\"x\\\"\"},"
        "\"calls\":[{\"call\":\"user\",\"ms\":12.345,\"status\":200},"
        "{\"call\":\"repos\",\"item\":3,\"ms\":456.789,\"class\":\"timeout\",\"retries\":"
        "2,"
        "\"stale\":true,\"hedged\":true}]}\n");
}
END_TEST

START_TEST(the_query_is_left_out_unless_asked_for)
{
    ck_assert_ptr_null(
        strstr(line_of("log: {access: stderr}\n", full_record(GD_SPAN("/x"))), "a=1"));
}
END_TEST

START_TEST(a_format_says_what_is_written)
{
    ck_assert_str_eq(
        line_of("log: {access: {format: \"{ip} {peer} {method} {host}{path}?{query} "
                "{status} {end} {in}/{out} {ms} {{{time}}} {id} [{route}] {calls} "
                "{header.User-Agent} {header.referer}\"}}\n",
                full_record(GD_SPAN("/profile/7"))),
        "192.0.2.7 10.0.0.1 GET shop.example/profile/7?a=1&b=%20 502 answered 120/2345 "
        "456.789 {1970-01-01T00:00:01.000Z} 0123456789abcdef0123456789abcdef "
        "[GET /profile/{id}] user=200/12.345,repos[3]=timeout/456.789 "
        "curl/8 \\x22x\\x22 -\n");
}
END_TEST

START_TEST(whatever_a_client_sends_stays_one_line)
{
    const struct gd_record *record =
        full_record(GD_SPAN("/a\nb\"c\\d\x01\x7f\xff\xc3\xa9\""));
    const char *line = line_of("log: {access: stderr}\n", record);
    json_t *json = json_loads(line, 0, NULL);

    ck_assert_ptr_nonnull(json);
    ck_assert_str_eq(json_string_value(json_object_get(json, "path")),
                     "/a\nb\"c\\d\x01\x7f\xef\xbf\xbd\xc3\xa9\"");
    json_decref(json);
    ck_assert_str_eq(line_of("log: {access: {format: \"{path}\"}}\n", record),
                     "/a\\x0ab\\x22c\\x5cd\\x01\\x7f\\xff\\xc3\\xa9\\x22\n");
}
END_TEST

START_TEST(texts_of_any_length_and_any_number_of_calls_find_their_bound)
{
    static char path[100000];
    struct gd_span texts[GD_RECORD_TEXTS];
    struct gd_trail trail = {.item = 7, .start_us = 1, .end_us = 2, .failure = 1};
    struct gd_recorder to;
    json_t *json;

    memset(path, '"', sizeof(path));
    for (unsigned i = 0; i < GD_RECORD_TEXTS; i++)
        texts[i] = (struct gd_span){path, sizeof(path)};
    for (unsigned i = GD_RECORD_ID; i <= GD_RECORD_METHOD; i++)
        texts[i] = GD_SPAN("0123-these-have-nothing-to-escape");
    trail.name = trail.server = texts[0];
    gd_record_begin(&to, memory);
    gd_record_texts(&to, texts);
    for (unsigned i = 0; i < GD_LOG_HEADERS_MAX; i++)
        gd_record_header(&to, texts[0], texts[0]);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(gd_record_trail(&to, &trail));
    gd_record_end(&to);
    ck_assert_uint_le(to.record->bytes, GD_RECORD_MAX);
    ck_assert_uint_eq(to.record->call_count + to.record->calls_left_out, 1000);
    json = json_loads(line_of("log: {access: {query: true}}\n", to.record), 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "calls_left_out")),
                     to.record->calls_left_out);
    json_decref(json);
    line_of("log: {access: {format: \"{path}\"}}\n", to.record);
}
END_TEST

START_TEST(mistakes_about_logs_are_found)
{
    static const char *const lines[] = {
        "gw.yaml:2:10: log.error: expected off, stderr, journal, syslog or the full path "
        "of a file, found \"stdout\"",
        "gw.yaml:4:9: log.access.to: expected off, stderr, journal, syslog or the full "
        "path of a file, found \"access.log\"",
        "gw.yaml:5:13: log.access.format: a format has no \"bytes\"; there are {time} "
        "{id} "
        "{ip} {peer} {method} {host} {path} {query} {route} {status} {end} {in} {out} "
        "{ms} {calls} and {header.NAME}",
        "gw.yaml:6:15: log.access.headers[0]: \"Authorization\" is a secret and is never "
        "written",
        "gw.yaml:9:17: routes.\"GET /a\".access_log: expected on, off, or a map of "
        "options "
        "(`key: value`), found \"maybe\"",
        "gw.yaml:11:33: routes.\"GET /b\".access_log.sample: expected a percentage like "
        "20%, "
        "found \"10\"; the unit is missing",
        NULL};

    plan_refuse_span(gd_span_of("log:\n"
                                "  error: stdout\n"
                                "  access:\n"
                                "    to: access.log\n"
                                "    format: \"{ip} {bytes}\"\n"
                                "    headers: [Authorization]\n"
                                "routes:\n"
                                "  GET /a:\n"
                                "    access_log: maybe\n"
                                "    respond: 1\n"
                                "  GET /b: {access_log: {sample: 10}, respond: 1}\n"),
                     lines);
}
END_TEST

START_TEST(levels_belong_to_areas_and_places_have_short_forms)
{
    struct gd_plan *plan = plan_accept(
        "log: {level: warn, error: {to: /var/log/g.log, levels: {upstream: "
        "debug}}, access: {to: syslog:/run/log, sample: 5%}, slow: 250ms}\n"
        "defaults: {access_log: {sample: 50%}}\n"
        "routes: {GET /a: {respond: 1}, GET /b: {respond: 1, access_log: off}}\n");

    ck_assert_int_eq(plan->log.error_place.kind, GD_LOG_FILE);
    ck_assert_str_eq(plan->log.error_place.path, "/var/log/g.log");
    ck_assert_int_eq(plan->log.levels[GD_LOG_AREA_UPSTREAM], GD_LOG_DEBUG);
    ck_assert_int_eq(plan->log.levels[GD_LOG_AREA_FRONT], GD_LOG_WARN);
    ck_assert_int_eq(plan->log.access.place.kind, GD_LOG_SYSLOG);
    ck_assert_str_eq(plan->log.access.place.path, "/run/log");
    ck_assert_uint_eq(plan->log.slow_us, 250000);
    ck_assert(plan->log.access.sample == 0.05 && plan->routes[0].log.sample == 0.5);
    ck_assert(!plan->routes[0].log.off && plan->routes[1].log.off);
    gd_plan_unref(plan);
    plan = plan_accept("log: {access: journal}\n");
    ck_assert_int_eq(plan->log.access.place.kind, GD_LOG_JOURNAL);
    ck_assert_int_eq(plan->log.error_place.kind, GD_LOG_STDERR);
    gd_plan_unref(plan);
}
END_TEST

/* How many of a kind are shown, and the status of the first. */
static size_t shown(struct gd_recent **recents, unsigned count, const char *kind,
                    int *first)
{
    struct gd_buf out;
    json_t *json, *list;
    size_t n;

    gd_buf_init(&out, NULL, 1 << 20);
    ck_assert(gd_recent_json(recents, count, &out));
    json = json_loadb(out.data, out.len, 0, NULL);
    ck_assert_ptr_nonnull(json);
    list = json_object_get(json, kind);
    n = json_array_size(list);
    *first =
        n ? (int)json_integer_value(json_object_get(json_array_get(list, 0), "status"))
          : 0;
    json_decref(json);
    gd_buf_free(&out);
    return n;
}

START_TEST(the_last_ones_are_remembered_the_latest_first)
{
    struct gd_record *record = full_record(GD_SPAN("/x"));
    struct gd_recent *recents[2] = {gd_recent_new(), gd_recent_new()};
    int first;

    for (unsigned i = 0; i < 10; i++) {
        record->start_us = 1000000 + i;
        record->status = (uint16_t)(500 + i);
        record->failed = i % 2;
        gd_recent_store(recents[i / 2 % 2], record, 3);
    }
    ck_assert_uint_eq(shown(recents, 2, "failed", &first), 5);
    ck_assert_int_eq(first, 509);
    ck_assert_uint_eq(shown(recents, 2, "slow", &first), 5);
    ck_assert_int_eq(first, 508);
    for (unsigned i = 0; i < 10; i++) {
        record->start_us += 1;
        gd_recent_store(recents[0], record, 3);
    }
    ck_assert_uint_eq(shown(recents, 1, "failed", &first), 3);
    record->failed = true;
    gd_recent_store(recents[0], record, 1); /* a reload has made it less */
    ck_assert_uint_eq(shown(recents, 1, "failed", &first), 1);
    gd_recent_store(recents[0], record, 0);
    ck_assert_uint_eq(shown(recents, 1, "failed", &first), 0);
    gd_recent_free(recents[0]);
    gd_recent_free(recents[1]);
}
END_TEST

GD_SUITE("access", a_json_line_has_all_that_is_known,
         the_query_is_left_out_unless_asked_for, a_format_says_what_is_written,
         whatever_a_client_sends_stays_one_line,
         texts_of_any_length_and_any_number_of_calls_find_their_bound,
         mistakes_about_logs_are_found,
         levels_belong_to_areas_and_places_have_short_forms,
         the_last_ones_are_remembered_the_latest_first)
