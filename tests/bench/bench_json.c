/*
 * How fast JSON is checked: GB/s of both twins over made-up documents in the shapes of
 * well-known ones. The same bytes every run.
 *
 *     bench_json                     the table
 *     bench_json api vector 2000     2000 scans of one document, for counting
 *                                    instructions: valgrind --tool=callgrind
 *                                    --toggle-collect=gd_json_scan …
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json/scan.h"

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

#define PICK(list) (list)[draw(sizeof(list) / sizeof((list)[0]))]

static const char *const words[] = {"gather",  "session", "of",  "many",
                                    "answers", "a",       "in",  "one",
                                    "quiet",   "reply",   "the", "river"};
static const char *const others[] = {"日本語", "の",     "文章です", "例え", "ば",
                                     "café",   "привет", "мир",      "😀"};

static void put(struct gd_buf *buf, const char *text)
{
    if (!gd_buf_add_text(buf, text))
        abort();
}

/* Puts text with each '~' as a number: below the next of the unsigned limits that follow,
 * and at least half of it. */
static void put_drawn(struct gd_buf *buf, const char *text, ...)
{
    va_list limits;

    va_start(limits, text);
    for (const char *p = text; *p; p++) {
        unsigned half = *p == '~' ? va_arg(limits, unsigned) / 2 : 0;

        if (!(*p == '~' ? gd_buf_add_u64(buf, half + draw(half)) : gd_buf_add(buf, p, 1)))
            abort();
    }
    va_end(limits);
}

static void put_sentence(struct gd_buf *buf, unsigned count, unsigned foreign_percent)
{
    while (count--) {
        put(buf, draw(100) < foreign_percent ? PICK(others) : PICK(words));
        put(buf, count ? " " : "");
    }
}

static void put_author(struct gd_buf *buf)
{
    put_drawn(buf, "    \"user\": {\n      \"id\": ~,\n      \"name\": \"", 1u << 31);
    put_sentence(buf, 2, 40);
    put_drawn(buf, "\",\n      \"screen_name\": \"gather_~\",\n      \"description\": \"",
              999u);
    put_sentence(buf, 4 + draw(16), 50);
    put_drawn(buf, "\",\n      \"url\": \"http:\\/\\/t.example\\/~\",\n", 1u << 31);
    put_drawn(buf, "      \"protected\": false,\n      \"followers_count\": ~,\n", 9000u);
    put_drawn(buf, "      \"friends_count\": ~,\n      \"utc_offset\": null,\n", 900u);
    put(buf, "      \"profile_background_color\": \"C0DEED\",\n");
    put(buf, "      \"profile_use_background_image\": true\n    },\n");
}

/* Short messages: indented objects, long names, foreign text, escapes. */
static void make_tweets(struct gd_buf *buf)
{
    put(buf, "{\n  \"statuses\": [\n");
    for (int left = 400; left--;) {
        put_drawn(buf, "  {\n    \"created_at\": \"Sun Aug 31 00:~:~ +0000 2014\",\n",
                  60u, 60u);
        put_drawn(buf, "    \"id_str\": \"5058749~\",\n    \"text\": \"@session ",
                  1u << 31);
        put_sentence(buf, 6 + draw(12), 60);
        put(buf, "\\n#tag \\u2026\",\n    \"truncated\": false,\n");
        put(buf, "    \"in_reply_to_status_id\": null,\n");
        put_author(buf);
        put(buf, "    \"entities\": {\n      \"hashtags\": [],\n      \"urls\": []\n"
                 "    },\n");
        put_drawn(buf, "    \"retweet_count\": ~,\n    \"lang\": \"ja\"\n  }", 100u);
        put(buf, left ? ",\n" : "\n");
    }
    put(buf, "  ]\n}\n");
}

/* A border: nothing but pairs of long numbers. */
static void make_border(struct gd_buf *buf)
{
    put(buf, "{\"type\":\"FeatureCollection\",\"features\":[{\"coordinates\":[");
    for (int ring = 40; ring--;) {
        put(buf, "[");
        for (int left = 600; left--;) {
            put_drawn(buf, "[-~.~~,~.~~]", 140u, 1000000u, 1000000000u, 80u, 1000000u,
                      1000000000u);
            put(buf, left ? "," : "");
        }
        put(buf, ring ? "]," : "]");
    }
    put(buf, "]}]}");
}

/* A catalogue: deep indentation, small objects, short integers. */
static void make_catalogue(struct gd_buf *buf)
{
    put(buf, "{\n    \"performances\": [\n");
    for (int left = 700; left--;) {
        put_drawn(buf, "        {\n            \"eventId\": ~,\n            \"id\": ~,\n",
                  270000000u, 680000000u);
        put(buf, "            \"logo\": null,\n            \"name\": null,\n"
                 "            \"prices\": [\n");
        for (int prices = 4; prices--;) {
            put_drawn(buf,
                      "                {\n                    \"amount\": ~000,\n"
                      "                    \"audienceSubCategoryId\": 337100890,\n"
                      "                    \"seatCategoryId\": 338~\n                }",
                      200u, 900000u);
            put(buf, prices ? ",\n" : "\n");
        }
        put(buf, "            ],\n            \"seatCategories\": [\n");
        for (int areas = 6; areas--;) {
            put_drawn(buf,
                      "                {\n                    \"areaId\": 2057~,\n"
                      "                    \"blockIds\": []\n                }",
                      90000u);
            put(buf, areas ? ",\n" : "\n");
        }
        put_drawn(buf,
                  "            ],\n            \"seatMapImage\": null,\n"
                  "            \"start\": 13726~000,\n"
                  "            \"venueCode\": \"PLEYEL_PLEYEL\"\n        }",
                  80000u);
        put(buf, left ? ",\n" : "\n");
    }
    put(buf, "    ]\n}\n");
}

/* What an upstream usually answers: about 1 KiB on one line. */
static void make_api(struct gd_buf *buf)
{
    put(buf,
        "{\"id\":\"5f0c6a4e-2b7d-4c5e-9a53-0d5b3c2f7a11\",\"login\":\"ada\",\"name\":"
        "\"Ada Lovelace\",\"email\":\"ada.lovelace@example.org\",\"avatarUrl\":"
        "\"https://images.example.org/avatars/48213.png?size=128\",\"active\":true,"
        "\"createdAt\":\"2024-03-01T10:22:31Z\",\"updatedAt\":\"2024-11-19T07:03:58Z\","
        "\"bio\":\"Writes programs for an engine that is not built yet.\",\"score\":87.5,"
        "\"manager\":null,\"address\":{\"street\":\"12 Long Lane\",\"city\":\"London\","
        "\"postalCode\":\"N1 9GU\",\"country\":\"GB\"},\"tags\":[\"maths\",\"engines\","
        "\"poetry\"],\"orders\":[");
    for (int left = 4; left--;) {
        put_drawn(buf,
                  "{\"orderId\":~,\"status\":\"shipped\",\"placedAt\":"
                  "\"2024-~-~T09:15:00Z\",\"items\":~,\"total\":~.~}",
                  90000u, 12u, 28u, 9u, 200u, 100u);
        put(buf, left ? "," : "");
    }
    put(buf, "],\"links\":{\"self\":\"/users/48213\",\"orders\":\"/users/48213/orders\"},"
             "\"unread\":0}");
}

/* The same size with hardly anything but names, small numbers and brackets. */
static void make_dense(struct gd_buf *buf)
{
    put(buf, "{\"orders\":[");
    for (int left = 14; left--;) {
        put_drawn(buf,
                  "{\"id\":~,\"sku\":\"AB-~\",\"quantity\":~,\"price\":~.~,"
                  "\"state\":\"open\"}",
                  90000u, 9000u, 9u, 200u, 100u);
        put(buf, left ? "," : "");
    }
    put(buf, "]}");
}

typedef bool scan_fn(struct gd_span bytes, unsigned max_depth, struct gd_span *value,
                     struct gd_json_fault *fault);

static void scan_times(scan_fn *scan, struct gd_span text, long count)
{
    struct gd_span value;

    while (count-- > 0)
        if (!scan(text, GD_JSON_DEPTH_MAX, &value, NULL))
            abort();
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The best of several rounds of about 20 ms: what the machine does undisturbed. */
static double gigabytes_per_s(scan_fn *scan, struct gd_span text)
{
    long count = 1 + 40000000 / (long)text.len;
    double best = 0;

    for (int round = 0; round < 7; round++) {
        double start = now_s(), took;

        scan_times(scan, text, count);
        took = now_s() - start;
        if (took > 0 && (double)text.len * (double)count / took > best)
            best = (double)text.len * (double)count / took;
    }
    return best / 1e9;
}

static const struct {
    const char *name;
    void (*make)(struct gd_buf *buf);
} documents[] = {
    {"tweets", make_tweets}, {"border", make_border}, {"catalogue", make_catalogue},
    {"api", make_api},       {"dense", make_dense},
};

int main(int argc, char **argv)
{
    if (argc != 4)
        printf("%-10s %9s %12s %14s\n", "document", "bytes", "scan GB/s",
               "portable GB/s");
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct gd_buf buf;
        struct gd_span text;

        gd_buf_init(&buf, NULL, 8 << 20);
        seed = 1;
        documents[i].make(&buf);
        text = gd_buf_span(&buf);
        if (argc != 4)
            printf("%-10s %9zu %12.2f %14.2f\n", documents[i].name, text.len,
                   gigabytes_per_s(gd_json_scan, text),
                   gigabytes_per_s(gd_json_scan_portable, text));
        else if (strcmp(argv[1], documents[i].name) == 0) {
            printf("%zu bytes\n", text.len);
            scan_times(strcmp(argv[2], "vector") ? gd_json_scan_portable : gd_json_scan,
                       text, strtol(argv[3], NULL, 10));
        }
        gd_buf_free(&buf);
    }
    return EXIT_SUCCESS;
}
